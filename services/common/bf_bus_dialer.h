// An address that is dialled until there is a connection, and again when it went. Private to bf_bus_*.c.
//
// nng does so by itself, but for one case: when the other side goes in the middle of a connection's
// beginning, nng 1.5.2 takes that for the end of the dialer, and never dials again (nng's issue 1518, mended
// in 1.6). So a dialer that has had no connection for a while is replaced (docs/adr/0027).
#ifndef BF_BUS_DIALER_H
#define BF_BUS_DIALER_H

#include "bf_bus_nng.h"

#define BF_BUS_DIALER_PATIENCE_MS 3000

struct bf_bus_dialer;

// Does not dial yet, so that whoever hears of connections has it first.
bf_must_check enum bf_err bf_bus_dialer_new(nng_socket socket, const char *url,
                                            struct bf_bus_dialer **ret_dialer);
bf_must_check enum bf_err bf_bus_dialer_start(struct bf_bus_dialer *dialer); // returns before it is connected
// What the socket tells of a connection, NNG_PIPE_EV_ADD_POST or _REM_POST. True: it was this dialer's one.
bool bf_bus_dialer_heard(struct bf_bus_dialer *dialer, nng_pipe pipe, nng_pipe_ev event);
bool bf_bus_dialer_connected(const struct bf_bus_dialer *dialer);
// Before the socket is closed. The connection stays until then; NULL is fine.
void bf_bus_dialer_stop(struct bf_bus_dialer *dialer);
void bf_bus_dialer_free(struct bf_bus_dialer *dialer); // after the socket was closed; NULL is fine

#endif
