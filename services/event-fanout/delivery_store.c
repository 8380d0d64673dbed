// SQL about deliveries.
#include "delivery_store.h"

#include <string.h>

#include "bf_sql_array.h"
#include "secret.h"

#define BEHIND_MS 2000 // one behind another in memory is woken by it; this is for what was just missed

bool delivery_store_read_webhook(struct delivery *delivery, const struct bf_rows *rows, size_t row, int col,
                                 const struct bf_vault *seal)
{
    delivery->url = bf_xstrdup(bf_rows_text(rows, row, col));
    delivery->secret = secret_open(seal, delivery->webhook, bf_rows_text(rows, row, col + 1));
    delivery->secret_before = secret_open(seal, delivery->webhook, bf_rows_text(rows, row, col + 2));
    delivery->version = bf_rows_int(rows, row, col + 3);
    return delivery->secret != NULL;
}

struct delivery *delivery_store_read(const struct bf_rows *rows, size_t row, int col,
                                     const struct bf_vault *seal)
{
    struct delivery *delivery = bf_xcalloc(1, sizeof(*delivery));

    delivery->id = bf_rows_id(rows, row, col);
    delivery->tenant = bf_rows_id(rows, row, col + 1);
    delivery->webhook = bf_rows_id(rows, row, col + 2);
    delivery->event = bf_rows_id(rows, row, col + 3);
    delivery->lane = bf_rows_id(rows, row, col + 4);
    delivery->position = bf_rows_int(rows, row, col + 5);
    delivery->attempts = bf_rows_int(rows, row, col + 6);
    delivery->give_up_ms = (uint64_t)bf_rows_int(rows, row, col + 7);
    delivery->body = bf_xstrdup(bf_rows_text(rows, row, col + 8));
    if (delivery_store_read_webhook(delivery, rows, row, col + 9, seal))
        return delivery;
    delivery_free(delivery);
    return NULL;
}

// Plans are made once, perhaps while tables are empty. So that looking a row up is always one step down an
// index, whatever is believed of sizes then, each look-up is a LATERAL of its own, and what was found is
// changed by its place (ctid). Between the two nobody moves it but who changes it too, and then the newer one
// is changed.
#define FIND(given)                                                                                      \
    "CROSS JOIN LATERAL (SELECT q.ctid FROM events.pending q WHERE q.webhook_id = " given ".webhook_id " \
    "AND q.lane = " given ".lane AND q.position = " given ".position OFFSET 0) found "

// Deliveries that are over leave `pending` and come into the log, as they were (p) and with how they ended.
#define ENDED_COLUMNS                                                                                 \
    "(id, tenant_id, webhook_id, event_id, position, lane, type, give_up_at, replay_of, created_at, " \
    "state, attempts, code, error, tried_at, latency_ms, answer, done_at) "
#define ENDED                                                                                              \
    "p.id, p.tenant_id, p.webhook_id, p.event_id, p.position, p.lane, p.type, p.give_up_at, p.replay_of, " \
    "p.created_at, "

