// What the registry knows, remembered for a while.
#include "bf_access.h"

#include <string.h>

#include "bf_clock.h"
#include "bf_memo.h"

#define KEYS_MAX    8192
#define TENANTS_MAX 8192

struct bf_access {
    struct bf_bus_client *registry;
    struct bf_gate *gate;
    struct bf_memo *keys;    // SHA-256 of the key -> struct bf_caller, without what is the tenant's
    struct bf_memo *tenants; // id or slug as text -> struct bf_access_tenant
};

const struct bf_access_caller *bf_access_caller_of(const struct bf_http_call *call)
{
    return bf_http_user(call);
}

// ---- what the registry knows

static bool is_away(enum bf_err err)
{
    return err == BF_UNAVAILABLE || err == BF_TIMEOUT;
}

static enum bf_err ask(struct bf_access *access, const char *method, const char *request_id,
                       const struct bf_buf *request, struct bf_buf *reply)
{
    return bf_bus_call(access->registry, method, "", request_id, BF_ACCESS_ASK_MS,
                       (struct bf_str){request->at, request->len}, reply, NULL);
}

static enum bf_err key_ask(struct bf_access *access, const char *request_id, const char *bearer,
                           struct bf_caller *ret_caller)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;

    bf_buf_init(&request, 1024);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    bf_access_wire_ask_key(&request, bearer);
    enum bf_err err = ask(access, "Authenticate", request_id, &request, &reply);
    return err ? err : bf_access_wire_read_key((struct bf_str){reply.at, reply.len}, ret_caller);
}

static enum bf_err key_look(struct bf_access *access, const char *request_id, const char *bearer,
                            const uint8_t hash[BF_SHA256_BYTES], struct bf_caller *ret_caller)
{
    uint64_t age_ms;
    bool known = bf_memo_get(access->keys, hash, BF_SHA256_BYTES, bf_mono_ms(), ret_caller, &age_ms);

    if (known && age_ms < BF_ACCESS_FRESH_MS)
        return BF_OK;
    enum bf_err err = key_ask(access, request_id, bearer, ret_caller);
    if (!err)
        bf_memo_put(access->keys, hash, BF_SHA256_BYTES, bf_mono_ms(), ret_caller);
    if (err == BF_UNAUTHENTICATED)
        bf_memo_drop(access->keys, hash, BF_SHA256_BYTES);
    return known && is_away(err) && age_ms < BF_ACCESS_STALE_MS ? BF_OK : err;
}

static enum bf_err tenant_ask(struct bf_access *access, const char *request_id, const char *name,
                              struct bf_access_tenant *ret_tenant)
{
    bf_cleanup(bf_buf_release) struct bf_buf request, reply;
    struct bf_id id = {{0}};
    bool by_id = bf_id_parse(bf_str(name), &id);

    bf_buf_init(&request, 1024);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    bf_access_wire_ask_tenant(&request, id, by_id ? "" : name);
    enum bf_err err = ask(access, "Tenant", request_id, &request, &reply);
    return err ? err : bf_access_wire_read_tenant((struct bf_str){reply.at, reply.len}, ret_tenant);
}

// `name`: id or slug. What cannot be either is not asked for.
static enum bf_err tenant_look(struct bf_access *access, const char *request_id, const char *name,
                               struct bf_access_tenant *ret_tenant)
{
    size_t len = strlen(name);
    uint64_t age_ms;

    if (len == 0 || len >= BF_SLUG_SIZE)
        return BF_NOT_FOUND;
    bool known = bf_memo_get(access->tenants, name, len, bf_mono_ms(), ret_tenant, &age_ms);
    if (known && age_ms < BF_ACCESS_FRESH_MS)
        return BF_OK;
    enum bf_err err = tenant_ask(access, request_id, name, ret_tenant);
    if (!err)
        bf_memo_put(access->tenants, name, len, bf_mono_ms(), ret_tenant);
    if (err == BF_INVALID) // no slug looks like that
        err = BF_NOT_FOUND;
    if (err == BF_NOT_FOUND)
        bf_memo_drop(access->tenants, name, len);
    return known && is_away(err) && age_ms < BF_ACCESS_STALE_MS ? BF_OK : err;
}

