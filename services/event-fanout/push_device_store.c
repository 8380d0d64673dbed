// SQL about push devices.
#include "push_device_store.h"

#include "bf_sql_array.h"

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

// ---- registering

// Phones register each few minutes: what is as it was costs no write.
static const char unchanged_sql[] =
    "SELECT id FROM events.push_device WHERE tenant_id = $1 AND number = $2 AND device_id = $3 AND provider "
    "= $4 AND token = $5 AND param = $6 AND prid = $7 AND platform = $8 AND extension = $9 "
    "AND state = 'alive' AND updated_at > now() - interval '1 day'";

static const char handed_over_sql[] =
    "DELETE FROM events.push_device WHERE tenant_id = $1 AND provider = $2 AND md5(token) = md5($3) "
    "AND token = $3 AND (number <> $4 OR device_id <> $5)";

static const char make_room_sql[] =
    "DELETE FROM events.push_device WHERE tenant_id = $1 AND number = $2 AND device_id <> $3 "
    "AND (extension < $4 OR state = 'dead' AND (SELECT count(*) FROM events.push_device "
    "WHERE tenant_id = $1 AND number = $2) >= $5)";

// What was registered late, by who had the number before, does not take the place of what is there.
static const char put_sql[] =
    "INSERT INTO events.push_device (id, tenant_id, number, provider, platform, device_id, token, param, "
    "prid, source, extension) SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 "
    "WHERE (SELECT count(*) FROM events.push_device "
    "WHERE tenant_id = $2 AND number = $3 AND NOT (device_id = $6 AND provider = $4)) < $12 "
    "ON CONFLICT (tenant_id, number, device_id, provider) DO UPDATE SET token = excluded.token, "
    "platform = excluded.platform, param = excluded.param, prid = excluded.prid, source = excluded.source, "
    "extension = excluded.extension, state = 'alive', why = '', updated_at = now() "
    "WHERE push_device.extension <= excluded.extension RETURNING id";

static const char newer_sql[] = "SELECT FROM events.push_device WHERE tenant_id = $1 AND number = $2 "
                                "AND device_id = $3 AND provider = $4 AND extension > $5";

static enum bf_err not_put(struct bf_tx *tx, const struct push_device *device)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, newer_sql, BF_P_ID(device->tenant), BF_P_TEXT(device->number),
                                 BF_P_TEXT(device->device_id),
                                 BF_P_TEXT(push_provider_name(device->provider)), BF_P_ID(device->extension));

    return err ? err : bf_rows_count(rows) ? BF_NOT_FOUND : BF_LIMIT;
}

static enum bf_err put(struct bf_tx *tx, const struct push_device *device, struct bf_id *ret_id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, put_sql, BF_P_ID(device->id), BF_P_ID(device->tenant),
                   BF_P_TEXT(device->number), BF_P_TEXT(push_provider_name(device->provider)),
                   BF_P_TEXT(device->platform), BF_P_TEXT(device->device_id), BF_P_TEXT(device->token),
                   BF_P_TEXT(device->topic), BF_P_TEXT(device->prid), BF_P_TEXT(device->source),
                   BF_P_ID(device->extension), BF_P_INT(PUSH_DEVICES_MAX));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return not_put(tx, device);
    *ret_id = bf_rows_id(rows, 0, 0);
    return BF_OK;
}

enum bf_err push_device_store_find(struct bf_tx *tx, const struct push_device *device, struct bf_id *ret_id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, unchanged_sql, BF_P_ID(device->tenant), BF_P_TEXT(device->number),
                   BF_P_TEXT(device->device_id), BF_P_TEXT(push_provider_name(device->provider)),
                   BF_P_TEXT(device->token), BF_P_TEXT(device->topic), BF_P_TEXT(device->prid),
                   BF_P_TEXT(device->platform), BF_P_ID(device->extension));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_id = bf_rows_id(rows, 0, 0);
    return BF_OK;
}

enum bf_err push_device_store_put(struct bf_tx *tx, const struct push_device *device, struct bf_id *ret_id)
{
    enum bf_err err = push_device_store_find(tx, device, ret_id);

