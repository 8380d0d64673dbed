// The bus methods.
#include "registry_bus.h"

#include <string.h>

#include "app_key_store.h"
#include "bf_clock.h"
#include "registry.h"
#include "registry_wire.h"
#include "tenant_store.h"

// A page ends early when it would not fit a bus message: names may be long.
#define SNAPSHOT_BYTES_MAX (BF_BUS_BYTES_MAX - (256u << 10))

static enum bf_err system_begin(struct registry *registry, struct bf_tx **ret_tx)
{
    return bf_tx_begin(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, ret_tx);
}

static enum bf_err system_read(struct registry *registry, struct bf_tx **ret_tx)
{
    return bf_tx_begin_read(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, ret_tx);
}

// Whoever stops an error logs it: the caller hears only the error's number and text.
static enum bf_err finish(const struct bf_bus_request *request, struct bf_tx *tx, enum bf_err err)
{
    if (err == BF_INTERNAL)
        bf_error("bus.failed", BF_S("method", request->method), BF_S("request_id", request->request_id),
                 BF_S("database", tx ? bf_tx_error(tx) : ""));
    return err;
}

static enum bf_err authenticate(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                struct bf_buf *error, void *ctx)
{
    struct registry *registry = ctx;
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    uint8_t hash[BF_SHA256_BYTES];
    struct key_owner owner;
    enum bf_err err = wire_read_authenticate(request->body, hash);

    if (!err)
        err = system_begin(registry, &tx);
    if (!err)
        err = key_store_authenticate(tx, hash, &owner);
    if (!err)
        err = bf_tx_commit(tx);
    if (err == BF_UNAUTHENTICATED)
        registry_count(METRIC_AUTH_FAILURES);
    if (err)
        return finish(request, tx, err);
    if (!owner.tenant.limits.requests_per_minute)
        owner.tenant.limits.requests_per_minute = registry->settings.rest.requests_per_minute;
    wire_write_authenticate(ret_body, &owner);
    return BF_OK;
}

static enum bf_err credential(const struct bf_bus_request *request, struct bf_buf *ret_body,
                              struct bf_buf *error, void *ctx)
{
    struct registry *registry = ctx;
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct wire_credential_request asked;
    struct extension_credential found;
    uint64_t started_us = bf_mono_us();
    enum bf_err err = wire_read_credential(request->body, &asked);

    if (!err)
        err = system_read(registry, &tx);
    if (!err)
        err = extension_store_credential(tx, asked.tenant, asked.user, &found);
    bf_metric_observe_us(&registry_metrics[METRIC_CREDENTIAL_SECONDS], bf_mono_us() - started_us);
    if (err == BF_NOT_FOUND)
        registry_count(METRIC_CREDENTIALS_UNKNOWN);
    if (err)
        return finish(request, tx, err);
    registry_count(METRIC_CREDENTIALS_FOUND);
    wire_write_credential(ret_body, &found);
    return BF_OK;
}

static enum bf_err owner(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                         void *ctx)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct wire_owner_request asked;
    struct bf_id tenant, extension;
    enum bf_err err = wire_read_owner(request->body, &asked);

    if (!err)
        err = system_read(ctx, &tx);
    if (!err)
        err = extension_store_owner(tx, asked.domain, asked.user, &tenant, &extension);
    if (err)
        return finish(request, tx, err);
    wire_write_owner(ret_body, tenant, extension);
    return BF_OK;
}

static enum bf_err directory(const struct bf_bus_request *request, struct bf_buf *ret_body,
                             struct bf_buf *error, void *ctx)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct wire_directory_request asked;
    struct directory_entry found;
    uint64_t started_us = bf_mono_us();
    enum bf_err err = wire_read_directory(request->body, &asked);

    if (!err)
        err = system_read(ctx, &tx);
    if (!err)
        err = directory_store_find(tx, asked.tenant, asked.number, &found);
    bf_metric_observe_us(&registry_metrics[METRIC_DIRECTORY_SECONDS], bf_mono_us() - started_us);
    if (err == BF_NOT_FOUND)
        registry_count(METRIC_DIRECTORY_UNKNOWN);
    if (err)
        return finish(request, tx, err);
    registry_count(METRIC_DIRECTORY_FOUND);
    wire_write_directory(ret_body, &found);
    return BF_OK;
}

static void unknown_add(void *ctx, uint32_t at)
{
    wire_write_unknown(ctx, at);
}

static enum bf_err unknown(const struct bf_bus_request *request, struct bf_buf *ret_body,
                           struct bf_buf *error, void *ctx)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct wire_unknown_request asked;
    enum bf_err err = wire_read_unknown(request->body, &asked);

    if (err)
        return err;
    err = system_begin(ctx, &tx);
    if (!err && asked.tenants.len > 0)
        err = directory_store_unknown(tx, asked.tenants.at, asked.numbers.at, asked.ids.at, unknown_add,
                                      ret_body);
    wire_release_unknown(&asked);
    return finish(request, tx, err);
}

static enum bf_err tenant(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                          void *ctx)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    char name[TENANT_SLUG_BYTES_MAX + 1];
    struct tenant found;
    enum bf_err err = wire_read_tenant(request->body, name);

    if (!err)
        err = system_begin(ctx, &tx);
    if (!err)
        err = tenant_store_find(tx, name, TENANT_READ, &found);
    if (err)
        return finish(request, tx, err);
    wire_write_tenant(ret_body, &found);
    tenant_release(&found);
    return BF_OK;
}

