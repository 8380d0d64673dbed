// A plan as call.v1 PlanReply.
#include <stdio.h>
#include <string.h>

#include "belfry/call/v1/call.pb-c.h"
#include "belfry/edge/v1/edge.pb-c.h"
#include "call_wire.h"

#define ROUTE_SIZE (3 * BINDING_URI_BYTES_MAX + 256)

struct written { // the message and what it points into
    Belfry__Call__V1__PlanReply reply;
    struct written_step {
        Belfry__Call__V1__Step step;
        Belfry__Call__V1__Target targets[PLAN_TARGETS_MAX];
        Belfry__Call__V1__Target *list[PLAN_TARGETS_MAX];
        Belfry__Call__V1__Wake wakes[PLAN_WAKES_MAX];
        Belfry__Call__V1__Wake *wake_list[PLAN_WAKES_MAX];
        struct bf_id devices[PLAN_WAKES_MAX];
    } * steps;
    Belfry__Call__V1__Step **list;
    struct bf_buf *texts; // routes and destinations: two of a target
    size_t text_count;
};

// RFC 3261 25.1: what a URI parameter's value may have as it is.
static void put_escaped(struct bf_buf *into, const char *text)
{
    for (; *text; text++) {
        char c = *text;
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     strchr("-_.!~*'()[]:", c);
        if (plain)
            bf_buf_add(into, &c, 1);
        else
            bf_buf_fmt(into, "%%%02X", (unsigned char)c);
    }
}

static struct bf_buf *new_text(struct written *written)
{
    struct bf_buf *text = &written->texts[written->text_count++];

    bf_buf_init(text, ROUTE_SIZE);
    return text;
}

// To the edge that has the connection, which finds in `received` where it leads.
static void write_far(struct written *written, Belfry__Call__V1__Target *target,
                      const struct binding *binding, const char *internal)
{
    struct bf_buf *route = new_text(written), *dst = new_text(written);

    bf_buf_fmt(dst, "sip:%s;transport=tcp", internal);
    bf_buf_fmt(route, "<sip:%s;transport=tcp;lr;received=", internal);
    put_escaped(route, binding->received[0] ? binding->received : binding->contact);
    bf_buf_str(route, ">");
    if (binding->path[0])
        bf_buf_fmt(route, ",%s", binding->path);
    target->dst = dst->at;
    target->route = route->at;
}

static void write_target(struct written *written, Belfry__Call__V1__Target *target,
                         const struct binding *binding, const char *own_edge, wire_internal *internal,
                         void *ctx)
{
    const char *socket = strcmp(binding->edge, own_edge) == 0 ? NULL : internal(ctx, binding->edge);

    belfry__call__v1__target__init(target);
    target->number = (char *)binding->number;
    target->ruid = (char *)binding->ruid;
    target->uri = (char *)binding->contact;
    target->edge = (char *)binding->edge;
    target->flags = binding->flags;
    target->socket = (char *)binding->socket;
    target->dst = (char *)binding->received;
    target->route = (char *)binding->path;
    if (socket)
        write_far(written, target, binding, socket);
}

static Belfry__Call__V1__Step__When when_of(enum plan_when when)
{
    switch (when) {
    case PLAN_BUSY:
        return BELFRY__CALL__V1__STEP__WHEN__BUSY;
    case PLAN_NO_ANSWER:
        return BELFRY__CALL__V1__STEP__WHEN__NO_ANSWER;
    case PLAN_ANY_FAILURE:
        break;
    }
    return BELFRY__CALL__V1__STEP__WHEN__ANY_FAILURE;
}

static void write_wakes(struct written_step *into, const struct plan_step *step)
{
    into->step.wakes = into->wake_list;
    into->step.n_wakes = step->wake_count;
    for (size_t i = 0; i < step->wake_count; i++) {
        Belfry__Call__V1__Wake *wake = into->wake_list[i] = &into->wakes[i];
        belfry__call__v1__wake__init(wake);
        into->devices[i] = step->wakes[i]->id;
        wake->device = (ProtobufCBinaryData){sizeof(into->devices[i].bytes), into->devices[i].bytes};
        wake->number = (char *)step->wakes[i]->number;
    }
}

