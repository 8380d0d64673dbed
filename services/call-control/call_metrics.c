// The metrics of what happened to calls.
#include "call_metrics.h"

#define COUNTER(id, name_, help_) [id] = {.name = (name_), .kind = BF_COUNTER, .help = (help_)}
#define GAUGE(id, name_, help_)   [id] = {.name = (name_), .kind = BF_GAUGE, .help = (help_)}

struct bf_metric call_metrics[CALLS_METRICS] = {
    COUNTER(CALLS_EVENTS, "belfry_calls_events_total", "Call events taken, each once"),
    COUNTER(CALLS_EVENTS_AGAIN, "belfry_calls_events_again_total",
            "Call events that were there already: an edge or call-control sent them twice"),
    COUNTER(CALLS_EVENTS_REFUSED, "belfry_calls_events_refused_total",
            "Call events left out because they made no sense"),
    [CALLS_EVENTS_SECONDS] = {.name = "belfry_calls_events_seconds",
                              .kind = BF_HISTOGRAM,
                              .help = "Time until a batch of call events was durable"},
    COUNTER(CALLS_CDRS, "belfry_calls_cdrs_total", "CDRs written"),
    COUNTER(CALLS_TOLD, "belfry_calls_told_total", "Events written for event-fanout"),
    COUNTER(CALLS_TOLD_REFUSED, "belfry_calls_told_refused_total",
            "Events that event-fanout will never take"),
    GAUGE(CALLS_OUTBOX_AGE, "belfry_calls_outbox_age_seconds",
          "Age of the oldest event that event-fanout has not taken"),
    COUNTER(CALLS_CLOSED, "belfry_calls_closed_total",
            "Calls closed for an edge that could not tell their end"),
    COUNTER(CALLS_REBUILT, "belfry_calls_rebuilt_total",
            "Live calls made again from their timeline because Redis had lost them"),
    GAUGE(CALLS_REAPER_LEADS, "belfry_calls_reaper_leads", "1 on the replica that looks after dead edges"),
    COUNTER(CALLS_REAPER_EDGES, "belfry_calls_reaper_edges_total", "Dead edges whose calls were closed"),
    COUNTER(CALLS_REAPER_FAILURES, "belfry_calls_reaper_failures_total",
            "Turns of the reaper that Redis or PostgreSQL failed"),
    GAUGE(CALLS_PARTITIONS_UP, "belfry_calls_partitions_up",
          "1 while the partitions of the coming months are there"),
    COUNTER(CALLS_MEDIA_ASKED, "belfry_calls_media_asked_total", "Live media figures asked of a relay"),
    COUNTER(CALLS_MEDIA_FAILED, "belfry_calls_media_failed_total",
            "Live media figures that a relay did not give in time"),
    COUNTER(CALLS_AUTH_FAILURES, "belfry_calls_auth_failures_total", "API keys that were unknown or expired"),
    [CALLS_RATE_TENANT] = {.name = "belfry_calls_rate_refused_total",
                           .kind = BF_COUNTER,
                           .help = "Requests answered 429",
                           .labels = "limit=\"tenant\""},
    [CALLS_RATE_SOURCE] = {.name = "belfry_calls_rate_refused_total",
                           .kind = BF_COUNTER,
                           .help = "Requests answered 429",
                           .labels = "limit=\"source\""},
};

void call_count(enum call_metric metric)
{
    bf_metric_add(&call_metrics[metric], 1);
}
