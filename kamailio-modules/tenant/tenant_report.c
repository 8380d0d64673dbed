// Times are those of the monotonic clock, but for those inside of entries.
#include "tenant_report.h"

#include <string.h>
#include "belfry/call/v1/call.pb-c.h"

#define ENTRIES_FIELD 3 // of ReportRequest

struct tenant_report {
    enum tenant_stream stream;
    struct tenant_outbox *outbox;
    struct tenant_report_edge edge;
    const struct tenant_report_hooks *hooks;
    void *ctx;
    uint64_t start_ms;
    uint64_t not_before_ms; // of the next request
    uint64_t heartbeat_ms;  // when the next one is due
    uint64_t first_seq;     // of the batch in flight
    uint32_t serial;        // of the request in flight, or of the last one
    bool in_flight;
    bool restored;
    int restore_failures;
    char *after; // the page of Restore to ask for
    struct bf_buf body;
    uint64_t faults, taken_ms;
};

struct tenant_report *tenant_report_new(enum tenant_stream stream, struct tenant_outbox *outbox,
                                        const struct tenant_report_edge *edge, uint64_t now_ms,
                                        const struct tenant_report_hooks *hooks, void *ctx)
{
    struct tenant_report *report = bf_xcalloc(1, sizeof(*report));

    *report = (struct tenant_report){
        .stream = stream, .outbox = outbox, .edge = *edge, .hooks = hooks, .ctx = ctx, .start_ms = now_ms};
    report->restored = stream != TENANT_STREAM_BINDINGS;
    report->after = bf_xstrdup("");
    bf_buf_init(&report->body, TENANT_REPORT_BYTES_MAX + 1);
    return report;
}

void tenant_report_free(struct tenant_report *report)
{
    if (!report)
        return;
    bf_buf_release(&report->body);
    free(report->after);
    free(report);
}

// ---- requests

static void pack_into(struct bf_buf *into, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = bf_xcalloc(1, len + 1);

    bf_buf_clear(into);
    bf_buf_add(into, bytes, protobuf_c_message_pack(message, bytes));
    free(bytes);
}

static void send(struct tenant_report *report, bool restore)
{
    report->in_flight = true;
    report->serial++;
    report->hooks->send(report->ctx, report->serial, restore,
                        (struct bf_str){report->body.at, report->body.len});
}

static void send_restore(struct tenant_report *report)
{
    Belfry__Call__V1__RestoreRequest request = BELFRY__CALL__V1__RESTORE_REQUEST__INIT;

    request.edge_id = (char *)report->edge.id;
    request.after = report->after;
    request.limit = TENANT_REPORT_RESTORE_PAGE;
    pack_into(&report->body, &request.base);
    send(report, true);
}

// The entries are packed already: they are appended to the message's head, as protobuf allows.
static void send_report(struct tenant_report *report, const struct tenant_report_state *state)
{
    Belfry__Call__V1__ReportRequest request = BELFRY__CALL__V1__REPORT_REQUEST__INIT;
    Belfry__Call__V1__EdgeInfo edge = BELFRY__CALL__V1__EDGE_INFO__INIT;
    struct tenant_outbox_figures figures = tenant_outbox_figures(report->outbox);

    edge.id = (char *)report->edge.id;
    edge.boot = report->edge.boot;
    edge.bus = (char *)report->edge.bus;
    edge.internal = (char *)report->edge.internal;
    edge.calls = state->calls;
    edge.bindings = state->bindings;
    edge.table_epoch = state->table_epoch;
    edge.table_seq = state->table_seq;
    request.edge = &edge;
    report->first_seq = figures.taken_seq + 1; // only this process takes
    request.first_seq = report->first_seq;
    request.lost = figures.dropped;
    request.stream = report->stream == TENANT_STREAM_CALLS
                         ? BELFRY__CALL__V1__REPORT_REQUEST__STREAM__CALLS
                         : BELFRY__CALL__V1__REPORT_REQUEST__STREAM__BINDINGS;
    pack_into(&report->body, &request.base);
    tenant_outbox_peek(report->outbox, TENANT_REPORT_ENTRIES_MAX, TENANT_REPORT_BYTES_MAX, ENTRIES_FIELD,
                       &report->body, &report->first_seq);
    send(report, false);
}

void tenant_report_tick(struct tenant_report *report, uint64_t now_ms, bool connected,
                        const struct tenant_report_state *state)
{
    if (report->in_flight || !connected || now_ms < report->not_before_ms)
        return;
    if (!report->restored) {
        send_restore(report);
        return;
    }
    if (tenant_outbox_figures(report->outbox).waiting == 0 && now_ms < report->heartbeat_ms)
        return;
    report->heartbeat_ms = now_ms + TENANT_REPORT_HEARTBEAT_MS;
    report->not_before_ms = now_ms + TENANT_REPORT_SPACING_MS;
    send_report(report, state);
}