    if (err != BF_NOT_FOUND)
        return err;
    err = bf_tx_exec(tx, NULL, handed_over_sql, BF_P_ID(device->tenant),
                     BF_P_TEXT(push_provider_name(device->provider)), BF_P_TEXT(device->token),
                     BF_P_TEXT(device->number), BF_P_TEXT(device->device_id));
    if (!err)
        err =
            bf_tx_exec(tx, NULL, make_room_sql, BF_P_ID(device->tenant), BF_P_TEXT(device->number),
                       BF_P_TEXT(device->device_id), BF_P_ID(device->extension), BF_P_INT(PUSH_DEVICES_MAX));
    return err ? err : put(tx, device, ret_id);
}

// ---- for calls

enum bf_err push_device_store_of(struct bf_tx *tx, struct bf_id tenant, const char *const *numbers,
                                 const struct bf_id *extensions, size_t count, struct bf_rows **ret_rows,
                                 struct push_device **ret_list, size_t *ret_count)
{
    struct bf_param more[] = {BF_P_ID(tenant)};
    struct bf_sql_array columns[2];

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (size_t i = 0; i < count; i++) {
        bf_sql_array_text(&columns[0], numbers[i]);
        bf_sql_array_id(&columns[1], extensions[i]);
    }
    enum bf_err err = bf_sql_columns_ask(
        tx,
        "SELECT d.id, d.number, d.provider, d.platform, d.device_id, d.prid "
        "FROM unnest($1::text[], $2::uuid[]) AS owner (number, id) JOIN events.push_device d "
        "ON d.tenant_id = $3 AND d.number = owner.number AND d.extension = owner.id "
        "WHERE d.state = 'alive' ORDER BY d.number, d.id",
        columns, BF_LEN(columns), more, BF_LEN(more), ret_rows);
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

enum bf_err push_device_store_any(struct bf_tx *tx, struct bf_id tenant, bool *ret_any)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows, "SELECT EXISTS (SELECT FROM events.push_device WHERE tenant_id = $1 AND state = 'alive')",
        BF_P_ID(tenant));

    if (!err)
        *ret_any = bf_rows_bool(rows, 0, 0);
    return err;
}

// ---- whose owner is gone

enum bf_err push_device_store_page(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                   struct bf_id after, int64_t limit, struct bf_rows **ret_rows,
                                   struct push_device **ret_list, size_t *ret_count)
{
    enum bf_err err = bf_tx_exec(
        tx, ret_rows,
        "SELECT id, tenant_id, extension, number FROM events.push_device WHERE id > $1 "
        "AND ($2::uuid IS NULL OR tenant_id = $2) AND ($3::text IS NULL OR number = $3) ORDER BY id LIMIT $4",
        BF_P_ID(after), bf_id_is_nil(tenant) ? BF_P_NULL : BF_P_ID(tenant),
        number ? BF_P_TEXT(number) : BF_P_NULL, BF_P_INT(limit));

    if (err)
        return err;
    *ret_count = bf_rows_count(*ret_rows);
    *ret_list = bf_xcalloc(*ret_count + 1, sizeof((*ret_list)[0]));
    for (size_t row = 0; row < *ret_count; row++)
        (*ret_list)[row] = (struct push_device){.id = bf_rows_id(*ret_rows, row, 0),
                                                .tenant = bf_rows_id(*ret_rows, row, 1),
                                                .extension = bf_rows_id(*ret_rows, row, 2),
                                                .number = bf_rows_text(*ret_rows, row, 3)};
    return BF_OK;
}

enum bf_err push_device_store_forget(struct bf_tx *tx, const struct push_device *devices, size_t count,
                                     size_t *ret_gone)
{
    struct bf_sql_array columns[2];

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (size_t i = 0; i < count; i++) {
        bf_sql_array_id(&columns[0], devices[i].id);
        bf_sql_array_id(&columns[1], devices[i].extension);
    }
    return bf_sql_columns_run(tx,
                              "DELETE FROM events.push_device d USING unnest($1::uuid[], $2::uuid[]) "
                              "AS gone (id, extension) WHERE d.id = gone.id AND d.extension = gone.extension",
                              columns, BF_LEN(columns), ret_gone);
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
