// The server is asked over real sockets, by requests written byte for byte.
#include <setjmp.h>
#include <stdarg.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "bf_buf.h"
#include "bf_clock.h"
#include "bf_http.h"
#include "bf_http_fixture.h"
#include "bf_metrics.h"

static struct bf_http_server *server;
static struct bf_buf answer; // the last one: header and body as they came
static _Atomic int users_freed;
static _Atomic bool slow_entered;
static int slow_release[2]; // a byte here lets the slow handler go on

// ---- the program under the server

struct note {
    const char *text;
    int64_t size;
    struct bf_json_texts tags;
};

static const struct bf_json_field note_fields[] = {
    {"text", BF_JSON_TEXT, true, offsetof(struct note, text), 1, 100, NULL, NULL, 0},
    {"size", BF_JSON_INT, false, offsetof(struct note, size), 0, 9, NULL, NULL, 0},
    {"tags", BF_JSON_TEXTS, false, offsetof(struct note, tags), 0, 3, NULL, NULL, 0},
};

static enum bf_err get_item(struct bf_http_call *call, void *ctx)
{
    static const char *const allowed[] = {"limit", "after", NULL};
    enum bf_err err = bf_http_query_only(call, allowed);
    if (err)
        return err;
    const char *after = bf_http_query(call, "after");
    return bf_http_json(call, 200,
                        json_pack("{s:s, s:s, s:s, s:s*, s:s}", "t", bf_http_param(call, "t"), "name",
                                  bf_http_param(call, "name"), "path", bf_http_path(call), "after", after,
                                  "remote", bf_http_remote(call)));
}

static enum bf_err post_note(struct bf_http_call *call, void *ctx)
{
    struct note note;
    enum bf_err err = bf_http_read(call, note_fields, BF_LEN(note_fields), &note);
    if (!err)
        err = bf_http_json(call, 201, json_pack("{s:s}", "text", note.text));
    bf_json_release(note_fields, BF_LEN(note_fields), &note);
    bf_http_answer_header(call, "Location", "/v1/notes/1");
    return err;
}

static enum bf_err get_nothing(struct bf_http_call *call, void *ctx)
{
    return BF_OK;
}

static enum bf_err get_away(struct bf_http_call *call, void *ctx)
{
    bf_http_json(call, 200, json_pack("{s:s}", "half", "done"));
    return BF_UNAVAILABLE;
}

static enum bf_err delete_it(struct bf_http_call *call, void *ctx)
{
    return bf_http_empty(call, 204);
}

static enum bf_err get_slow(struct bf_http_call *call, void *ctx)
{
    char byte;
    slow_entered = true;
    if (read(slow_release[0], &byte, 1) != 1)
        return BF_INTERNAL;
    return bf_http_text(call, 200, "text/plain", BF_STR("slow but sure"));
}

static void free_user(void *user)
{
    users_freed++;
    free(user);
}

#define NEEDS_KEY 1u

static enum bf_err check_key(struct bf_http_call *call, void *ctx)
{
    assert_string_equal(ctx, "the program's own");
    if (!(bf_http_route(call)->flags & NEEDS_KEY))
        return BF_OK;
    const char *key = bf_http_bearer(call);
    if (!key || strcmp(key, "good-key") != 0)
        return bf_http_problem(call, BF_UNAUTHENTICATED, NULL, "send Authorization: Bearer <key>");
    bf_http_set_user(call, bf_xstrdup("alice"), free_user);
    return BF_OK;
}

static enum bf_err get_me(struct bf_http_call *call, void *ctx)
{
    return bf_http_json(call, 200, json_pack("{s:s}", "me", (const char *)bf_http_user(call)));
}