// What was settled meanwhile is seen by the update's own condition.
static const char due_sql[] =
    "WITH looked AS MATERIALIZED (SELECT d.row, w.id IS NULL AS deleted, w.status, w.open_until, "
    "e.id IS NULL AS forgotten, before.at AS before "
    "FROM (SELECT ctid AS row, webhook_id, lane, position, event_id FROM events.pending WHERE owner = $1 "
    "AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT $2) d "
    "LEFT JOIN LATERAL (SELECT * FROM events.webhook WHERE id = d.webhook_id LIMIT 1) w ON true "
    "LEFT JOIN LATERAL (SELECT id FROM events.event WHERE id = d.event_id LIMIT 1) e ON true "
    "LEFT JOIN LATERAL (SELECT b.next_attempt_at AS at FROM events.pending b WHERE b.webhook_id = "
    "d.webhook_id "
    "AND b.lane = d.lane AND b.position < d.position ORDER BY b.position LIMIT 1) before ON true), "
    "ended AS (DELETE FROM events.pending p USING looked "
    "WHERE (looked.deleted OR looked.forgotten OR looked.status = 'gone') AND p.ctid = looked.row "
    "AND p.next_attempt_at <= now() RETURNING " ENDED
    "CASE WHEN looked.deleted THEN 'dropped' ELSE 'dead' END, "
    "p.attempts, p.code, CASE WHEN looked.deleted THEN 'its webhook was deleted' WHEN looked.forgotten THEN "
    "'its event is no longer kept' ELSE 'its webhook answered 410' END, NULL::timestamptz, NULL::integer, "
    "NULL::bytea, now()), "
    "kept AS (INSERT INTO events.delivery " ENDED_COLUMNS "SELECT * FROM ended), "
    "d AS (UPDATE events.pending d SET next_attempt_at = CASE WHEN looked.status = 'paused' THEN 'infinity' "
    "WHEN looked.before > now() + $3 * interval '1 ms' THEN looked.before "
    "WHEN looked.before IS NOT NULL THEN now() + $4 * interval '1 ms' "
    "WHEN looked.open_until > now() THEN looked.open_until + random() * interval '5 s' "
    "ELSE now() + $3 * interval '1 ms' END "
    "FROM looked WHERE looked.status IN ('active', 'paused') AND NOT looked.forgotten "
    "AND d.ctid = looked.row AND d.owner = $1 AND d.next_attempt_at <= now() "
    "RETURNING d.*, looked.status = 'active' AND looked.before IS NULL "
    "AND (looked.open_until > now()) IS NOT TRUE AS go) "
    "SELECT (SELECT count(*) FROM looked), due.* FROM (SELECT) one LEFT JOIN (SELECT " DELIVERY_COLUMNS
    " FROM d CROSS JOIN LATERAL (SELECT * FROM events.event WHERE id = d.event_id LIMIT 1) e "
    "CROSS JOIN LATERAL (SELECT * FROM events.webhook WHERE id = d.webhook_id LIMIT 1) w "
    "WHERE d.go ORDER BY d.position) due ON true";

enum bf_err delivery_store_due(struct bf_tx *tx, const struct bf_vault *seal, struct bf_id owner,
                               size_t limit, struct delivery **ret_list, struct delivery_due *ret_due)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct delivery_due due = {.count = 0};
    enum bf_err err = bf_tx_exec(tx, &rows, due_sql, BF_P_ID(owner), BF_P_INT((int64_t)limit),
                                 BF_P_INT(DELIVERY_MEMORY_MS), BF_P_INT(BEHIND_MS));

    if (err)
        return err;
    due.looked = (size_t)bf_rows_int(rows, 0, 0);
    for (size_t row = 0; row < bf_rows_count(rows) && !bf_rows_null(rows, row, 1); row++) {
        struct delivery *delivery = delivery_store_read(rows, row, 1, seal);
        if (delivery)
            ret_list[due.count++] = delivery;
    }
    *ret_due = due;
    return BF_OK;
}

// Those of an attempt that both the log of deliveries and that of attempts have.
enum tried_column {
    TRIED_NUMBER,
    TRIED_AT,
    TRIED_CODE,
    TRIED_ERROR,
    TRIED_LATENCY,
    TRIED_ANSWER,
    TRIED_COLS,
};

#define TRIED_ARRAYS "$1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bytea[], "
#define TRIED_FORMS  BF_SQL_INTS, BF_SQL_INTS, BF_SQL_INTS, BF_SQL_TEXTS, BF_SQL_INTS, BF_SQL_BYTES
#define ROW_FORMS    BF_SQL_IDS, BF_SQL_IDS, BF_SQL_INTS // webhook_id, lane, position
#define TRIED_NAMES  "number, at_ms, code, error, latency_ms, answer, "

// Not waited for until it is on the disk: what a crash of PostgreSQL forgets is sent again, as when a replica
// dies.
#define ASYNC "set_config('synchronous_commit', 'off', true)"

