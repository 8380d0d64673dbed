// SQL about timelines.
#include "timeline_store.h"

#include <string.h>

#include "call_json.h"
#include "bf_sql_array.h"

#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"

enum column {
    COL_CALL,
    COL_SEQ,
    COL_TENANT,
    COL_AT,
    COL_KIND,
    COL_NUMBER,
    COL_DEVICE,
    COL_CODE,
    COL_TEXT,
    COL_EDGE,
    COL_DETAILS,
    COLS,
};

static const enum bf_sql_form forms[COLS] = {
    [COL_CALL] = BF_SQL_IDS,     [COL_SEQ] = BF_SQL_INTS,      [COL_TENANT] = BF_SQL_IDS,
    [COL_AT] = BF_SQL_INTS,      [COL_KIND] = BF_SQL_TEXTS,    [COL_NUMBER] = BF_SQL_TEXTS,
    [COL_DEVICE] = BF_SQL_TEXTS, [COL_CODE] = BF_SQL_INTS,     [COL_TEXT] = BF_SQL_TEXTS,
    [COL_EDGE] = BF_SQL_TEXTS,   [COL_DETAILS] = BF_SQL_TEXTS,
};

#define INSERT_SQL(at)                                                                                       \
    "INSERT INTO calls.timeline (call, seq, tenant_id, at, kind, number, device, code, text, edge, details)" \
    " SELECT call, seq, tenant, " at ", kind, number, device, code::smallint, text, edge, "                  \
    "details::jsonb FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::text[], "            \
    "$6::text[], "                                                                                           \
    "$7::text[], $8::bigint[], $9::text[], $10::text[], $11::text[]) "                                       \
    "AS line(call, seq, tenant, at_ms, kind, number, device, code, text, edge, details)"
#define LINE_AT "to_timestamp(at_ms / 1000::float8)"
#define PUSHED_AT                                                                             \
    "greatest(" LINE_AT ", (SELECT max(t.at) FROM calls.timeline t WHERE t.call = line.call " \
    "AND t.tenant_id = line.tenant AND t.kind = 'waking' AND t.device = line.device))"

static const char new_sql[] = INSERT_SQL(LINE_AT);
static const char insert_sql[] = INSERT_SQL(LINE_AT) " ON CONFLICT DO NOTHING";
static const char pushed_sql[] = INSERT_SQL(PUSHED_AT) " ON CONFLICT DO NOTHING";

static void columns_add(struct bf_sql_array columns[COLS], const struct call_event *event)
{
    bf_autofree char *details = call_json_details(event);
    char push[BF_ID_TEXT_SIZE];
    bool asleep = !*event->device && !bf_id_is_nil(event->push);

    bf_sql_array_id(&columns[COL_CALL], event->call);
    bf_sql_array_int(&columns[COL_SEQ], event->seq);
    bf_sql_array_id(&columns[COL_TENANT], event->tenant);
    bf_sql_array_int(&columns[COL_AT], (int64_t)event->at_ms);
    bf_sql_array_text(&columns[COL_KIND], call_kind_name(event->kind));
    bf_sql_array_text(&columns[COL_NUMBER], event->number);
    bf_sql_array_text(&columns[COL_DEVICE], asleep ? bf_id_text(event->push, push) : event->device);
    bf_sql_array_int(&columns[COL_CODE], event->code);
    bf_sql_array_text(&columns[COL_TEXT], event->reason);
    bf_sql_array_text(&columns[COL_EDGE], event->edge);
    bf_sql_array_text(&columns[COL_DETAILS], details);
}

static enum bf_err insert(struct bf_tx *tx, const char *sql, const struct call_event *events, size_t count,
                          size_t *ret_new)
{
    struct bf_sql_array columns[COLS];

    bf_sql_columns_init_as(columns, forms, COLS);
    for (size_t i = 0; i < count; i++)
        columns_add(columns, &events[i]);
    return bf_sql_columns_run(tx, sql, columns, COLS, ret_new);
}

enum bf_err timeline_store_add(struct bf_tx *tx, const struct call_event *events, size_t count, bool all_new,
                               size_t *ret_new)
{
    return insert(tx, all_new ? new_sql : insert_sql, events, count, ret_new);
}

