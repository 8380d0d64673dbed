// The metrics of Report and Plan.
#include "control_metrics.h"

#define COUNTER(row, metric_name, metric_help, metric_labels) \
    [row] = {.name = (metric_name), .kind = BF_COUNTER, .help = (metric_help), .labels = (metric_labels)}
#define SECONDS(row, metric_name, metric_help) \
    [row] = {.name = (metric_name), .kind = BF_HISTOGRAM, .help = (metric_help)}

#define ENTRIES "Entries of the edges' streams that were taken; invalid ones were left out"
#define PLANS \
    "Plans: somebody is rung, refused by a rule, not possible (a part was away), too late for the edge"
#define LIMITS    "Calls and registrations refused by a tenant's limit"
#define ADMITS    "Questions whether devices may register, of tenants with max_registrations"
#define WAKES     "Woken phones that registered: rung, too late (the call had moved on), the edge did not answer"
#define REGISTERS "Push devices told to event-fanout by REGISTERs (RFC 8599)"

// Fine about 2 ms, which is what a plan may take at most; 500 ms is how long an edge waits for it.
static const uint64_t plan_bounds_us[BF_METRIC_BUCKETS_MAX] = {
    100, 200, 300, 500, 750, 1000, 1250, 1500, 1750, 2000, 2500, 3000, 5000, 10000, 50000, 500000,
};

// A phone that came is to be rung within 30 ms.
static const uint64_t wake_bounds_us[BF_METRIC_BUCKETS_MAX] = {
    2000,  4000,  6000,  8000,  10000,  12500,  15000,   20000,
    25000, 30000, 40000, 60000, 100000, 250000, 1000000, 10000000,
};

struct bf_metric control_metrics[CONTROL_METRIC_COUNT] = {
    COUNTER(CONTROL_ENTRY_BINDING, "belfry_control_entries_total", ENTRIES, "kind=\"binding\""),
    COUNTER(CONTROL_ENTRY_BINDING_GONE, "belfry_control_entries_total", ENTRIES, "kind=\"binding_gone\""),
    COUNTER(CONTROL_ENTRY_CALL, "belfry_control_entries_total", ENTRIES, "kind=\"call\""),
    COUNTER(CONTROL_ENTRY_INVALID, "belfry_control_entries_total", ENTRIES, "kind=\"invalid\""),
    COUNTER(CONTROL_STREAM_REPEATED, "belfry_control_stream_repeated_total",
            "Entries that had been taken before and came again", NULL),
    COUNTER(CONTROL_STREAM_GAPS, "belfry_control_stream_gaps_total",
            "Gaps in an edge's stream whose entries are lost; a sync follows", NULL),
    COUNTER(CONTROL_STREAM_CONFLICTS, "belfry_control_stream_conflicts_total",
            "Reports of a process whose edge id another one has taken over", NULL),
    SECONDS(CONTROL_REPORT_SECONDS, "belfry_control_report_seconds", "Time to take one Report"),
    COUNTER(CONTROL_SYNC_ENDED, "belfry_control_syncs_total", "Syncs of edges' bindings", "result=\"ended\""),
    COUNTER(CONTROL_SYNC_BROKEN, "belfry_control_syncs_total", "Syncs of edges' bindings",
            "result=\"broken\""),
    COUNTER(CONTROL_RESTORED, "belfry_control_restored_total", "Bindings that restarted edges got back",
            NULL),
    COUNTER(CONTROL_RESTORE_GONE, "belfry_control_restore_gone_total",
            "Bindings that restarted edges did not get back: their extension is gone", NULL),
    COUNTER(CONTROL_PLAN_RUNG, "belfry_control_plans_total", PLANS, "result=\"rung\""),
    COUNTER(CONTROL_PLAN_REFUSED, "belfry_control_plans_total", PLANS, "result=\"refused\""),
    COUNTER(CONTROL_PLAN_FAILED, "belfry_control_plans_total", PLANS, "result=\"failed\""),
    COUNTER(CONTROL_PLAN_LATE, "belfry_control_plans_total", PLANS, "result=\"late\""),
    [CONTROL_PLAN_SECONDS] = {.name = "belfry_control_plan_seconds",
                              .kind = BF_HISTOGRAM,
                              .help = "Time of one plan",
                              .bounds_us = plan_bounds_us},
    COUNTER(CONTROL_LIMIT_MAX_CALLS, "belfry_control_limited_total", LIMITS, "limit=\"max_calls\""),
    COUNTER(CONTROL_LIMIT_RATE, "belfry_control_limited_total", LIMITS, "limit=\"calls_per_second\""),
    COUNTER(CONTROL_LIMIT_REGISTRATIONS, "belfry_control_limited_total", LIMITS,
            "limit=\"max_registrations\""),
    COUNTER(CONTROL_ADMIT_NEW, "belfry_control_admits_total", ADMITS, "result=\"new\""),
    COUNTER(CONTROL_ADMIT_KNOWN, "belfry_control_admits_total", ADMITS, "result=\"known\""),
    COUNTER(CONTROL_ADMIT_REFUSED, "belfry_control_admits_total", ADMITS, "result=\"refused\""),
    COUNTER(CONTROL_ADMIT_FAILED, "belfry_control_admits_total", ADMITS, "result=\"failed\""),
    COUNTER(CONTROL_FORWARD_LOOPS, "belfry_control_forward_loops_total",
            "Forwardings that were not followed: a loop, too deep, or back to the caller", NULL),
    COUNTER(CONTROL_PLAN_CUT, "belfry_control_plan_cut_total",
            "Steps above 64 and devices above 30 of a step that were left out of plans", NULL),
    COUNTER(CONTROL_BINDINGS_UNREACHABLE, "belfry_control_bindings_unreachable_total",
            "Bindings that were not rung because their edge is dead", NULL),
    COUNTER(CONTROL_BINDINGS_FORMER, "belfry_control_bindings_former_total",
            "Bindings that were not rung because they are of an extension that had the number before", NULL),
    COUNTER(CONTROL_PUSH_ASKED, "belfry_control_push_devices_total",
            "Questions for push devices of plans: answered by event-fanout, or not (then nobody is woken)",
            "result=\"answered\""),
    COUNTER(CONTROL_PUSH_UNKNOWN, "belfry_control_push_devices_total",
            "Questions for push devices of plans: answered by event-fanout, or not (then nobody is woken)",
            "result=\"unknown\""),
    COUNTER(CONTROL_PUSH_REGISTERED, "belfry_control_push_registers_total", REGISTERS, "result=\"taken\""),
    COUNTER(CONTROL_PUSH_REGISTER_FAILED, "belfry_control_push_registers_total", REGISTERS,
            "result=\"failed\""),
    COUNTER(CONTROL_WAKE_RUNG, "belfry_control_wakes_total", WAKES, "result=\"rung\""),
    COUNTER(CONTROL_WAKE_LATE, "belfry_control_wakes_total", WAKES, "result=\"late\""),
    COUNTER(CONTROL_WAKE_FAILED, "belfry_control_wakes_total", WAKES, "result=\"failed\""),
    COUNTER(CONTROL_WAKER_FULL, "belfry_control_waker_full_total",
            "Phones that were not rung or registered because too many were at once", NULL),
    [CONTROL_WAKE_SECONDS] = {.name = "belfry_control_wake_seconds",
                              .kind = BF_HISTOGRAM,
                              .help = "From the REGISTER of a woken phone until its INVITE was sent",
                              .bounds_us = wake_bounds_us},
};

void control_count(enum control_metric metric, int64_t by)
{
    bf_metric_add(&control_metrics[metric], by);
}