// Deliveries that are over. The second half looks behind the last ones of lanes in memory.
static const char over_sql[] =
    "WITH given AS MATERIALIZED (SELECT * FROM unnest(" TRIED_ARRAYS
    "$7::uuid[], $8::uuid[], $9::bigint[], $10::text[]) AS given (" TRIED_NAMES
    "webhook_id, lane, position, state) " FIND(
        "given") "), "
                 "ended AS (DELETE FROM events.pending p USING given WHERE p.ctid = given.ctid "
                 "RETURNING " ENDED "given.state, given.number, given.code, given.error, "
                 "to_timestamp(given.at_ms / 1000::float8), given.latency_ms, "
                 "given.answer, now()), "
                 "kept AS (INSERT INTO events.delivery " ENDED_COLUMNS "SELECT * FROM ended), "
                 "behind AS MATERIALIZED (SELECT n.ctid FROM unnest($11::uuid[], $12::uuid[], $13::bigint[]) "
                 "AS last (webhook_id, lane, position) CROSS JOIN LATERAL (SELECT n.ctid, n.next_attempt_at "
                 "FROM "
                 "events.pending n WHERE n.webhook_id = last.webhook_id AND n.lane = last.lane AND "
                 "n.position > last.position "
                 "ORDER BY n.position LIMIT 1) n WHERE n.next_attempt_at > now()), "
                 "woken AS (UPDATE events.pending d SET next_attempt_at = now() FROM behind WHERE d.ctid = "
                 "behind.ctid "
                 "RETURNING 1) "
                 "SELECT (SELECT count(*) FROM ended), (SELECT count(*) FROM woken), " ASYNC;

static const char again_sql[] =
    "WITH given AS MATERIALIZED (SELECT * FROM unnest(" TRIED_ARRAYS
    "$7::uuid[], $8::uuid[], $9::bigint[], $10::bigint[]) AS given (" TRIED_NAMES
    "webhook_id, lane, position, wait_ms) " FIND(
        "given") "), "
                 "settled AS (UPDATE events.pending d SET attempts = given.number, code = given.code, "
                 "error = given.error, next_attempt_at = now() + given.wait_ms * interval '1 ms' "
                 "FROM given WHERE d.ctid = given.ctid) SELECT " ASYNC;

// But for the one that stands in the delivery that it ended.
static const char log_sql[] =
    "INSERT INTO events.attempt (delivery_id, number, tenant_id, at, code, error, latency_ms, answer) "
    "SELECT given.id, given.number, given.tenant_id, to_timestamp(given.at_ms / 1000::float8), given.code, "
    "given.error, "
    "given.latency_ms, given.answer "
    "FROM unnest(" TRIED_ARRAYS "$7::uuid[], $8::uuid[], $9::uuid[]) AS given (" TRIED_NAMES
    "webhook_id, id, tenant_id) "
    "LEFT JOIN LATERAL (SELECT d.attempts FROM events.delivery d WHERE d.webhook_id = given.webhook_id "
    "AND d.id = given.id AND d.tried_at IS NOT NULL LIMIT 1) over ON true "
    "WHERE over.attempts IS DISTINCT FROM given.number ON CONFLICT DO NOTHING";

// Of several attempts at a webhook the last one counts: they are in order. A failure from before somebody
// changed it says nothing of what it is now. 410 ends it and all that it waits for.
static const char health_sql[] =
    "WITH given AS (SELECT DISTINCT ON (webhook) * FROM unnest($1::uuid[], $2::integer[], $3::bigint[], "
    "$4::bigint[], $5::smallint[], $6::bigint[]) WITH ORDINALITY "
    "AS line (webhook, failures, since_ms, until_ms, gone, version, n) "
    "ORDER BY webhook, gone DESC, version DESC, n DESC), "
    "w AS (SELECT w.id FROM events.webhook w JOIN given ON given.webhook = w.id ORDER BY w.id FOR NO KEY "
    "UPDATE OF w) "
    "UPDATE events.webhook h SET failures = given.failures, failing_since = to_timestamp(given.since_ms / "
    "1000::float8), "
    "open_until = to_timestamp(given.until_ms / 1000::float8), "
    "version = h.version + (given.gone = 1 AND h.status <> 'gone')::integer, "
    "status = CASE WHEN given.gone = 1 THEN 'gone' ELSE h.status END, "
    "updated_at = CASE WHEN given.gone = 1 THEN now() ELSE h.updated_at END "
    "FROM given JOIN w ON w.id = given.webhook WHERE h.id = given.webhook "
    "AND (given.failures = 0 OR given.gone = 1 OR given.version >= h.version)";

