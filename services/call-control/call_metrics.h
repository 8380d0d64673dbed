// The metrics of what happened to calls. Any thread.
#ifndef CALL_METRICS_H
#define CALL_METRICS_H

#include "bf_metrics.h"

enum call_metric {
    CALLS_EVENTS,
    CALLS_EVENTS_AGAIN,
    CALLS_EVENTS_REFUSED,
    CALLS_EVENTS_SECONDS,
    CALLS_CDRS,
    CALLS_TOLD,
    CALLS_TOLD_REFUSED,
    CALLS_OUTBOX_AGE,
    CALLS_CLOSED,
    CALLS_REBUILT,
    CALLS_REAPER_LEADS,
    CALLS_REAPER_EDGES,
    CALLS_REAPER_FAILURES,
    CALLS_PARTITIONS_UP,
    CALLS_MEDIA_ASKED,
    CALLS_MEDIA_FAILED,
    CALLS_AUTH_FAILURES,
    CALLS_RATE_TENANT,
    CALLS_RATE_SOURCE,
    CALLS_METRICS,
};

extern struct bf_metric call_metrics[CALLS_METRICS];
void call_count(enum call_metric metric); // adds one

#endif
