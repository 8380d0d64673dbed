// The gate before a server, asked over real sockets.
#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bf_gate.h"
#include "bf_http_fixture.h"

static const struct bf_id acme = {{1, 2, 3}};
#define ACME_ID "01020300-0000-0000-0000-000000000000"

static struct bf_metric failures, refused_tenant, refused_source;
static struct bf_http_server *server;
static struct bf_gate *gate;
static struct bf_buf answer;

// ---- the program under the gate

static const struct {
    const char *key;
    struct bf_caller caller;
} keys[] = {
    {"operator", {.role = BF_ROLE_OPERATOR}},
    {"admin", {.role = BF_ROLE_ADMIN, .slug = "acme"}},
    {"reader", {.role = BF_ROLE_READER, .slug = "acme"}},
    {"late payer", {.role = BF_ROLE_ADMIN, .slug = "acme", .suspended = true}},
    {"busy", {.role = BF_ROLE_ADMIN, .slug = "acme", .requests_per_minute = 2}},
    {"nobody", {.role = BF_ROLE_NONE}},
};

static bool revoked; // all keys

static enum bf_err find(void *ctx, struct bf_http_call *call, const char *bearer,
                        const uint8_t hash[BF_SHA256_BYTES], struct bf_caller *ret_caller)
{
    if (strcmp(bearer, "away") == 0)
        return BF_UNAVAILABLE;
    for (size_t i = 0; i < BF_LEN(keys) && !revoked; i++)
        if (strcmp(bearer, keys[i].key) == 0) {
            *ret_caller = keys[i].caller;
            if (ret_caller->role != BF_ROLE_OPERATOR)
                ret_caller->tenant_id = acme;
            return BF_OK;
        }
    return BF_UNAUTHENTICATED;
}

static enum bf_err before(struct bf_http_call *call, void *ctx)
{
    struct bf_caller caller;

    return bf_gate_check(gate, call, &caller);
}

static enum bf_err handle(struct bf_http_call *call, void *ctx)
{
    return bf_http_empty(call, 204);
}

static const struct bf_http_route routes[] = {
    {"GET", "/open", handle, BF_GATE_ANYBODY},
    {"GET", "/all", handle, BF_GATE_OPERATORS},
    {"GET", "/mine", handle, 0},
    {"GET", "/of/{t}", handle, 0},
    {"PUT", "/of/{t}", handle, 0},
};

static int start(void **state)
{
    const struct bf_gate_options options = {.requests_per_minute = 1000,
                                            .auth_failures_per_minute = 3,
                                            .find = find,
                                            .auth_failures = &failures,
                                            .refused_tenant = &refused_tenant,
                                            .refused_source = &refused_source};
    const struct bf_http_options http = {.host = "127.0.0.1",
                                         .threads = 1,
                                         .connections_max = 8,
                                         .routes = routes,
                                         .route_count = BF_LEN(routes),
                                         .before = before,
                                         .quiet = true};

    revoked = false;
    failures.value = refused_tenant.value = refused_source.value = 0;
    bf_buf_init(&answer, BF_HTTP_FIXTURE_BYTES_MAX);
    gate = bf_gate_new(&options);
    return bf_http_start(&http, &server);
}

static int stop(void **state)
{
    bf_http_stop(server, 1000);
    bf_gate_free(gate);
    bf_gate_free(NULL);
    bf_buf_release(&answer);
    return 0;
}

// `key` NULL: without one; `from`: the address that the gateway says.
static int ask_from(const char *from, const char *key, const char *method, const char *target)
{
    char headers[512];

    snprintf(headers, sizeof(headers), "X-Real-IP: %s\r\n%s%.300s%s", from,
             key ? "Authorization: Bearer " : "", key ? key : "", key ? "\r\n" : "");
    return bf_http_fixture_ask(server, method, target, headers, (struct bf_str){NULL, 0}, &answer);
}

static int ask(const char *key, const char *method, const char *target)
{
    return ask_from("192.0.2.1", key, method, target);
}

// ---- tests

static void a_key_is_needed_but_where_anybody_may_ask(void **state)
{
    char long_key[200];

    memset(long_key, 'k', sizeof(long_key) - 1);
    long_key[sizeof(long_key) - 1] = '\0';
    assert_int_equal(ask(NULL, "GET", "/open"), 204);
    assert_int_equal(ask(NULL, "GET", "/mine"), 401);
    assert_int_equal(failures.value, 0); // no guess
    assert_int_equal(ask("wrong", "GET", "/mine"), 401);
    assert_int_equal(ask(long_key, "GET", "/mine"), 401);
    assert_int_equal(ask("nobody", "GET", "/mine"), 401); // a key without a role
    assert_int_equal(failures.value, 3);
}