static const struct bf_http_route routes[] = {
    {"GET", "/v1/tenants/{t}/items/{name}", get_item, 0},
    {"DELETE", "/v1/tenants/{t}/items/{name}", delete_it, 0},
    {"POST", "/v1/notes", post_note, 0},
    {"GET", "/v1/nothing", get_nothing, 0},
    {"GET", "/v1/away", get_away, 0},
    {"GET", "/v1/slow", get_slow, 0},
    {"GET", "/v1/me", get_me, NEEDS_KEY},
};

static int start_server(void **state)
{
    int null = open("/dev/null", O_WRONLY); // the request log
    if (!getenv("UNIT_LOG"))
        dup2(null, STDERR_FILENO);
    close(null);
    bf_buf_init(&answer, BF_HTTP_FIXTURE_BYTES_MAX);
    assert_int_equal(pipe(slow_release), 0);
    static char ctx[] = "the program's own";
    const struct bf_http_options options = {
        .host = "127.0.0.1",
        .threads = 2,
        .connections_max = 32,
        .routes = routes,
        .route_count = BF_LEN(routes),
        .before = check_key,
        .ctx = ctx,
    };
    return bf_http_start(&options, &server);
}

static int stop_server(void **state)
{
    bf_http_stop(server, 1000);
    bf_http_stop(NULL, 0);
    bf_buf_release(&answer);
    close(slow_release[0]);
    close(slow_release[1]);
    return 0;
}

// ---- the caller

static int status(void)
{
    return bf_http_fixture_status(&answer);
}

static int ask(const char *method, const char *target, const char *headers, struct bf_str body)
{
    return bf_http_fixture_ask(server, method, target, headers, body, &answer);
}

#define NO_BODY ((struct bf_str){NULL, 0})
#define JSON    "Content-Type: application/json\r\n"

static bool answer_has(const char *text)
{
    return strcasestr(answer.at, text) != NULL;
}

static json_t *answer_json(void)
{
    const char *body = strstr(answer.at, "\r\n\r\n");
    assert_non_null(body);
    json_t *json = json_loads(body + 4, 0, NULL);
    if (!json)
        fail_msg("no JSON: %.300s", answer.at);
    return json;
}

// The last answer is a complete problem of this type, and names this field.
static void assert_problem(int code, const char *type, const char *field)
{
    assert_int_equal(status(), code);
    assert_true(answer_has("Content-Type: application/problem+json\r\n"));
    json_t *json = answer_json();
    bf_autofree char *urn = bf_xasprintf("urn:belfry:problem:%s", type);
    assert_string_equal(json_string_value(json_object_get(json, "type")), urn);
    assert_int_equal(json_integer_value(json_object_get(json, "status")), code);
    assert_true(json_string_length(json_object_get(json, "title")) > 0);
    assert_true(json_string_length(json_object_get(json, "detail")) > 0);
    assert_true(json_string_length(json_object_get(json, "request_id")) > 0);
    const char *named = json_string_value(json_object_get(json, "field"));
    assert_string_equal(named ? named : "", field);
    json_decref(json);
}

static void assert_text(const char *name, const char *expected)
{
    json_t *json = answer_json();
    const char *text = json_string_value(json_object_get(json, name));
    assert_non_null(text);
    assert_string_equal(text, expected);
    json_decref(json);
}

// ---- tests

static void test_parameters_and_query_are_decoded(void **state)
{
    assert_int_equal(ask("GET", "/v1/tenants/acme/items/a%20%e2%82%ac?after=x%2By+z&limit=3", "", NO_BODY),
                     200);
    assert_text("t", "acme");
    assert_text("name", "a €");
    assert_text("after", "x+y z");
    assert_text("path", "/v1/tenants/acme/items/a%20%e2%82%ac");
    assert_text("remote", "127.0.0.1");
    assert_true(answer_has("\r\nContent-Type: application/json\r\n"));
    assert_true(answer_has("\r\nCache-Control: no-store\r\n"));
}

