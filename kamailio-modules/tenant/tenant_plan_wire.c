// Of the generated names, those of plans are known here.
#include "tenant_plan_wire.h"

#include <string.h>
#include "belfry/call/v1/call.pb-c.h"

typedef Belfry__Call__V1__PlanReply pb_plan;
typedef Belfry__Call__V1__Step pb_step;

#define URI_BYTES_MAX  1000 // what Kamailio takes for a branch
#define PATH_BYTES_MAX 250
#define RUID_BYTES_MAX 60

// ---- the question -----------------------------------------------------------------------------------------

static char *text_of(struct bf_str text)
{
    return bf_xstrndup(text.at ? text.at : "", text.len);
}

static size_t ask_text_bytes(const struct tenant_plan_ask *ask)
{
    return ask->edge.id.len + ask->edge.bus.len + ask->edge.internal.len + ask->call_id.len +
           ask->caller.len + ask->callee.len + ask->source.len + ask->user_agent.len;
}

void tenant_plan_wire_ask(const struct tenant_plan_ask *ask, struct bf_buf *into)
{
    Belfry__Call__V1__PlanRequest message = BELFRY__CALL__V1__PLAN_REQUEST__INIT;
    Belfry__Call__V1__EdgeInfo edge = BELFRY__CALL__V1__EDGE_INFO__INIT;
    uint8_t bytes[TENANT_PLAN_ASK_BYTES_MAX];

    if (ask_text_bytes(ask) > sizeof(bytes) - 128) { // 128: the numbers, ids and tags
        into->over = true;
        return;
    }
    bf_autofree char *id = text_of(ask->edge.id), *bus = text_of(ask->edge.bus);
    bf_autofree char *internal = text_of(ask->edge.internal), *call_id = text_of(ask->call_id);
    bf_autofree char *caller = text_of(ask->caller), *callee = text_of(ask->callee);
    bf_autofree char *source = text_of(ask->source), *user_agent = text_of(ask->user_agent);
    edge.id = id;
    edge.bus = bus;
    edge.internal = internal;
    edge.boot = ask->edge.boot;
    message.edge = &edge;
    message.tenant_id = (ProtobufCBinaryData){sizeof(ask->tenant.bytes), (uint8_t *)ask->tenant.bytes};
    message.call = (ProtobufCBinaryData){sizeof(ask->call.bytes), (uint8_t *)ask->call.bytes};
    message.call_id = call_id;
    message.caller = caller;
    message.callee = callee;
    message.source = source;
    message.user_agent = user_agent;
    message.max_calls = ask->max_calls;
    message.calls_per_second = ask->calls_per_second;
    bf_buf_add(into, bytes, belfry__call__v1__plan_request__pack(&message, bytes));
}

// ---- the answer -------------------------------------------------------------------------------------------

// Goes into a message as it is, so nothing that could end a line or a header.
static bool read_line(const char *from, size_t max, struct bf_str *ret_text)
{
    *ret_text = bf_str(from);
    if (ret_text->len > max)
        return false;
    for (size_t i = 0; i < ret_text->len; i++) {
        if ((unsigned char)from[i] < ' ' || from[i] == 0x7f)
            return false;
    }
    return true;
}

static bool read_target(const Belfry__Call__V1__Target *from, struct tenant_plan_target *target)
{
    target->flags = from->flags;
    return read_line(from->number, 128, &target->number) &&
           read_line(from->ruid, RUID_BYTES_MAX, &target->ruid) &&
           read_line(from->uri, URI_BYTES_MAX, &target->uri) && target->uri.len > 0 &&
           read_line(from->dst, URI_BYTES_MAX, &target->dst) &&
           read_line(from->route, PATH_BYTES_MAX, &target->route) &&
           read_line(from->edge, 64, &target->edge) && read_line(from->socket, 64, &target->socket);
}

static bool read_when(Belfry__Call__V1__Step__When from, enum tenant_plan_when *when)
{
    switch (from) {
    case BELFRY__CALL__V1__STEP__WHEN__ANY_FAILURE:
        *when = TENANT_PLAN_ANY_FAILURE;
        return true;
    case BELFRY__CALL__V1__STEP__WHEN__BUSY:
        *when = TENANT_PLAN_WHEN_BUSY;
        return true;
    case BELFRY__CALL__V1__STEP__WHEN__NO_ANSWER:
        *when = TENANT_PLAN_WHEN_NO_ANSWER;
        return true;
    default:
        return false;
    }
}

static bool read_targets(const pb_step *from, struct tenant_plan_step *step)
{
    step->targets = calloc(from->n_targets + 1, sizeof(*step->targets));
    for (size_t i = 0; step->targets && i < from->n_targets; i++) {
        if (!read_target(from->targets[i], &step->targets[i]))
            return false;
        step->target_count++;
    }
    return step->targets;
}

