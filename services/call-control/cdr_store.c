// SQL about CDRs and the partitions of this schema.
#include "cdr_store.h"

#include <string.h>

#include "call_json.h"
#include "bf_sql_array.h"

#define MS(column) "(extract(epoch FROM " column ") * 1000)::bigint"
#define AT(column) "to_timestamp(" column " / 1000::float8)"

#define CLOCK_SLACK_MS (INT64_C(24) * 3600 * 1000) // how far a call's id may be from its start

// The order of the parameters, and of the columns that unnest makes of them.
enum column {
    COL_CALL,
    COL_TENANT,
    COL_CALL_ID,
    COL_CALLER,
    COL_CALLEE,
    COL_ANSWERED_BY,
    COL_DEVICE,
    COL_USER_AGENT,
    COL_STARTED,
    COL_RINGING,
    COL_ANSWERED,
    COL_ENDED,
    COL_SETUP,
    COL_RING,
    COL_TALK,
    COL_RESULT,
    COL_CODE,
    COL_REASON,
    COL_HUNG_UP_BY,
    COL_MEDIA,
    COL_EDGE,
    COL_RELAY,
    COL_LOCAL_PLAN,
    COLS,
};

static const enum bf_sql_form forms[COLS] = {
    [COL_CALL] = BF_SQL_IDS,         [COL_TENANT] = BF_SQL_IDS,       [COL_CALL_ID] = BF_SQL_TEXTS,
    [COL_CALLER] = BF_SQL_TEXTS,     [COL_CALLEE] = BF_SQL_TEXTS,     [COL_ANSWERED_BY] = BF_SQL_TEXTS,
    [COL_DEVICE] = BF_SQL_TEXTS,     [COL_USER_AGENT] = BF_SQL_TEXTS, [COL_STARTED] = BF_SQL_INTS,
    [COL_RINGING] = BF_SQL_INTS,     [COL_ANSWERED] = BF_SQL_INTS,    [COL_ENDED] = BF_SQL_INTS,
    [COL_SETUP] = BF_SQL_INTS,       [COL_RING] = BF_SQL_INTS,        [COL_TALK] = BF_SQL_INTS,
    [COL_RESULT] = BF_SQL_TEXTS,     [COL_CODE] = BF_SQL_INTS,        [COL_REASON] = BF_SQL_TEXTS,
    [COL_HUNG_UP_BY] = BF_SQL_TEXTS, [COL_MEDIA] = BF_SQL_TEXTS,      [COL_EDGE] = BF_SQL_TEXTS,
    [COL_RELAY] = BF_SQL_TEXTS,      [COL_LOCAL_PLAN] = BF_SQL_INTS,
};

#define INSERT_SQL                                                                                    \
    "INSERT INTO calls.cdr (call, tenant_id, sip_call_id, caller, callee, answered_by, device, "      \
    "user_agent, started_at, ringing_at, answered_at, ended_at, setup_ms, ring_ms, talk_ms, result, " \
    "code, reason, hung_up_by, media, edge, relay, local_plan) "                                      \
    "SELECT call, tenant, sip_call_id, caller, callee, answered_by, device, user_agent, "             \
    "to_timestamp(started / 1000::float8), to_timestamp(ringing / 1000::float8), "                    \
    "to_timestamp(answered / 1000::float8), to_timestamp(ended / 1000::float8), setup, ring, talk, "  \
    "result, code::smallint, reason, hung_up_by, media::jsonb, edge, relay, local_plan = 1 "          \
    "FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], "            \
    "$7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], "             \
    "$13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::bigint[], $18::text[], "          \
    "$19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[]) "                             \
    "AS line(call, tenant, sip_call_id, caller, callee, answered_by, device, user_agent, started, "   \
    "ringing, answered, ended, setup, ring, talk, result, code, reason, hung_up_by, media, edge, "    \
    "relay, local_plan)"

static const char new_sql[] = INSERT_SQL;
static const char insert_sql[] = INSERT_SQL " ON CONFLICT DO NOTHING";

