// A server whose keys and tenants are those of a registry on the bus, which says what it is told to.
#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "belfry/registry/v1/registry.pb-c.h"
#include "bf_access.h"
#include "bf_clock.h"
#include "bf_http_fixture.h"

#define REGISTRY "inproc://access-test"
#define ACME_ID  "01020300-0000-0000-0000-000000000000"
#define WAIT_MS  60000

static const struct bf_id acme = {{1, 2, 3}};
static const struct bf_id key = {{7}};

static struct bf_bus_server *registry;
static struct bf_bus_client *bus;
static struct bf_http_server *server;
static struct bf_access *access_;
static struct bf_buf answer;
static _Atomic unsigned asked;
static _Atomic int failing;  // an enum bf_err for every question
static _Atomic bool garbage; // bytes that are no message

// ---- the registry

static void reply_add(struct bf_buf *into, const ProtobufCMessage *message)
{
    bf_autofree uint8_t *bytes = bf_xcalloc(1, protobuf_c_message_get_packed_size(message) + 1);
    size_t size = protobuf_c_message_pack(message, bytes);

    bf_buf_add(into, bytes, size);
}

// What every answer begins with. Not BF_OK: this is the answer.
static enum bf_err fault(struct bf_buf *ret_body, bool *ret_done)
{
    asked++;
    *ret_done = garbage;
    if (garbage)
        bf_buf_str(ret_body, "\xff\xff\xff");
    return (enum bf_err)failing;
}

static ProtobufCBinaryData bytes_of(const struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), (uint8_t *)id->bytes};
}

static enum bf_err authenticate(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                struct bf_buf *error, void *ctx)
{
    Belfry__Registry__V1__AuthenticateReply reply = BELFRY__REGISTRY__V1__AUTHENTICATE_REPLY__INIT;
    bool done;
    enum bf_err err = fault(ret_body, &done);

    if (err || done)
        return err;
    Belfry__Registry__V1__AuthenticateRequest *question = belfry__registry__v1__authenticate_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    bool admin = question && strcmp(question->key, "admin") == 0;
    bool operates = question && strcmp(question->key, "operator") == 0;
    if (question)
        belfry__registry__v1__authenticate_request__free_unpacked(question, NULL);
    if (!admin && !operates)
        return BF_UNAUTHENTICATED;
    reply.key_id = bytes_of(&key);
    reply.role = admin ? BELFRY__REGISTRY__V1__ROLE__ROLE_ADMIN : BELFRY__REGISTRY__V1__ROLE__ROLE_OPERATOR;
    if (admin)
        reply.tenant_id = bytes_of(&acme);
    reply_add(ret_body, &reply.base);
    return BF_OK;
}

static enum bf_err tenant(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                          void *ctx)
{
    Belfry__Registry__V1__TenantReply reply = BELFRY__REGISTRY__V1__TENANT_REPLY__INIT;
    Belfry__Registry__V1__Tenant found = BELFRY__REGISTRY__V1__TENANT__INIT;
    char *domains[] = {"old.example", "acme.example"};
    bool done;
    enum bf_err err = fault(ret_body, &done);

    if (err || done)
        return err;
    Belfry__Registry__V1__TenantRequest *question = belfry__registry__v1__tenant_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    bool known = question && (question->id.len || strcmp(question->slug, "acme") == 0);
    if (question)
        belfry__registry__v1__tenant_request__free_unpacked(question, NULL);
    if (!known)
        return BF_NOT_FOUND;
    found.id = bytes_of(&acme);
    found.slug = "acme";
    found.realm = "acme.example";
    found.status = BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE;
    reply.tenant = &found;
    reply.domains = domains;
    reply.n_domains = BF_LEN(domains);
    reply_add(ret_body, &reply.base);
    return BF_OK;
}

static int registry_start(void)
{
    static const struct bf_bus_method methods[] = {{"Authenticate", authenticate}, {"Tenant", tenant}};
    uint64_t until = bf_mono_ms() + WAIT_MS;

    if (bf_bus_serve(REGISTRY, 2, methods, BF_LEN(methods), NULL, &registry) || bf_bus_dial(REGISTRY, &bus))
        return -1;
    while (!bf_bus_connected(bus) && bf_mono_ms() < until)
        usleep(1000);
    return bf_bus_connected(bus) ? 0 : -1;
}

// ---- the program

static enum bf_err before(struct bf_http_call *call, void *ctx)
{
    return bf_access_check(access_, call);
}

