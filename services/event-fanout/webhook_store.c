// SQL about webhooks.
#include "webhook_store.h"

#include <string.h>

#include "bf_sql_array.h"
#include "delivery_store.h"

static enum bf_err insert(struct bf_tx *tx, const struct webhook_new *webhook, const uint8_t *sealed,
                          size_t len)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array types;

    bf_sql_array_init(&types);
    for (size_t i = 0; i < webhook->type_count; i++)
        bf_sql_array_text(&types, webhook->types[i]);
    // Two at the same moment may both find room for one: a limit of memory, not of money.
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "INSERT INTO events.webhook (id, tenant_id, url, types, secret) "
                   "SELECT $1, $2, $3, $4::text[], $5 WHERE (SELECT count(*) FROM events.webhook "
                   "WHERE tenant_id = $2) < $6",
                   BF_P_ID(webhook->id), BF_P_ID(webhook->tenant), BF_P_TEXT(webhook->url),
                   bf_sql_array_param(&types), BF_P_BYTES(sealed, len), BF_P_INT(WEBHOOK_COUNT_MAX));
    bf_sql_array_release(&types);
    return !err && bf_rows_affected(rows) == 0 ? BF_LIMIT : err;
}

enum bf_err webhook_store_add(struct bf_tx *tx, const struct bf_vault *seal,
                              const struct webhook_new *webhook)
{
    bf_autofree uint8_t *sealed = NULL;
    size_t len = 0;
    enum bf_err err = bf_vault_seal(seal, webhook->id, webhook->secret, &sealed, &len);

    return err ? err : insert(tx, webhook, sealed, len);
}

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define SHOWN                                                                                               \
    "SELECT json_build_object('id', id, 'url', url, 'events', to_json(types), 'status', status, "           \
    "'failures', failures, 'failing_since', " TIME(                                                         \
        "failing_since") ", "                                                                               \
                         "'resting_until', CASE WHEN open_until > now() THEN " TIME(                        \
                             "open_until") " END, "                                                         \
                                           "'old_secret_until', CASE WHEN before_until > now() THEN " TIME( \
                                               "before_until") " END, "                                     \
                                                               "'created_at', " TIME(                       \
                                                                   "created_at") ", "                       \
                                                                                 "'update"                  \
                                                                                 "d_at',"                   \
                                                                                 " " TIME(                  \
                                                                                     "upd"                  \
                                                                                     "ate"                  \
                                                                                     "d_"                   \
                                                                                     "at") ") FROM "        \
                                                                                           "events.webhook "

enum bf_err webhook_store_list(struct bf_tx *tx, struct bf_id tenant, struct bf_id after, int64_t limit,
                               json_t **ret_items)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, SHOWN "WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3",
                                 BF_P_ID(tenant), BF_P_ID(after), BF_P_INT(limit + 1));

    if (err)
        return err;
    json_t *items = json_array();
    for (size_t row = 0; row < bf_rows_count(rows); row++)
        json_array_append_new(items, json_loads(bf_rows_text(rows, row, 0), 0, NULL));
    *ret_items = items;
    return BF_OK;
}

enum bf_err webhook_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id id, json_t **ret_webhook)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, SHOWN "WHERE tenant_id = $1 AND id = $2", BF_P_ID(tenant), BF_P_ID(id));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_webhook = json_loads(bf_rows_text(rows, 0, 0), 0, NULL);
    return BF_OK;
}

// Each owner of what waits for the webhook looks for what is due.
static enum bf_err wake(struct bf_tx *tx, struct bf_id webhook)
{
    return bf_tx_exec(tx, NULL,
                      "WITH due AS (UPDATE events.pending SET next_attempt_at = now() WHERE webhook_id = $1 "
                      "RETURNING owner) "
                      "SELECT pg_notify('" DELIVERY_CHANNEL
                      "', owner::text) FROM (SELECT DISTINCT owner FROM due) o",
                      BF_P_ID(webhook));
}

enum bf_err webhook_store_change(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                 const struct webhook_change *change)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    bool active = change->status && strcmp(change->status, "active") == 0;
    struct bf_sql_array types;

    bf_sql_array_init(&types);
    for (size_t i = 0; i < change->type_count; i++)
        bf_sql_array_text(&types, change->types[i]);
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "UPDATE events.webhook SET url = coalesce($3, url), types = coalesce($4::text[], types), "
                   "status = coalesce($5, status), version = version + 1, updated_at = now(), "
                   "failures = CASE WHEN $5 = 'active' THEN 0 ELSE failures END, "
                   "failing_since = CASE WHEN $5 = 'active' THEN NULL ELSE failing_since END, "
                   "open_until = CASE WHEN $5 = 'active' THEN NULL ELSE open_until END "
                   "WHERE tenant_id = $1 AND id = $2",
                   BF_P_ID(tenant), BF_P_ID(id), BF_P_TEXT(change->url),
                   change->type_count ? bf_sql_array_param(&types) : BF_P_NULL, BF_P_TEXT(change->status));
    bf_sql_array_release(&types);
    if (!err && bf_rows_affected(rows) == 0)
        return BF_NOT_FOUND;
    return !err && active ? wake(tx, id) : err;
}

enum bf_err webhook_store_rotate(struct bf_tx *tx, const struct bf_vault *seal, struct bf_id tenant,
                                 struct bf_id id, const char *secret, int64_t overlap_seconds)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    bf_autofree uint8_t *sealed = NULL;
    size_t len = 0;
    enum bf_err err = bf_vault_seal(seal, id, secret, &sealed, &len);

    if (!err)
        err = bf_tx_exec(
            tx, &rows,
            "UPDATE events.webhook SET secret = $3, secret_before = CASE WHEN $4 > 0 THEN secret END, "
            "before_until = CASE WHEN $4 > 0 THEN now() + $4 * interval '1 s' END, "
            "updated_at = now() WHERE tenant_id = $1 AND id = $2",
            BF_P_ID(tenant), BF_P_ID(id), BF_P_BYTES(sealed, len), BF_P_INT(overlap_seconds));
    return !err && bf_rows_affected(rows) == 0 ? BF_NOT_FOUND : err;
}

enum bf_err webhook_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array removed;
    enum bf_err err = bf_tx_exec(tx, &rows, "DELETE FROM events.webhook WHERE tenant_id = $1 AND id = $2",
                                 BF_P_ID(tenant), BF_P_ID(id));

    if (err)
        return err;
    if (bf_rows_affected(rows) == 0)
        return BF_NOT_FOUND;
    bf_sql_array_init(&removed);
    bf_sql_array_id(&removed, id);
    return delivery_store_end(tx, &removed, "dropped", "its webhook was deleted");
}