static void columns_add(struct bf_sql_array columns[COLS], const struct call *call)
{
    const struct cdr cdr = call_cdr(call);
    json_t *legs = call_json_legs(call);
    bf_autofree char *media = json_dumps(legs, JSON_COMPACT | JSON_REAL_PRECISION(6));

    json_decref(legs);
    bf_sql_array_id(&columns[COL_CALL], call->id);
    bf_sql_array_id(&columns[COL_TENANT], call->tenant);
    bf_sql_array_text(&columns[COL_CALL_ID], call->call_id);
    bf_sql_array_text(&columns[COL_CALLER], call->caller);
    bf_sql_array_text(&columns[COL_CALLEE], call->callee);
    bf_sql_array_text(&columns[COL_ANSWERED_BY], call->answered_ms ? call->number : "");
    bf_sql_array_text(&columns[COL_DEVICE], call->answered_ms ? call->device : "");
    bf_sql_array_text(&columns[COL_USER_AGENT], call->user_agent);
    bf_sql_array_time(&columns[COL_STARTED], call->started_ms);
    bf_sql_array_time(&columns[COL_RINGING], call->ringing_ms);
    bf_sql_array_time(&columns[COL_ANSWERED], call->answered_ms);
    bf_sql_array_time(&columns[COL_ENDED], call->ended_ms);
    bf_sql_array_int(&columns[COL_SETUP], (int64_t)cdr.setup_ms);
    bf_sql_array_int(&columns[COL_RING], (int64_t)cdr.ring_ms);
    bf_sql_array_int(&columns[COL_TALK], (int64_t)cdr.talk_ms);
    bf_sql_array_text(&columns[COL_RESULT], cdr.result);
    bf_sql_array_int(&columns[COL_CODE], cdr.code);
    bf_sql_array_text(&columns[COL_REASON], call->reason);
    bf_sql_array_text(&columns[COL_HUNG_UP_BY], cdr.hung_up_by);
    bf_sql_array_text(&columns[COL_MEDIA], media);
    bf_sql_array_text(&columns[COL_EDGE], call->edge);
    bf_sql_array_text(&columns[COL_RELAY], call->relay);
    bf_sql_array_int(&columns[COL_LOCAL_PLAN], call->local_plan);
}

enum bf_err cdr_store_add(struct bf_tx *tx, const struct call *const *calls, size_t count, bool all_new,
                          size_t *ret_new)
{
    struct bf_sql_array columns[COLS];

    bf_sql_columns_init_as(columns, forms, COLS);
    for (size_t i = 0; i < count; i++)
        columns_add(columns, calls[i]);
    return bf_sql_columns_run(tx, all_new ? new_sql : insert_sql, columns, COLS, ret_new);
}

// ---- reading

// What of the timeline belongs to a CDR: an edge tells no more than 16 transfers of a call.
#define TRANSFERS                                                                        \
    "coalesce((SELECT jsonb_agg(jsonb_build_object('at', " MS(                           \
        "line.at") ", 'to', line.number, 'how', "                                        \
                   "line.text) ORDER BY line.at, line.seq) FROM calls.timeline AS line " \
                   "WHERE line.call = cdr.call AND line.kind = 'transfer'), '[]')"

#define CDR                                                                                               \
    "call, caller, callee, answered_by, device, user_agent, " MS("started_at") ", " MS(                   \
        "ringing_at") ", " MS("answered_at") ", " MS("ended_at") ", setup_ms, ring_ms, talk_ms, result, " \
                                                                 "code, reason, hung_up_by, "             \
                                                                 "media, edge, relay, local_plan, "       \
                                                                 "sip_call_id, " TRANSFERS

static json_t *row_text(const struct bf_rows *rows, size_t row, int col)
{
    return bf_json_text(bf_rows_text(rows, row, col));
}

static json_t *row_time(const struct bf_rows *rows, size_t row, int col)
{
    return bf_json_time((uint64_t)bf_rows_int(rows, row, col));
}

static json_t *row_json(const struct bf_rows *rows, size_t row, int col)
{
    json_t *json = json_loads(bf_rows_text(rows, row, col), 0, NULL);

    return json ? json : json_array();
}

// [{at, to, how}] as REST shows it.
static json_t *row_transfers(const struct bf_rows *rows, size_t row, int col)
{
    json_t *list = row_json(rows, row, col), *shown = json_array(), *each;
    size_t i;

    json_array_foreach(list, i, each)
    {
        json_array_append_new(
            shown, json_pack("{s:o, s:o, s:o}", "time",
                             bf_json_time((uint64_t)json_integer_value(json_object_get(each, "at"))), "to",
                             bf_json_text(json_string_value(json_object_get(each, "to"))), "how",
                             bf_json_text(json_string_value(json_object_get(each, "how")))));
    }
    json_decref(list);
    return shown;
}

