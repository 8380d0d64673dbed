#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_err.h"

static void test_bus_numbers_never_change(void **state)
{
    // Part of the bus contract: other versions of us are on the other side.
    static const char *const names[] = {"OK",       "INVALID",  "UNAUTHENTICATED", "FORBIDDEN",  "NOT_FOUND",
                                        "METHOD",   "CONFLICT", "TOO_LARGE",       "MEDIA_TYPE", "LIMIT",
                                        "INTERNAL", "PROTOCOL", "UNAVAILABLE",     "TIMEOUT"};
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(bf_err_from_bus(i), i);
        assert_string_equal(bf_err_name((enum bf_err)i), names[i]);
        assert_true(strlen(bf_err_text((enum bf_err)i)) > 0);
        assert_true(strlen(bf_err_type((enum bf_err)i)) > 0);
    }
}

static void test_unknown_bus_number_is_a_protocol_error(void **state)
{
    assert_int_equal(bf_err_from_bus(14), BF_PROTOCOL);
    assert_int_equal(bf_err_from_bus(4000000000u), BF_PROTOCOL);
}

static void test_http_status(void **state)
{
    assert_int_equal(bf_err_http(BF_OK), 200);
    assert_int_equal(bf_err_http(BF_NOT_FOUND), 404);
    assert_int_equal(bf_err_http(BF_TIMEOUT), 504);
    assert_int_equal(bf_err_http((enum bf_err)9999), 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bus_numbers_never_change),
        cmocka_unit_test(test_unknown_bus_number_is_a_protocol_error),
        cmocka_unit_test(test_http_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
