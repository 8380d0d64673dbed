// SQL about events.
#include "event_store.h"

#include <string.h>

#include "bf_buf.h"
#include "bf_sql_array.h"
#include "delivery_store.h"

enum column {
    COL_ID,
    COL_TENANT,
    COL_TYPE,
    COL_CALL,
    COL_SEQ,
    COL_AT,
    COL_NUMBERS,
    COL_BODY,
    COLS,
};

// One statement: the events that are new, and of those the deliveries. The outer select sees the tables as
// they were before, so that what waits in a lane is told apart from what was just made, which has its order
// by position. A webhook that is paused or rests is left to the table.
static const char insert_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], "
    "$6::bigint[], $7::text[], $8::text[]) WITH ORDINALITY "
    "AS line (id, tenant_id, type, call, seq, at_ms, numbers, body, n)), "
    "e AS (INSERT INTO events.event (id, tenant_id, type, call, seq, at, numbers, body) "
    "SELECT id, tenant_id, type, call, seq, to_timestamp(at_ms / 1000.0), string_to_array(numbers, ','), "
    "body "
    "FROM given ORDER BY n ON CONFLICT DO NOTHING RETURNING id, tenant_id, type, coalesce(call, id) AS lane, "
    "position, body), "
    "wanted AS (SELECT e.*, w.id AS webhook_id, w.status, w.open_until, coalesce(before.owner, $9) AS owner, "
    "before.position AS before FROM e JOIN events.webhook w "
    "ON w.tenant_id = e.tenant_id AND w.status IN ('active', 'paused') "
    "AND w.types && ARRAY['*', split_part(e.type, '.', 1) || '.*', e.type] "
    "LEFT JOIN LATERAL (SELECT owner, position FROM events.delivery d WHERE d.webhook_id = w.id AND d.lane = "
    "e.lane "
    "AND d.state = 'pending' ORDER BY d.position DESC LIMIT 1) before ON true), "
    "d AS (INSERT INTO events.delivery (id, tenant_id, webhook_id, event_id, position, lane, type, owner, "
    "next_attempt_at, give_up_at) SELECT events.new_id(), tenant_id, webhook_id, id, position, lane, type, "
    "owner, "
    "CASE WHEN status = 'paused' THEN 'infinity' WHEN owner <> $9 THEN now() "
    "ELSE greatest(now() + $10 * interval '1 ms', open_until) END, now() + $11 * interval '1 ms' FROM wanted "
    "RETURNING *) "
    "SELECT (SELECT count(*) FROM e), d.owner, coalesce(wanted.before, 0), " DELIVERY_COLUMNS " FROM d "
    "JOIN e ON e.id = d.event_id JOIN wanted ON wanted.id = d.event_id AND wanted.webhook_id = d.webhook_id "
    "JOIN events.webhook w ON w.id = d.webhook_id "
    "WHERE w.status = 'active' AND (w.open_until > now()) IS NOT TRUE "
    "UNION ALL SELECT count(*), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, "
    "NULL, NULL, NULL "
    "FROM e ORDER BY 9 NULLS FIRST";

#define FIRST_COLUMN 3 // of DELIVERY_COLUMNS

static void columns_add(struct bf_sql_array columns[COLS], const struct event_new *new)
{
    const struct event *event = new->event;
    bf_cleanup(bf_buf_release) struct bf_buf numbers;

    bf_buf_init(&numbers, (size_t)EVENT_NUMBERS_MAX * (EVENT_NUMBER_BYTES_MAX + 1));
    for (size_t i = 0; i < event->number_count; i++)
        bf_buf_fmt(&numbers, "%s%s", i ? "," : "", event->numbers[i]);
    bf_sql_array_id(&columns[COL_ID], event->id);
    bf_sql_array_id(&columns[COL_TENANT], event->tenant);
    bf_sql_array_text(&columns[COL_TYPE], event->type);
    if (bf_id_is_nil(event->call))
        bf_sql_array_text(&columns[COL_CALL], NULL);
    else
        bf_sql_array_id(&columns[COL_CALL], event->call);
    bf_sql_array_int(&columns[COL_SEQ], (int64_t)event->seq);
    bf_sql_array_int(&columns[COL_AT], (int64_t)event->at_ms);
    bf_sql_array_text(&columns[COL_NUMBERS], event->number_count ? numbers.at : "");
    bf_sql_array_text(&columns[COL_BODY], new->body);
}

static enum bf_err insert(struct bf_tx *tx, struct bf_id replica, const struct event_new *events,
                          size_t count, struct bf_rows **ret_rows)
{
    struct bf_sql_array columns[COLS];
    struct bf_param more[] = {BF_P_ID(replica), BF_P_INT(DELIVERY_MEMORY_MS),
                              BF_P_INT((int64_t)DELIVERY_GIVE_UP_MS)};

    bf_sql_columns_init(columns, COLS);
    for (size_t i = 0; i < count; i++)
        columns_add(columns, &events[i]);
    return bf_sql_columns_ask(tx, insert_sql, columns, COLS, more, BF_LEN(more), ret_rows);
}

enum bf_err event_store_add(struct bf_tx *tx, const struct bf_vault *seal, struct bf_id replica,
                            const struct event_new *events, size_t count, struct event_stored *ret_stored)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct event_stored stored = {.stored = 0};
    enum bf_err err = insert(tx, replica, events, count, &rows);

    if (err)
        return err;
    stored.stored = (size_t)bf_rows_int(rows, 0, 0);
    stored.made = bf_xcalloc(bf_rows_count(rows), sizeof(stored.made[0]));
    for (size_t row = 1; row < bf_rows_count(rows); row++) {
        struct event_made *made = &stored.made[stored.made_count++];
        made->owner = bf_rows_id(rows, row, 1);
        made->behind = bf_rows_int(rows, row, 2);
        if (bf_id_eq(made->owner, replica))
            made->ours = delivery_store_read(rows, row, FIRST_COLUMN, seal);
    }
    *ret_stored = stored;
    return BF_OK;
}

enum bf_err event_store_tell_owners(struct bf_tx *tx, struct bf_id replica, const struct event_stored *stored)
{
    enum bf_err err = BF_OK;

    for (size_t i = 0; !err && i < stored->made_count; i++) {
        const struct event_made *made = &stored->made[i];
        if (!bf_id_eq(made->owner, replica) && (i == 0 || !bf_id_eq(made->owner, stored->made[i - 1].owner)))
            err = delivery_store_notify(tx, made->owner);
    }
    return err;
}

void event_stored_release(struct event_stored *stored)
{
    for (size_t i = 0; i < stored->made_count; i++)
        delivery_free(stored->made[i].ours);
    free(stored->made);
    *stored = (struct event_stored){.made = NULL};
}

enum bf_err event_store_partitions(struct bf_tx *tx, int64_t keep_days, int64_t *ret_made,
                                   int64_t *ret_dropped)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows, "SELECT events.make_partitions($1::integer), events.drop_partitions($2::integer)",
        BF_P_INT(EVENT_DAYS_AHEAD), BF_P_INT(keep_days));

    if (err)
        return err;
    *ret_made = bf_rows_int(rows, 0, 0);
    *ret_dropped = bf_rows_int(rows, 0, 1);
    return BF_OK;
}