// Says whom it takes for the caller.
static enum bf_err handle(struct bf_http_call *call, void *ctx)
{
    const struct bf_access_caller *caller = bf_access_caller_of(call);

    if (!caller)
        return bf_http_text(call, 200, "text/plain", BF_STR("anybody"));
    bf_autofree char *text =
        bf_xasprintf("role %d of %s at %s", caller->who.role, caller->tenant.slug, caller->tenant.domain);
    return bf_http_text(call, 200, "text/plain", bf_str(text));
}

static const struct bf_http_route routes[] = {
    {"GET", "/open", handle, BF_GATE_ANYBODY},
    {"GET", "/all", handle, BF_GATE_OPERATORS},
    {"GET", "/of/{t}", handle, 0},
};

static int start(void **state)
{
    const struct bf_http_options http = {.host = "127.0.0.1",
                                         .threads = 1,
                                         .connections_max = 8,
                                         .routes = routes,
                                         .route_count = BF_LEN(routes),
                                         .before = before,
                                         .quiet = true};

    failing = BF_OK;
    garbage = false;
    asked = 0;
    bf_buf_init(&answer, BF_HTTP_FIXTURE_BYTES_MAX);
    if (registry_start())
        return -1;
    access_ = bf_access_new(
        bus, &(struct bf_gate_options){.requests_per_minute = 1000, .auth_failures_per_minute = 1000});
    return bf_http_start(&http, &server);
}

static int stop(void **state)
{
    bf_http_stop(server, 1000);
    bf_access_free(access_);
    bf_access_free(NULL);
    bf_bus_hang_up(bus);
    bf_bus_server_stop(registry, 0);
    bf_buf_release(&answer);
    return 0;
}

static int ask(const char *bearer, const char *target)
{
    char header[64];

    snprintf(header, sizeof(header), "Authorization: Bearer %s\r\n", bearer);
    return bf_http_fixture_ask(server, "GET", target, header, (struct bf_str){NULL, 0}, &answer);
}

static bool says(const char *text)
{
    return strstr(answer.at, text) != NULL;
}

// ---- tests

static void the_registry_says_who_is_calling(void **state)
{
    assert_int_equal(ask("x", "/open"), 200);
    assert_true(says("anybody"));
    assert_int_equal(asked, 0);
    assert_int_equal(ask("admin", "/of/acme"), 200);
    assert_true(says("role 2 of acme at acme.example")); // the realm is a domain: calls are made there
    assert_int_equal(ask("operator", "/of/acme"), 200);
    assert_true(says("role 1 of acme at acme.example"));
    assert_int_equal(ask("operator", "/of/" ACME_ID), 200);
    assert_int_equal(ask("operator", "/all"), 200);
    assert_true(says("role 1 of  at "));
    assert_int_equal(ask("wrong", "/of/acme"), 401);
}

static void a_tenant_that_is_not_there_is_not_found(void **state)
{
    static const char *const names[] = {
        "/of/bela", "/of/a-name-that-is-much-longer-than-the-slug-of-a-tenant-could-ever-possibly-be"};

    for (size_t i = 0; i < BF_LEN(names); i++) {
        assert_int_equal(ask("operator", names[i]), 404);
        assert_true(says("there is no such tenant"));
        assert_int_equal(ask("admin", names[i]), 404);
    }
}

static void while_the_registry_is_away_what_it_said_counts(void **state)
{
    assert_int_equal(ask("admin", "/of/acme"), 200);
    failing = BF_UNAVAILABLE;
    assert_int_equal(ask("admin", "/of/acme"), 200);
    assert_true(says("role 2 of acme"));
    assert_int_equal(ask("operator", "/of/acme"), 503); // never seen: nobody knows
    failing = BF_OK;
    assert_int_equal(ask("operator", "/of/acme"), 200);
}

static void nonsense_from_the_registry_lets_nobody_in(void **state)
{
    garbage = true;
    assert_int_equal(ask("admin", "/of/acme"), 502);
    assert_int_equal(ask("operator", "/all"), 502);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_registry_says_who_is_calling, start, stop),
        cmocka_unit_test_setup_teardown(a_tenant_that_is_not_there_is_not_found, start, stop),
        cmocka_unit_test_setup_teardown(while_the_registry_is_away_what_it_said_counts, start, stop),
        cmocka_unit_test_setup_teardown(nonsense_from_the_registry_lets_nobody_in, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
