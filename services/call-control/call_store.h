// Live calls in Redis; the way of a call event to PostgreSQL and Redis.
//
// PostgreSQL comes first: when it is away nothing is taken and the caller must not acknowledge. Then Redis;
// when that fails the events come again and find their lines and CDRs already there.
#ifndef CALL_STORE_H
#define CALL_STORE_H

#include "bf_err.h"
#include "call.h"

struct control;

// A whole batch as an edge sent it, of any calls and tenants, in one transaction: use this, not one by one.
// BF_OK: all are durable, live state, leases and CDRs included (events that are no good are counted, logged
// and left out). Any error: nothing may be acknowledged; the same batch may be sent again. `local_plan`s and
// late events are fine.
bf_must_check enum bf_err call_events_apply(struct control *control, const struct call_event *events,
                                            size_t count);

static inline bf_must_check enum bf_err call_event_apply(struct control *control,
                                                         const struct call_event *event)
{
    return call_events_apply(control, event, 1);
}

#endif
