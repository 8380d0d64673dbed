// Who is calling.
#include "access.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_crypto.h"
#include "bf_rate.h"
#include "call_metrics.h"
#include "memo.h"

#define KEYS_MAX       8192
#define TENANTS_MAX    8192
#define SOURCES_MAX    16384
#define KEY_BYTES_MAX  128
#define SLUG_BYTES_MAX (ACCESS_SLUG_SIZE - 1)

struct access {
    struct control *control;
    struct memo *keys;    // SHA-256 of the key -> struct access_key
    struct memo *tenants; // id or slug as text -> struct access_tenant
    struct bf_rate *tenant_rate, *failure_rate;
};

struct access *access_new(struct control *control)
{
    struct access *access = bf_xcalloc(1, sizeof(*access));

    *access = (struct access){.control = control,
                              .keys = memo_new(KEYS_MAX, sizeof(struct access_key)),
                              .tenants = memo_new(TENANTS_MAX, sizeof(struct access_tenant)),
                              .tenant_rate = bf_rate_new(TENANTS_MAX),
                              .failure_rate = bf_rate_new(SOURCES_MAX)};
    return access;
}

void access_free(struct access *access)
{
    if (!access)
        return;
    memo_free(access->keys);
    memo_free(access->tenants);
    bf_rate_free(access->tenant_rate);
    bf_rate_free(access->failure_rate);
    free(access);
}

const struct access_caller *access_caller_of(const struct bf_http_call *call)
{
    return bf_http_user(call);
}

// ---- what the registry knows

static bool is_away(enum bf_err err)
{
    return err == BF_UNAVAILABLE || err == BF_TIMEOUT;
}

static enum bf_err ask(struct access *access, const char *method, const char *request_id,
                       const struct bf_buf *request, struct bf_buf *reply)
{
    return bf_bus_call(access->control->registry, method, "", request_id, ACCESS_ASK_MS,
                       (struct bf_str){request->at, request->len}, reply, NULL);
}

static enum bf_err key_ask(struct access *access, const char *request_id, const char *bearer,
                           struct access_key *ret_key)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;

    bf_buf_init(&request, 1024);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    access_wire_ask_key(&request, bearer);
    enum bf_err err = ask(access, "Authenticate", request_id, &request, &reply);
    return err ? err : access_wire_read_key((struct bf_str){reply.at, reply.len}, ret_key);
}

static enum bf_err key_look(struct access *access, const char *request_id, const char *bearer,
                            const uint8_t hash[BF_SHA256_BYTES], struct access_key *ret_key)
{
    uint64_t age_ms;
    bool known = memo_get(access->keys, hash, BF_SHA256_BYTES, bf_mono_ms(), ret_key, &age_ms);

    if (known && age_ms < ACCESS_FRESH_MS)
        return BF_OK;
    enum bf_err err = key_ask(access, request_id, bearer, ret_key);
    if (!err)
        memo_put(access->keys, hash, BF_SHA256_BYTES, bf_mono_ms(), ret_key);
    if (err == BF_UNAUTHENTICATED)
        memo_drop(access->keys, hash, BF_SHA256_BYTES);
    return known && is_away(err) && age_ms < ACCESS_STALE_MS ? BF_OK : err;
}

static enum bf_err tenant_ask(struct access *access, const char *request_id, const char *name,
                              struct access_tenant *ret_tenant)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;
    struct bf_id id = {{0}};
    bool by_id = bf_id_parse(bf_str(name), &id);

    bf_buf_init(&request, 1024);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    access_wire_ask_tenant(&request, id, by_id ? "" : name);
    enum bf_err err = ask(access, "Tenant", request_id, &request, &reply);
    return err ? err : access_wire_read_tenant((struct bf_str){reply.at, reply.len}, ret_tenant);
}

// `name`: id or slug. What cannot be either is not asked for.
static enum bf_err tenant_look(struct access *access, const char *request_id, const char *name,
                               struct access_tenant *ret_tenant)
{
    size_t len = strlen(name);
    uint64_t age_ms;

    if (len == 0 || len > SLUG_BYTES_MAX)
        return BF_NOT_FOUND;
    bool known = memo_get(access->tenants, name, len, bf_mono_ms(), ret_tenant, &age_ms);
    if (known && age_ms < ACCESS_FRESH_MS)
        return BF_OK;
    enum bf_err err = tenant_ask(access, request_id, name, ret_tenant);
    if (!err)
        memo_put(access->tenants, name, len, bf_mono_ms(), ret_tenant);
    if (err == BF_INVALID) // no slug looks like that
        err = BF_NOT_FOUND;
    if (err == BF_NOT_FOUND)
        memo_drop(access->tenants, name, len);
    return known && is_away(err) && age_ms < ACCESS_STALE_MS ? BF_OK : err;
}

// ---- the steps of access_check

static enum bf_err too_many(struct bf_http_call *call, enum call_metric metric, uint64_t wait_ms,
                            const char *what)
{
    char seconds[24];

    call_count(metric);
    snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)(wait_ms + 999) / 1000);
    bf_http_answer_header(call, "Retry-After", seconds);
    return bf_http_problem(call, BF_LIMIT, NULL, "%s; try again in %s s", what, seconds);
}

