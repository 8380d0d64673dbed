// SQL about push devices.
#include "push_device_store.h"

#include "bf_sql_array.h"

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

// ---- registering

// Phones register each few minutes: what is as it was costs no write.
static const char unchanged_sql[] =
    "SELECT id FROM events.push_device WHERE tenant_id = $1 AND number = $2 AND device_id = $3 AND provider "
    "= $4 "
    "AND token = $5 AND param = $6 AND prid = $7 AND platform = $8 AND state = 'alive' "
    "AND updated_at > now() - interval '1 day'";

static const char handed_over_sql[] =
    "DELETE FROM events.push_device WHERE tenant_id = $1 AND provider = $2 AND md5(token) = md5($3) "
    "AND token = $3 AND (number <> $4 OR device_id <> $5)";

static const char make_room_sql[] =
    "DELETE FROM events.push_device WHERE tenant_id = $1 AND number = $2 AND state = 'dead' AND device_id <> "
    "$3 "
    "AND (SELECT count(*) FROM events.push_device WHERE tenant_id = $1 AND number = $2) >= $4";

static const char put_sql[] =
    "INSERT INTO events.push_device (id, tenant_id, number, provider, platform, device_id, token, param, "
    "prid, "
    "source) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 WHERE (SELECT count(*) FROM events.push_device "
    "WHERE tenant_id = $2 AND number = $3 AND NOT (device_id = $6 AND provider = $4)) < $11 "
    "ON CONFLICT (tenant_id, number, device_id, provider) DO UPDATE SET token = excluded.token, "
    "platform = excluded.platform, param = excluded.param, prid = excluded.prid, source = excluded.source, "
    "state = 'alive', why = '', updated_at = now() RETURNING id";

static enum bf_err put(struct bf_tx *tx, const struct push_device *device, struct bf_id *ret_id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, put_sql, BF_P_ID(device->id), BF_P_ID(device->tenant),
                                 BF_P_TEXT(device->number), BF_P_TEXT(push_provider_name(device->provider)),
                                 BF_P_TEXT(device->platform), BF_P_TEXT(device->device_id),
                                 BF_P_TEXT(device->token), BF_P_TEXT(device->topic), BF_P_TEXT(device->prid),
                                 BF_P_TEXT(device->source), BF_P_INT(PUSH_DEVICES_MAX));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_LIMIT;
    *ret_id = bf_rows_id(rows, 0, 0);
    return BF_OK;
}

enum bf_err push_device_store_put(struct bf_tx *tx, const struct push_device *device, struct bf_id *ret_id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    const char *provider = push_provider_name(device->provider);
    enum bf_err err =
        bf_tx_exec(tx, &rows, unchanged_sql, BF_P_ID(device->tenant), BF_P_TEXT(device->number),
                   BF_P_TEXT(device->device_id), BF_P_TEXT(provider), BF_P_TEXT(device->token),
                   BF_P_TEXT(device->topic), BF_P_TEXT(device->prid), BF_P_TEXT(device->platform));

    if (!err && bf_rows_count(rows) == 1) {
        *ret_id = bf_rows_id(rows, 0, 0);
        return BF_OK;
    }
    if (!err)
        err = bf_tx_exec(tx, NULL, handed_over_sql, BF_P_ID(device->tenant), BF_P_TEXT(provider),
                         BF_P_TEXT(device->token), BF_P_TEXT(device->number), BF_P_TEXT(device->device_id));
    if (!err)
        err = bf_tx_exec(tx, NULL, make_room_sql, BF_P_ID(device->tenant), BF_P_TEXT(device->number),
                         BF_P_TEXT(device->device_id), BF_P_INT(PUSH_DEVICES_MAX));
    return err ? err : put(tx, device, ret_id);
}

// ---- for calls

