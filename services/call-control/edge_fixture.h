// An edge as tests play it: fills a Report entry by entry, sends it to the bus methods, reads the reply.
#ifndef EDGE_FIXTURE_H
#define EDGE_FIXTURE_H

#include "call_bus.h"
#include "control_fixture.h"

#define EDGE_FIXTURE_ENTRIES 16

struct edge_fixture {
    struct fixture *fixture;
    const char *id, *internal;
    uint64_t boot, next_seq, lost;
    Belfry__Call__V1__ReportRequest__Stream stream;
    // The Report being filled.
    Belfry__Call__V1__Entry entries[EDGE_FIXTURE_ENTRIES];
    Belfry__Call__V1__Binding bindings[EDGE_FIXTURE_ENTRIES];
    Belfry__Call__V1__BindingGone gone[EDGE_FIXTURE_ENTRIES];
    Belfry__Call__V1__CallEvent calls[EDGE_FIXTURE_ENTRIES];
    Belfry__Call__V1__SyncMark marks[EDGE_FIXTURE_ENTRIES];
    struct bf_id tenant;
    struct bf_id names; // the next Plan's call; nil: call-control names it
    size_t count;
    // What the last Report was answered.
    enum bf_err err;
    uint64_t taken_seq;
    bool resync;
};

static inline struct edge_fixture edge_fixture(struct fixture *fixture, const char *id, uint64_t boot)
{
    return (struct edge_fixture){.fixture = fixture,
                                 .id = id,
                                 .internal = "127.0.1.1:5062",
                                 .boot = boot,
                                 .next_seq = 1,
                                 .tenant = FIXTURE_TENANT};
}

static inline enum bf_err edge_ask(struct fixture *fixture, const char *method,
                                   const ProtobufCMessage *request, uint64_t deadline_ms,
                                   struct bf_buf *ret_body)
{
    struct bf_buf body, error;
    enum bf_err err = BF_METHOD;

    bf_buf_init(&body, BF_BUS_BYTES_MAX);
    bf_buf_init(&error, 1024);
    fixture_add(&body, request);
    struct bf_bus_request asked = {method, "test", "", deadline_ms, {body.at, body.len}};
    for (size_t i = 0; i < call_bus_method_count; i++)
        if (strcmp(call_bus_methods[i].name, method) == 0)
            err = call_bus_methods[i].handle(&asked, ret_body, &error, &fixture->control);
    bf_buf_release(&body);
    bf_buf_release(&error);
    return err;
}

static inline Belfry__Call__V1__EdgeInfo edge_info(const struct edge_fixture *edge)
{
    Belfry__Call__V1__EdgeInfo info = BELFRY__CALL__V1__EDGE_INFO__INIT;

    info.id = (char *)edge->id;
    info.boot = edge->boot;
    info.internal = (char *)edge->internal;
    info.table_epoch = UINT64_MAX - 5;
    info.table_seq = 77;
    return info;
}

// ---- entries

static inline Belfry__Call__V1__Entry *edge_entry(struct edge_fixture *edge, int what)
{
    Belfry__Call__V1__Entry *entry = &edge->entries[edge->count];

    belfry__call__v1__entry__init(entry);
    entry->at_ms = bf_unix_ms();
    entry->what_case = (Belfry__Call__V1__Entry__WhatCase)what;
    return entry;
}

static inline Belfry__Call__V1__Binding *edge_binding(struct edge_fixture *edge, const char *number,
                                                      const char *ruid, const char *contact)
{
    Belfry__Call__V1__Entry *entry = edge_entry(edge, BELFRY__CALL__V1__ENTRY__WHAT_BINDING);
    Belfry__Call__V1__Binding *binding = entry->binding = &edge->bindings[edge->count++];

    belfry__call__v1__binding__init(binding);
    binding->tenant_id = (ProtobufCBinaryData){sizeof(edge->tenant.bytes), edge->tenant.bytes};
    binding->number = (char *)number;
    binding->ruid = (char *)ruid;
    binding->contact = (char *)contact;
    binding->expires_ms = bf_unix_ms() + 60000;
    return binding;
}

static inline void edge_binding_gone(struct edge_fixture *edge, const char *number, const char *ruid)
{
    Belfry__Call__V1__Entry *entry = edge_entry(edge, BELFRY__CALL__V1__ENTRY__WHAT_BINDING_GONE);
    Belfry__Call__V1__BindingGone *gone = entry->binding_gone = &edge->gone[edge->count++];

    belfry__call__v1__binding_gone__init(gone);
    gone->tenant_id = (ProtobufCBinaryData){sizeof(edge->tenant.bytes), edge->tenant.bytes};
    gone->number = (char *)number;
    gone->ruid = (char *)ruid;
}

static inline void edge_sync(struct edge_fixture *edge, bool end, uint64_t id)
{
    Belfry__Call__V1__Entry *entry = edge_entry(edge, end ? BELFRY__CALL__V1__ENTRY__WHAT_SYNC_END
                                                          : BELFRY__CALL__V1__ENTRY__WHAT_SYNC_BEGIN);
    Belfry__Call__V1__SyncMark *mark = &edge->marks[edge->count++];

    belfry__call__v1__sync_mark__init(mark);
    mark->id = id;
    if (end)
        entry->sync_end = mark;
    else
        entry->sync_begin = mark;
}