bool tenant_report_listens(const struct tenant_report *report)
{
    return report->restored && !report->in_flight && tenant_outbox_figures(report->outbox).waiting == 0;
}

uint64_t tenant_report_wait_ms(const struct tenant_report *report, uint64_t now_ms)
{
    uint64_t due_ms = report->not_before_ms;

    if (report->in_flight) // the answer comes by itself
        return TENANT_REPORT_HEARTBEAT_MS;
    if (report->restored && tenant_outbox_figures(report->outbox).waiting == 0 &&
        due_ms < report->heartbeat_ms)
        due_ms = report->heartbeat_ms;
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

// ---- answers

static void restore_over(struct tenant_report *report)
{
    report->restored = true;
    report->hooks->resync(report->ctx);
}

static void take_page(struct tenant_report *report, const struct tenant_bindings *page)
{
    char *after = bf_xstrndup(page->next.at, page->next.len);

    for (size_t i = 0; i < page->count; i++)
        report->hooks->restore(report->ctx, &page->at[i]);
    free(report->after);
    report->after = after;
    if (!*after)
        restore_over(report);
}

static void restore_failed(struct tenant_report *report, uint64_t now_ms, enum bf_err err)
{
    report->not_before_ms = now_ms + TENANT_REPORT_RETRY_MS;
    if (err == BF_UNAVAILABLE || err == BF_TIMEOUT)
        return;
    report->faults++;
    if (++report->restore_failures >= TENANT_REPORT_RESTORE_TRIES)
        restore_over(report);
}

static void answer_restore(struct tenant_report *report, uint64_t now_ms, enum bf_err err, struct bf_str body)
{
    struct tenant_bindings page;

    if (err == BF_OK)
        err = tenant_bindings_read(body, &page);
    if (err == BF_OK && page.next.len > 0 && bf_str_eq(page.next, bf_str(report->after))) {
        tenant_bindings_release(&page); // it would never end
        err = BF_PROTOCOL;
    }
    if (err != BF_OK) {
        restore_failed(report, now_ms, err);
        return;
    }
    take_page(report, &page);
    tenant_bindings_release(&page);
}

// An answer that takes nothing of what was sent is no better than none: tried again, but not at once.
static void take_report(struct tenant_report *report, uint64_t now_ms,
                        const Belfry__Call__V1__ReportReply *reply)
{
    struct tenant_outbox_figures figures = tenant_outbox_figures(report->outbox);
    bool progress = reply->taken_seq >= report->first_seq;

    if (reply->taken_seq > figures.put_seq) {
        report->faults++;
        progress = false;
    } else {
        tenant_outbox_taken(report->outbox, reply->taken_seq);
    }
    if (!progress && figures.waiting > 0)
        report->not_before_ms = now_ms + TENANT_REPORT_RETRY_MS;
    else if (figures.put_seq - reply->taken_seq >= TENANT_REPORT_ENTRIES_MAX)
        report->not_before_ms = now_ms; // a full batch waits already
    report->taken_ms = now_ms;
    if (reply->resync)
        report->hooks->resync(report->ctx);
}

static void answer_report(struct tenant_report *report, uint64_t now_ms, enum bf_err err, struct bf_str body)
{
    Belfry__Call__V1__ReportReply *reply = NULL;

    if (err == BF_OK) {
        reply = belfry__call__v1__report_reply__unpack(NULL, body.len, (const uint8_t *)body.at);
        report->faults += reply == NULL;
    } else if (err != BF_UNAVAILABLE && err != BF_TIMEOUT) {
        report->faults++;
    }
    if (!reply) {
        report->not_before_ms = report->heartbeat_ms = now_ms + TENANT_REPORT_RETRY_MS;
        return;
    }
    take_report(report, now_ms, reply);
    belfry__call__v1__report_reply__free_unpacked(reply, NULL);
}

void tenant_report_answer(struct tenant_report *report, uint64_t now_ms, uint32_t serial, enum bf_err err,
                          struct bf_str body)
{
    if (!report->in_flight || serial != report->serial)
        return;
    report->in_flight = false;
    if (report->restored)
        answer_report(report, now_ms, err, body);
    else
        answer_restore(report, now_ms, err, body);
}

struct tenant_report_figures tenant_report_figures(const struct tenant_report *report, uint64_t now_ms)
{
    return (struct tenant_report_figures){
        .ready = report->restored || now_ms >= report->start_ms + TENANT_REPORT_READY_MS,
        .reporting = report->restored,
        .faults = report->faults,
        .taken_ms = report->taken_ms,
    };
}
