// Counters, gauges and histograms, rendered in Prometheus' text format 0.0.4.
//
// A program's metrics are static tables; updates are relaxed atomics, so any thread may update and none is
// slowed. Label values are a closed set fixed at registration; nothing from outside ever becomes a label.
#ifndef BF_METRICS_H
#define BF_METRICS_H

#include <stdatomic.h>
#include "bf_buf.h"

#define BF_METRIC_BUCKETS_MAX 16

enum bf_metric_kind {
    BF_COUNTER,
    BF_GAUGE,
    BF_HISTOGRAM, // observed in microseconds, shown in seconds
};

struct bf_metric {
    const char *name; // "belfry_http_requests_total"
    enum bf_metric_kind kind;
    const char *help;
    const char *labels; // "code=\"2xx\"" or NULL; rows of one name stand together in the table
    // of a histogram: BF_METRIC_BUCKETS_MAX upper bounds in microseconds, rising; NULL: 0.1 ms to 10 s
    const uint64_t *bounds_us;
    _Atomic int64_t value;
    _Atomic uint64_t buckets[BF_METRIC_BUCKETS_MAX + 1];
    _Atomic uint64_t sum_us;
};

void bf_metrics_register(struct bf_metric *table, size_t count); // before threads start; the table must stay
void bf_metric_add(struct bf_metric *metric, int64_t by);
void bf_metric_set(struct bf_metric *metric, int64_t value);
void bf_metric_observe_us(struct bf_metric *metric, uint64_t us);
void bf_metrics_render(struct bf_buf *into);
// A callback may refresh gauges right before they are rendered.
void bf_metrics_on_render(void (*refresh)(void *ctx), void *ctx);

#endif
