// A plan for an INVITE: directory, bindings and limits around the rules of plan.c, in one round trip to
// Redis, also for several INVITEs.
#ifndef PLANNER_H
#define PLANNER_H

#include "bf_bus.h"
#include "call_wire.h"

// Appends the packed PlanReply. BF_UNAVAILABLE, BF_TIMEOUT: the edge plans by itself; a lease that was taken
// is freed again.
bf_must_check enum bf_err planner_plan(struct control *control, const struct wire_plan *asked,
                                       uint64_t deadline_unix_ms, struct bf_buf *ret_body);

// Several at once, for whom nobody but Redis has to be asked; of the others `err` is BF_NOT_FOUND: they are
// to be planned alone. The caller releases each `reply`.
struct planner_job {
    const struct wire_plan *asked;
    enum bf_err err;
    struct bf_buf reply; // a packed PlanReply
};
void planner_plan_all(struct control *control, struct planner_job *jobs, size_t count,
                      uint64_t deadline_unix_ms);

#endif