// What is being settled is left alone: who waits for it here while it waits for others of the webhook waits
// for ever. It is over then, or ends when it is looked for (due_sql).
static const char end_sql[] =
    "WITH found AS MATERIALIZED (SELECT ctid FROM events.pending WHERE webhook_id = ANY ($1::uuid[]) "
    "FOR UPDATE SKIP LOCKED), "
    "ended AS (DELETE FROM events.pending p USING found WHERE p.ctid = found.ctid RETURNING " ENDED
    "$2, p.attempts, p.code, $3, NULL::timestamptz, "
    "NULL::integer, NULL::bytea, now()) "
    "INSERT INTO events.delivery " ENDED_COLUMNS "SELECT * FROM ended";

enum bf_err delivery_store_end(struct bf_tx *tx, struct bf_sql_array *webhooks, const char *state,
                               const char *error)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_param more[] = {BF_P_TEXT(state), BF_P_TEXT(error)};

    return bf_sql_columns_ask(tx, end_sql, webhooks, 1, more, BF_LEN(more), &rows);
}

static bool is_over(const struct attempt *attempt)
{
    return attempt->verdict != DELIVERY_AGAIN;
}

// Webhooks before deliveries: so does REST.
static enum bf_err health_write(struct bf_tx *tx, const struct attempt *attempts)
{
    struct bf_sql_array columns[6];
    size_t rows, count = 0;

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (const struct attempt *each = attempts; each; each = each->next) {
        if (!each->health_changed && each->verdict != DELIVERY_GONE)
            continue;
        bf_sql_array_id(&columns[0], each->delivery->webhook);
        bf_sql_array_int(&columns[1], each->health.failures);
        bf_sql_array_time(&columns[2], each->health.failing_since_ms);
        bf_sql_array_time(&columns[3], each->health.open_until_ms);
        bf_sql_array_int(&columns[4], each->verdict == DELIVERY_GONE);
        bf_sql_array_int(&columns[5], each->delivery->version);
        count++;
    }
    if (count)
        return bf_sql_columns_run(tx, health_sql, columns, BF_LEN(columns), &rows);
    bf_sql_columns_release(columns, BF_LEN(columns));
    return BF_OK;
}

static enum bf_err gone_write(struct bf_tx *tx, const struct attempt *attempts)
{
    struct bf_sql_array gone;
    size_t count = 0;

    bf_sql_array_init(&gone);
    for (const struct attempt *each = attempts; each; each = each->next)
        if (each->verdict == DELIVERY_GONE) {
            bf_sql_array_id(&gone, each->delivery->webhook);
            count++;
        }
    if (count)
        return delivery_store_end(tx, &gone, "dead", "its webhook answered 410");
    bf_sql_array_release(&gone);
    return BF_OK;
}

static void tried_add(struct bf_sql_array columns[TRIED_COLS], const struct attempt *attempt)
{
    const struct delivery_outcome *outcome = &attempt->outcome;

    bf_sql_array_int(&columns[TRIED_NUMBER], attempt->delivery->attempts + 1);
    bf_sql_array_int(&columns[TRIED_AT], (int64_t)outcome->at_ms);
    bf_sql_array_int(&columns[TRIED_CODE], outcome->code);
    bf_sql_array_text(&columns[TRIED_ERROR], outcome->error);
    bf_sql_array_int(&columns[TRIED_LATENCY], outcome->latency_ms);
    bf_sql_array_bytes(&columns[TRIED_ANSWER], outcome->answer, outcome->answer_len);
}