static enum bf_err app_keys(const struct bf_bus_request *request, struct bf_buf *ret_body,
                            struct bf_buf *error, void *ctx)
{
    struct registry *registry = ctx;
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct app_key keys[BF_APP_KEYS_MAX];
    size_t count = 0;
    enum bf_err err = system_begin(registry, &tx);

    if (!err)
        err = app_key_store_list(tx, &registry->vault, keys, &count);
    if (!err)
        wire_write_app_keys(ret_body, keys, count);
    explicit_bzero(keys, sizeof(keys));
    return finish(request, tx, err);
}

// ---- Snapshot

struct snapshot {
    struct bf_buf *into;
    struct bf_id *seen; // tenants that this page has: a hash set with open addressing, nil is free
    size_t mask;
    char last[DOMAIN_BYTES_MAX + 1];
};

static bool snapshot_saw(struct snapshot *snapshot, struct bf_id tenant)
{
    size_t at;

    memcpy(&at, tenant.bytes + 8, sizeof(at)); // UUIDv7: the random half
    for (at &= snapshot->mask; !bf_id_is_nil(snapshot->seen[at]); at = (at + 1) & snapshot->mask)
        if (bf_id_eq(snapshot->seen[at], tenant))
            return true;
    snapshot->seen[at] = tenant;
    return false;
}

static bool snapshot_add(void *ctx, const char *domain, const struct tenant *tenant)
{
    struct snapshot *snapshot = ctx;

    if (!snapshot_saw(snapshot, tenant->id))
        wire_write_snapshot_tenant(snapshot->into, tenant);
    wire_write_snapshot_domain(snapshot->into, domain, tenant->id);
    memcpy(snapshot->last, domain, strlen(domain) + 1);
    return snapshot->into->len < SNAPSHOT_BYTES_MAX;
}

static enum bf_err snapshot_page(struct bf_tx *tx, const struct wire_snapshot_request *asked,
                                 struct bf_buf *into)
{
    struct snapshot snapshot = {.into = into, .mask = 15};
    struct change_head head;
    bool more;

    while (snapshot.mask < (size_t)asked->limit * 2)
        snapshot.mask = snapshot.mask * 2 + 1;
    bf_autofree struct bf_id *seen = bf_xcalloc(snapshot.mask + 1, sizeof(*seen));
    snapshot.seen = seen;
    // The number first, the rows after it: a row may then be newer than the number says, which does no harm.
    enum bf_err err = change_store_head(tx, &head);
    if (err)
        return err;
    wire_write_snapshot(into, head);
    err = change_store_snapshot(tx, asked->after, asked->limit, snapshot_add, &snapshot, &more);
    if (!err && more)
        wire_write_snapshot_next(into, snapshot.last);
    return err;
}

static enum bf_err snapshot(const struct bf_bus_request *request, struct bf_buf *ret_body,
                            struct bf_buf *error, void *ctx)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct wire_snapshot_request asked;
    enum bf_err err = wire_read_snapshot(request->body, &asked);

    if (!err)
        err = system_begin(ctx, &tx);
    if (!err)
        err = snapshot_page(tx, &asked, ret_body);
    if (err)
        return finish(request, tx, err);
    registry_count(METRIC_SNAPSHOT_PAGES);
    return bf_buf_ok(ret_body) ? BF_OK : BF_TOO_LARGE;
}

// ---- Changes

struct changes {
    struct bf_buf feed;
    size_t count;
};

static void changes_add(void *ctx, const struct change *change)
{
    struct changes *changes = ctx;

    wire_write_feed_change(&changes->feed, change);
    changes->count++;
}

static enum bf_err changes_read(struct bf_tx *tx, const struct wire_changes_request *asked,
                                struct changes *changes, struct bf_buf *error)
{
    struct change_head head;
    enum bf_err err = change_store_head(tx, &head);

    if (err)
        return err;
    if (asked->epoch != head.epoch || asked->after_seq > head.seq) {
        bf_buf_str(error, "the sequence is a different one now; take a snapshot");
        return BF_NOT_FOUND;
    }
    wire_write_feed(&changes->feed, head);
    err = change_store_after(tx, asked->after_seq, head.seq, asked->limit, changes_add, changes);
    if (!err && changes->count == 0 && asked->after_seq < head.seq)
        err = BF_NOT_FOUND;
    if (err == BF_NOT_FOUND)
        bf_buf_str(error, "changes that old are no longer kept; take a snapshot");
    return err;
}

static enum bf_err changes(const struct bf_bus_request *request, struct bf_buf *ret_body,
                           struct bf_buf *error, void *ctx)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct wire_changes_request asked;
    struct changes changes = {.count = 0};
    enum bf_err err = wire_read_changes(request->body, &asked);

    bf_buf_init(&changes.feed, SNAPSHOT_BYTES_MAX);
    if (!err)
        err = system_begin(ctx, &tx);
    if (!err)
        err = changes_read(tx, &asked, &changes, error);
    if (!err && !bf_buf_ok(&changes.feed))
        err = BF_TOO_LARGE;
    if (!err)
        wire_write_changes(ret_body, (struct bf_str){changes.feed.at, changes.feed.len});
    bf_buf_release(&changes.feed);
    return finish(request, tx, err);
}

const struct bf_bus_method registry_bus_methods[] = {
    {"Authenticate", authenticate},
    {"Credential", credential},
    {"Directory", directory},
    {"Tenant", tenant},
    {"Unknown", unknown},
    {"Snapshot", snapshot},
    {"Changes", changes},
    {"AppKeys", app_keys},
    {"Owner", owner},
};
const size_t registry_bus_method_count = BF_LEN(registry_bus_methods);
