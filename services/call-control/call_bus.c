// The bus methods.
#include "call_bus.h"

#include "admit.h"
#include "bf_clock.h"
#include "call_wire.h"
#include "control.h"
#include "control_metrics.h"
#include "directory.h"
#include "edges.h"
#include "location_store.h"
#include "planner.h"
#include "pushed_wire.h"
#include "report.h"

static enum bf_err report(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                          void *ctx)
{
    struct control *control = ctx;
    struct wire_report report;
    uint64_t taken_seq = 0, began_us = bf_mono_us();
    bool resync = false;
    enum bf_err err = wire_read_report(request->body, &report, error);

    if (err)
        return err;
    err = report_take(control, &report, &taken_seq, &resync);
    bf_metric_observe_us(&control_metrics[CONTROL_REPORT_SECONDS], bf_mono_us() - began_us);
    if (!err) {
        edges_saw(control->edges, &report.edge);
        wire_write_report(ret_body, taken_seq, resync);
    } else if (err == BF_CONFLICT) {
        control_count(CONTROL_STREAM_CONFLICTS, 1);
        bf_buf_str(error, "another process has taken over this edge's id: each edge needs its own");
        bf_warn("edge.conflict", BF_S("edge", report.edge.id));
    } else if (err == BF_INTERNAL) {
        bf_error("bus.failed", BF_S("method", request->method), BF_S("edge", report.edge.id));
    }
    wire_release_report(&report);
    return err;
}

// An extension that was deleted while its edge was away must not come back with it. When the registry is away
// too, all are given back: the edge refuses its next REGISTER. What is left out here leaves the index with
// the sync that follows.
static void leave_out_unknown(struct control *control, struct bindings *bindings)
{
    bf_autofree struct directory_name *names = bf_xcalloc(bindings->count + 1, sizeof(*names));
    bf_autofree bool *unknown = bf_xcalloc(bindings->count + 1, sizeof(*unknown));

    for (size_t i = 0; i < bindings->count; i++)
        names[i] = (struct directory_name){bindings->at[i].tenant, bindings->at[i].number,
                                           bindings->at[i].extension};
    if (bindings->count == 0 || directory_unknown(control->directory, names, bindings->count, unknown))
        return;
    for (size_t i = bindings->count; i-- > 0;) {
        if (!unknown[i])
            continue;
        bindings_remove(bindings, i, wire_free_binding);
        control_count(CONTROL_RESTORE_GONE, 1);
    }
}

static enum bf_err restore(const struct bf_bus_request *request, struct bf_buf *ret_body,
                           struct bf_buf *error, void *ctx)
{
    struct wire_restore asked;
    struct bindings bindings;
    char next[LOCATION_NEXT_SIZE] = "";
    enum bf_err err = wire_read_restore(request->body, &asked, error);

    if (err)
        return err;
    bindings_init(&bindings);
    err = location_store_edge(ctx, asked.edge, asked.after, asked.limit, &bindings, next);
    if (!err) {
        leave_out_unknown(ctx, &bindings);
        control_count(CONTROL_RESTORED, (int64_t)bindings.count);
        wire_write_restore(ret_body, &bindings, next);
    }
    location_store_release(&bindings);
    return !err && !bf_buf_ok(ret_body) ? BF_TOO_LARGE : err;
}

static enum bf_err plan(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                        void *ctx)
{
    struct wire_plan asked;
    enum bf_err err = wire_read_plan(request->body, &asked, error);

    if (err)
        return err;
    err = planner_plan(ctx, &asked, request->deadline_ms, ret_body);
    if (err == BF_INTERNAL)
        bf_error("bus.failed", BF_S("method", request->method), BF_S("call_id", asked.call_id));
    wire_release_plan(&asked);
    return err;
}

static void results_release(struct planner_job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bf_buf_release(&jobs[i].reply);
}

static enum bf_err plans(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                         void *ctx)
{
    struct wire_plan_result results[WIRE_PLANS_MAX];
    struct planner_job jobs[WIRE_PLANS_MAX];
    struct wire_plans asked;
    enum bf_err err = wire_read_plans(request->body, &asked, error);

    if (err)
        return err;
    for (size_t i = 0; i < asked.count; i++)
        jobs[i].asked = &asked.at[i];
    planner_plan_all(ctx, jobs, asked.count, request->deadline_ms);
    for (size_t i = 0; i < asked.count; i++)
        results[i] = (struct wire_plan_result){jobs[i].err, {jobs[i].reply.at, jobs[i].reply.len}};
    wire_write_plans(ret_body, results, asked.count);
    results_release(jobs, asked.count);
    wire_release_plans(&asked);
    return BF_OK;
}

static enum bf_err admit_devices(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                 struct bf_buf *error, void *ctx)
{
    struct wire_admit asked;
    struct admit_verdict verdict;
    enum bf_err err = wire_read_admit(request->body, &asked, error);

    if (err)
        return err;
    err = admit(ctx, &asked, &verdict);
    if (err == BF_INTERNAL)
        bf_error("bus.failed", BF_S("method", request->method), BF_S("edge", asked.edge));
    if (!err)
        wire_write_admit(ret_body, verdict);
    wire_release_admit(&asked);
    return err;
}

static enum bf_err take_pushed(const struct bf_bus_request *request, struct bf_buf *ret_body,
                               struct bf_buf *error, void *ctx)
{
    bf_autofree struct wire_pushed *pushed = bf_xcalloc(1, sizeof(*pushed));
    enum bf_err err = wire_read_pushed(request->body, pushed, error);

    if (err)
        return err;
    err = pushed_take(ctx, pushed->lines, pushed->count);
    wire_release_pushed(pushed);
    return err;
}

const struct bf_bus_method call_bus_methods[] = {
    {"Report", report}, {"Restore", restore},     {"Plan", plan},
    {"Plans", plans},   {"Admit", admit_devices}, {"Pushed", take_pushed},
};
const size_t call_bus_method_count = BF_LEN(call_bus_methods);
