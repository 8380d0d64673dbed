// Live calls in Redis.
//
// call:{t}:<call> is a text of the call's members by name, cl:{t} its tenant's calls by id (a sorted set, all
// scores 0), ec:<edge> its edge's, as "<t>/<call>". A call that is over leaves its state for a
// while, so that what comes late does not make it anew. Any thread.
#ifndef CALL_STORE_H
#define CALL_STORE_H

#include "bf_redis.h"
#include "call.h"
#include "call_events.h"

#define CALL_LIVE_S (13 * 3600) // longer than an edge lets a call live
#define CALL_OVER_S 120         // what comes later finds the end in its timeline

// "call:{t}:<call>"
#define CALL_KEY_SIZE (2 * BF_ID_TEXT_SIZE + 8)
const char *call_key(struct bf_id tenant, struct bf_id call, char key[CALL_KEY_SIZE]);
#define CALL_OVER_LUA "state=ended\\n" // the first 12 bytes of a call that is over, for scripts

// In batches of others: ask adds one command, read reads its reply. False: nothing is known of the call.
void call_store_ask(struct bf_redis_batch *batch, struct bf_id tenant, struct bf_id call);
bool call_store_read(const struct bf_redis_reply *reply, struct bf_id tenant, struct bf_id call,
                     struct call *ret_call);
// A call that is not over, and its lease under max_calls. One that is over stays over: then nothing is
// written but its lists and its lease, which call_store_forget takes away again.
struct call_keep {
    bool listed;      // it is in its edge's list already
    bool only_new;    // as it is when it is there
    uint32_t hold_ms; // its lease: made or lengthened, whatever the limits are; 0: left alone
};
enum call_kept {
    CALL_KEPT,
    CALL_KEPT_BEFORE, // only_new: it is there
    CALL_KEPT_OVER,
    CALL_KEPT_NOT, // not `listed`, but somebody told of it meanwhile: to be kept again as listed
};
extern struct bf_redis_script call_keep_script;
size_t call_store_keep(struct bf_redis_batch *batch, const struct call *call, struct call_keep how);
enum call_kept
call_store_kept(const struct bf_redis_reply *reply); // to be asked for each reply of that number
// Out of the lists, its lease is free; leaves the trace.
void call_store_end(struct bf_redis_batch *batch, const struct call *call);
void call_store_forget(struct bf_redis_batch *batch, const char *edge, struct bf_id tenant,
                       struct bf_id call); // out of the lists, its lease is free

// A running call of the tenant; one that is over, or nobody's: BF_NOT_FOUND.
bf_must_check enum bf_err call_store_find(struct control *control, struct bf_id tenant, struct bf_id call,
                                          struct call *ret_call);

// Running calls of a tenant, newest first, those before `before` (nil: from the newest).
typedef void call_store_each(void *ctx, const struct call *call);
bf_must_check enum bf_err call_store_list(struct control *control, struct bf_id tenant, struct bf_id before,
                                          int64_t limit, call_store_each *each, void *ctx, bool *ret_more);

// Some (at most max) of an edge's calls.
struct call_ref {
    struct bf_id tenant, call;
};
bf_must_check enum bf_err call_store_of_edge(struct control *control, const char *edge, size_t max,
                                             struct call_ref *ret_refs, size_t *ret_count);

#endif
