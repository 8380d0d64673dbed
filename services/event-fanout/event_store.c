// SQL about events.
#include "event_store.h"

#include <string.h>

#include "bf_buf.h"
#include "bf_clock.h"
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

static const enum bf_sql_form forms[COLS] = {
    [COL_ID] = BF_SQL_IDS,        [COL_TENANT] = BF_SQL_IDS, [COL_TYPE] = BF_SQL_TEXTS,
    [COL_CALL] = BF_SQL_IDS,      [COL_SEQ] = BF_SQL_INTS,   [COL_AT] = BF_SQL_INTS,
    [COL_NUMBERS] = BF_SQL_TEXTS, [COL_BODY] = BF_SQL_TEXTS,
};

// One statement: the events that are new, and of those the deliveries. The outer select sees the tables as
// they were before, so that what waits in a lane is told apart from what was just made, which has its order
// by position. Ids of deliveries have the time first; gen_random_uuid() would ask the system for each. A
// webhook that is paused or rests is left to the table.
#define INSERT_SQL(known)                                                                                    \
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::bigint[], "     \
    "$6::bigint[], $7::text[], $8::text[]) WITH ORDINALITY "                                                 \
    "AS line (id, tenant_id, type, call, seq, at_ms, numbers, body, n)), "                                   \
    "e AS (INSERT INTO events.event (id, tenant_id, type, call, seq, at, numbers, body) "                    \
    "SELECT id, tenant_id, type, call, seq, to_timestamp(at_ms / 1000::float8), "                            \
    "string_to_array(numbers, ','), body FROM given ORDER BY n " known                                       \
    " RETURNING id, tenant_id, type, coalesce(call, id) AS lane, position), "                                \
    "wanted AS MATERIALIZED (SELECT (made.id || lpad(to_hex(e.position & 4095), 3, '0') || '8' || "          \
    "lpad(to_hex((random() * 1152921504606846975)::bigint), 15, '0'))::uuid AS id, "                         \
    "e.tenant_id, e.id AS event_id, e.type, e.lane, e.position, w.id AS webhook_id, w.status, "              \
    "w.open_until, coalesce(before.owner, $9) AS owner, before.position AS "                                 \
    "before, " DELIVERY_WEBHOOK_COLUMNS                                                                      \
    " FROM (SELECT left(replace(events.id_at(clock_timestamp())::text, '-', ''), 12) || '7' AS id) made "    \
    "CROSS JOIN e "                                                                                          \
    "CROSS JOIN LATERAL (SELECT * FROM events.webhook w WHERE w.tenant_id = e.tenant_id "                    \
    "AND w.status IN ('active', 'paused') "                                                                  \
    "AND w.types && ARRAY['*', split_part(e.type, '.', 1) || '.*', e.type] OFFSET 0) w "                     \
    "LEFT JOIN LATERAL (SELECT owner, position FROM events.pending d WHERE d.webhook_id = w.id "             \
    "AND d.lane = e.lane ORDER BY d.position DESC LIMIT 1) before ON true), "                                \
    "d AS (INSERT INTO events.pending (id, tenant_id, webhook_id, event_id, position, lane, type, owner, "   \
    "next_attempt_at, give_up_at) SELECT id, tenant_id, webhook_id, event_id, position, lane, type, owner, " \
    "CASE WHEN status = 'paused' THEN 'infinity' WHEN owner <> $9 THEN now() "                               \
    "ELSE greatest(now() + $10 * interval '1 ms', open_until) END, now() + $11 * interval '1 ms' FROM "      \
    "wanted) "                                                                                               \
    "SELECT (SELECT count(*) FROM e), w.owner, coalesce(w.before, 0), w.id, w.webhook_id, w.event_id, "      \
    "w.position, w.url, w.secret, w.secret_before, w.version FROM (SELECT) one LEFT JOIN wanted w "          \
    "ON w.status = 'active' AND (w.open_until > now()) IS NOT TRUE ORDER BY w.position"