static void test_bad_paths_and_queries_are_refused(void **state)
{
    static const char *const bad[] = {
        "/v1/tenants/acme/items/a%2fb", "/v1/tenants/acme/items/a%00",     "/v1/tenants/acme/items/a%0a",
        "/v1/tenants/acme/items/%ff",   "/v1/tenants/acme/items/%c0%ae",   "/v1/tenants/acme/items/%zz",
        "/v1/tenants/acme/items/%2",    "/v1/tenants/a/items/b?after=%ff", "/v1/tenants/a/items/b?after=%00",
        "/v1/tenants/a/items/b?%zz=1",
    };
    for (size_t i = 0; i < BF_LEN(bad); i++) {
        if (ask("GET", bad[i], "", NO_BODY) != 400)
            fail_msg("%s: %d", bad[i], status());
        assert_problem(400, "invalid", "");
    }
    ask("GET", "/v1/tenants/a/items/b?after=1&after=2", "", NO_BODY);
    assert_problem(400, "invalid", "after");
    ask("GET", "/v1/tenants/a/items/b?nonsense=1", "", NO_BODY);
    assert_problem(400, "invalid", "nonsense");
}

static void test_unknown_paths_are_not_found(void **state)
{
    static const char *const unknown[] = {
        "/",
        "/v1",
        "/v1/notes/",
        "//v1/notes",
        "/v1/tenants//items/a",
        "/v1/tenants/a/items",
        "/V1/notes",
        "/v1/../v1/notes",
        "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18",
    };
    for (size_t i = 0; i < BF_LEN(unknown); i++) {
        if (ask("GET", unknown[i], "", NO_BODY) != 404)
            fail_msg("%s: %d", unknown[i], status());
        assert_problem(404, "not-found", "");
    }
}

static void test_other_methods_say_what_is_allowed(void **state)
{
    static const char *const methods[] = {"PUT", "OPTIONS", "TRACE", "FROBNICATE"};
    for (size_t i = 0; i < BF_LEN(methods); i++) {
        ask(methods[i], "/v1/tenants/a/items/b", "", NO_BODY);
        assert_problem(405, "method-not-allowed", "");
        assert_true(answer_has("\r\nAllow: GET, HEAD, DELETE\r\n"));
    }
}

static void test_head_is_get_without_a_body(void **state)
{
    assert_int_equal(ask("HEAD", "/v1/tenants/a/items/b", "", NO_BODY), 200);
    assert_string_equal(strstr(answer.at, "\r\n\r\n"), "\r\n\r\n");
}

static void test_an_empty_answer_has_no_body(void **state)
{
    assert_int_equal(ask("DELETE", "/v1/tenants/a/items/b", "", NO_BODY), 204);
    assert_string_equal(strstr(answer.at, "\r\n\r\n"), "\r\n\r\n");
}

static void test_the_request_id_is_the_callers_only_when_it_is_harmless(void **state)
{
    ask("GET", "/v1/nowhere", "X-Request-Id: abc.DEF_1-2\r\n", NO_BODY);
    assert_true(answer_has("\r\nX-Request-Id: abc.DEF_1-2\r\n"));
    assert_text("request_id", "abc.DEF_1-2");
    ask("GET", "/v1/nowhere", "X-Request-Id: a b\r\n", NO_BODY);
    assert_false(answer_has("a b"));
    assert_true(answer_has("\r\nX-Request-Id: "));
}

static void test_the_gateway_says_who_the_peer_is(void **state)
{
    ask("GET", "/v1/tenants/a/items/b", "X-Real-IP: 2001:db8::7\r\n", NO_BODY);
    assert_text("remote", "2001:db8::7");
    ask("GET", "/v1/tenants/a/items/b", "X-Real-IP: evil\"text\r\n", NO_BODY);
    assert_text("remote", "127.0.0.1");
}

