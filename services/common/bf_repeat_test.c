// Idempotency-Key, asked over real sockets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bf_http_fixture.h"
#include "bf_repeat.h"

static struct bf_http_server *server;
static struct bf_buf answer;

// Says the key and what the request is compared by.
static enum bf_err handle(struct bf_http_call *call, void *ctx)
{
    uint8_t digest[BF_SHA256_BYTES];
    char hex[2 * BF_SHA256_BYTES + 1];
    const char *key;
    enum bf_err err = bf_repeat_key(call, &key);

    if (err)
        return err;
    if (key && strcmp(key, "busy") == 0)
        return bf_repeat_busy(call);
    if (key && strcmp(key, "other") == 0)
        return bf_repeat_other(call);
    bf_repeat_digest(call, digest);
    bf_autofree char *text = bf_xasprintf("%s %s", key ? key : "none", bf_hex(digest, sizeof(digest), hex));
    return bf_http_text(call, 200, "text/plain", bf_str(text));
}

static const struct bf_http_route routes[] = {
    {"POST", "/a", handle, 0},
    {"POST", "/b", handle, 0},
    {"PUT", "/a", handle, 0},
};

static int start(void **state)
{
    const struct bf_http_options http = {.host = "127.0.0.1",
                                         .threads = 1,
                                         .connections_max = 8,
                                         .routes = routes,
                                         .route_count = BF_LEN(routes),
                                         .quiet = true};

    bf_buf_init(&answer, BF_HTTP_FIXTURE_BYTES_MAX);
    return bf_http_start(&http, &server);
}

static int stop(void **state)
{
    bf_http_stop(server, 1000);
    bf_buf_release(&answer);
    return 0;
}

static int ask(const char *method, const char *path, const char *key, const char *body)
{
    char headers[256];

    snprintf(headers, sizeof(headers), "%s%.200s%s", key ? "Idempotency-Key: " : "", key ? key : "",
             key ? "\r\n" : "");
    return bf_http_fixture_ask(server, method, path, headers, bf_str(body), &answer);
}

static char *said(void)
{
    const char *body = strstr(answer.at, "\r\n\r\n");

    assert_non_null(body);
    return bf_xstrdup(body + 4);
}

static void only_a_post_has_a_key(void **state)
{
    assert_int_equal(ask("POST", "/a", "k-1", "{}"), 200);
    assert_non_null(strstr(answer.at, "\r\n\r\nk-1 "));
    assert_int_equal(ask("POST", "/a", NULL, "{}"), 200);
    assert_non_null(strstr(answer.at, "\r\n\r\nnone "));
    assert_int_equal(ask("PUT", "/a", "k-1", "{}"), 200);
    assert_non_null(strstr(answer.at, "\r\n\r\nnone "));
}

static void a_key_that_is_none_is_refused(void **state)
{
    char long_key[BF_REPEAT_KEY_BYTES_MAX + 2];

    memset(long_key, 'k', sizeof(long_key) - 1);
    long_key[sizeof(long_key) - 1] = '\0';
    assert_int_equal(ask("POST", "/a", long_key, "{}"), 400);
    assert_non_null(strstr(answer.at, "\"field\":\"Idempotency-Key\""));
    assert_int_equal(ask("POST", "/a", long_key + 1, "{}"), 200);
    assert_int_equal(ask("POST", "/a", "a b", "{}"), 400);
    assert_int_equal(ask("POST", "/a", "\xc3\xa4", "{}"), 400);
    assert_non_null(bf_repeat_key_check(BF_STR("")));
}

static void the_same_request_is_one_of_the_same_method_path_and_body(void **state)
{
    assert_int_equal(ask("POST", "/a", NULL, "{}"), 200);
    bf_autofree char *first = said();
    static const struct {
        const char *method, *path, *body;
        bool same;
    } cases[] = {
        {"POST", "/a", "{}", true},
        {"POST", "/a", "{ }", false},
        {"POST", "/b", "{}", false},
        {"PUT", "/a", "{}", false},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        assert_int_equal(ask(cases[i].method, cases[i].path, NULL, cases[i].body), 200);
        bf_autofree char *other = said();
        assert_int_equal(strcmp(first, other) == 0, cases[i].same);
    }
}

static void conflicts_name_the_key(void **state)
{
    assert_int_equal(ask("POST", "/a", "busy", "{}"), 409);
    assert_non_null(strstr(answer.at, "is being worked on"));
    assert_non_null(strstr(answer.at, "\"field\":\"Idempotency-Key\""));
    assert_int_equal(ask("POST", "/a", "other", "{}"), 409);
    assert_non_null(strstr(answer.at, "different request"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_post_has_a_key),
        cmocka_unit_test(a_key_that_is_none_is_refused),
        cmocka_unit_test(the_same_request_is_one_of_the_same_method_path_and_body),
        cmocka_unit_test(conflicts_name_the_key),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