static void row_add(struct bf_sql_array columns[3], const struct delivery *delivery)
{
    bf_sql_array_id(&columns[0], delivery->webhook);
    bf_sql_array_id(&columns[1], delivery->lane);
    bf_sql_array_int(&columns[2], delivery->position);
}

// *ret_missed: some were not pending any more.
static enum bf_err over_write(struct bf_tx *tx, const struct attempt *attempts, bool *ret_missed,
                              size_t *ret_woken)
{
    enum { ROW = TRIED_COLS, STATE = ROW + 3, LAST, COLS = LAST + 3 };
    static const enum bf_sql_form forms[COLS] = {TRIED_FORMS, ROW_FORMS, BF_SQL_TEXTS, ROW_FORMS};
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array columns[COLS];
    size_t count = 0;

    bf_sql_columns_init_as(columns, forms, COLS);
    for (const struct attempt *each = attempts; each; each = each->next) {
        if (!is_over(each))
            continue;
        count++;
        tried_add(columns, each);
        row_add(&columns[ROW], each->delivery);
        bf_sql_array_text(&columns[STATE], each->verdict == DELIVERY_DONE ? "delivered" : "dead");
        if (each->last)
            row_add(&columns[LAST], each->delivery);
    }
    if (count == 0) {
        bf_sql_columns_release(columns, COLS);
        return BF_OK;
    }
    enum bf_err err = bf_sql_columns_ask(tx, over_sql, columns, COLS, NULL, 0, &rows);
    if (err)
        return err;
    *ret_missed = (size_t)bf_rows_int(rows, 0, 0) < count;
    *ret_woken = (size_t)bf_rows_int(rows, 0, 1);
    return BF_OK;
}

static enum bf_err again_write(struct bf_tx *tx, const struct attempt *attempts)
{
    enum { ROW = TRIED_COLS, WAIT = ROW + 3, COLS };
    static const enum bf_sql_form forms[COLS] = {TRIED_FORMS, ROW_FORMS, BF_SQL_INTS};
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array columns[COLS];

    bf_sql_columns_init_as(columns, forms, COLS);
    for (const struct attempt *each = attempts; each; each = each->next) {
        if (is_over(each))
            continue;
        tried_add(columns, each);
        row_add(&columns[ROW], each->delivery);
        bf_sql_array_int(&columns[WAIT], (int64_t)each->wait_ms);
    }
    return bf_sql_columns_ask(tx, again_sql, columns, COLS, NULL, 0, &rows);
}

static enum bf_err log_write(struct bf_tx *tx, const struct attempt *attempts)
{
    enum { WEBHOOK = TRIED_COLS, ID, TENANT, COLS };
    static const enum bf_sql_form forms[COLS] = {TRIED_FORMS, BF_SQL_IDS, BF_SQL_IDS, BF_SQL_IDS};
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array columns[COLS];

    bf_sql_columns_init_as(columns, forms, COLS);
    for (const struct attempt *each = attempts; each; each = each->next) {
        tried_add(columns, each);
        bf_sql_array_id(&columns[WEBHOOK], each->delivery->webhook);
        bf_sql_array_id(&columns[ID], each->delivery->id);
        bf_sql_array_id(&columns[TENANT], each->delivery->tenant);
    }
    return bf_sql_columns_ask(tx, log_sql, columns, COLS, NULL, 0, &rows);
}

enum bf_err delivery_store_settle(struct bf_tx *tx, const struct attempt *attempts, size_t *ret_woken)
{
    bool again = false, missed = false;
    size_t woken = 0;
    enum bf_err err = health_write(tx, attempts);

    for (const struct attempt *each = attempts; each; each = each->next)
        again = again || !is_over(each);
    if (!err)
        err = over_write(tx, attempts, &missed, &woken);
    if (!err && again)
        err = again_write(tx, attempts);
    if (!err && (again || missed))
        err = log_write(tx, attempts);
    if (!err)
        err = gone_write(tx, attempts);
    if (!err)
        *ret_woken = woken;
    return err;
}