static void test_keys_are_checked_before_the_handler(void **state)
{
    ask("GET", "/v1/me", "", NO_BODY);
    assert_problem(401, "unauthenticated", "");
    assert_true(answer_has("\r\nWWW-Authenticate: Bearer\r\n"));
    ask("GET", "/v1/me", "Authorization: Basic Z29vZC1rZXk=\r\n", NO_BODY);
    assert_problem(401, "unauthenticated", "");
    int freed = users_freed;
    assert_int_equal(ask("GET", "/v1/me", "Authorization: bearer good-key\r\n", NO_BODY), 200);
    assert_text("me", "alice");
    for (int i = 0; i < 1000 && users_freed == freed; i++) // freed after the answer went out
        usleep(5000);
    assert_int_equal(users_freed, freed + 1);
}

static void test_bodies_are_read_by_the_table(void **state)
{
    assert_int_equal(ask("POST", "/v1/notes", JSON, BF_STR("{\"text\":\"hi\",\"tags\":[\"a\"]}")), 201);
    assert_text("text", "hi");
    assert_true(answer_has("\r\nLocation: /v1/notes/1\r\n"));
    assert_int_equal(ask("POST", "/v1/notes", "Content-Type: Application/JSON; charset=utf-8\r\n",
                         BF_STR("{\"text\":\"hi\"}")),
                     201);
    ask("POST", "/v1/notes", JSON, BF_STR("{\"text\":\"hi\",\"size\":10}"));
    assert_problem(400, "invalid", "size");
    ask("POST", "/v1/notes", JSON, BF_STR("{\"text\":\"hi\",\"tags\":[\"a\",1]}"));
    assert_problem(400, "invalid", "tags[1]");
    ask("POST", "/v1/notes", "", NO_BODY);
    assert_problem(400, "invalid", "text");
    ask("POST", "/v1/notes", JSON, BF_STR("{\"text\":"));
    assert_problem(400, "invalid", "");
    assert_true(answer_has("line 1, column 8"));
    ask("POST", "/v1/notes", JSON, BF_STR("{\"text\":\"\xff\"}"));
    assert_problem(400, "invalid", "");
    assert_true(answer_has("byte 10 is not valid UTF-8"));
    ask("POST", "/v1/notes", "Content-Type: text/plain\r\n", BF_STR("{\"text\":\"hi\"}"));
    assert_problem(415, "media-type", "");
    ask("POST", "/v1/notes", "", BF_STR("{\"text\":\"hi\"}"));
    assert_problem(415, "media-type", "");
}

static struct bf_str large_body(size_t len)
{
    static char body[512 * 1024];
    assert_true(len <= sizeof(body));
    memset(body, ' ', sizeof(body));
    memcpy(body, "{\"text\":\"hi\"}", 13);
    return (struct bf_str){body, len};
}

static void test_the_largest_body_fits_and_one_byte_more_does_not(void **state)
{
    assert_int_equal(ask("POST", "/v1/notes", JSON, large_body(65536)), 201);
    ask("POST", "/v1/notes", JSON, large_body(65537));
    assert_problem(413, "too-large", "");
    assert_true(answer_has("\r\nConnection: close\r\n"));
    // Nobody reads a body that is refused, whatever the path is.
    ask("POST", "/v1/nowhere", JSON, large_body(65537));
    assert_problem(413, "too-large", "");
}

static void test_a_huge_announced_body_is_not_read(void **state)
{
    int fd = bf_http_fixture_connect(server);
    bf_http_fixture_send(
        fd, BF_STR("POST /v1/notes HTTP/1.1\r\nHost: unit\r\nContent-Length: 99999999999\r\n" JSON "\r\n"));
    bf_http_fixture_read(fd, &answer); // comes although no body has been sent
    assert_problem(413, "too-large", "");
    close(fd);
}

static bool send_chunks(int fd, size_t chunks)
{
    static char chunk[4096 + 8];
    int head = snprintf(chunk, sizeof(chunk), "1000\r\n");
    memset(chunk + head, ' ', 4096);
    memcpy(chunk + head + 4096, "\r\n", 2);
    for (size_t i = 0; i < chunks; i++)
        if (!bf_http_fixture_send(fd, (struct bf_str){chunk, 4096 + 8}))
            return false;
    return bf_http_fixture_send(fd, BF_STR("0\r\n\r\n"));
}

