// Waits for sleeping devices in Redis. See the README for the keys. Writes bear being repeated.
#ifndef WAKE_STORE_H
#define WAKE_STORE_H

#include "bf_redis.h"
#include "wake.h"

#define WAKE_WAITS_MAX 256 // of a number that are looked at

void wake_store_put(struct bf_redis_batch *batch, const struct wake_wait *wait);
// Of the wait only tenant, call and the sleeper's id and number count.
void wake_store_gone(struct bf_redis_batch *batch, const struct wake_wait *wait);

// Into a batch: a number's waits; then read that reply: at most WAKE_WAITS_MAX, none that is over.
size_t wake_store_ask(struct bf_redis_batch *batch, struct bf_id tenant, const char *number);
size_t wake_store_read(const struct bf_redis_reply *reply, struct bf_id tenant, const char *number,
                       uint64_t now_ms, struct wake_wait *waits);

struct control;
// A call is over: whatever it waited for.
bf_must_check enum bf_err wake_store_end(struct control *control, struct bf_id tenant, struct bf_id call);

#endif
