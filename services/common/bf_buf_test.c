#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "bf_buf.h"

static void test_grows_and_stays_terminated(void **state)
{
    struct bf_buf buf;
    bf_buf_init(&buf, 100000);
    assert_string_equal(buf.at, "");
    for (int i = 0; i < 1000; i++)
        bf_buf_fmt(&buf, "%04d,", i);
    assert_true(bf_buf_ok(&buf));
    assert_int_equal(buf.len, 5000);
    assert_int_equal(strlen(buf.at), 5000);
    assert_memory_equal(buf.at + 4990, "0998,0999,", 10);
    bf_buf_clear(&buf);
    assert_string_equal(buf.at, "");
    bf_buf_release(&buf);
    bf_buf_release(&buf);
}

static void test_cap_is_exact_and_remembered(void **state)
{
    struct bf_buf buf;
    bf_buf_init(&buf, 10);
    bf_buf_str(&buf, "0123456789");
    assert_true(bf_buf_ok(&buf));
    bf_buf_add(&buf, "x", 1);
    assert_false(bf_buf_ok(&buf));
    assert_string_equal(buf.at, "0123456789");
    bf_buf_clear(&buf);
    assert_true(bf_buf_ok(&buf));
    bf_buf_fmt(&buf, "%s", "0123456789a");
    assert_false(bf_buf_ok(&buf));
    assert_int_equal(buf.len, 0);
    bf_buf_str(&buf, "b"); // would fit, but a hole before it would be worse
    assert_int_equal(buf.len, 0);
    bf_buf_release(&buf);
}

static void test_zeroed_buffer_takes_nothing(void **state)
{
    struct bf_buf buf = {0};
    bf_buf_str(&buf, "a");
    assert_false(bf_buf_ok(&buf));
    bf_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grows_and_stays_terminated),
        cmocka_unit_test(test_cap_is_exact_and_remembered),
        cmocka_unit_test(test_zeroed_buffer_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
