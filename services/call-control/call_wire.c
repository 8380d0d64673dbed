// call.v1's protobuf <-> our structs: Report, Restore, bindings. Plan is in plan_wire.c.
#include "call_wire.h"

#include <stdio.h>
#include <string.h>

#include "belfry/call/v1/call.pb-c.h"
#include "bf_contact.h"

#define RESTORE_LIMIT_MAX     5000
#define RESTORE_LIMIT_DEFAULT 1000
#define PACKED_BYTES_MAX      (8u << 20)

static void message_free(void *message)
{
    if (message)
        protobuf_c_message_free_unpacked(message, NULL);
}

static void message_free_at(void *message)
{
    message_free(*(void **)message);
}

static void message_add(struct bf_buf *into, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t small[2048];
    bf_autofree uint8_t *big = size > sizeof(small) ? bf_xcalloc(1, size) : NULL;
    uint8_t *bytes = big ? big : small;

    protobuf_c_message_pack(message, bytes);
    bf_buf_add(into, bytes, size);
}

static bool read_id(ProtobufCBinaryData from, struct bf_id *ret_id)
{
    if (from.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, from.data, from.len);
    return true;
}

// ---- bindings

static struct binding binding_of(const Belfry__Call__V1__Binding *from, const char *edge)
{
    struct binding binding = {
        .edge = edge,
        .number = from->number,
        .ruid = from->ruid,
        .contact = from->contact,
        .received = from->received,
        .path = from->path,
        .transport = from->transport,
        .user_agent = from->user_agent,
        .call_id = from->call_id,
        .instance = from->instance,
        .socket = from->socket,
        .pn_provider = from->pn_provider,
        .pn_prid = from->pn_prid,
        .pn_param = from->pn_param,
        .wake = from->wake,
        .expires_ms = from->expires_ms,
        .cseq = from->cseq,
        .flags = from->flags,
        .q = from->q,
    };

    (void)!read_id(from->tenant_id, &binding.tenant);
    (void)!read_id(from->extension, &binding.extension);
    if (from->pn_id.len == sizeof(binding.pn_id))
        memcpy(binding.pn_id, from->pn_id.data, sizeof(binding.pn_id));
    return binding;
}

struct kept { // what an unpacked binding points into
    Belfry__Call__V1__Binding *message;
    char edge[EDGE_ID_SIZE];
};

enum bf_err wire_unpack_binding(struct bf_str packed, struct bf_str edge, struct binding *ret_binding,
                                void **ret_owned)
{
    Belfry__Call__V1__Binding *message =
        belfry__call__v1__binding__unpack(NULL, packed.len, (const uint8_t *)packed.at);

    if (!message)
        return BF_PROTOCOL;
    if (edge.len >= EDGE_ID_SIZE || message->tenant_id.len != sizeof(struct bf_id)) {
        message_free(message);
        return BF_PROTOCOL;
    }
    struct kept *kept = bf_xcalloc(1, sizeof(*kept));
    kept->message = message;
    memcpy(kept->edge, edge.at, edge.len);
    *ret_binding = binding_of(message, kept->edge);
    *ret_owned = kept;
    return BF_OK;
}

void wire_free_binding(void *owned)
{
    struct kept *kept = owned;

    if (!kept)
        return;
    message_free(kept->message);
    free(kept);
}

// ---- Report

// What the protocol promises of itself; what it carries from outside is checked where it is used.
static enum bf_err read_edge(const Belfry__Call__V1__EdgeInfo *from, struct edge *ret_edge,
                             struct bf_buf *error)
{
    const char *wrong = from ? edge_id_check(bf_str(from->id)) : "must be there";

    if (wrong) {
        bf_buf_fmt(error, "edge.id %s", wrong);
        return BF_INVALID;
    }
    if (strlen(from->bus) >= EDGE_URL_SIZE || strlen(from->internal) >= EDGE_URL_SIZE) {
        bf_buf_fmt(error, "edge.bus and edge.internal must be shorter than %d bytes", EDGE_URL_SIZE);
        return BF_INVALID;
    }
    *ret_edge = (struct edge){.boot = from->boot,
                              .calls = from->calls,
                              .bindings = from->bindings,
                              .table_epoch = from->table_epoch,
                              .table_seq = from->table_seq};
    snprintf(ret_edge->id, sizeof(ret_edge->id), "%s", from->id);
    snprintf(ret_edge->bus, sizeof(ret_edge->bus), "%s", from->bus);
    snprintf(ret_edge->internal, sizeof(ret_edge->internal), "%s", from->internal);
    return BF_OK;
}

