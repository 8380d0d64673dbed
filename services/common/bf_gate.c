// Keys, rates, paths, roles.
#include "bf_gate.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bf_app_token.h"
#include "bf_clock.h"
#include "bf_memo.h"
#include "bf_rate.h"

#define TENANTS_MAX   65536
#define SOURCES_MAX   16384
#define KEYS_MAX      16384
#define KEY_BYTES_MAX 128

struct bf_gate {
    struct bf_gate_options options;
    struct bf_rate *tenant_rate;  // requests by tenant
    struct bf_rate *failure_rate; // failed authentications by source
    struct bf_memo *good_keys;    // hashes of keys that were good when last looked up
};

struct bf_gate *bf_gate_new(const struct bf_gate_options *options)
{
    struct bf_gate *gate = bf_xcalloc(1, sizeof(*gate));

    *gate = (struct bf_gate){.options = *options,
                             .tenant_rate = bf_rate_new(TENANTS_MAX),
                             .failure_rate = bf_rate_new(SOURCES_MAX),
                             .good_keys = bf_memo_new(KEYS_MAX, sizeof(bool))};
    return gate;
}

void bf_gate_free(struct bf_gate *gate)
{
    if (!gate)
        return;
    bf_rate_free(gate->tenant_rate);
    bf_rate_free(gate->failure_rate);
    bf_memo_free(gate->good_keys);
    free(gate);
}

bool bf_gate_names_tenant(const struct bf_http_call *call)
{
    return strstr(bf_http_route(call)->pattern, "{t}") != NULL;
}

enum bf_err bf_gate_no_such_tenant(struct bf_http_call *call)
{
    return bf_http_problem(call, BF_NOT_FOUND, NULL, "there is no such tenant");
}

static void count(struct bf_metric *metric)
{
    if (metric)
        bf_metric_add(metric, 1);
}

static enum bf_err too_many(struct bf_http_call *call, struct bf_metric *metric, uint64_t wait_ms,
                            const char *what)
{
    char seconds[24];

    count(metric);
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

static bool was_good(struct bf_gate *gate, const uint8_t hash[BF_SHA256_BYTES])
{
    uint64_t age_ms;
    bool good;

    return bf_memo_get(gate->good_keys, hash, BF_SHA256_BYTES, bf_mono_ms(), &good, &age_ms);
}

static void remember(struct bf_gate *gate, const uint8_t hash[BF_SHA256_BYTES])
{
    bf_memo_put(gate->good_keys, hash, BF_SHA256_BYTES, bf_mono_ms(), &(bool){true});
}

static size_t bearer_bytes_max(const struct bf_http_call *call)
{
    return bf_http_route(call)->flags & BF_GATE_APPS ? BF_APP_TOKEN_BYTES_MAX : KEY_BYTES_MAX;
}

static enum bf_err authenticate(struct bf_gate *gate, struct bf_http_call *call, struct bf_caller *ret_caller)
{
    const struct bf_gate_options *options = &gate->options;
    int64_t failures = options->auth_failures_per_minute;
    const char *bearer = bf_http_bearer(call);
    uint8_t hash[BF_SHA256_BYTES], source[16];
    size_t source_len = source_key(bf_http_remote(call), source);

    if (!bearer)
        return bf_http_problem(call, BF_UNAUTHENTICATED, NULL,
                               "send an API key: \"Authorization: Bearer bfk_...\"");
    bf_sha256(bearer, strlen(bearer), hash);
    // Somebody who guesses must not lock out the good keys behind the same address.
    uint64_t wait_ms = was_good(gate, hash)
                           ? 0
                           : bf_rate_peek(gate->failure_rate, source, source_len, failures, bf_mono_ms());
    if (wait_ms)
        return too_many(call, options->refused_source, wait_ms,
                        "too many failed authentications from your address");
    enum bf_err err = strlen(bearer) > bearer_bytes_max(call)
                          ? BF_UNAUTHENTICATED
                          : options->find(options->ctx, call, bearer, hash, ret_caller);
    if (!err && ret_caller->role == BF_ROLE_NONE)
        err = BF_UNAUTHENTICATED;
    if (!err)
        remember(gate, hash);
    if (err != BF_UNAUTHENTICATED)
        return err;
    bf_memo_drop(gate->good_keys, hash, sizeof(hash));
    count(options->auth_failures);
    (void)bf_rate_take(gate->failure_rate, source, source_len, failures, bf_mono_ms());
    return bf_http_problem(call, BF_UNAUTHENTICATED, NULL, "this API key is unknown, revoked or expired");
}

static enum bf_err tenant_rate(struct bf_gate *gate, struct bf_http_call *call,
                               const struct bf_caller *caller)
{
    int64_t per_minute =
        caller->requests_per_minute ? caller->requests_per_minute : gate->options.requests_per_minute;
    uint64_t wait_ms = bf_rate_take(gate->tenant_rate, caller->tenant_id.bytes,
                                    sizeof(caller->tenant_id.bytes), per_minute, bf_mono_ms());

    return wait_ms ? too_many(call, gate->options.refused_tenant, wait_ms,
                              "over this tenant's requests_per_minute")
                   : BF_OK;
}

// A tenant's key knows of no tenant but its own.
static bool path_is_foreign(const struct bf_http_call *call, const struct bf_caller *caller)
{
    char id[BF_ID_TEXT_SIZE];

    if (!bf_gate_names_tenant(call))
        return false;
    struct bf_str name = bf_str(bf_http_param(call, "t"));
    return !bf_str_eq(name, bf_str(caller->slug)) &&
           !bf_str_case_eq(name, bf_str(bf_id_text(caller->tenant_id, id)));
}

static enum bf_err may(struct bf_http_call *call, const struct bf_caller *caller)
{
    const struct bf_http_route *route = bf_http_route(call);

    if (route->flags & BF_GATE_OPERATORS)
        return bf_http_problem(call, BF_FORBIDDEN, NULL, "only an operator's key may do this");
    if (strcmp(route->method, "GET") == 0)
        return BF_OK;
    if (caller->role == BF_ROLE_READER)
        return bf_http_problem(call, BF_FORBIDDEN, NULL, "this key's role is reader: it may only GET");
    if (caller->suspended)
        return bf_http_problem(call, BF_FORBIDDEN, NULL,
                               "this tenant is suspended: until it is active again only GET works");
    return BF_OK;
}

static enum bf_err of_one_tenant(struct bf_gate *gate, struct bf_http_call *call,
                                 const struct bf_caller *caller)
{
    enum bf_err err = tenant_rate(gate, call, caller);

    if (!err && path_is_foreign(call, caller))
        err = bf_gate_no_such_tenant(call);
    return err ? err : may(call, caller);
}

enum bf_err bf_gate_check(struct bf_gate *gate, struct bf_http_call *call, struct bf_caller *ret_caller)
{
    struct bf_caller caller = {.role = BF_ROLE_NONE};
    enum bf_err err = BF_OK;

    if (!(bf_http_route(call)->flags & BF_GATE_ANYBODY)) {
        err = authenticate(gate, call, &caller);
        if (!err && caller.role != BF_ROLE_OPERATOR)
            err = of_one_tenant(gate, call, &caller);
    }
    if (err)
        return err;
    *ret_caller = caller;
    return BF_OK;
}