static void cdr_read(const struct bf_rows *rows, size_t row, cdr_store_each *each, void *ctx)
{
    struct bf_id call = bf_rows_id(rows, row, 0);
    int64_t code = bf_rows_int(rows, row, 14);
    json_t *cdr = json_pack(
        "{s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:s, "
        "s:o, "
        "s:b, s:o, s:o}",
        "id", bf_json_id(call), "caller", bf_rows_text(rows, row, 1), "callee", bf_rows_text(rows, row, 2),
        "answered_by", row_text(rows, row, 3), "device", row_text(rows, row, 4), "user_agent",
        row_text(rows, row, 5), "started_at", row_time(rows, row, 6), "ringing_at", row_time(rows, row, 7),
        "answered_at", row_time(rows, row, 8), "ended_at", row_time(rows, row, 9), "setup_ms",
        (json_int_t)bf_rows_int(rows, row, 10), "ring_ms", (json_int_t)bf_rows_int(rows, row, 11), "talk_ms",
        (json_int_t)bf_rows_int(rows, row, 12), "result", bf_rows_text(rows, row, 13), "code",
        code ? json_integer(code) : json_null(), "reason", row_text(rows, row, 15), "hung_up_by",
        row_text(rows, row, 16), "media", row_json(rows, row, 17), "edge", bf_rows_text(rows, row, 18),
        "relay", row_text(rows, row, 19), "local_plan", (int)bf_rows_bool(rows, row, 20), "sip_call_id",
        row_text(rows, row, 21), "transfers", row_transfers(rows, row, 22));

    each(ctx, call, cdr);
    json_decref(cdr);
}

// Bounds on the id let PostgreSQL leave out whole months.
#define WHERE                                                                                        \
    "tenant_id = $1 AND ($2::uuid IS NULL OR call < $2) "                                            \
    "AND ($3::bigint = 0 OR (started_at >= " AT("$3") " AND call >= calls.id_at(" AT(                \
        "($3 - $7)") "))) "                                                                          \
                     "AND ($4::bigint = 0 OR (started_at < " AT("$4") " AND call < calls.id_at(" AT( \
                         "($4 + $7)") "))) "
#define PAGE " ORDER BY call DESC LIMIT $5"

static const char all_sql[] = "SELECT " CDR " FROM calls.cdr WHERE " WHERE "AND $6::text IS NULL" PAGE;

// One index each; merged here.
static const char number_sql[] =
    "SELECT " CDR " FROM ((SELECT * FROM calls.cdr WHERE " WHERE "AND caller = $6" PAGE ") UNION ALL "
    "(SELECT * FROM calls.cdr WHERE " WHERE "AND callee = $6 AND caller <> $6" PAGE ") UNION ALL "
    "(SELECT * FROM calls.cdr WHERE " WHERE
    "AND answered_by = $6 AND answered_by <> '' AND answered_by <> callee AND caller <> $6" PAGE
    ")) AS cdr" PAGE;

enum bf_err cdr_store_list(struct bf_tx *tx, const struct cdr_query *query, cdr_store_each *each, void *ctx,
                           bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    bool by_number = query->number && *query->number;
    enum bf_err err = bf_tx_exec(tx, &rows, by_number ? number_sql : all_sql, BF_P_ID(query->tenant),
                                 bf_id_is_nil(query->before) ? BF_P_NULL : BF_P_ID(query->before),
                                 BF_P_INT((int64_t)query->from_ms), BF_P_INT((int64_t)query->to_ms),
                                 BF_P_INT(query->limit + 1), by_number ? BF_P_TEXT(query->number) : BF_P_NULL,
                                 BF_P_INT(CLOCK_SLACK_MS));

    if (err)
        return err;
    size_t count = bf_rows_count(rows);
    *ret_more = count > (size_t)query->limit;
    for (size_t i = 0; i < count && i < (size_t)query->limit; i++)
        cdr_read(rows, i, each, ctx);
    return BF_OK;
}

enum bf_err cdr_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id call, cdr_store_each *each,
                           void *ctx)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT " CDR " FROM calls.cdr WHERE call = $1 AND tenant_id = $2",
                   BF_P_ID(call), BF_P_ID(tenant));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    cdr_read(rows, 0, each, ctx);
    return BF_OK;
}

enum bf_err cdr_store_partitions(struct bf_tx *tx, int64_t keep_months, int64_t *ret_made,
                                 int64_t *ret_dropped)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "SELECT calls.make_partitions($1), calls.drop_partitions($2)",
                                 BF_P_INT(CDR_MONTHS_AHEAD), BF_P_INT(keep_months));

    if (err)
        return err;
    *ret_made = bf_rows_int(rows, 0, 0);
    *ret_dropped = bf_rows_int(rows, 0, 1);
    return BF_OK;
}