static inline void edge_call(struct edge_fixture *edge, struct bf_id *call, uint32_t seq)
{
    Belfry__Call__V1__Entry *entry = edge_entry(edge, BELFRY__CALL__V1__ENTRY__WHAT_CALL);
    Belfry__Call__V1__CallEvent *event = entry->call = &edge->calls[edge->count++];

    belfry__call__v1__call_event__init(event);
    event->call = (ProtobufCBinaryData){sizeof(call->bytes), call->bytes};
    event->tenant_id = (ProtobufCBinaryData){sizeof(edge->tenant.bytes), edge->tenant.bytes};
    event->seq = seq;
    event->kind = BELFRY__CALL__V1__CALL_EVENT__KIND__STARTED;
}

// ---- sending

// Sends what was filled as numbers from first_seq on. The entries stay: the same Report may be sent again.
static inline enum bf_err edge_send_at(struct edge_fixture *edge, uint64_t first_seq)
{
    Belfry__Call__V1__ReportRequest request = BELFRY__CALL__V1__REPORT_REQUEST__INIT;
    Belfry__Call__V1__EdgeInfo info = edge_info(edge);
    Belfry__Call__V1__Entry *list[EDGE_FIXTURE_ENTRIES];
    struct bf_buf reply;

    for (size_t i = 0; i < edge->count; i++)
        list[i] = &edge->entries[i];
    request.edge = &info;
    request.first_seq = first_seq;
    request.entries = list;
    request.n_entries = edge->count;
    request.lost = edge->lost;
    request.stream = edge->stream;
    bf_buf_init(&reply, 4096);
    edge->err = edge_ask(edge->fixture, "Report", &request.base, bf_unix_ms() + 5000, &reply);
    if (!edge->err) {
        Belfry__Call__V1__ReportReply *got =
            belfry__call__v1__report_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
        edge->taken_seq = got->taken_seq;
        edge->resync = got->resync;
        belfry__call__v1__report_reply__free_unpacked(got, NULL);
    }
    bf_buf_release(&reply);
    return edge->err;
}

// Sends what was filled as the next ones and begins a new Report.
static inline enum bf_err edge_send(struct edge_fixture *edge)
{
    enum bf_err err = edge_send_at(edge, edge->next_seq);

    edge->next_seq += edge->count;
    edge->count = 0;
    return err;
}

// ---- Plan

// NULL when it failed: *ret_err says why.
static inline void edge_question(const struct edge_fixture *edge, const Belfry__Call__V1__EdgeInfo *info,
                                 const char *caller, const char *callee,
                                 Belfry__Call__V1__PlanRequest *ret_request)
{
    belfry__call__v1__plan_request__init(ret_request);
    ret_request->edge = (Belfry__Call__V1__EdgeInfo *)info;
    ret_request->tenant_id = (ProtobufCBinaryData){sizeof(edge->tenant.bytes), (uint8_t *)edge->tenant.bytes};
    if (!bf_id_is_nil(edge->names))
        ret_request->call = (ProtobufCBinaryData){sizeof(edge->names.bytes), (uint8_t *)edge->names.bytes};
    ret_request->call_id = (char *)"call@phone";
    ret_request->caller = (char *)caller;
    ret_request->callee = (char *)callee;
    ret_request->source = (char *)"udp:192.0.2.9:5060";
}

static inline Belfry__Call__V1__PlanReply *edge_plan(const struct edge_fixture *edge, const char *caller,
                                                     const char *callee, uint64_t deadline_ms,
                                                     enum bf_err *ret_err)
{
    Belfry__Call__V1__EdgeInfo info = edge_info(edge);
    Belfry__Call__V1__PlanReply *plan = NULL;
    Belfry__Call__V1__PlanRequest request;
    struct bf_buf reply;

    edge_question(edge, &info, caller, callee, &request);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    *ret_err = edge_ask(edge->fixture, "Plan", &request.base, deadline_ms, &reply);
    if (!*ret_err)
        plan = belfry__call__v1__plan_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
    bf_buf_release(&reply);
    return plan;
}

// Several at once, 16 at most.
static inline Belfry__Call__V1__PlansReply *edge_plans(const struct edge_fixture *edge, const char *caller,
                                                       const char *const *callees, size_t count,
                                                       enum bf_err *ret_err)
{
    Belfry__Call__V1__PlansRequest request = BELFRY__CALL__V1__PLANS_REQUEST__INIT;
    Belfry__Call__V1__EdgeInfo info = edge_info(edge);
    Belfry__Call__V1__PlansReply *plans = NULL;
    Belfry__Call__V1__PlanRequest question;
    static uint8_t packed[20][1024];
    ProtobufCBinaryData list[20];
    struct bf_buf reply;

    for (size_t i = 0; i < count; i++) {
        edge_question(edge, &info, caller, callees[i], &question);
        list[i] =
            (ProtobufCBinaryData){belfry__call__v1__plan_request__pack(&question, packed[i]), packed[i]};
    }
    request.plans = list;
    request.n_plans = count;
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    *ret_err = edge_ask(edge->fixture, "Plans", &request.base, bf_unix_ms() + 5000, &reply);
    if (!*ret_err)
        plans = belfry__call__v1__plans_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
    bf_buf_release(&reply);
    return plans;
}

static inline void edge_plan_free(Belfry__Call__V1__PlanReply *plan)
{
    belfry__call__v1__plan_reply__free_unpacked(plan, NULL);
}

#endif
