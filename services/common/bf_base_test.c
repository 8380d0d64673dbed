#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "bf_base.h"

static void test_parse_int_takes_whole_decimals_only(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        bool good;
        int64_t value;
    } cases[] = {
        {"0", 0, 9, true, 0},
        {"-7", -9, 9, true, -7},
        {"007", 0, 9, true, 7},
        {"9223372036854775807", INT64_MIN, INT64_MAX, true, INT64_MAX},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, true, INT64_MIN},
        {"9223372036854775808", INT64_MIN, INT64_MAX, false, 0},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, false, 0},
        {"99999999999999999999999", INT64_MIN, INT64_MAX, false, 0},
        {"10", 0, 9, false, 0},
        {"-1", 0, 9, false, 0},
        {"", 0, 9, false, 0},
        {"-", -9, 9, false, 0},
        {"+1", 0, 9, false, 0},
        {" 1", 0, 9, false, 0},
        {"1 ", 0, 9, false, 0},
        {"1e3", 0, 9999, false, 0},
        {"0x1", 0, 9, false, 0},
    };
    for (size_t i = 0; i < BF_LEN(cases); i++) {
        int64_t value = 4711;
        bool good = bf_parse_int(bf_str(cases[i].text), cases[i].min, cases[i].max, &value);
        if (good != cases[i].good)
            fail_msg("\"%s\" was %s", cases[i].text, good ? "taken" : "refused");
        assert_int_equal(value, cases[i].good ? cases[i].value : 4711);
    }
    int64_t value = 0;
    assert_true(bf_parse_int((struct bf_str){"12x", 2}, 0, 99, &value)); // only the given bytes count
    assert_int_equal(value, 12);
}

static void test_utf8_is_rfc_3629(void **state)
{
    static const char *const good[] = {
        "", "abc", "é", "€", "😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {
        "\x80",             // a continuation alone
        "\xc3",             // cut
        "\xe2\x82",         // cut
        "\xc0\xaf",         // overlong
        "\xe0\x80\xaf",     // overlong
        "\xf0\x80\x80\xaf", // overlong
        "\xed\xa0\x80",     // a surrogate
        "\xf4\x90\x80\x80", // past U+10FFFF
        "\xff",
        "a\xe2\x28\xa1",
    };
    for (size_t i = 0; i < BF_LEN(good); i++)
        assert_true(bf_utf8_valid(bf_str(good[i])));
    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (bf_utf8_valid(bf_str(bad[i])))
            fail_msg("bad text %zu was taken", i);
    assert_false(bf_utf8_valid((struct bf_str){"a\0b", 3}));
    assert_int_equal(bf_utf8_next(BF_STR("€x")), 3);
    assert_int_equal(bf_utf8_next(BF_STR("")), 0);
}

static void test_strings_compare_by_bytes_or_ascii_case(void **state)
{
    assert_true(bf_str_eq(bf_str(NULL), BF_STR("")));
    assert_true(bf_str_eq(BF_STR("ab"), (struct bf_str){"abc", 2}));
    assert_false(bf_str_eq(BF_STR("ab"), BF_STR("aB")));
    assert_true(bf_str_case_eq(BF_STR("Ab-Z"), BF_STR("aB-z")));
    assert_false(bf_str_case_eq(BF_STR("["), BF_STR("{"))); // 32 apart, but no letters
    assert_false(bf_str_case_eq(BF_STR("a"), BF_STR("ab")));
}

static void test_text_comes_out_clean_and_whole(void **state)
{
    static const struct {
        const char *from, *into;
    } cases[] = {
        {NULL, ""},
        {"", ""},
        {"abcdefgh", "abcdefg"},
        {"a\tb\x7f", "a?b?"},
        {"a\xff"
         "b",
         "a?b"},
        {"abcdefä", "abcdef"},
        {"abcdeä", "abcdeä"},
        {"\xc2\x85", "?"},
    };
    char into[8];

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        bf_text_clean(cases[i].from, into, sizeof(into));
        assert_string_equal(into, cases[i].into);
    }
}

static void test_take_moves_ownership(void **state)
{
    bf_autofree char *mine = bf_xasprintf("%s-%d", "a", 1);
    char *taken = BF_TAKE(mine);
    assert_null(mine);
    assert_string_equal(taken, "a-1");
    free(taken);
    bf_autofree char *copy = bf_xstrndup("abc", 2);
    assert_string_equal(copy, "ab");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_int_takes_whole_decimals_only),
        cmocka_unit_test(test_utf8_is_rfc_3629),
        cmocka_unit_test(test_strings_compare_by_bytes_or_ascii_case),
        cmocka_unit_test(test_text_comes_out_clean_and_whole),
        cmocka_unit_test(test_take_moves_ownership),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
