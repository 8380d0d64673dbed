#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <string.h>
#include <cmocka.h>

#include "bf_metrics.h"

static const uint64_t fine_us[BF_METRIC_BUCKETS_MAX] = {1, 2,  3,  4,  5,  6,  7,  8,
                                                        9, 10, 11, 12, 13, 14, 15, 1500};

static struct bf_metric table[] = {
    {.name = "unit_requests_total", .help = "Requests", .labels = "code=\"2xx\""},
    {.name = "unit_requests_total", .help = "Requests", .labels = "code=\"5xx\""},
    {.name = "unit_open", .kind = BF_GAUGE, .help = "Open things"},
    {.name = "unit_seconds", .kind = BF_HISTOGRAM, .help = "Durations", .labels = "kind=\"a\""},
    {.name = "unit_busy_total", .help = "By threads"},
    {.name = "unit_fine_seconds",
     .kind = BF_HISTOGRAM,
     .help = "With bounds of its own",
     .bounds_us = fine_us},
};

static void refresh(void *ctx)
{
    bf_metric_set(&table[2], *(int64_t *)ctx);
}

static size_t occurrences(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        count++;
    return count;
}

static void test_renders_prometheus_text(void **state)
{
    static int64_t open = -7;
    bf_metrics_register(table, BF_LEN(table));
    bf_metrics_register(table, BF_LEN(table)); // a second time changes nothing
    bf_metrics_on_render(refresh, &open);
    bf_metric_add(&table[0], 2);
    bf_metric_add(&table[1], 1);
    bf_metric_observe_us(&table[3], 100); // the bound belongs to its bucket
    bf_metric_observe_us(&table[3], 101);
    bf_metric_observe_us(&table[3], 60000000); // above all bounds
    bf_metric_observe_us(&table[5], 1);
    bf_metric_observe_us(&table[5], 16);
    bf_metric_observe_us(&table[5], 1501);
    struct bf_buf text;
    bf_buf_init(&text, 65536);
    bf_metrics_render(&text);
    assert_int_equal(occurrences(text.at, "# TYPE unit_requests_total counter\n"), 1);
    assert_non_null(
        strstr(text.at, "unit_requests_total{code=\"2xx\"} 2\nunit_requests_total{code=\"5xx\"} 1\n"));
    assert_non_null(strstr(text.at, "# TYPE unit_open gauge\nunit_open -7\n"));
    assert_non_null(strstr(text.at, "unit_seconds_bucket{kind=\"a\",le=\"0.000100\"} 1\n"));
    assert_non_null(strstr(text.at, "unit_seconds_bucket{kind=\"a\",le=\"0.000250\"} 2\n"));
    assert_non_null(strstr(text.at, "unit_seconds_bucket{kind=\"a\",le=\"10.000000\"} 2\n"));
    assert_non_null(strstr(text.at, "unit_seconds_bucket{kind=\"a\",le=\"+Inf\"} 3\n"));
    assert_non_null(
        strstr(text.at, "unit_seconds_sum{kind=\"a\"} 60.000201\nunit_seconds_count{kind=\"a\"} 3\n"));
    assert_non_null(strstr(text.at, "unit_fine_seconds_bucket{le=\"0.000001\"} 1\n"));
    assert_non_null(strstr(text.at, "unit_fine_seconds_bucket{le=\"0.000015\"} 1\n"
                                    "unit_fine_seconds_bucket{le=\"0.001500\"} 2\n"
                                    "unit_fine_seconds_bucket{le=\"+Inf\"} 3\n"));
    bf_buf_release(&text);
}

static void *count_up(void *at)
{
    for (int i = 0; i < 10000; i++)
        bf_metric_add(&table[4], 1);
    return NULL;
}

static void test_no_update_of_many_threads_is_lost(void **state)
{
    pthread_t threads[4];
    for (size_t i = 0; i < BF_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, NULL), 0);
    for (size_t i = 0; i < BF_LEN(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(table[4].value, 40000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renders_prometheus_text),
        cmocka_unit_test(test_no_update_of_many_threads_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
