// URLs of STUN and TURN, and credentials as coturn wants them.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "turn.h"

static void a_credential_is_that_of_the_rest_api(void **state)
{
    char username[TURN_USERNAME_SIZE], credential[TURN_CREDENTIAL_SIZE];

    turn_username(1700003600, "acme", "100", username);
    assert_string_equal(username, "1700003600:acme/100");
    turn_credential("0123456789abcdef", username, credential);
    assert_string_equal(credential, "tuh6cTzh9RXt/EGeklVCJzaVxEU=");
}

static void the_longest_username_fits(void **state)
{
    char username[TURN_USERNAME_SIZE], slug[64] = "", number[33] = "";

    memset(slug, 's', sizeof(slug) - 1);
    memset(number, '1', sizeof(number) - 1);
    turn_username(UINT64_MAX, slug, number, username);
    assert_int_equal(strlen(username), 20 + 1 + 63 + 1 + 32);
}

static void urls_are_read_one_by_one(void **state)
{
    struct turn_urls urls;

    assert_null(turn_urls_read(
        "  stun:192.0.2.1:3478 turn:[2001:db8::1]:3478?transport=udp  turns:turn.acme.example:443 ", &urls));
    assert_int_equal(urls.count, 3);
    assert_string_equal(urls.list[0], "stun:192.0.2.1:3478");
    assert_string_equal(urls.list[1], "turn:[2001:db8::1]:3478?transport=udp");
    assert_string_equal(urls.list[2], "turns:turn.acme.example:443");
    assert_false(turn_url_wants_credential(urls.list[0]));
    assert_true(turn_url_wants_credential(urls.list[1]));
    assert_true(turn_url_wants_credential(urls.list[2]));
    assert_true(turn_urls_want_secret(&urls));
}

static void no_server_is_good_and_stun_needs_no_secret(void **state)
{
    struct turn_urls urls;

    assert_null(turn_urls_read("", &urls));
    assert_int_equal(urls.count, 0);
    assert_false(turn_urls_want_secret(&urls));
    assert_null(turn_urls_read("stuns:stun.acme.example", &urls));
    assert_false(turn_urls_want_secret(&urls));
}

static void what_is_no_url_is_refused(void **state)
{
    static const char *const bad[] = {"192.0.2.1:3478", "turn:",          "http://turn.example",
                                      "turn:a\"b",      "turn:a,turn:b",  "turn:a\nturn:b",
                                      "TURN:a",         "turn:a turn:<x>"};
    char text[TURN_URLS_MAX * 8 + 9] = "", longest[TURN_URL_BYTES_MAX + 2] = "turn:";
    struct turn_urls urls;

    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (!turn_urls_read(bad[i], &urls))
            fail_msg("%s was taken", bad[i]);
    for (size_t i = 0; i <= TURN_URLS_MAX; i++)
        memcpy(text + i * 7, "turn:a ", 8);
    assert_non_null(turn_urls_read(text, &urls));
    memset(longest + 5, 'a', sizeof(longest) - 6);
    assert_non_null(turn_urls_read(longest, &urls));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_credential_is_that_of_the_rest_api),
        cmocka_unit_test(the_longest_username_fits),
        cmocka_unit_test(urls_are_read_one_by_one),
        cmocka_unit_test(no_server_is_good_and_stun_needs_no_secret),
        cmocka_unit_test(what_is_no_url_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
