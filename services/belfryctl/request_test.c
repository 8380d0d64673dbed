// From the command line to path and body.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "request.h"

static char fault[INVOCATION_FAULT_SIZE];

#define MAKE(...)                                                   \
    make(BF_LEN(((const char *const[]){"belfryctl", __VA_ARGS__})), \
         (const char *const[]){"belfryctl", __VA_ARGS__})

static struct request make(size_t argc, const char *const *argv)
{
    struct invocation invocation;
    struct request request = {.method = NULL};

    assert_int_equal(invocation_parse((int)argc, argv, &invocation, fault), BF_OK);
    assert_int_equal(request_make(&invocation, "acme", &request, fault), BF_OK);
    return request;
}

static void expect(struct request request, const char *method, const char *path, const char *body)
{
    bf_autofree char *text = request.body ? json_dumps(request.body, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    assert_string_equal(request.method, method);
    assert_string_equal(request.path.at, path);
    if (body)
        assert_string_equal(text, body);
    else
        assert_null(text);
    request_release(&request);
}

static void a_word_goes_where_the_table_says(void **state)
{
    expect(MAKE("extension", "show", "100"), "GET", "/v1/tenants/acme/extensions/100", NULL);
    expect(MAKE("hangup", "abc"), "DELETE", "/v1/tenants/acme/calls/abc", NULL);
    expect(MAKE("call", "100", "101"), "POST", "/v1/tenants/acme/calls", "{\"from\":\"100\",\"to\":\"101\"}");
    expect(MAKE("transfer", "abc", "102"), "POST", "/v1/tenants/acme/calls/abc/transfer", "{\"to\":\"102\"}");
    expect(MAKE("tenant", "suspend", "bela"), "PATCH", "/v1/tenants/bela", "{\"status\":\"suspended\"}");
}

static void no_word_leaves_its_segment(void **state)
{
    expect(MAKE("extension", "show", "../keys"), "GET", "/v1/tenants/acme/extensions/..%2Fkeys", NULL);
    expect(MAKE("extension", "show", ".."), "GET", "/v1/tenants/acme/extensions/%2E%2E", NULL);
    expect(MAKE("extension", "show", "a?b#c%d"), "GET", "/v1/tenants/acme/extensions/a%3Fb%23c%25d", NULL);
    expect(MAKE("extension", "show", "+55"), "GET", "/v1/tenants/acme/extensions/%2B55", NULL);
}

static void options_become_fields_of_their_kind(void **state)
{
    expect(MAKE("extension", "change", "100", "--do-not-disturb", "on", "--forward-busy", "101",
                "--forward-always", "", "--ring-seconds", "9"),
           "PATCH", "/v1/tenants/acme/extensions/100",
           "{\"do_not_disturb\":true,\"forward_always\":null,\"forward_busy\":\"101\",\"ring_seconds\":9}");
    expect(MAKE("group", "change", "600", "--member", "102", "--member", "100"), "PATCH",
           "/v1/tenants/acme/groups/600", "{\"members\":[\"102\",\"100\"]}");
    expect(MAKE("group", "change", "600", "--member", ""), "PATCH", "/v1/tenants/acme/groups/600",
           "{\"members\":[]}");
    expect(MAKE("tenant", "change", "bela", "--max-calls", "5", "--calls-per-second", "2"), "PATCH",
           "/v1/tenants/bela", "{\"limits\":{\"calls_per_second\":2,\"max_calls\":5}}");
}

static void options_of_a_get_become_its_query(void **state)
{
    expect(MAKE("registrations", "--number", "1&2"), "GET", "/v1/tenants/acme/registrations?number=1%262",
           NULL);
}

static void a_password_comes_from_a_file(void **state)
{
    char name[] = "/tmp/belfryctl_test.XXXXXX";
    struct invocation invocation;
    struct request request;
    int fd = mkstemp(name);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, "correct horse\nsecond line\n", 26), 26);
    close(fd);
    expect(MAKE("extension", "password", "100", "--password-file", name), "POST",
           "/v1/tenants/acme/extensions/100/password", "{\"password\":\"correct horse\"}");
    unlink(name);
    const char *const argv[] = {"belfryctl", "extension", "password", "100", "--password-file", name};
    assert_int_equal(invocation_parse(BF_LEN(argv), argv, &invocation, fault), BF_OK);
    assert_int_equal(request_make(&invocation, "acme", &request, fault), BF_INVALID);
    assert_non_null(strstr(fault, name));
}

static void words_that_are_too_long_are_refused(void **state)
{
    char word[REQUEST_PATH_BYTES_MAX + 1];
    struct invocation invocation;
    struct request request;

    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = '\0';
    const char *const argv[] = {"belfryctl", "why", word};
    assert_int_equal(invocation_parse(BF_LEN(argv), argv, &invocation, fault), BF_OK);
    assert_int_equal(request_make(&invocation, "acme", &request, fault), BF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_word_goes_where_the_table_says),
        cmocka_unit_test(no_word_leaves_its_segment),
        cmocka_unit_test(options_become_fields_of_their_kind),
        cmocka_unit_test(options_of_a_get_become_its_query),
        cmocka_unit_test(a_password_comes_from_a_file),
        cmocka_unit_test(words_that_are_too_long_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
