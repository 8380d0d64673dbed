// The metrics of event-fanout. Any thread.
#ifndef FANOUT_METRICS_H
#define FANOUT_METRICS_H

#include "bf_metrics.h"

enum fanout_metric {
    FANOUT_EVENTS,
    FANOUT_EVENTS_AGAIN,
    FANOUT_EVENTS_REFUSED,
    FANOUT_STORE_SECONDS,
    FANOUT_ATTEMPTS_DONE,
    FANOUT_ATTEMPTS_AGAIN,
    FANOUT_ATTEMPTS_DEAD,
    FANOUT_SENT_SECONDS,
    FANOUT_IN_MEMORY,
    FANOUT_MEMORY_FULL,
    FANOUT_REQUESTS_UNDER_WAY,
    FANOUT_TARGETS_REFUSED,
    FANOUT_TAKEN_OVER,
    FANOUT_PARTITIONS_UP,
    FANOUT_AUTH_FAILURES,
    FANOUT_RATE_TENANT,
    FANOUT_RATE_SOURCE,
    FANOUT_METRICS,
};

extern struct bf_metric fanout_metrics[FANOUT_METRICS];
void fanout_count(enum fanout_metric metric, int64_t by);

#endif