static void who_looks_keys_up_may_be_away(void **state)
{
    assert_int_equal(ask("away", "GET", "/mine"), 503);
    assert_int_equal(failures.value, 0);
}

static void a_tenants_key_sees_its_own_tenant_only(void **state)
{
    assert_int_equal(ask("admin", "GET", "/of/acme"), 204);
    assert_int_equal(ask("admin", "GET", "/of/" ACME_ID), 204);
    assert_int_equal(ask("admin", "GET", "/of/bela"), 404);
    assert_non_null(strstr(answer.at, "there is no such tenant"));
    assert_int_equal(ask("admin", "GET", "/mine"), 204);
    assert_int_equal(ask("operator", "GET", "/of/bela"), 204);
}

static void roles_say_what_one_may(void **state)
{
    static const struct {
        const char *key, *method, *target;
        int status;
    } cases[] = {
        {"operator", "GET", "/all", 204},       {"operator", "PUT", "/of/acme", 204},
        {"admin", "GET", "/all", 403},          {"admin", "PUT", "/of/acme", 204},
        {"reader", "GET", "/of/acme", 204},     {"reader", "PUT", "/of/acme", 403},
        {"late payer", "GET", "/of/acme", 204}, {"late payer", "PUT", "/of/acme", 403},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++)
        if (ask(cases[i].key, cases[i].method, cases[i].target) != cases[i].status)
            fail_msg("%s %s by %s: %.80s", cases[i].method, cases[i].target, cases[i].key, answer.at);
}

static void a_tenant_over_its_rate_is_told_when_to_come_back(void **state)
{
    int code = 204;

    // More than would come back within the time that asking takes.
    for (int i = 0; i < 1000 && code == 204; i++)
        code = ask("busy", "GET", "/mine");
    assert_int_equal(code, 429);
    assert_non_null(strstr(answer.at, "\r\nRetry-After: "));
    assert_non_null(strstr(answer.at, "requests_per_minute"));
    assert_int_equal(refused_tenant.value, 1);
    assert_int_equal(ask("operator", "GET", "/of/acme"), 204);
}

static int guess_until_refused(const char *from)
{
    int code = 401;

    for (int i = 0; i < 1000 && code == 401; i++)
        code = ask_from(from, "wrong", "GET", "/mine");
    return code;
}

static void who_guesses_is_refused_and_locks_nobody_out(void **state)
{
    assert_int_equal(ask("admin", "GET", "/mine"), 204);
    assert_int_equal(guess_until_refused("192.0.2.1"), 429);
    assert_int_equal(refused_source.value, 1);
    assert_int_equal(ask("admin", "GET", "/mine"), 204); // good a while ago
    assert_int_equal(ask_from("192.0.2.2", "wrong", "GET", "/mine"), 401);
}

static void an_ipv6_source_is_its_64(void **state)
{
    assert_int_equal(guess_until_refused("2001:db8::1"), 429);
    assert_int_equal(ask_from("2001:db8::ffff", "wrong", "GET", "/mine"), 429);
    assert_int_equal(ask_from("2001:db8:0:1::1", "wrong", "GET", "/mine"), 401);
}

static void a_key_that_was_good_counts_as_a_guess_once_it_is_revoked(void **state)
{
    int code = 401;

    assert_int_equal(ask("admin", "GET", "/mine"), 204);
    revoked = true;
    for (int i = 0; i < 1000 && code == 401; i++)
        code = ask("admin", "GET", "/mine");
    assert_int_equal(code, 429);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_key_is_needed_but_where_anybody_may_ask, start, stop),
        cmocka_unit_test_setup_teardown(who_looks_keys_up_may_be_away, start, stop),
        cmocka_unit_test_setup_teardown(a_tenants_key_sees_its_own_tenant_only, start, stop),
        cmocka_unit_test_setup_teardown(roles_say_what_one_may, start, stop),
        cmocka_unit_test_setup_teardown(a_tenant_over_its_rate_is_told_when_to_come_back, start, stop),
        cmocka_unit_test_setup_teardown(who_guesses_is_refused_and_locks_nobody_out, start, stop),
        cmocka_unit_test_setup_teardown(an_ipv6_source_is_its_64, start, stop),
        cmocka_unit_test_setup_teardown(a_key_that_was_good_counts_as_a_guess_once_it_is_revoked, start,
                                        stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
