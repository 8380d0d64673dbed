// Plans on the wire: the question, and the answer checked. What is wrong in an answer is BF_PROTOCOL.
#ifndef TENANT_PLAN_WIRE_H
#define TENANT_PLAN_WIRE_H

#include "bf_buf.h"
#include "bf_err.h"
#include "tenant_plan.h"

#define TENANT_PLAN_ASK_BYTES_MAX 4096

struct tenant_plan_edge { // EdgeInfo
    struct bf_str id, bus, internal;
    uint64_t boot;
};

struct tenant_plan_ask {
    struct tenant_plan_edge edge;
    struct bf_id tenant, call;
    struct bf_str call_id, caller, callee, source, user_agent;
    uint32_t max_calls, calls_per_second;
};

// A PlanRequest. `into` is over when the texts are too long for one.
void tenant_plan_wire_ask(const struct tenant_plan_ask *ask, struct bf_buf *into);

// A PlanReply. The plan's texts live in *ret_message, until tenant_plan_wire_release().
bf_must_check enum bf_err tenant_plan_wire_read(struct bf_str bytes, struct tenant_plan *ret_plan,
                                                void **ret_message);
void tenant_plan_wire_release(struct tenant_plan *plan, void *message);

#define TENANT_PLANS_MAX 16

// A PlansRequest of packed PlanRequests.
void tenant_plan_wire_ask_all(const struct bf_str *asks, size_t count, struct bf_buf *into);

struct tenant_plan_reply {
    enum bf_err err;
    struct bf_str plan; // a packed PlanReply
};
// A PlansReply of that many. The texts live in *ret_message, until tenant_plan_wire_release_all().
bf_must_check enum bf_err tenant_plan_wire_read_all(struct bf_str bytes, size_t count,
                                                    struct tenant_plan_reply *ret_results,
                                                    void **ret_message);
void tenant_plan_wire_release_all(void *message);

#endif
