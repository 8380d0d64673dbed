// The location index in Redis: which devices a number has, on which edge. See the README for the keys.
//
// Writes go into the caller's batch and bear being repeated. Reads give what has not run out; whether an edge
// lives is not asked here.
#ifndef LOCATION_STORE_H
#define LOCATION_STORE_H

#include "bf_redis.h"
#include "binding.h"

struct control;

#define LOCATION_PAGE_MAX  5000
#define LOCATION_LIST_MAX  100
#define LOCATION_NEXT_SIZE 32
#define LOCATION_LAST_SIZE 96

extern struct bf_redis_script location_put_script, location_gone_script;

// `packed`: the binding as call.v1 Binding. Returns the number of the reply that says whether it is a new one
// (1) or was there (0). It has to be listed before the batch ends, and before the same one goes.
size_t location_store_put(struct bf_redis_batch *batch, const struct binding *binding, struct bf_str packed);
// 1 to LOCATION_LIST_MAX bindings of the edge that were put. `syncing`: it is sending everything.
void location_store_list(struct bf_redis_batch *batch, const char *edge,
                         const struct binding *const *bindings, size_t count, bool syncing);
// Only tenant, edge, number and ruid count.
void location_store_gone(struct bf_redis_batch *batch, const struct binding *binding, bool syncing);
// From here on the edge sends everything it has; at the end what did not come is gone.
void location_store_sync_begin(struct bf_redis_batch *batch, const char *edge);
bf_must_check enum bf_err location_store_sync_end(struct control *control, const char *edge,
                                                  size_t *ret_gone);

// Into a batch: all bindings of a number; then read that reply, which appends.
size_t location_store_ask(struct bf_redis_batch *batch, struct bf_id tenant, const char *number);
void location_store_read(const struct bf_redis_reply *reply, struct bf_id tenant, uint64_t now_ms,
                         struct bindings *bindings);
void location_store_release(struct bindings *bindings);

// An edge's bindings in pages. `after` is "" or the last page's `next`; at the end that is "". A page has
// about `limit`, and a binding may come twice.
bf_must_check enum bf_err location_store_edge(struct control *control, const char *edge, const char *after,
                                              size_t limit, struct bindings *bindings,
                                              char next[LOCATION_NEXT_SIZE]);
// A tenant's bindings of the first `limit` numbers behind `after` ("": from the first), ordered by number.
// *ret_more: there are further numbers behind the last one.
bf_must_check enum bf_err location_store_tenant(struct control *control, struct bf_id tenant,
                                                const char *after, size_t limit, struct bindings *bindings,
                                                char last[LOCATION_LAST_SIZE], bool *ret_more);
bf_must_check enum bf_err location_store_number(struct control *control, struct bf_id tenant,
                                                const char *number, struct bindings *bindings);

#endif
