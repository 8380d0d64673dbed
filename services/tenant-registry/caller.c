// Who is calling.
#include "caller.h"

#include <stdio.h>
#include <string.h>

#include "app_key_store.h"
#include "bf_clock.h"
#include "key_store.h"
#include "tenant_store.h"

const struct bf_caller *caller_of(const struct bf_http_call *call)
{
    return bf_http_user(call);
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

static struct bf_caller caller_made(struct bf_id key_id, enum bf_role role, const struct tenant *tenant)
{
    struct bf_caller caller = {.key_id = key_id,
                               .role = role,
                               .tenant_id = tenant->id,
                               .suspended = tenant->status == TENANT_SUSPENDED,
                               .requests_per_minute = tenant->limits.requests_per_minute};

    snprintf(caller.slug, sizeof(caller.slug), "%s", tenant->slug);
    return caller;
}

static enum bf_err find_by_key(struct registry *registry, const uint8_t hash[BF_SHA256_BYTES],
                               struct bf_caller *ret_caller)
{
    struct key_owner owner;
    enum bf_err err = key_ask(registry, hash, &owner);

    if (!err)
        *ret_caller = caller_made(owner.key_id, owner.role, &owner.tenant);
    return err;
}

// ---- app tokens: our own, so the keys are here

static enum bf_err token_check(struct bf_tx *tx, const struct bf_vault *vault, const char *bearer,
                               struct bf_app_token *ret_token)
{
    struct app_key keys[BF_APP_KEYS_MAX];
    struct bf_app_key halves[BF_APP_KEYS_MAX];
    size_t count;
    enum bf_err err = app_key_store_list(tx, vault, keys, &count);

    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        halves[i] = keys[i].public;
    explicit_bzero(keys, sizeof(keys));
    return bf_app_token_check(bf_str(bearer), halves, count, bf_unix_ms() / 1000, ret_token) == BF_APP_GOOD
               ? BF_OK
               : BF_UNAUTHENTICATED;
}

static enum bf_err find_by_token(struct registry *registry, const char *bearer, struct bf_caller *ret_caller)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct bf_app_token token;
    struct tenant tenant;
    char id[BF_ID_TEXT_SIZE];
    enum bf_err err = bf_tx_begin(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = token_check(tx, &registry->vault, bearer, &token);
    if (!err)
        err = tenant_store_find(tx, bf_id_text(token.tenant, id), TENANT_READ, &tenant);
    if (err)
        return err == BF_NOT_FOUND ? BF_UNAUTHENTICATED : err;
    *ret_caller = caller_made(token.id, BF_ROLE_READER, &tenant);
    snprintf(ret_caller->number, sizeof(ret_caller->number), "%s", token.number);
    tenant_release(&tenant);
    return bf_tx_commit(tx);
}

static enum bf_err caller_find(void *ctx, struct bf_http_call *call, const char *bearer,
                               const uint8_t hash[BF_SHA256_BYTES], struct bf_caller *ret_caller)
{
    if (key_well_formed(bf_str(bearer)))
        return find_by_key(ctx, hash, ret_caller);
    return bf_http_route(call)->flags & BF_GATE_APPS ? find_by_token(ctx, bearer, ret_caller)
                                                     : BF_UNAUTHENTICATED;
}

struct bf_gate *caller_gate_new(struct registry *registry)
{
    return bf_gate_new(&(struct bf_gate_options){
        .requests_per_minute = registry->settings.rest.requests_per_minute,
        .auth_failures_per_minute = registry->settings.rest.auth_failures_per_minute,
        .find = caller_find,
        .ctx = registry,
        .auth_failures = &registry_metrics[METRIC_AUTH_FAILURES],
        .refused_tenant = &registry_metrics[METRIC_RATE_REFUSED_TENANT],
        .refused_source = &registry_metrics[METRIC_RATE_REFUSED_SOURCE],
    });
}

enum bf_err caller_check(struct bf_http_call *call, void *ctx)
{
    struct registry *registry = ctx;
    struct bf_caller caller;
    enum bf_err err = bf_gate_check(registry->gate, call, &caller);

    if (err || caller.role == BF_ROLE_NONE)
        return err;
    struct bf_caller *user = bf_xcalloc(1, sizeof(*user));
    *user = caller;
    bf_http_set_user(call, user, free);
    return BF_OK;
}