enum bf_err timeline_store_pushed(struct bf_tx *tx, const struct call_event *events, size_t count,
                                  size_t *ret_new)
{
    return insert(tx, pushed_sql, events, count, ret_new);
}

#define LINE "call, tenant_id, seq, " MS("at") ", kind, number, device, code, text, edge, details"

static void line_read(const struct bf_rows *rows, size_t row, timeline_store_each *each, void *ctx)
{
    struct call_details details;
    struct call_event event = {
        .call = bf_rows_id(rows, row, 0),
        .tenant = bf_rows_id(rows, row, 1),
        .seq = bf_rows_int(rows, row, 2),
        .at_ms = (uint64_t)bf_rows_int(rows, row, 3),
        .kind = call_kind_parse(bf_str(bf_rows_text(rows, row, 4))),
        .number = bf_rows_text(rows, row, 5),
        .device = bf_rows_text(rows, row, 6),
        .code = (uint32_t)bf_rows_int(rows, row, 7),
        .reason = bf_rows_text(rows, row, 8),
        .edge = bf_rows_text(rows, row, 9),
    };

    call_json_details_read(bf_rows_text(rows, row, 10), &details, &event);
    each(ctx, &event);
    call_json_details_release(&details);
}

enum bf_err timeline_store_list(struct bf_tx *tx, struct bf_id tenant, struct bf_id call,
                                struct timeline_position after, int64_t limit, timeline_store_each *each,
                                void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT " LINE " FROM calls.timeline WHERE call = $1 AND tenant_id = $2 "
                                 "AND (at, seq) > (to_timestamp($3::bigint / 1000::float8), $4) "
                                 "ORDER BY at, seq LIMIT $5",
                                 BF_P_ID(call), BF_P_ID(tenant), BF_P_INT((int64_t)after.at_ms),
                                 BF_P_INT(after.seq), BF_P_INT(limit + 1));

    if (err)
        return err;
    size_t count = bf_rows_count(rows);
    *ret_more = count > (size_t)limit;
    for (size_t i = 0; i < count && i < (size_t)limit; i++)
        line_read(rows, i, each, ctx);
    return BF_OK;
}

enum bf_err timeline_store_replay(struct bf_tx *tx, const struct bf_id *calls, size_t count,
                                  timeline_store_each *each, void *ctx)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array ids;

    bf_sql_array_init_as(&ids, BF_SQL_IDS);
    for (size_t i = 0; i < count; i++)
        bf_sql_array_id(&ids, calls[i]);
    struct bf_param params[] = {bf_sql_array_param(&ids), BF_P_INT(TIMELINE_REPLAY_MAX)};
    enum bf_err err = bf_tx_run(tx,
                                "SELECT " LINE " FROM calls.timeline WHERE call = ANY ($1::uuid[]) "
                                "AND kind IN ('started', 'ringing', 'answered', 'ended') "
                                "ORDER BY call, seq LIMIT $2",
                                params, BF_LEN(params), &rows);
    bf_sql_array_release(&ids);
    if (err)
        return err;
    for (size_t i = 0; i < bf_rows_count(rows); i++)
        line_read(rows, i, each, ctx);
    return BF_OK;
}

enum bf_err timeline_store_open(struct bf_tx *tx, uint64_t since_ms, struct bf_id before,
                                struct timeline_open *ret_open)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "WITH began AS (SELECT call FROM calls.timeline WHERE seq = 1 AND ($1::uuid IS NULL OR call < $1) "
        "AND call >= calls.id_at(to_timestamp($2::bigint / 1000::float8)) ORDER BY call DESC LIMIT $3) "
        "SELECT call, EXISTS (SELECT FROM calls.cdr WHERE cdr.call = began.call) FROM began ORDER BY call "
        "DESC",
        bf_id_is_nil(before) ? BF_P_NULL : BF_P_ID(before), BF_P_INT((int64_t)since_ms),
        BF_P_INT(TIMELINE_SCAN));

    if (err)
        return err;
    size_t count = bf_rows_count(rows);
    ret_open->count = 0;
    ret_open->more = count == TIMELINE_SCAN;
    for (size_t i = 0; i < count; i++) {
        ret_open->oldest = bf_rows_id(rows, i, 0);
        if (!bf_rows_bool(rows, i, 1))
            ret_open->running[ret_open->count++] = ret_open->oldest;
    }
    return BF_OK;
}
