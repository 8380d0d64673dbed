// Which push devices numbers have: asked from event-fanout, remembered for PUSH_KEPT_MS.
//
// A plan waits for the answer at most PUSH_ASK_MS; when event-fanout was away just now, it is not asked again
// for PUSH_RETRY_MS, and nobody waits. Any thread.
#ifndef PUSH_DEVICES_H
#define PUSH_DEVICES_H

#include "control.h"
#include "plan.h"

#define PUSH_KEPT_MS     5000
#define PUSH_ASK_MS      100
#define PUSH_RETRY_MS    1000
#define PUSH_NUMBERS_MAX 64 // of a question; further numbers are as without a device
#define PUSH_OF_NUMBER   8  // devices; further ones are left out

struct push_devices;
struct push_devices *push_devices_new(struct control *control);
void push_devices_free(struct push_devices *push); // NULL is fine

struct push_number {
    const char *number;
    struct bf_id extension; // that it is now; nil: none, or not known, and then nobody is woken for it
};

// Most tenants have no push device at all. Event-fanout marks them so in Redis (its push_mark.h): the first
// asks for the mark, with whatever else is asked of Redis; the second reads the reply. True: nobody has to be
// asked.
void push_devices_mark(struct bf_redis_batch *batch, struct bf_id tenant);
bool push_devices_none(const struct bf_redis_reply *reply);

// Without event-fanout (BELFRY_EVENTS_BUS is empty) nobody has any. The caller frees ret_sleepers->at.
void push_devices_find(struct push_devices *push, struct bf_id tenant, const struct push_number *numbers,
                       size_t count, struct plan_sleepers *ret_sleepers);
// Whether that is known without asking.
bool push_devices_known(struct push_devices *push, struct bf_id tenant, const struct push_number *numbers,
                        size_t count);
void push_devices_void(struct push_devices *push, struct bf_id tenant, const struct push_number *number);

#endif
