// Numbers, passwords, HA1s.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "extension.h"

static void numbers_start_with_a_digit_a_letter_or_plus(void **state)
{
    static const char *const good[] = {"100", "+5511999990000", "front-door", "a.b_c+d", "Z"};
    static const char *const bad[] = {"",        "-1",  ".a",  "_a",       "a b",   "a@b",
                                      "100;x=1", "%31", "a/b", "\xc3\xa1", "1\r\n2"};
    char longest[EXTENSION_NUMBER_BYTES_MAX + 1];

    for (size_t i = 0; i < BF_LEN(good); i++)
        assert_null(extension_number_check(bf_str(good[i])));
    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (!extension_number_check(bf_str(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    memset(longest, '1', sizeof(longest));
    assert_null(extension_number_check((struct bf_str){longest, EXTENSION_NUMBER_BYTES_MAX}));
    assert_non_null(extension_number_check((struct bf_str){longest, EXTENSION_NUMBER_BYTES_MAX + 1}));
}

static void passwords_are_long_and_printable(void **state)
{
    assert_null(extension_password_check(BF_STR("correct horse")));
    assert_non_null(extension_password_check(BF_STR("elevenchars")));
    assert_non_null(extension_password_check(BF_STR("tab\tinside the password")));
    assert_non_null(extension_password_check(BF_STR("p\xc3\xa1ssword of letters")));
}

static void a_made_password_is_good_and_never_the_same(void **state)
{
    char one[EXTENSION_PASSWORD_MADE + 1], two[EXTENSION_PASSWORD_MADE + 1];

    extension_password_make(one);
    extension_password_make(two);
    assert_int_equal(strlen(one), EXTENSION_PASSWORD_MADE);
    assert_null(extension_password_check(bf_str(one)));
    assert_string_not_equal(one, two);
    assert_null(strpbrk(one, "0O1lI"));
}

// The example of RFC 2617 3.5 (MD5) and RFC 7616 3.9.1 (SHA-256 of the same form), worked out with openssl.
static void ha1_is_that_of_the_rfc(void **state)
{
    struct extension_ha1 ha1 = extension_ha1("Mufasa", "testrealm@host.com", "Circle Of Life");
    char text[2 * BF_SHA256_BYTES + 1];

    assert_string_equal(bf_hex(ha1.md5, sizeof(ha1.md5), text), "939e7578ed9e3c518a452acee763bce9");
    ha1 = extension_ha1("Mufasa", "http-auth@example.org", "Circle of Life");
    assert_string_equal(bf_hex(ha1.sha256, sizeof(ha1.sha256), text),
                        "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
}

static void display_names_need_no_escaping(void **state)
{
    assert_null(extension_display_check(BF_STR("")));
    assert_null(extension_display_check(BF_STR("Jos\xc3\xa9 <porta>")));
    assert_non_null(extension_display_check(BF_STR("a\"b")));
    assert_non_null(extension_display_check(BF_STR("a\\b")));
    assert_non_null(extension_display_check(BF_STR("a\r\nVia: x")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_start_with_a_digit_a_letter_or_plus),
        cmocka_unit_test(passwords_are_long_and_printable),
        cmocka_unit_test(a_made_password_is_good_and_never_the_same),
        cmocka_unit_test(ha1_is_that_of_the_rfc),
        cmocka_unit_test(display_names_need_no_escaping),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