enum bf_err delivery_store_postpone(struct bf_tx *tx, const struct delivery_wait *waits, size_t count)
{
    struct bf_sql_array columns[4];
    size_t rows;

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (size_t i = 0; i < count; i++) {
        bf_sql_array_id(&columns[0], waits[i].webhook);
        bf_sql_array_id(&columns[1], waits[i].lane);
        bf_sql_array_int(&columns[2], waits[i].position);
        bf_sql_array_int(&columns[3], (int64_t)waits[i].wait_ms);
    }
    return bf_sql_columns_run(
        tx,
        "WITH given AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], "
        "$4::bigint[]) "
        "AS given (webhook_id, lane, position, wait_ms) " FIND(
            "given") ") "
                     "UPDATE events.pending d SET next_attempt_at = now() + given.wait_ms * interval '1 ms' "
                     "FROM given WHERE d.ctid = given.ctid",
        columns, BF_LEN(columns), &rows);
}

enum bf_err delivery_store_resume(struct bf_tx *tx, struct bf_id owner, size_t *ret_freed)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "UPDATE events.pending d SET next_attempt_at = now() FROM events.webhook w "
                                 "WHERE d.owner = $1 AND d.next_attempt_at = 'infinity' "
                                 "AND w.id = d.webhook_id AND w.status <> 'paused'",
                                 BF_P_ID(owner));

    if (!err)
        *ret_freed = (size_t)bf_rows_affected(rows);
    return err;
}

enum bf_err delivery_store_notify(struct bf_tx *tx, struct bf_id owner)
{
    return bf_tx_exec(tx, NULL, "SELECT pg_notify('" DELIVERY_CHANNEL "', $1::uuid::text)", BF_P_ID(owner));
}

enum bf_err delivery_store_beat(struct bf_tx *tx, struct bf_id replica)
{
    return bf_tx_exec(
        tx, NULL,
        "INSERT INTO events.replica (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET seen_at = now()",
        BF_P_ID(replica));
}

// One replica at a time, so that lanes move whole. `known` goes from owner to owner in the index: there are
// few of them, and many deliveries. Owners that nobody knows are those of a batch that was
// stored while its lane's owner was taken over.
static const char dead_sql[] =
    "WITH RECURSIVE known AS ((SELECT owner FROM events.pending ORDER BY owner LIMIT 1) "
    "UNION ALL SELECT (SELECT d.owner FROM events.pending d WHERE d.owner > known.owner "
    "ORDER BY d.owner LIMIT 1) FROM known WHERE known.owner IS NOT NULL), "
    "gone AS (DELETE FROM events.replica WHERE seen_at < now() - $2 * interval '1 ms' AND id <> $1) "
    "UPDATE events.pending d SET owner = $1, next_attempt_at = least(d.next_attempt_at, "
    "CASE WHEN d.attempts = 0 THEN now() ELSE d.next_attempt_at END) "
    "WHERE d.owner = ANY (ARRAY(SELECT owner FROM known WHERE owner <> $1 AND NOT EXISTS (SELECT FROM "
    "events.replica r WHERE r.id = known.owner AND r.seen_at >= now() - $2 * interval '1 ms')))";

enum bf_err delivery_store_take_over(struct bf_tx *tx, struct bf_id replica, int64_t dead_ms,
                                     size_t *ret_taken)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, NULL, "SELECT pg_advisory_xact_lock(hashtextextended('events.take_over', 0))");

    if (!err)
        err = bf_tx_exec(tx, &rows, dead_sql, BF_P_ID(replica), BF_P_INT(dead_ms));
    if (!err)
        *ret_taken = (size_t)bf_rows_affected(rows);
    return err;
}

enum bf_err delivery_store_leave(struct bf_tx *tx, struct bf_id replica)
{
    return bf_tx_exec(tx, NULL, "DELETE FROM events.replica WHERE id = $1", BF_P_ID(replica));
}
