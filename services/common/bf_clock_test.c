#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "bf_clock.h"

static void test_rfc3339(void **state)
{
    char text[BF_RFC3339_SIZE];
    assert_string_equal(bf_rfc3339(0, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(bf_rfc3339(1795182527123, text), "2026-11-20T13:48:47.123Z");
    assert_string_equal(bf_rfc3339(951782399999, text), "2000-02-28T23:59:59.999Z");
    assert_string_equal(bf_rfc3339(UINT64_MAX, text), "9999-12-31T23:59:59.999Z");
}

static void test_rfc3339_parse(void **state)
{
    static const char *const bad[] = {"",
                                      "2027-01-31",
                                      "2027-01-31 23:59:59Z",
                                      "2027-01-31T23:59:59",
                                      "2027-01-31T23:59:59+01:00",
                                      "2027-02-29T00:00:00Z",
                                      "2027-13-01T00:00:00Z",
                                      "2027-01-01T24:00:00Z",
                                      "2027-01-01T00:00:00.Z",
                                      "2027-01-01T00:00:00,5Z",
                                      "2027-01-01T00:00:00.1234567890123Z",
                                      "+027-01-01T00:00:00Z",
                                      "2027-01--1T00:00:00Z"};
    static const struct {
        const char *text;
        uint64_t unix_ms;
    } good[] = {
        {"2028-02-29T12:00:01Z", 1835438401000},     {"1970-01-01T00:00:00.999Z", 999},
        {"2026-11-20T13:48:47.123Z", 1795182527123}, {"1970-01-01T00:00:00.5Z", 500},
        {"1970-01-01T00:00:00.1239999Z", 123},
    };
    uint64_t at = 7;

    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (bf_rfc3339_parse(bf_str(bad[i]), &at))
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(at, 7);
    for (size_t i = 0; i < BF_LEN(good); i++) {
        assert_true(bf_rfc3339_parse(bf_str(good[i].text), &at));
        assert_int_equal(at, good[i].unix_ms);
    }
}

static void test_clocks_agree_with_the_system(void **state)
{
    uint64_t before = (uint64_t)time(NULL) * 1000;
    uint64_t now = bf_unix_ms();
    assert_true(now >= before && now < before + 3600000);
    uint64_t us = bf_mono_us();
    assert_true(bf_mono_us() >= us);
    assert_true(bf_mono_ms() >= us / 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc3339),
        cmocka_unit_test(test_rfc3339_parse),
        cmocka_unit_test(test_clocks_agree_with_the_system),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
