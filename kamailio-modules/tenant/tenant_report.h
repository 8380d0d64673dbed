// The edge's side of Report and Restore: what it had comes back first, then an outbox is sent, batch by
// batch. One for bindings and one for call events, which has nothing to restore.
//
// Restoring -> reporting. Nothing is reported before the bindings of the run before have been asked for:
// reporting starts with a resync, which voids in call-control what the edge does not have. One request in
// flight; a batch that was not taken is sent again; without entries a heartbeat once a second. No I/O:
// requests go out by hooks, answers come by tenant_report_answer. One thread.
#ifndef TENANT_REPORT_H
#define TENANT_REPORT_H

#include "bf_err.h"
#include "tenant_binding.h"
#include "tenant_outbox.h"

#define TENANT_REPORT_ENTRIES_MAX   4000
#define TENANT_REPORT_BYTES_MAX     (1u << 20)
#define TENANT_REPORT_HEARTBEAT_MS  1000
#define TENANT_REPORT_SPACING_MS    25 // between two batches that are not full
#define TENANT_REPORT_RETRY_MS      200
#define TENANT_REPORT_RESTORE_PAGE  1000
#define TENANT_REPORT_RESTORE_TRIES 5    // answers that make no sense; no answer is tried for ever
#define TENANT_REPORT_READY_MS      2000 // the edge goes on without the rest of what it had

struct tenant_report;

struct tenant_report_edge {
    const char *id;
    uint64_t boot;
    const char *bus;
    const char *internal;
};

struct tenant_report_hooks {
    void (*send)(void *ctx, uint32_t serial, bool restore,
                 struct bf_str body); // restore: Restore, else Report
    void (*restore)(void *ctx, const struct tenant_binding *binding);
    void (*resync)(void *ctx); // all bindings are wanted; may come with every answer until they begin
};

struct tenant_report_figures {
    bool ready;        // the bindings of the run before are back, or were waited for long enough
    bool reporting;    // Restore is over
    uint64_t faults;   // answers that made no sense
    uint64_t taken_ms; // monotonic time of the last good answer; 0: none yet
};

struct tenant_report *tenant_report_new(enum tenant_stream stream, struct tenant_outbox *outbox,
                                        const struct tenant_report_edge *edge, uint64_t now_ms,
                                        const struct tenant_report_hooks *hooks, void *ctx);
void tenant_report_free(struct tenant_report *report);

struct tenant_report_state { // what a heartbeat tells of the edge
    uint32_t calls, bindings;
    uint64_t table_epoch, table_seq; // of the table of domains
};

void tenant_report_tick(struct tenant_report *report, uint64_t now_ms, bool connected,
                        const struct tenant_report_state *state);
void tenant_report_answer(struct tenant_report *report, uint64_t now_ms, uint32_t serial, enum bf_err err,
                          struct bf_str body);
// True: the next thing to be put is to be reported at once; otherwise it waits for an answer or a time
// anyway.
bool tenant_report_listens(const struct tenant_report *report);
// Until the next tick has something to do.
uint64_t tenant_report_wait_ms(const struct tenant_report *report, uint64_t now_ms);
struct tenant_report_figures tenant_report_figures(const struct tenant_report *report, uint64_t now_ms);

#endif
