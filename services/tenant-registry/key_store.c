// SQL about API keys.
#include "key_store.h"

#include "store.h"

#define COLUMNS \
    "id, role, name, " STORE_MS("created_at") ", " STORE_MS("expires_at") ", " STORE_MS("last_used")

static struct key key_from_row(const struct bf_rows *rows, size_t row)
{
    struct key key = {
        .id = bf_rows_id(rows, row, 0),
        .role = key_role_parse(bf_str(bf_rows_text(rows, row, 1))),
        .created_ms = (uint64_t)bf_rows_int(rows, row, 3),
        .expires_ms = (uint64_t)bf_rows_int(rows, row, 4),
        .last_used_ms = (uint64_t)bf_rows_int(rows, row, 5),
    };

    store_text(rows, row, 2, key.name, sizeof(key.name));
    return key;
}

static void owner_from_row(const struct bf_rows *rows, struct key_owner *owner)
{
    *owner = (struct key_owner){
        .key_id = bf_rows_id(rows, 0, 0),
        .role = key_role_parse(bf_str(bf_rows_text(rows, 0, 1))),
    };
    if (owner->role == BF_ROLE_OPERATOR)
        return;
    owner->tenant.id = bf_rows_id(rows, 0, 3);
    store_text(rows, 0, 4, owner->tenant.slug, sizeof(owner->tenant.slug));
    owner->tenant.status = tenant_status_parse(bf_str(bf_rows_text(rows, 0, 5)));
    owner->tenant.limits = (struct tenant_limits){bf_rows_int(rows, 0, 6), bf_rows_int(rows, 0, 7),
                                                  bf_rows_int(rows, 0, 8), bf_rows_int(rows, 0, 9)};
}

enum bf_err key_store_authenticate(struct bf_tx *tx, const uint8_t hash[BF_SHA256_BYTES],
                                   struct key_owner *ret_owner)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "SELECT k.id, k.role, coalesce(k.last_used < now() - interval '1 hour', true), t.id, "
                   "t.slug, t.status, "
                   "t.max_calls, t.max_registrations, t.calls_per_second, t.requests_per_minute "
                   "FROM registry.api_key k LEFT JOIN registry.tenant t ON t.id = k.tenant_id "
                   "WHERE k.sha256 = $1 AND (k.expires_at IS NULL OR k.expires_at > now())",
                   BF_P_BYTES(hash, BF_SHA256_BYTES));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_UNAUTHENTICATED;
    struct key_owner owner;
    owner_from_row(rows, &owner);
    if (bf_rows_bool(rows, 0, 2)) {
        // Whoever is second finds the row locked or already noted: nobody waits for a note.
        err = bf_tx_exec(tx, NULL,
                         "UPDATE registry.api_key SET last_used = date_trunc('hour', now()) WHERE id = "
                         "(SELECT id FROM registry.api_key WHERE id = $1 FOR UPDATE SKIP LOCKED)",
                         BF_P_ID(owner.key_id));
        if (err)
            return err;
    }
    *ret_owner = owner;
    return BF_OK;
}

enum bf_err key_store_add(struct bf_tx *tx, struct bf_id tenant, const struct key *key,
                          const uint8_t hash[BF_SHA256_BYTES])
{
    return bf_tx_exec(tx, NULL,
                      "INSERT INTO registry.api_key (id, tenant_id, role, name, sha256, expires_at) "
                      "VALUES ($1, $2, $3, $4, $5, to_timestamp($6::bigint / 1000::float8))",
                      BF_P_ID(key->id), bf_id_is_nil(tenant) ? BF_P_NULL : BF_P_ID(tenant),
                      BF_P_TEXT(key_role_name(key->role)), BF_P_TEXT(key->name),
                      BF_P_BYTES(hash, BF_SHA256_BYTES),
                      key->expires_ms ? BF_P_INT((int64_t)key->expires_ms) : BF_P_NULL);
}

enum bf_err key_store_ensure_operator(struct bf_tx *tx, const uint8_t hash[BF_SHA256_BYTES], struct bf_id id,
                                      bool *ret_added)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "INSERT INTO registry.api_key (id, role, name, sha256) "
                   "VALUES ($1, 'operator', 'operator key file', $2) ON CONFLICT (sha256) DO NOTHING",
                   BF_P_ID(id), BF_P_BYTES(hash, BF_SHA256_BYTES));

    if (err)
        return err;
    *ret_added = bf_rows_affected(rows) > 0;
    return BF_OK;
}

enum bf_err key_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id key, struct key *ret_key)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT " COLUMNS " FROM registry.api_key WHERE tenant_id = $1 AND id = $2",
                   BF_P_ID(tenant), BF_P_ID(key));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_key = key_from_row(rows, 0);
    return BF_OK;
}

enum bf_err key_store_own(struct bf_tx *tx, struct bf_id key, struct key *ret_key)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT " COLUMNS " FROM registry.api_key WHERE id = $1", BF_P_ID(key));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_key = key_from_row(rows, 0);
    return BF_OK;
}

enum bf_err key_store_spend(struct bf_tx *tx, struct bf_id key, bool *ret_spent)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "DELETE FROM registry.api_key WHERE id = $1", BF_P_ID(key));

    if (err)
        return err;
    *ret_spent = bf_rows_affected(rows) > 0;
    return BF_OK;
}

enum bf_err key_store_prune(struct bf_tx *tx, int64_t batch, int64_t *ret_pruned)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "DELETE FROM registry.api_key WHERE id IN (SELECT id FROM registry.api_key "
                                 "WHERE expires_at < now() - interval '1 hour' LIMIT $1)",
                                 BF_P_INT(batch));

    if (err)
        return err;
    *ret_pruned = bf_rows_affected(rows);
    return BF_OK;
}

enum bf_err key_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id key)
{
    return bf_tx_exec(tx, NULL, "DELETE FROM registry.api_key WHERE tenant_id = $1 AND id = $2",
                      BF_P_ID(tenant), BF_P_ID(key));
}

enum bf_err key_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT count(*) FROM registry.api_key WHERE tenant_id = $1", BF_P_ID(tenant));

    if (err)
        return err;
    *ret_count = bf_rows_int(rows, 0, 0);
    return BF_OK;
}

enum bf_err key_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                           key_store_each *each, void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT " COLUMNS " FROM registry.api_key WHERE tenant_id = $1 "
                                 "AND ($2 = '' OR id > nullif($2, '')::uuid) ORDER BY id LIMIT $3",
                                 BF_P_ID(tenant), BF_P_TEXT(page->after), BF_P_INT(page->limit + 1));

    if (err)
        return err;
    size_t count = store_page_count(rows, page, ret_more);
    for (size_t i = 0; i < count; i++) {
        struct key key = key_from_row(rows, i);

        each(ctx, &key);
    }
    return BF_OK;
}