static const enum call_kind call_kinds[] = {
    [BELFRY__CALL__V1__CALL_EVENT__KIND__STARTED] = CALL_STARTED,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__STEP] = CALL_STEP,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__BRANCH] = CALL_BRANCH,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__RINGING] = CALL_RINGING,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__BRANCH_ENDED] = CALL_BRANCH_ENDED,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__ANSWERED] = CALL_ANSWERED,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__ENDED] = CALL_ENDED,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__TRANSFER] = CALL_TRANSFER,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__WAKING] = CALL_WAKING,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__WOKEN] = CALL_WOKEN,
    [BELFRY__CALL__V1__CALL_EVENT__KIND__WAKE_ENDED] = CALL_WAKE_ENDED,
};

static size_t read_legs(const Belfry__Call__V1__CallEvent *from, struct bf_leg *legs)
{
    size_t count = from->n_media < BF_LEGS_MAX ? from->n_media : BF_LEGS_MAX;

    for (size_t i = 0; i < count; i++) {
        const Belfry__Call__V1__MediaLeg *leg = from->media[i];
        legs[i] = (struct bf_leg){.packets = leg->packets,
                                  .octets = leg->octets,
                                  .lost = leg->lost,
                                  .jitter_us = leg->jitter_us,
                                  .mos_x10 = leg->mos_x10,
                                  .round_trip_us = leg->round_trip_us};
        bf_text_clean(leg->tag, legs[i].tag, sizeof(legs[i].tag));
        bf_text_clean(leg->codec, legs[i].codec, sizeof(legs[i].codec));
    }
    return count;
}

static struct call_event event_of(const Belfry__Call__V1__CallEvent *from, uint64_t at_ms, const char *edge)
{
    struct call_event event = {
        .seq = from->seq,
        .kind = (size_t)from->kind < BF_LEN(call_kinds) ? call_kinds[from->kind] : CALL_UNKNOWN,
        .at_ms = at_ms,
        .edge = edge,
        .call_id = from->call_id,
        .caller = from->caller,
        .callee = from->callee,
        .number = from->number,
        .device = from->ruid,
        .code = from->code,
        .reason = from->reason,
        .from_tag = from->from_tag,
        .to_tag = from->to_tag,
        .relay = from->relay,
        .user_agent = from->user_agent,
        .local_plan = from->local_plan,
        .until_ms = from->until_ms,
    };

    (void)!read_id(from->call, &event.call); // nil: call_event_check says so
    (void)!read_id(from->tenant_id, &event.tenant);
    (void)!read_id(from->device, &event.push);
    return event;
}

// What only the device and we may know is not kept.
static void pack_binding(struct bf_buf *into, const Belfry__Call__V1__Binding *from)
{
    Belfry__Call__V1__Binding kept = *from;

    kept.pn_provider = kept.pn_prid = kept.pn_param = kept.wake = (char *)protobuf_c_empty_string;
    message_add(into, &kept.base);
}

static void read_binding(struct wire_report *report, Belfry__Call__V1__Binding *from, uint64_t at_ms,
                         struct wire_entry *entry)
{
    size_t begins = report->packed.len;

    if (*from->contact) // what is absent is a constant
        from->contact[bf_contact_public(bf_str(from->contact), from->contact).len] = '\0';
    entry->binding = binding_of(from, report->edge.id);
    if (binding_check(&entry->binding) || bf_id_is_nil(entry->binding.tenant))
        return;
    entry->at_ms = at_ms;
    pack_binding(&report->packed, from);
    if (!bf_buf_ok(&report->packed))
        return;
    entry->kind = WIRE_ENTRY_BINDING;
    entry->packed_at = begins;
    entry->packed.len = report->packed.len - begins;
}

static void read_binding_gone(const struct wire_report *report, const Belfry__Call__V1__BindingGone *from,
                              struct wire_entry *entry)
{
    entry->binding = (struct binding){.edge = report->edge.id, .number = from->number, .ruid = from->ruid};
    if (read_id(from->tenant_id, &entry->binding.tenant) && !binding_key_check(from->number, from->ruid))
        entry->kind = WIRE_ENTRY_BINDING_GONE;
}

