// What the sides of the bus share: nng's errors, lists of addresses, listening, dialling. Private to
// bf_bus_*.c.
#ifndef BF_BUS_NNG_H
#define BF_BUS_NNG_H

#include <nng/nng.h>

#include "bf_bus.h"

#define BF_BUS_QUEUE_MAX      8192 // nng's own limit for a send or receive buffer, in messages
#define BF_BUS_ENVELOPE_BYTES 4096 // what the envelope may add to a body
#define BF_BUS_FRAME_BYTES    (BF_BUS_BYTES_MAX + BF_BUS_ENVELOPE_BYTES)

enum bf_err bf_bus_err(int nng_error);

// Reads "url url ...": BF_INVALID when there is none, more than BF_BUS_URLS_MAX, or one that is neither
// ipc:// nor tcp:// with a port (nor inproc://, for tests). Ends with the first error of `each`.
typedef enum bf_err bf_bus_url_do(void *ctx, const char *url);
bf_must_check enum bf_err bf_bus_each_url(const char *urls, bf_bus_url_do *each, void *ctx);

// Listening on ipc:// removes a socket file that nobody answers on.
bf_must_check enum bf_err bf_bus_listen(nng_socket socket, const char *urls);
bf_must_check enum bf_err bf_bus_dial_all(nng_socket socket,
                                          const char *urls); // returns before it is connected

#endif