enum bf_err push_device_store_of(struct bf_tx *tx, struct bf_id tenant, const char *const *numbers,
                                 size_t count, struct bf_rows **ret_rows, struct push_device **ret_list,
                                 size_t *ret_count)
{
    struct bf_sql_array array;

    bf_sql_array_init(&array);
    for (size_t i = 0; i < count; i++)
        bf_sql_array_text(&array, numbers[i]);
    enum bf_err err = bf_tx_exec(
        tx, ret_rows,
        "SELECT id, number, provider, platform, device_id, prid FROM events.push_device "
        "WHERE tenant_id = $1 AND number = ANY ($2::text[]) AND state = 'alive' ORDER BY number, id",
        BF_P_ID(tenant), bf_sql_array_param(&array));
    bf_sql_array_release(&array);
    if (err)
        return err;
    *ret_count = bf_rows_count(*ret_rows);
    *ret_list = bf_xcalloc(*ret_count + 1, sizeof((*ret_list)[0]));
    for (size_t row = 0; row < *ret_count; row++) {
        struct push_device *device = &(*ret_list)[row];
        device->id = bf_rows_id(*ret_rows, row, 0);
        device->number = bf_rows_text(*ret_rows, row, 1);
        (void)!push_provider_parse(bf_str(bf_rows_text(*ret_rows, row, 2)), &device->provider);
        device->platform = bf_rows_text(*ret_rows, row, 3);
        device->device_id = bf_rows_text(*ret_rows, row, 4);
        device->prid = bf_rows_text(*ret_rows, row, 5);
    }
    return BF_OK;
}

// ---- REST. A token is shown by its end: enough to tell devices apart.

#define DEVICE_JSON                                                                              \
    "json_build_object('id', id, 'number', number, 'provider', provider, 'platform', platform, " \
    "'device_id', device_id, 'token_end', right(token, 6), 'topic', param, 'source', source, "   \
    "'status', state, 'why', why, 'created_at', " TIME("created_at") ", 'updated_at', " TIME(    \
        "updated_at") ", "                                                                       \
                      "'pushed_at', " TIME("pushed_at") ")"

static json_t *json_of(const struct bf_rows *rows)
{
    json_t *items = json_array();

    for (size_t row = 0; row < bf_rows_count(rows); row++)
        json_array_append_new(items, json_loads(bf_rows_text(rows, row, 0), 0, NULL));
    return items;
}

enum bf_err push_device_store_list(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                   struct bf_id after, int64_t limit, json_t **ret_items)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "SELECT " DEVICE_JSON " FROM events.push_device WHERE tenant_id = $1 "
        "AND ($2::text IS NULL OR number = $2) AND ($3::uuid IS NULL OR id > $3) ORDER BY id LIMIT $4",
        BF_P_ID(tenant), number ? BF_P_TEXT(number) : BF_P_NULL,
        bf_id_is_nil(after) ? BF_P_NULL : BF_P_ID(after), BF_P_INT(limit));

    if (!err)
        *ret_items = json_of(rows);
    return err;
}

enum bf_err push_device_store_get(struct bf_tx *tx, struct bf_id tenant, struct bf_id id, json_t **ret_device)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows, "SELECT " DEVICE_JSON " FROM events.push_device WHERE tenant_id = $1 AND id = $2",
        BF_P_ID(tenant), BF_P_ID(id));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_device = json_loads(bf_rows_text(rows, 0, 0), 0, NULL);
    return BF_OK;
}

enum bf_err push_device_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "DELETE FROM events.push_device WHERE tenant_id = $1 AND id = $2",
                                 BF_P_ID(tenant), BF_P_ID(id));

    return !err && bf_rows_affected(rows) == 0 ? BF_NOT_FOUND : err;
}

enum bf_err push_device_store_attempts(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                       json_t **ret_items)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "SELECT json_build_object('call_id', CASE WHEN kind <> 'test' THEN call END, 'push', call, "
        "'attempt', number, 'kind', kind, 'at', " TIME(
            "at") ", 'code', code, 'result', result, "
                  "'detail', detail, 'push_id', push_id, 'latency_ms', latency_ms) FROM events.push_attempt "
                  "WHERE tenant_id = $1 AND device = $2 ORDER BY call DESC, number DESC LIMIT $3",
        BF_P_ID(tenant), BF_P_ID(id), BF_P_INT(PUSH_ATTEMPTS_SHOW));

    if (!err)
        *ret_items = json_of(rows);
    return err;
}