// ---- for the gate

static enum bf_err caller_look(struct bf_access *access, const char *request_id, const char *bearer,
                               const uint8_t hash[BF_SHA256_BYTES], struct bf_caller *ret_caller)
{
    struct bf_access_tenant tenant;
    char id[BF_ID_TEXT_SIZE];
    enum bf_err err = key_look(access, request_id, bearer, hash, ret_caller);

    if (err || ret_caller->role == BF_ROLE_OPERATOR)
        return err;
    err = tenant_look(access, request_id, bf_id_text(ret_caller->tenant_id, id), &tenant);
    if (err)
        return err;
    memcpy(ret_caller->slug, tenant.slug, sizeof(ret_caller->slug));
    ret_caller->suspended = tenant.suspended;
    ret_caller->requests_per_minute = tenant.requests_per_minute;
    return BF_OK;
}

static enum bf_err caller_find(void *ctx, struct bf_http_call *call, const char *bearer,
                               const uint8_t hash[BF_SHA256_BYTES], struct bf_caller *ret_caller)
{
    enum bf_err err = caller_look(ctx, bf_http_request_id(call), bearer, hash, ret_caller);

    return err == BF_NOT_FOUND ? bf_gate_no_such_tenant(call) : err;
}

enum bf_err bf_access_key(struct bf_access *access, const char *request_id, const char *key,
                          struct bf_caller *ret_caller)
{
    uint8_t hash[BF_SHA256_BYTES];

    bf_sha256(key, strlen(key), hash);
    return caller_look(access, request_id, key, hash, ret_caller);
}

// After the gate: a tenant's key has named no tenant but its own.
static enum bf_err tenant_of(struct bf_access *access, struct bf_http_call *call, const struct bf_caller *who,
                             struct bf_access_tenant *ret_tenant)
{
    char id[BF_ID_TEXT_SIZE];
    const char *name = who->role != BF_ROLE_OPERATOR ? bf_id_text(who->tenant_id, id)
                       : bf_gate_names_tenant(call)  ? bf_http_param(call, "t")
                                                     : NULL;

    if (!name)
        return BF_OK;
    enum bf_err err = tenant_look(access, bf_http_request_id(call), name, ret_tenant);
    return err == BF_NOT_FOUND ? bf_gate_no_such_tenant(call) : err;
}

enum bf_err bf_access_check(struct bf_access *access, struct bf_http_call *call)
{
    struct bf_access_caller caller = {.who = {.role = BF_ROLE_NONE}};
    enum bf_err err = bf_gate_check(access->gate, call, &caller.who);

    if (err || caller.who.role == BF_ROLE_NONE)
        return err;
    err = tenant_of(access, call, &caller.who, &caller.tenant);
    if (err)
        return err;
    struct bf_access_caller *user = bf_xcalloc(1, sizeof(*user));
    *user = caller;
    bf_http_set_user(call, user, free);
    return BF_OK;
}

struct bf_access *bf_access_new(struct bf_bus_client *registry, const struct bf_gate_options *gate)
{
    struct bf_access *access = bf_xcalloc(1, sizeof(*access));
    struct bf_gate_options options = *gate;

    options.find = caller_find;
    options.ctx = access;
    *access = (struct bf_access){.registry = registry,
                                 .gate = bf_gate_new(&options),
                                 .keys = bf_memo_new(KEYS_MAX, sizeof(struct bf_caller)),
                                 .tenants = bf_memo_new(TENANTS_MAX, sizeof(struct bf_access_tenant))};
    return access;
}

void bf_access_free(struct bf_access *access)
{
    if (!access)
        return;
    bf_gate_free(access->gate);
    bf_memo_free(access->keys);
    bf_memo_free(access->tenants);
    free(access);
}
