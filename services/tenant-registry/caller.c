// Who is calling.
#include "caller.h"

#include <stdio.h>

#include "key_store.h"

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

static enum bf_err caller_find(void *ctx, struct bf_http_call *call, const char *bearer,
                               const uint8_t hash[BF_SHA256_BYTES], struct bf_caller *ret_caller)
{
    struct key_owner owner;
    enum bf_err err = key_well_formed(bf_str(bearer)) ? key_ask(ctx, hash, &owner) : BF_UNAUTHENTICATED;

    if (err)
        return err;
    *ret_caller = (struct bf_caller){.key_id = owner.key_id,
                                     .role = owner.role,
                                     .tenant_id = owner.tenant.id,
                                     .suspended = owner.tenant.status == TENANT_SUSPENDED,
                                     .requests_per_minute = owner.tenant.limits.requests_per_minute};
    snprintf(ret_caller->slug, sizeof(ret_caller->slug), "%s", owner.tenant.slug);
    return BF_OK;
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