static bool read_wakes(const pb_step *from, struct tenant_plan_step *step)
{
    step->wakes = calloc(from->n_wakes + 1, sizeof(*step->wakes));
    for (size_t i = 0; step->wakes && i < from->n_wakes; i++) {
        const Belfry__Call__V1__Wake *wake = from->wakes[i];
        if (wake->device.len != sizeof(step->wakes[i].device.bytes) ||
            !read_line(wake->number, 128, &step->wakes[i].number))
            return false;
        memcpy(step->wakes[i].device.bytes, wake->device.data, wake->device.len);
        step->wake_count++;
    }
    return step->wakes;
}

// `index`: a step follows one before it.
static bool read_step(const pb_step *from, size_t index, struct tenant_plan_step *step)
{
    step->seconds = from->seconds;
    step->after = from->after;
    if (from->seconds < 1 || from->seconds > 3600 || from->after > index ||
        !read_when(from->when, &step->when) || !read_line(from->why, 200, &step->why) ||
        from->n_targets + from->n_wakes < 1 || from->n_targets > TENANT_PLAN_TARGETS_MAX ||
        from->n_wakes > TENANT_PLAN_WAKES_MAX)
        return false;
    return read_targets(from, step) && read_wakes(from, step);
}

static bool read_head(const pb_plan *from, struct tenant_plan *plan)
{
    if (from->call.len != sizeof(plan->call.bytes))
        return false;
    memcpy(plan->call.bytes, from->call.data, from->call.len);
    plan->final_code = from->final_code;
    return !bf_id_is_nil(plan->call) && read_line(from->final_reason, 100, &plan->final_reason) &&
           read_line(from->why, 200, &plan->why) && read_line(from->caller_name, 128, &plan->caller_name) &&
           from->n_steps <= TENANT_PLAN_STEPS_MAX && (from->final_code > 0 || from->n_steps > 0) &&
           (from->final_code == 0 || (from->final_code >= 300 && from->final_code <= 699));
}

static bool read_plan(const pb_plan *from, struct tenant_plan *plan)
{
    if (!read_head(from, plan))
        return false;
    plan->steps = calloc(from->n_steps + 1, sizeof(*plan->steps));
    for (size_t i = 0; plan->steps && i < from->n_steps; i++) {
        plan->step_count++;
        if (!read_step(from->steps[i], i, &plan->steps[i]))
            return false;
    }
    return plan->steps;
}

void tenant_plan_wire_release(struct tenant_plan *plan, void *message)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        free(plan->steps[i].targets);
        free(plan->steps[i].wakes);
    }
    free(plan->steps);
    if (message)
        belfry__call__v1__plan_reply__free_unpacked(message, NULL);
    *plan = (struct tenant_plan){0};
}

enum bf_err tenant_plan_wire_read(struct bf_str bytes, struct tenant_plan *ret_plan, void **ret_message)
{
    struct tenant_plan plan = {0};
    pb_plan *message = belfry__call__v1__plan_reply__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);

    if (!message || !read_plan(message, &plan)) {
        tenant_plan_wire_release(&plan, message);
        return BF_PROTOCOL;
    }
    *ret_plan = plan;
    *ret_message = message;
    return BF_OK;
}

// ---- several ----------------------------------------------------------------------------------------------

void tenant_plan_wire_ask_all(const struct bf_str *asks, size_t count, struct bf_buf *into)
{
    Belfry__Call__V1__PlansRequest message = BELFRY__CALL__V1__PLANS_REQUEST__INIT;
    ProtobufCBinaryData plans[TENANT_PLANS_MAX];

    for (size_t i = 0; i < count; i++)
        plans[i] = (ProtobufCBinaryData){asks[i].len, (uint8_t *)asks[i].at};
    message.plans = plans;
    message.n_plans = count;
    bf_autofree uint8_t *bytes =
        bf_xcalloc(belfry__call__v1__plans_request__get_packed_size(&message) + 1, 1);
    bf_buf_add(into, bytes, belfry__call__v1__plans_request__pack(&message, bytes));
}

enum bf_err tenant_plan_wire_read_all(struct bf_str bytes, size_t count,
                                      struct tenant_plan_reply *ret_results, void **ret_message)
{
    Belfry__Call__V1__PlansReply *message =
        belfry__call__v1__plans_reply__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);

    if (!message || message->n_results != count) {
        tenant_plan_wire_release_all(message);
        return BF_PROTOCOL;
    }
    for (size_t i = 0; i < count; i++) {
        const Belfry__Call__V1__PlanResult *result = message->results[i];
        ret_results[i].err = bf_err_from_bus(result->status);
        ret_results[i].plan = (struct bf_str){(const char *)result->plan.data, result->plan.len};
    }
    *ret_message = message;
    return BF_OK;
}

void tenant_plan_wire_release_all(void *message)
{
    if (message)
        belfry__call__v1__plans_reply__free_unpacked(message, NULL);
}