// An IPv4 address, or the /64 of an IPv6 one: whoever has one address of it has them all.
static size_t source_key(const char *remote, uint8_t key[16])
{
    if (inet_pton(AF_INET, remote, key) == 1)
        return 4;
    if (inet_pton(AF_INET6, remote, key) == 1)
        return 8;
    return 0;
}

static enum bf_err authenticate(struct access *access, struct bf_http_call *call, struct access_key *ret_key)
{
    int64_t failures = access->control->settings.auth_failures_per_minute;
    const char *bearer = bf_http_bearer(call);
    uint8_t hash[BF_SHA256_BYTES], source[16];
    size_t source_len = source_key(bf_http_remote(call), source);
    struct access_key known;
    uint64_t age_ms;

    if (!bearer)
        return bf_http_problem(call, BF_UNAUTHENTICATED, NULL,
                               "send an API key: \"Authorization: Bearer bfk_...\"");
    bf_sha256(bearer, strlen(bearer), hash);
    // Somebody who guesses must not lock out the good keys behind the same address.
    uint64_t wait_ms = memo_get(access->keys, hash, sizeof(hash), bf_mono_ms(), &known, &age_ms)
                           ? 0
                           : bf_rate_peek(access->failure_rate, source, source_len, failures, bf_mono_ms());
    if (wait_ms)
        return too_many(call, CALLS_RATE_SOURCE, wait_ms,
                        "too many failed authentications from your address");
    enum bf_err err = strlen(bearer) > KEY_BYTES_MAX
                          ? BF_UNAUTHENTICATED
                          : key_look(access, bf_http_request_id(call), bearer, hash, ret_key);
    if (err != BF_UNAUTHENTICATED)
        return err;
    call_count(CALLS_AUTH_FAILURES);
    (void)bf_rate_take(access->failure_rate, source, source_len, failures, bf_mono_ms());
    return bf_http_problem(call, BF_UNAUTHENTICATED, NULL, "this API key is unknown, revoked or expired");
}

static enum bf_err no_such_tenant(struct bf_http_call *call)
{
    return bf_http_problem(call, BF_NOT_FOUND, NULL, "there is no such tenant");
}

static bool names_a_tenant(const struct bf_http_call *call)
{
    return strstr(bf_http_route(call)->pattern, "{t}") != NULL;
}

static enum bf_err operator_tenant(struct access *access, struct bf_http_call *call,
                                   struct access_caller *caller)
{
    if (!names_a_tenant(call))
        return BF_OK;
    enum bf_err err =
        tenant_look(access, bf_http_request_id(call), bf_http_param(call, "t"), &caller->tenant);
    return err == BF_NOT_FOUND ? no_such_tenant(call) : err;
}

static enum bf_err own_tenant(struct access *access, struct bf_http_call *call, struct access_caller *caller)
{
    int64_t per_minute = access->control->settings.requests_per_minute;
    char id[BF_ID_TEXT_SIZE];
    struct bf_id *tenant = &caller->key.tenant;
    enum bf_err err = tenant_look(access, bf_http_request_id(call), bf_id_text(*tenant, id), &caller->tenant);

    if (err)
        return err == BF_NOT_FOUND ? no_such_tenant(call) : err;
    if (caller->tenant.requests_per_minute)
        per_minute = caller->tenant.requests_per_minute;
    uint64_t wait_ms =
        bf_rate_take(access->tenant_rate, tenant->bytes, sizeof(tenant->bytes), per_minute, bf_mono_ms());
    if (wait_ms)
        return too_many(call, CALLS_RATE_TENANT, wait_ms, "over this tenant's requests_per_minute");
    if (!names_a_tenant(call))
        return BF_OK;
    struct bf_str name = bf_str(bf_http_param(call, "t"));
    bool own = bf_str_eq(name, bf_str(caller->tenant.slug)) || bf_str_case_eq(name, bf_str(id));
    return own ? BF_OK : no_such_tenant(call);
}

static enum bf_err may(struct bf_http_call *call, const struct access_caller *caller)
{
    const struct bf_http_route *route = bf_http_route(call);

    if (caller->key.role == ACCESS_OPERATOR)
        return BF_OK;
    if (route->flags & ACCESS_OPERATORS)
        return bf_http_problem(call, BF_FORBIDDEN, NULL, "only an operator's key may do this");
    if (strcmp(route->method, "GET") == 0)
        return BF_OK;
    if (caller->key.role == ACCESS_READER)
        return bf_http_problem(call, BF_FORBIDDEN, NULL, "this key's role is reader: it may only GET");
    if (caller->tenant.suspended)
        return bf_http_problem(call, BF_FORBIDDEN, NULL,
                               "this tenant is suspended: until it is active again only GET works");
    return BF_OK;
}

enum bf_err access_check(struct access *access, struct bf_http_call *call)
{
    struct access_caller caller = {.key = {.role = ACCESS_NOBODY}};

    if (bf_http_route(call)->flags & ACCESS_ANYBODY)
        return BF_OK;
    enum bf_err err = authenticate(access, call, &caller.key);
    if (!err)
        err = caller.key.role == ACCESS_OPERATOR ? operator_tenant(access, call, &caller)
                                                 : own_tenant(access, call, &caller);
    if (!err)
        err = may(call, &caller);
    if (err)
        return err;
    struct access_caller *user = bf_xcalloc(1, sizeof(*user));
    *user = caller;
    bf_http_set_user(call, user, free);
    return BF_OK;
}
