// Who is calling.
#include "caller.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"

// A key that was good stays known for so many further questions; the number does not matter, its being there
// does.
#define KNOWN_PER_MINUTE 1000000

static bool is_read(const struct bf_http_route *route)
{
    return strcmp(route->method, "GET") == 0;
}

const struct caller *caller_of(const struct bf_http_call *call)
{
    return bf_http_user(call);
}

bool caller_is_operator(const struct caller *caller)
{
    return caller->owner.role == KEY_ROLE_OPERATOR;
}

int64_t caller_requests_per_minute(const struct registry *registry, const struct tenant_limits *limits)
{
    return limits->requests_per_minute ? limits->requests_per_minute : registry->settings.requests_per_minute;
}

static enum bf_err too_many(struct bf_http_call *call, enum registry_metric metric, uint64_t wait_ms,
                            const char *what)
{
    char seconds[24];

    registry_count(metric);
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

static enum bf_err caller_refuse(struct bf_http_call *call, struct registry *registry, const uint8_t *source,
                                 size_t source_len)
{
    registry_count(METRIC_AUTH_FAILURES);
    bf_rate_take(registry->failure_rate, source, source_len, registry->settings.auth_failures_per_minute,
                 bf_mono_ms());
    return bf_http_problem(call, BF_UNAUTHENTICATED, NULL, "this API key is unknown, revoked or expired");
}

static enum bf_err key_ask(struct registry *registry, const uint8_t hash[BF_SHA256_BYTES],
                           struct key_owner *ret_owner)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = key_store_authenticate(tx, hash, ret_owner);
    if (!err)
        err = bf_tx_commit(tx);
    if (err == BF_INTERNAL)
        bf_error("caller.failed", BF_S("database", tx ? bf_tx_error(tx) : ""));
    return err;
}

static enum bf_err caller_authenticate(struct bf_http_call *call, struct registry *registry,
                                       struct key_owner *ret_owner)
{
    const char *bearer = bf_http_bearer(call);
    uint8_t hash[BF_SHA256_BYTES], source[16];
    size_t source_len = source_key(bf_http_remote(call), source);
    int64_t failures = registry->settings.auth_failures_per_minute;

    if (!bearer)
        return bf_http_problem(call, BF_UNAUTHENTICATED, NULL,
                               "send an API key: \"Authorization: Bearer bfk_...\"");
    key_hash(bf_str(bearer), hash);
    // Somebody who guesses must not lock out the good keys behind the same address.
    bool known = bf_rate_known(registry->known_keys, hash, sizeof(hash));
    uint64_t wait_ms =
        known ? 0 : bf_rate_peek(registry->failure_rate, source, source_len, failures, bf_mono_ms());
    if (wait_ms)
        return too_many(call, METRIC_RATE_REFUSED_SOURCE, wait_ms,
                        "too many failed authentications from your address");
    enum bf_err err =
        key_well_formed(bf_str(bearer)) ? key_ask(registry, hash, ret_owner) : BF_UNAUTHENTICATED;
    if (err == BF_UNAUTHENTICATED)
        return caller_refuse(call, registry, source, source_len);
    if (err)
        return err;
    bf_rate_take(registry->known_keys, hash, sizeof(hash), KNOWN_PER_MINUTE, bf_mono_ms());
    return BF_OK;
}

// A tenant's key knows of no tenant but its own.
static bool path_is_foreign(const struct bf_http_call *call, const struct key_owner *owner)
{
    char id[BF_ID_TEXT_SIZE];

    if (owner->role == KEY_ROLE_OPERATOR || !strstr(bf_http_route(call)->pattern, "{t}"))
        return false;
    struct bf_str name = bf_str(bf_http_param(call, "t"));
    return !bf_str_eq(name, bf_str(owner->tenant.slug)) &&
           !bf_str_case_eq(name, bf_str(bf_id_text(owner->tenant.id, id)));
}

static enum bf_err caller_may(struct bf_http_call *call, const struct key_owner *owner)
{
    const struct bf_http_route *route = bf_http_route(call);

    if (owner->role == KEY_ROLE_OPERATOR)
        return BF_OK;
    if (route->flags & CALLER_OPERATOR)
        return bf_http_problem(call, BF_FORBIDDEN, NULL, "only an operator's key may do this");
    if (is_read(route))
        return BF_OK;
    if (owner->role == KEY_ROLE_READER)
        return bf_http_problem(call, BF_FORBIDDEN, NULL, "this key's role is reader: it may only GET");
    if (owner->tenant.status == TENANT_SUSPENDED)
        return bf_http_problem(call, BF_FORBIDDEN, NULL,
                               "this tenant is suspended: until it is active again only GET works");
    return BF_OK;
}

enum bf_err caller_check(struct bf_http_call *call, void *ctx)
{
    struct registry *registry = ctx;
    struct key_owner owner = {.role = KEY_ROLE_UNKNOWN};
    uint64_t wait_ms = 0;

    if (bf_http_route(call)->flags & CALLER_ANYBODY)
        return BF_OK;
    enum bf_err err = caller_authenticate(call, registry, &owner);
    if (err)
        return err;
    if (owner.role != KEY_ROLE_OPERATOR)
        wait_ms = bf_rate_take(registry->tenant_rate, owner.tenant.id.bytes, sizeof(owner.tenant.id.bytes),
                               caller_requests_per_minute(registry, &owner.tenant.limits), bf_mono_ms());
    if (wait_ms)
        return too_many(call, METRIC_RATE_REFUSED_TENANT, wait_ms, "over this tenant's requests_per_minute");
    if (path_is_foreign(call, &owner))
        return bf_http_problem(call, BF_NOT_FOUND, NULL, "there is no such tenant");
    err = caller_may(call, &owner);
    if (err)
        return err;
    struct caller *caller = bf_xcalloc(1, sizeof(*caller));
    caller->owner = owner;
    bf_http_set_user(call, caller, free);
    return BF_OK;
}
