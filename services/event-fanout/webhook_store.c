// SQL about webhooks.
#include "webhook_store.h"

#include "bf_sql_array.h"

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

enum bf_err webhook_store_add(struct bf_tx *tx, const struct seal *seal, const struct webhook_new *webhook)
{
    bf_autofree uint8_t *sealed = NULL;
    size_t len = 0;
    enum bf_err err = seal_close(seal, webhook->id, webhook->secret, &sealed, &len);

    return err ? err : insert(tx, webhook, sealed, len);
}

enum bf_err webhook_store_list(struct bf_tx *tx, struct bf_id tenant, struct bf_id id, json_t **ret_items)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "SELECT json_build_object('id', id, 'url', url, 'events', to_json(types), 'status', status, "
        "'failing_since', to_char(failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
        "'created_at', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')) "
        "FROM events.webhook WHERE tenant_id = $1 AND ($2::uuid IS NULL OR id = $2) ORDER BY id",
        BF_P_ID(tenant), bf_id_is_nil(id) ? BF_P_NULL : BF_P_ID(id));

    if (err)
        return err;
    json_t *items = json_array();
    for (size_t row = 0; row < bf_rows_count(rows); row++)
        json_array_append_new(items, json_loads(bf_rows_text(rows, row, 0), 0, NULL));
    *ret_items = items;
    return BF_OK;
}

enum bf_err webhook_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "DELETE FROM events.webhook WHERE tenant_id = $1 AND id = $2",
                                 BF_P_ID(tenant), BF_P_ID(id));

    if (err)
        return err;
    if (bf_rows_affected(rows) == 0)
        return BF_NOT_FOUND;
    return bf_tx_exec(tx, NULL,
                      "UPDATE events.delivery SET state = 'dropped', owner = NULL, done_at = now() "
                      "WHERE tenant_id = $1 AND webhook_id = $2 AND state = 'pending'",
                      BF_P_ID(tenant), BF_P_ID(id));
}
