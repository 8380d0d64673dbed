// A plan for one INVITE: directory, bindings and limits around the rules of plan.c, in one round trip to
// Redis.
#ifndef PLANNER_H
#define PLANNER_H

#include "bf_bus.h"
#include "call_wire.h"

// Appends the packed PlanReply. BF_UNAVAILABLE, BF_TIMEOUT: the edge plans by itself; a lease that was taken
// is freed again.
bf_must_check enum bf_err planner_plan(struct control *control, const struct wire_plan *asked,
                                       uint64_t deadline_unix_ms, struct bf_buf *ret_body);

#endif
