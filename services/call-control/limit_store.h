// Leases of running calls and the calls of the last second, in Redis: exact across edges and replicas.
//
// A lease is taken at Plan, when the tenant has limits, and lasts for LIMIT_PLAN_MS: a call that is carried
// out (STEP, RINGING, ANSWERED; not STARTED, which a refused one has too) holds it, its end frees it, a dead
// edge's are freed by the reaper. What is never told of ends by itself. Holding and freeing by a call's
// events is call_store's: one step with what becomes of the call.
#ifndef LIMIT_STORE_H
#define LIMIT_STORE_H

#include "bf_id.h"
#include "bf_redis.h"

struct control;

#define LIMIT_PLAN_MS 120000
#define LIMIT_HOLD_MS 46800000 // longer than an edge lets a call live

enum limit_verdict {
    LIMIT_FREE,      // the lease is taken
    LIMIT_MAX_CALLS, // over max_calls
    LIMIT_RATE,      // over calls_per_second
};

struct limit_lease {
    struct bf_id tenant, call;
    const char *edge;
};

// The limits of the tenant; 0: none.
struct limit_caps {
    uint32_t max_calls, calls_per_second;
};

extern struct bf_redis_script limit_take_script;

// "l:{t}", and a lease in it: "<edge>/<call>"
#define LIMIT_KEY_SIZE    64
#define LIMIT_MEMBER_SIZE 112
const char *limit_lease_key(struct bf_id tenant, char key[LIMIT_KEY_SIZE]);
const char *limit_lease_member(const struct limit_lease *lease, char member[LIMIT_MEMBER_SIZE]);

// Into a batch of others; the verdict is read from the reply of that number.
size_t limit_store_take(struct bf_redis_batch *batch, const struct limit_lease *lease,
                        struct limit_caps caps);
enum limit_verdict limit_store_verdict(const struct bf_redis_reply *reply);
void limit_store_free(struct bf_redis_batch *batch, const struct limit_lease *lease);
// How many calls a tenant runs now.
bf_must_check enum bf_err limit_store_count(struct control *control, struct bf_id tenant, int64_t *ret_calls);

#endif