static void write_step(struct written_step *into, const struct plan_step *step)
{
    belfry__call__v1__step__init(&into->step);
    into->step.seconds = step->seconds;
    into->step.why = (char *)step->why;
    into->step.when = when_of(step->when);
    into->step.after = (uint32_t)step->after;
    into->step.targets = into->list;
    into->step.n_targets = step->target_count;
    for (size_t i = 0; i < step->target_count; i++)
        into->list[i] = &into->targets[i];
    write_wakes(into, step);
}

static void release_written(struct written *written)
{
    for (size_t i = 0; i < written->text_count; i++)
        bf_buf_release(&written->texts[i]);
    free(written->texts);
    free(written->steps);
    free(written->list);
    free(written);
}

void wire_write_plan(struct bf_buf *into, const struct plan *plan, struct bf_id call, const char *own_edge,
                     wire_internal *internal, void *ctx)
{
    struct written *written = bf_xcalloc(1, sizeof(*written));
    size_t targets = 0;

    for (size_t s = 0; s < plan->step_count; s++)
        targets += plan->steps[s].target_count;
    belfry__call__v1__plan_reply__init(&written->reply);
    written->texts = bf_xcalloc(2 * targets + 1, sizeof(*written->texts));
    written->steps = bf_xcalloc(plan->step_count + 1, sizeof(*written->steps));
    written->list = bf_xcalloc(plan->step_count + 1, sizeof(Belfry__Call__V1__Step *));
    for (size_t s = 0; s < plan->step_count; s++) {
        write_step(&written->steps[s], &plan->steps[s]);
        for (size_t t = 0; t < plan->steps[s].target_count; t++)
            write_target(written, &written->steps[s].targets[t], plan->steps[s].targets[t], own_edge,
                         internal, ctx);
        written->list[s] = &written->steps[s].step;
    }
    written->reply.call = (ProtobufCBinaryData){sizeof(call.bytes), call.bytes};
    written->reply.steps = written->list;
    written->reply.n_steps = plan->step_count;
    written->reply.final_code = plan->final_code;
    written->reply.final_reason = (char *)plan->final_reason;
    written->reply.why = (char *)plan->why;
    written->reply.caller_name = (char *)plan->caller_name;
    size_t size = protobuf_c_message_get_packed_size(&written->reply.base);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size);
    protobuf_c_message_pack(&written->reply.base, bytes);
    bf_buf_add(into, bytes, size);
    release_written(written);
}

void wire_write_branch(struct bf_buf *into, struct bf_id call, struct bf_id device,
                       const struct binding *binding, const char *own_edge, wire_internal *internal,
                       void *ctx)
{
    struct written *written = bf_xcalloc(1, sizeof(*written));
    Belfry__Edge__V1__AddBranchRequest request = BELFRY__EDGE__V1__ADD_BRANCH_REQUEST__INIT;
    Belfry__Call__V1__Target target;

    written->texts = bf_xcalloc(2, sizeof(*written->texts));
    write_target(written, &target, binding, own_edge, internal, ctx);
    request.call = (ProtobufCBinaryData){sizeof(call.bytes), call.bytes};
    request.device = (ProtobufCBinaryData){sizeof(device.bytes), device.bytes};
    request.number = target.number;
    request.ruid = target.ruid;
    request.uri = target.uri;
    request.dst = target.dst;
    request.route = target.route;
    request.edge = target.edge;
    request.flags = target.flags;
    request.socket = target.socket;
    size_t size = protobuf_c_message_get_packed_size(&request.base);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size + 1);
    protobuf_c_message_pack(&request.base, bytes);
    bf_buf_add(into, bytes, size);
    release_written(written);
}
