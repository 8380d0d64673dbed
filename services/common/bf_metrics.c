// The registered tables and their rendering in Prometheus' text format.
#include "bf_metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define TABLES_MAX    32
#define REFRESHES_MAX 16

static const uint64_t common_bounds_us[BF_METRIC_BUCKETS_MAX] = {
    100,   250,    500,    1000,   2500,    5000,    10000,   25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

static struct {
    pthread_mutex_t lock;
    struct table {
        struct bf_metric *rows;
        size_t count;
    } tables[TABLES_MAX];
    size_t table_count;
    struct refresh {
        void (*call)(void *ctx);
        void *ctx;
    } refreshes[REFRESHES_MAX];
    size_t refresh_count;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool registered(const struct bf_metric *rows)
{
    for (size_t i = 0; i < registry.table_count; i++)
        if (registry.tables[i].rows == rows)
            return true;
    return false;
}

void bf_metrics_register(struct bf_metric *table, size_t count)
{
    pthread_mutex_lock(&registry.lock);
    if (!registered(table)) {
        assert(registry.table_count < TABLES_MAX);
        registry.tables[registry.table_count++] = (struct table){table, count};
    }
    pthread_mutex_unlock(&registry.lock);
}

void bf_metrics_on_render(void (*refresh)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&registry.lock);
    assert(registry.refresh_count < REFRESHES_MAX);
    registry.refreshes[registry.refresh_count++] = (struct refresh){refresh, ctx};
    pthread_mutex_unlock(&registry.lock);
}

void bf_metric_add(struct bf_metric *metric, int64_t by)
{
    atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

void bf_metric_set(struct bf_metric *metric, int64_t value)
{
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

static const uint64_t *bounds_of(const struct bf_metric *metric)
{
    return metric->bounds_us ? metric->bounds_us : common_bounds_us;
}

void bf_metric_observe_us(struct bf_metric *metric, uint64_t us)
{
    const uint64_t *bounds_us = bounds_of(metric);
    size_t bucket = 0;
    while (bucket < BF_METRIC_BUCKETS_MAX && us > bounds_us[bucket])
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->sum_us, us, memory_order_relaxed);
}

// "1500000" us as "1.5": exact, without a float's rounding.
static void render_seconds(struct bf_buf *into, uint64_t us)
{
    bf_buf_fmt(into, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
}

static void render_series(struct bf_buf *into, const struct bf_metric *m, const char *suffix)
{
    bf_buf_fmt(into, "%s%s", m->name, suffix);
    if (m->labels)
        bf_buf_fmt(into, "{%s}", m->labels);
    bf_buf_str(into, " ");
}

static void render_histogram(struct bf_buf *into, const struct bf_metric *m)
{
    const uint64_t *bounds_us = bounds_of(m);
    uint64_t total = 0;
    for (size_t i = 0; i <= BF_METRIC_BUCKETS_MAX; i++) {
        total += atomic_load_explicit(&m->buckets[i], memory_order_relaxed);
        bf_buf_fmt(into, "%s_bucket{%s%sle=\"", m->name, m->labels ? m->labels : "", m->labels ? "," : "");
        if (i < BF_METRIC_BUCKETS_MAX)
            render_seconds(into, bounds_us[i]);
        else
            bf_buf_str(into, "+Inf");
        bf_buf_fmt(into, "\"} %" PRIu64 "\n", total);
    }
    render_series(into, m, "_sum");
    render_seconds(into, atomic_load_explicit(&m->sum_us, memory_order_relaxed));
    bf_buf_str(into, "\n");
    render_series(into, m, "_count");
    bf_buf_fmt(into, "%" PRIu64 "\n", total);
}

static void render_row(struct bf_buf *into, const struct bf_metric *m, bool first)
{
    static const char *const types[] = {
        [BF_COUNTER] = "counter", [BF_GAUGE] = "gauge", [BF_HISTOGRAM] = "histogram"};
    if (first)
        bf_buf_fmt(into, "# HELP %s %s\n# TYPE %s %s\n", m->name, m->help, m->name, types[m->kind]);
    if (m->kind == BF_HISTOGRAM) {
        render_histogram(into, m);
        return;
    }
    render_series(into, m, "");
    bf_buf_fmt(into, "%" PRId64 "\n", atomic_load_explicit(&m->value, memory_order_relaxed));
}

static void render_table(struct bf_buf *into, const struct table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct bf_metric *m = &table->rows[i];
        render_row(into, m, i == 0 || strcmp(m->name, table->rows[i - 1].name) != 0);
    }
}

void bf_metrics_render(struct bf_buf *into)
{
    struct refresh refreshes[REFRESHES_MAX];
    struct table tables[TABLES_MAX];
    pthread_mutex_lock(&registry.lock);
    size_t refresh_count = registry.refresh_count;
    size_t table_count = registry.table_count;
    memcpy(refreshes, registry.refreshes, sizeof(refreshes));
    memcpy(tables, registry.tables, sizeof(tables));
    pthread_mutex_unlock(&registry.lock);
    for (size_t i = 0; i < refresh_count; i++)
        refreshes[i].call(refreshes[i].ctx);
    for (size_t i = 0; i < table_count; i++)
        render_table(into, &tables[i]);
}
