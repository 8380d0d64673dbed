// All lanes: which one a push goes into, when it goes out, and what ends without a request. One thread at a
// time.
#ifndef PUSH_LANES_H
#define PUSH_LANES_H

#include "fanout.h"
#include "push_flight.h"

// The caller's memory.
struct push_lanes {
    struct fanout *fanout;
    const struct push_flight_options *flights;
    void (*ended)(void *ctx, struct push *push, const struct push_outcome *outcome); // takes the push
    void *ctx;
    struct push_lane *first;
};
void push_lanes_release(struct push_lanes *lanes);

void push_lanes_add(struct push_lanes *lanes, struct push *push); // taken; one that can never be sent ends
void push_lanes_send(struct push_lanes *lanes);                   // begins all requests that may begin now
void push_lanes_expire(struct push_lanes *lanes);                 // ends those that nobody waits for any more
// Ends a push that is in no lane, before a request went out: `why` and `more` are why.
void push_lanes_drop(struct push_lanes *lanes, struct push *push, const char *why, const char *more);

#endif