static void read_entry(struct wire_report *report, const Belfry__Call__V1__Entry *from,
                       struct wire_entry *entry, struct bf_leg **legs)
{
    switch (from->what_case) {
    case BELFRY__CALL__V1__ENTRY__WHAT_BINDING:
        read_binding(report, from->binding, from->at_ms, entry);
        break;
    case BELFRY__CALL__V1__ENTRY__WHAT_BINDING_GONE:
        read_binding_gone(report, from->binding_gone, entry);
        break;
    case BELFRY__CALL__V1__ENTRY__WHAT_CALL:
        entry->kind = WIRE_ENTRY_CALL;
        entry->event = event_of(from->call, from->at_ms, report->edge.id);
        entry->event.legs = *legs;
        entry->event.leg_count = read_legs(from->call, *legs);
        *legs += entry->event.leg_count;
        break;
    case BELFRY__CALL__V1__ENTRY__WHAT_SYNC_BEGIN:
        entry->kind = WIRE_ENTRY_SYNC_BEGIN;
        entry->sync = from->sync_begin->id;
        break;
    case BELFRY__CALL__V1__ENTRY__WHAT_SYNC_END:
        entry->kind = WIRE_ENTRY_SYNC_END;
        entry->sync = from->sync_end->id;
        break;
    default:
        break;
    }
}

static size_t count_legs(const Belfry__Call__V1__ReportRequest *request)
{
    size_t legs = 1;

    for (size_t i = 0; i < request->n_entries; i++)
        if (request->entries[i]->what_case == BELFRY__CALL__V1__ENTRY__WHAT_CALL)
            legs += request->entries[i]->call->n_media;
    return legs;
}

// The buffer may have moved while it grew: until now an entry knew only where in it its bytes begin.
static void point_packed(struct wire_report *report)
{
    for (size_t i = 0; i < report->entry_count; i++)
        if (report->entries[i].kind == WIRE_ENTRY_BINDING)
            report->entries[i].packed.at = report->packed.at + report->entries[i].packed_at;
}

static void *arena_alloc(void *arena, size_t size)
{
    return bf_arena_alloc(arena, size);
}

static void arena_free(void *arena, void *part)
{
}

// Some forty texts and messages for each call.
static Belfry__Call__V1__ReportRequest *report_unpack(struct bf_str body, struct bf_arena *arena)
{
    ProtobufCAllocator allocator = {arena_alloc, arena_free, arena};

    return belfry__call__v1__report_request__unpack(&allocator, body.len, (const uint8_t *)body.at);
}

enum bf_err wire_read_report(struct bf_str body, struct wire_report *ret_report, struct bf_buf *error)
{
    struct wire_report *report = ret_report;

    *report = (struct wire_report){.entry_count = 0};
    Belfry__Call__V1__ReportRequest *request = report_unpack(body, &report->message);
    bf_buf_init(&report->packed, PACKED_BYTES_MAX);
    enum bf_err err = request ? read_edge(request->edge, &report->edge, error) : BF_INVALID;
    if (!err && (request->n_entries > WIRE_ENTRIES_MAX || request->first_seq == 0 ||
                 request->first_seq > INT64_MAX - WIRE_ENTRIES_MAX)) {
        bf_buf_fmt(error, "at most %d entries, numbered from 1", WIRE_ENTRIES_MAX);
        err = BF_INVALID;
    }
    if (err) {
        wire_release_report(report);
        return err;
    }
    report->calls = request->stream == BELFRY__CALL__V1__REPORT_REQUEST__STREAM__CALLS;
    report->first_seq = request->first_seq;
    report->lost = request->lost;
    report->entry_count = request->n_entries;
    report->entries = bf_xcalloc(request->n_entries + 1, sizeof(*report->entries));
    struct bf_leg *legs = report->legs = bf_xcalloc(count_legs(request), sizeof(*legs));
    for (size_t i = 0; i < request->n_entries; i++)
        read_entry(report, request->entries[i], &report->entries[i], &legs);
    point_packed(report);
    return BF_OK;
}

void wire_release_report(struct wire_report *report)
{
    bf_arena_release(&report->message);
    bf_buf_release(&report->packed);
    free(report->entries);
    free(report->legs);
    *report = (struct wire_report){.entry_count = 0};
}

void wire_write_report(struct bf_buf *into, uint64_t taken_seq, bool resync)
{
    Belfry__Call__V1__ReportReply reply = BELFRY__CALL__V1__REPORT_REPLY__INIT;

    reply.taken_seq = taken_seq;
    reply.resync = resync;
    message_add(into, &reply.base);
}

// ---- Restore

enum bf_err wire_read_restore(struct bf_str body, struct wire_restore *ret_restore, struct bf_buf *error)
{
    bf_cleanup(message_free_at) Belfry__Call__V1__RestoreRequest *request =
        belfry__call__v1__restore_request__unpack(NULL, body.len, (const uint8_t *)body.at);
    const char *wrong = request ? edge_id_check(bf_str(request->edge_id)) : "must be there";