#define CHUNKED "POST /v1/notes HTTP/1.1\r\nHost: unit\r\nTransfer-Encoding: chunked\r\n" JSON "\r\n"

static void test_a_chunked_body_has_the_same_cap(void **state)
{
    int fd = bf_http_fixture_connect(server);
    bf_http_fixture_send(fd, BF_STR(CHUNKED));
    assert_true(send_chunks(fd, 17));
    bf_http_fixture_read(fd, &answer);
    assert_problem(413, "too-large", "");
    close(fd);
    fd = bf_http_fixture_connect(server);
    bf_http_fixture_send(fd, BF_STR(CHUNKED));
    assert_false(send_chunks(fd, 20000)); // cut off long before 80 MB
    close(fd);
}

static void test_long_request_lines_and_headers_are_refused(void **state)
{
    static char text[40000];
    memset(text, 'a', sizeof(text));
    bf_autofree char *path = bf_xasprintf("/v1/%.*s", 3000, text);
    ask("GET", path, "", NO_BODY);
    assert_problem(413, "too-large", "");
    bf_autofree char *header = bf_xasprintf("X-Long: %.*s\r\n", 20000, text);
    assert_true(ask("GET", "/v1/nowhere", header, NO_BODY) / 100 == 4);
    bf_autofree char *longer = bf_xasprintf("X-Long: %.*s\r\n", 39000, text);
    assert_true(ask("GET", "/v1/nowhere", longer, NO_BODY) / 100 == 4);
}

