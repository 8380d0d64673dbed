// What WebSockets ask PostgreSQL: what a socket missed, and what was committed since somebody last looked.
#ifndef SOCKET_STORE_H
#define SOCKET_STORE_H

#include "bf_db.h"
#include "live.h"

#define SOCKET_STORE_MARK_SIZE 24

// Events behind `after` that `number` ("": everybody) of the tenant may see, in the order they were stored;
// what was stored in the seconds before it comes too, because transactions do not commit in that order.
// BF_NOT_FOUND: `after` is unknown, or was stored more than window_s ago; BF_TOO_LARGE: there are more than
// `max`. Tenant scope.
bf_must_check enum bf_err socket_store_missed(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                              struct bf_id after, int64_t window_s, size_t max,
                                              struct live **ret_lives, size_t *ret_count);

// Everything that was committed between the mark of the call before and the one that comes back, each event
// once; *ret_more: there is more, ask again. An empty mark begins now. System scope.
struct socket_store_reader {
    void (*each)(void *ctx, const struct live_event *event);
    bool (*known)(void *ctx, struct bf_id id); // is left out; NULL: none is
    void *ctx;
};
bf_must_check enum bf_err socket_store_since(struct bf_tx *tx, char mark[SOCKET_STORE_MARK_SIZE], size_t max,
                                             const struct socket_store_reader *reader, bool *ret_more);

#endif