    if (wrong) {
        bf_buf_fmt(error, "edge_id %s", wrong);
        return BF_INVALID;
    }
    if (strlen(request->after) >= sizeof(ret_restore->after) || request->limit > RESTORE_LIMIT_MAX) {
        bf_buf_fmt(error, "limit must be at most %d, after what the last page said", RESTORE_LIMIT_MAX);
        return BF_INVALID;
    }
    snprintf(ret_restore->edge, sizeof(ret_restore->edge), "%s", request->edge_id);
    snprintf(ret_restore->after, sizeof(ret_restore->after), "%s", request->after);
    ret_restore->limit = request->limit ? request->limit : RESTORE_LIMIT_DEFAULT;
    return BF_OK;
}

void wire_write_restore(struct bf_buf *into, const struct bindings *bindings, const char *next)
{
    Belfry__Call__V1__RestoreReply reply = BELFRY__CALL__V1__RESTORE_REPLY__INIT;
    bf_autofree Belfry__Call__V1__Binding **list =
        bf_xcalloc(bindings->count + 1, sizeof(Belfry__Call__V1__Binding *));

    for (size_t i = 0; i < bindings->count; i++)
        list[i] = ((struct kept *)bindings->owned[i])->message;
    reply.bindings = list;
    reply.n_bindings = bindings->count;
    reply.next = (char *)next;
    message_add(into, &reply.base);
}

// ---- Plan: the request

enum bf_err wire_read_plan(struct bf_str body, struct wire_plan *ret_plan, struct bf_buf *error)
{
    Belfry__Call__V1__PlanRequest *request =
        belfry__call__v1__plan_request__unpack(NULL, body.len, (const uint8_t *)body.at);
    enum bf_err err = request ? read_edge(request->edge, &ret_plan->edge, error) : BF_INVALID;

    if (!err && !read_id(request->tenant_id, &ret_plan->tenant)) {
        bf_buf_str(error, "tenant_id must have 16 bytes");
        err = BF_INVALID;
    }
    ret_plan->call = (struct bf_id){{0}};
    if (!err && request->call.len > 0 && !read_id(request->call, &ret_plan->call)) {
        bf_buf_str(error, "call must have 16 bytes or none");
        err = BF_INVALID;
    }
    if (err) {
        message_free(request);
        return err;
    }
    ret_plan->call_id = request->call_id;
    ret_plan->user_agent = request->user_agent;
    ret_plan->request = (struct plan_request){request->caller, request->callee, request->source};
    ret_plan->message = request;
    return BF_OK;
}

void wire_release_plan(struct wire_plan *plan)
{
    message_free(plan->message);
    plan->message = NULL;
}

enum bf_err wire_read_plans(struct bf_str body, struct wire_plans *ret_plans, struct bf_buf *error)
{
    Belfry__Call__V1__PlansRequest *request =
        belfry__call__v1__plans_request__unpack(NULL, body.len, (const uint8_t *)body.at);
    size_t count = request ? request->n_plans : 0;
    enum bf_err err = count >= 1 && count <= WIRE_PLANS_MAX ? BF_OK : BF_INVALID;

    if (err)
        bf_buf_fmt(error, "plans: must be 1 to %d", WIRE_PLANS_MAX);
    ret_plans->count = 0;
    for (size_t i = 0; !err && i < count; i++) {
        const ProtobufCBinaryData *plan = &request->plans[i];
        err = wire_read_plan((struct bf_str){(const char *)plan->data, plan->len}, &ret_plans->at[i], error);
        if (!err)
            ret_plans->count++;
    }
    message_free(request);
    if (err)
        wire_release_plans(ret_plans);
    return err;
}

void wire_release_plans(struct wire_plans *plans)
{
    for (size_t i = 0; i < plans->count; i++)
        wire_release_plan(&plans->at[i]);
    plans->count = 0;
}

void wire_write_plans(struct bf_buf *into, const struct wire_plan_result *results, size_t count)
{
    Belfry__Call__V1__PlansReply reply = BELFRY__CALL__V1__PLANS_REPLY__INIT;
    Belfry__Call__V1__PlanResult written[WIRE_PLANS_MAX], *list[WIRE_PLANS_MAX];

    for (size_t i = 0; i < count; i++) {
        belfry__call__v1__plan_result__init(&written[i]);
        written[i].status = (uint32_t)results[i].err;
        if (!results[i].err)
            written[i].plan = (ProtobufCBinaryData){results[i].plan.len, (uint8_t *)results[i].plan.at};
        list[i] = &written[i];
    }
    reply.results = list;
    reply.n_results = count;
    message_add(into, &reply.base);
}