static const char new_sql[] = INSERT_SQL("");
static const char insert_sql[] = INSERT_SQL("ON CONFLICT DO NOTHING");

enum made_column {
    MADE_STORED,
    MADE_OWNER,
    MADE_BEHIND,
    MADE_ID,
    MADE_WEBHOOK,
    MADE_EVENT,
    MADE_POSITION,
    MADE_HOOK, // DELIVERY_WEBHOOK_COLUMNS
};

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
        bf_sql_array_null(&columns[COL_CALL]);
    else
        bf_sql_array_id(&columns[COL_CALL], event->call);
    bf_sql_array_int(&columns[COL_SEQ], (int64_t)event->seq);
    bf_sql_array_int(&columns[COL_AT], (int64_t)event->at_ms);
    bf_sql_array_text(&columns[COL_NUMBERS], event->number_count ? numbers.at : "");
    bf_sql_array_text(&columns[COL_BODY], new->body);
}

static enum bf_err insert(struct bf_tx *tx, const char *sql, struct bf_id replica,
                          const struct event_new *events, size_t count, struct bf_rows **ret_rows)
{
    struct bf_sql_array columns[COLS];
    struct bf_param more[] = {BF_P_ID(replica), BF_P_INT(DELIVERY_MEMORY_MS),
                              BF_P_INT((int64_t)DELIVERY_GIVE_UP_MS)};

    bf_sql_columns_init_as(columns, forms, COLS);
    for (size_t i = 0; i < count; i++)
        columns_add(columns, &events[i]);
    return bf_sql_columns_ask(tx, sql, columns, COLS, more, BF_LEN(more), ret_rows);
}

static struct delivery *made_read(const struct bf_rows *rows, size_t row, const struct bf_vault *seal,
                                  const struct event_new *new)
{
    struct delivery *delivery = bf_xcalloc(1, sizeof(*delivery));

    *delivery = (struct delivery){
        .id = bf_rows_id(rows, row, MADE_ID),
        .tenant = new->event->tenant,
        .webhook = bf_rows_id(rows, row, MADE_WEBHOOK),
        .event = new->event->id,
        .lane = bf_id_is_nil(new->event->call) ? new->event->id : new->event->call,
        .position = bf_rows_int(rows, row, MADE_POSITION),
        .give_up_ms = bf_unix_ms() + DELIVERY_GIVE_UP_MS,
        .body = bf_xstrdup(new->body),
    };
    if (delivery_store_read_webhook(delivery, rows, row, MADE_HOOK, seal))
        return delivery;
    delivery_free(delivery);
    return NULL;
}

enum bf_err event_store_add(struct bf_tx *tx, const struct bf_vault *seal, struct bf_id replica,
                            const struct event_new *events, size_t count, bool all_new,
                            struct event_stored *ret_stored)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct event_stored stored = {.stored = 0};
    enum bf_err err = insert(tx, all_new ? new_sql : insert_sql, replica, events, count, &rows);

    if (err)
        return err;
    stored.stored = (size_t)bf_rows_int(rows, 0, MADE_STORED);
    stored.made = bf_xcalloc(bf_rows_count(rows), sizeof(stored.made[0]));
    for (size_t row = 0; row < bf_rows_count(rows) && !bf_rows_null(rows, row, MADE_ID); row++) {
        struct event_made *made = &stored.made[stored.made_count++];
        made->owner = bf_rows_id(rows, row, MADE_OWNER);
        made->behind = bf_rows_int(rows, row, MADE_BEHIND);
        if (!bf_id_eq(made->owner, replica))
            continue;
        struct bf_id event = bf_rows_id(rows, row, MADE_EVENT);
        while (!bf_id_eq(events->event->id, event)) // both are in the order of their positions
            events++;
        made->ours = made_read(rows, row, seal, events);
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
