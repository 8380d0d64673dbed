// One address of a bus client: its connection, and the attempts to be answered over it. Private to
// bf_bus_*.c.
#ifndef BF_BUS_LINE_H
#define BF_BUS_LINE_H

#include <nng/nng.h>

#include "belfry/bus/v1/bus.pb-c.h"
#include "bf_bus_nng.h"

struct bf_bus_line;

// Runs once, on one of nng's threads. `reply` is NULL when none came or it made no sense.
typedef void bf_bus_line_done(void *ctx, enum bf_err err, const Belfry__Bus__V1__Reply *reply);

bf_must_check enum bf_err bf_bus_line_open(const char *url, struct bf_bus_line **ret_line);
void bf_bus_line_stop(
    struct bf_bus_line *line); // attempts under way end with BF_UNAVAILABLE, and no new ones begin
void bf_bus_line_close(struct bf_bus_line *line); // stopped, if it was not; NULL is fine
bool bf_bus_line_connected(const struct bf_bus_line *line);

// Takes the message. An error: it was not sent, and `done` does not run. The caller bounds how many there are
// at once.
bf_must_check enum bf_err bf_bus_line_send(struct bf_bus_line *line, nng_msg *message, int64_t timeout_ms,
                                           bf_bus_line_done *done, void *ctx);

#endif