static void test_garbage_is_survived(void **state)
{
    static const struct {
        struct bf_str bytes;
        bool waits; // for more, until the idle timeout: no answer is to be expected
    } garbage[] = {
        {BF_STR("\r\n\r\n"), true},
        {BF_STR("\0\0\0\0"), true},
        {BF_STR("GET / HTTP/1.1\r\nHost"), true},
        {BF_STR("POST /v1/notes HTTP/1.1\r\nHost: u\r\nContent-Length: 9\r\n\r\n{"), true},
        {BF_STR("GET\r\n\r\n"), false},
        {BF_STR("GET / HTTP/9.9\r\n\r\n"), false},
        {BF_STR("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"), false},
        {BF_STR("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"), false},
        {BF_STR("POST /v1/notes HTTP/1.1\r\nHost: u\r\nContent-Length: -1\r\n\r\n"), false},
        {BF_STR("POST /v1/notes HTTP/1.1\r\nHost: u\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), false},
        {BF_STR("GET no-slash HTTP/1.1\r\nHost: u\r\nConnection: close\r\n\r\n"), false},
    };
    for (size_t i = 0; i < BF_LEN(garbage); i++) {
        int fd = bf_http_fixture_connect(server);
        bf_http_fixture_send(fd, garbage[i].bytes);
        if (!garbage[i].waits)
            bf_http_fixture_read(fd, &answer);
        close(fd);
        if (!garbage[i].waits && status() / 100 == 2)
            fail_msg("garbage %zu was served: %s", i, answer.at);
    }
    assert_int_equal(ask("GET", "/v1/tenants/a/items/b", "", NO_BODY), 200);
}

static void test_whatever_a_handler_does_one_answer_goes_out(void **state)
{
    ask("GET", "/v1/nothing", "", NO_BODY);
    assert_problem(500, "internal", "");
    ask("GET", "/v1/away", "", NO_BODY);
    assert_problem(503, "unavailable", "");
    assert_true(answer_has("\r\nRetry-After: 1\r\n"));
    assert_false(answer_has("half"));
}

static void test_requests_are_counted(void **state)
{
    struct bf_buf text;
    bf_buf_init(&text, BF_HTTP_FIXTURE_BYTES_MAX);
    bf_metrics_render(&text);
    assert_non_null(strstr(text.at, "belfry_http_requests_total{code=\"2xx\"}"));
    assert_null(strstr(text.at, "belfry_http_body_refused_total 0"));
    assert_null(strstr(text.at, "belfry_http_request_seconds_count 0"));
    bf_buf_release(&text);
}

static void *stop_it(void *at)
{
    bf_http_stop(at, 60000);
    return NULL;
}

// Waits until new connections are refused.
static void wait_until_quiesced(struct bf_http_server *draining)
{
    for (int i = 0; i < 2000; i++) {
        int fd = bf_http_fixture_connect(draining);
        if (fd < 0)
            return;
        close(fd);
        usleep(5000);
    }
    fail_msg("the server still takes connections");
}

static void test_stopping_lets_requests_under_way_finish(void **state)
{
    const struct bf_http_options options = {.host = "127.0.0.1",
                                            .threads = 2,
                                            .connections_max = 8,
                                            .routes = routes,
                                            .route_count = BF_LEN(routes)};
    struct bf_http_server *draining = NULL;
    assert_int_equal(bf_http_start(&options, &draining), BF_OK);
    int fd = bf_http_fixture_connect(draining);
    bf_http_fixture_send(fd, BF_STR("GET /v1/slow HTTP/1.1\r\nHost: unit\r\n\r\n"));
    for (int i = 0; i < 2000 && !slow_entered; i++)
        usleep(5000);
    assert_true(slow_entered);
    pthread_t stopping;
    assert_int_equal(pthread_create(&stopping, NULL, stop_it, draining), 0);
    wait_until_quiesced(draining);
    assert_int_equal(write(slow_release[1], "x", 1), 1);
    bf_http_fixture_read(fd, &answer);
    close(fd);
    assert_int_equal(status(), 200);
    assert_true(answer_has("slow but sure"));
    assert_true(answer_has("\r\nConnection: close\r\n"));
    pthread_join(stopping, NULL);
}

static void test_a_bad_or_taken_address_is_refused(void **state)
{
    struct bf_http_options options = {.host = "localhost",
                                      .threads = 1,
                                      .connections_max = 8,
                                      .routes = routes,
                                      .route_count = BF_LEN(routes)};
    struct bf_http_server *second = NULL;
    assert_int_equal(bf_http_start(&options, &second), BF_INVALID); // a name, not an address
    options.host = "127.0.0.1";
    options.port = bf_http_port(server);
    assert_int_equal(bf_http_start(&options, &second), BF_UNAVAILABLE);
    assert_null(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_and_query_are_decoded),
        cmocka_unit_test(test_bad_paths_and_queries_are_refused),
        cmocka_unit_test(test_unknown_paths_are_not_found),
        cmocka_unit_test(test_other_methods_say_what_is_allowed),
        cmocka_unit_test(test_head_is_get_without_a_body),
        cmocka_unit_test(test_an_empty_answer_has_no_body),
        cmocka_unit_test(test_the_request_id_is_the_callers_only_when_it_is_harmless),
        cmocka_unit_test(test_the_gateway_says_who_the_peer_is),
        cmocka_unit_test(test_keys_are_checked_before_the_handler),
        cmocka_unit_test(test_bodies_are_read_by_the_table),
        cmocka_unit_test(test_the_largest_body_fits_and_one_byte_more_does_not),
        cmocka_unit_test(test_a_huge_announced_body_is_not_read),
        cmocka_unit_test(test_a_chunked_body_has_the_same_cap),
        cmocka_unit_test(test_long_request_lines_and_headers_are_refused),
        cmocka_unit_test(test_garbage_is_survived),
        cmocka_unit_test(test_whatever_a_handler_does_one_answer_goes_out),
        cmocka_unit_test(test_requests_are_counted),
        cmocka_unit_test(test_stopping_lets_requests_under_way_finish),
        cmocka_unit_test(test_a_bad_or_taken_address_is_refused),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
