// Token buckets.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_rate.h"

#define NOW 1000000

static void a_minutes_worth_goes_at_once_and_then_no_more(void **state)
{
    struct bf_rate *rate = bf_rate_new(16);

    for (int i = 0; i < 60; i++)
        assert_int_equal(bf_rate_take(rate, "a", 1, 60, NOW), 0);
    assert_int_equal(bf_rate_take(rate, "a", 1, 60, NOW), 1000);
    assert_int_equal(bf_rate_take(rate, "a", 1, 60, NOW + 400), 600);
    assert_int_equal(bf_rate_take(rate, "a", 1, 60, NOW + 1000), 0);
    assert_int_equal(bf_rate_take(rate, "a", 1, 60, NOW + 1000), 1000);
    bf_rate_free(rate);
}

static void keys_do_not_share(void **state)
{
    struct bf_rate *rate = bf_rate_new(16);

    assert_int_equal(bf_rate_take(rate, "a", 1, 1, NOW), 0);
    assert_int_not_equal(bf_rate_take(rate, "a", 1, 1, NOW), 0);
    assert_int_equal(bf_rate_take(rate, "b", 1, 1, NOW), 0);
    bf_rate_free(rate);
}

static void a_full_bucket_never_holds_more_than_a_minute(void **state)
{
    struct bf_rate *rate = bf_rate_new(16);

    assert_int_equal(bf_rate_take(rate, "a", 1, 2, NOW), 0);
    assert_int_equal(bf_rate_take(rate, "a", 1, 2, NOW + 3600000), 0);
    assert_int_equal(bf_rate_take(rate, "a", 1, 2, NOW + 3600000), 0);
    assert_int_not_equal(bf_rate_take(rate, "a", 1, 2, NOW + 3600000), 0);
    bf_rate_free(rate);
}

static void another_limit_counts_at_once(void **state)
{
    struct bf_rate *rate = bf_rate_new(16);

    for (int i = 0; i < 3; i++)
        assert_int_equal(bf_rate_take(rate, "a", 1, 1000, NOW), 0);
    assert_int_not_equal(bf_rate_take(rate, "a", 1, 2, NOW), 0);
    assert_int_equal(bf_rate_take(rate, "a", 1, 1000, NOW), 0);
    bf_rate_free(rate);
}

static void peeking_takes_nothing(void **state)
{
    struct bf_rate *rate = bf_rate_new(16);

    for (int i = 0; i < 5; i++)
        assert_int_equal(bf_rate_peek(rate, "a", 1, 1, NOW), 0);
    assert_int_equal(bf_rate_take(rate, "a", 1, 1, NOW), 0);
    assert_int_not_equal(bf_rate_peek(rate, "a", 1, 1, NOW), 0);
    bf_rate_free(rate);
}

static void strangers_do_not_free_whoever_is_over_the_limit(void **state)
{
    struct bf_rate *rate = bf_rate_new(8);

    assert_int_equal(bf_rate_take(rate, "a", 1, 1, NOW), 0);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(bf_rate_peek(rate, &i, sizeof(i), 1, NOW), 0);
    assert_int_not_equal(bf_rate_take(rate, "a", 1, 1, NOW), 0);
    bf_rate_free(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_minutes_worth_goes_at_once_and_then_no_more),
        cmocka_unit_test(keys_do_not_share),
        cmocka_unit_test(a_full_bucket_never_holds_more_than_a_minute),
        cmocka_unit_test(another_limit_counts_at_once),
        cmocka_unit_test(peeking_takes_nothing),
        cmocka_unit_test(strangers_do_not_free_whoever_is_over_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
