// SQL about deliveries.
#include "delivery_store.h"

#include <string.h>

#include "bf_sql_array.h"

#define SECRET_BYTES_MAX 512
#define BEHIND_MS        2000 // one behind another in memory is woken by it; this is for what was just missed

static char *secret_read(const struct bf_rows *rows, size_t row, int col, const struct bf_vault *seal,
                         struct bf_id webhook)
{
    uint8_t sealed[SECRET_BYTES_MAX];
    size_t len = bf_rows_bytes(rows, row, col, sealed, sizeof(sealed));
    char *secret = NULL;

    return len && bf_vault_open(seal, webhook, sealed, len, &secret) == BF_OK ? secret : NULL;
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
    delivery->url = bf_xstrdup(bf_rows_text(rows, row, col + 8));
    delivery->secret = secret_read(rows, row, col + 9, seal, delivery->webhook);
    delivery->secret_before = secret_read(rows, row, col + 10, seal, delivery->webhook);
    delivery->body = bf_xstrdup(bf_rows_text(rows, row, col + 11));
    delivery->version = bf_rows_int(rows, row, col + 12);
    if (delivery->secret)
        return delivery;
    delivery_free(delivery);
    return NULL;
}

// What was settled meanwhile is seen by the update's own condition.
static const char due_sql[] =
    "WITH looked AS (SELECT d.id, w.id IS NULL AS deleted, w.status, w.open_until, e.id IS NULL AS "
    "forgotten, "
    "before.at AS before "
    "FROM (SELECT * FROM events.delivery WHERE owner = $1 AND state = 'pending' AND next_attempt_at <= now() "
    "ORDER BY next_attempt_at LIMIT $2) d "
    "LEFT JOIN events.webhook w ON w.id = d.webhook_id LEFT JOIN events.event e ON e.id = d.event_id "
    "LEFT JOIN LATERAL (SELECT b.next_attempt_at AS at FROM events.delivery b WHERE b.webhook_id = "
    "d.webhook_id "
    "AND b.lane = d.lane AND b.state = 'pending' AND b.position < d.position ORDER BY b.position LIMIT 1) "
    "before "
    "ON true), "
    "ended AS (UPDATE events.delivery d SET owner = NULL, done_at = now(), "
    "state = CASE WHEN looked.deleted THEN 'dropped' ELSE 'dead' END, "
    "error = CASE WHEN looked.deleted THEN 'its webhook was deleted' WHEN looked.forgotten THEN "
    "'its event is no longer kept' ELSE 'its webhook answered 410' END "
    "FROM looked WHERE (looked.deleted OR looked.forgotten OR looked.status = 'gone') AND d.id = looked.id "
    "AND d.state = 'pending' AND d.next_attempt_at <= now()), "
    "d AS (UPDATE events.delivery d SET next_attempt_at = CASE WHEN looked.status = 'paused' THEN 'infinity' "
    "WHEN looked.before > now() + $3 * interval '1 ms' THEN looked.before "
    "WHEN looked.before IS NOT NULL THEN now() + $4 * interval '1 ms' "
    "WHEN looked.open_until > now() THEN looked.open_until + random() * interval '5 s' "
    "ELSE now() + $3 * interval '1 ms' END "
    "FROM looked WHERE looked.status IN ('active', 'paused') AND NOT looked.forgotten AND d.id = looked.id "
    "AND d.owner = $1 AND d.state = 'pending' AND d.next_attempt_at <= now() "
    "RETURNING d.*, looked.status = 'active' AND looked.before IS NULL "
    "AND (looked.open_until > now()) IS NOT TRUE AS go) "
    "SELECT (SELECT count(*) FROM looked), due.* FROM (SELECT) one LEFT JOIN (SELECT " DELIVERY_COLUMNS
    " FROM d JOIN events.event e ON e.id = d.event_id JOIN events.webhook w ON w.id = d.webhook_id WHERE "
    "d.go "
    "ORDER BY d.position) due ON true";

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

enum column {
    COL_ID,
    COL_TENANT,
    COL_WEBHOOK,
    COL_LANE,
    COL_POSITION,
    COL_NUMBER,
    COL_AT,
    COL_CODE,
    COL_ERROR,
    COL_LATENCY,
    COL_ANSWER,
    COL_STATE,
    COL_WAIT,
    COL_LAST,
    COLS,
};

// Not waited for until it is on the disk: what a crash of PostgreSQL forgets is sent again, as when a replica
// dies.
static const char settle_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], "
    "$6::integer[], $7::bigint[], $8::smallint[], $9::text[], $10::integer[], $11::text[], $12::text[], "
    "$13::bigint[], $14::smallint[]) AS line (id, tenant_id, webhook, lane, position, number, at_ms, code, "
    "error, "
    "latency_ms, answer, state, wait_ms, last)), "
    "logged AS (INSERT INTO events.attempt (delivery_id, number, tenant_id, at, code, error, latency_ms, "
    "answer) "
    "SELECT id, number, tenant_id, to_timestamp(at_ms / 1000.0), code, error, latency_ms, decode(answer, "
    "'hex') "
    "FROM given ON CONFLICT DO NOTHING), "
    "settled AS (UPDATE events.delivery d SET state = given.state, attempts = given.number, code = "
    "given.code, "
    "error = given.error, next_attempt_at = now() + given.wait_ms * interval '1 ms', "
    "owner = CASE WHEN given.state = 'pending' THEN d.owner END, "
    "done_at = CASE WHEN given.state <> 'pending' THEN now() END "
    "FROM given WHERE d.id = given.id AND d.state = 'pending'), "
    "behind AS (SELECT n.id FROM given CROSS JOIN LATERAL (SELECT id, next_attempt_at FROM events.delivery n "
    "WHERE n.webhook_id = given.webhook AND n.lane = given.lane AND n.state = 'pending' "
    "AND n.position > given.position ORDER BY n.position LIMIT 1) n "
    "WHERE given.last = 1 AND given.state <> 'pending' AND n.next_attempt_at > now()), "
    "woken AS (UPDATE events.delivery d SET next_attempt_at = now() FROM behind WHERE d.id = behind.id "
    "AND d.state = 'pending' RETURNING 1) "
    "SELECT count(*), set_config('synchronous_commit', 'off', true) FROM woken";

// Of several attempts at a webhook the last one counts: they are in order. 410 ends it and all that it waits
// for.
static const char health_sql[] =
    "WITH given AS (SELECT DISTINCT ON (webhook) * FROM unnest($1::uuid[], $2::integer[], $3::bigint[], "
    "$4::bigint[], $5::smallint[]) WITH ORDINALITY AS line (webhook, failures, since_ms, until_ms, gone, n) "
    "ORDER BY webhook, gone DESC, n DESC), "
    "w AS (SELECT w.id FROM events.webhook w JOIN given ON given.webhook = w.id ORDER BY w.id FOR NO KEY "
    "UPDATE OF w) "
    "UPDATE events.webhook h SET failures = given.failures, failing_since = to_timestamp(given.since_ms / "
    "1000.0), "
    "open_until = to_timestamp(given.until_ms / 1000.0), "
    "version = h.version + (given.gone = 1 AND h.status <> 'gone')::integer, "
    "status = CASE WHEN given.gone = 1 THEN 'gone' ELSE h.status END, "
    "updated_at = CASE WHEN given.gone = 1 THEN now() ELSE h.updated_at END "
    "FROM given JOIN w ON w.id = given.webhook WHERE h.id = given.webhook";

static const char gone_sql[] =
    "UPDATE events.delivery d SET state = 'dead', owner = NULL, done_at = now(), error = 'its webhook "
    "answered 410' "
    "FROM unnest($1::uuid[]) AS gone (webhook) WHERE d.webhook_id = gone.webhook AND d.state = 'pending'";

static const char *state_of(enum delivery_verdict verdict)
{
    switch (verdict) {
    case DELIVERY_DONE:
        return "delivered";
    case DELIVERY_AGAIN:
        return "pending";
    case DELIVERY_DEAD:
    case DELIVERY_GONE:
        break;
    }
    return "dead";
}

static void columns_add(struct bf_sql_array columns[COLS], const struct attempt *attempt)
{
    const struct delivery_outcome *outcome = &attempt->outcome;
    char answer[2 * DELIVERY_ANSWER_BYTES_MAX + 1];

    bf_sql_array_id(&columns[COL_ID], attempt->delivery->id);
    bf_sql_array_id(&columns[COL_TENANT], attempt->delivery->tenant);
    bf_sql_array_id(&columns[COL_WEBHOOK], attempt->delivery->webhook);
    bf_sql_array_id(&columns[COL_LANE], attempt->delivery->lane);
    bf_sql_array_int(&columns[COL_POSITION], attempt->delivery->position);
    bf_sql_array_int(&columns[COL_NUMBER], attempt->delivery->attempts + 1);
    bf_sql_array_int(&columns[COL_AT], (int64_t)outcome->at_ms);
    bf_sql_array_int(&columns[COL_CODE], outcome->code);
    bf_sql_array_text(&columns[COL_ERROR], outcome->error);
    bf_sql_array_int(&columns[COL_LATENCY], outcome->latency_ms);
    bf_sql_array_text(&columns[COL_ANSWER], bf_hex(outcome->answer, outcome->answer_len, answer));
    bf_sql_array_text(&columns[COL_STATE], state_of(attempt->verdict));
    bf_sql_array_int(&columns[COL_WAIT], (int64_t)attempt->wait_ms);
    bf_sql_array_int(&columns[COL_LAST], attempt->last);
}

// Webhooks before deliveries: so does REST.
static enum bf_err health_write(struct bf_tx *tx, const struct attempt *attempts)
{
    struct bf_sql_array columns[5];
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
        count++;
    }
    if (count)
        return bf_sql_columns_run(tx, health_sql, columns, BF_LEN(columns), &rows);
    for (size_t i = 0; i < BF_LEN(columns); i++)
        bf_sql_array_release(&columns[i]);
    return BF_OK;
}

static enum bf_err gone_write(struct bf_tx *tx, const struct attempt *attempts)
{
    struct bf_sql_array gone;
    size_t rows, count = 0;

    bf_sql_array_init(&gone);
    for (const struct attempt *each = attempts; each; each = each->next)
        if (each->verdict == DELIVERY_GONE) {
            bf_sql_array_id(&gone, each->delivery->webhook);
            count++;
        }
    if (count)
        return bf_sql_columns_run(tx, gone_sql, &gone, 1, &rows);
    bf_sql_array_release(&gone);
    return BF_OK;
}

enum bf_err delivery_store_settle(struct bf_tx *tx, const struct attempt *attempts, size_t *ret_woken)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array columns[COLS];
    enum bf_err err = health_write(tx, attempts);

    if (err)
        return err;
    bf_sql_columns_init(columns, COLS);
    for (const struct attempt *each = attempts; each; each = each->next)
        columns_add(columns, each);
    err = bf_sql_columns_ask(tx, settle_sql, columns, COLS, NULL, 0, &rows);
    if (!err)
        err = gone_write(tx, attempts);
    if (!err)
        *ret_woken = (size_t)bf_rows_int(rows, 0, 0);
    return err;
}

enum bf_err delivery_store_postpone(struct bf_tx *tx, const struct delivery_wait *waits, size_t count)
{
    struct bf_sql_array columns[2];
    size_t rows;

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (size_t i = 0; i < count; i++) {
        bf_sql_array_id(&columns[0], waits[i].id);
        bf_sql_array_int(&columns[1], (int64_t)waits[i].wait_ms);
    }
    return bf_sql_columns_run(
        tx,
        "UPDATE events.delivery d SET next_attempt_at = now() + given.wait_ms * interval '1 ms' "
        "FROM unnest($1::uuid[], $2::bigint[]) AS given (id, wait_ms) "
        "WHERE d.id = given.id AND d.state = 'pending'",
        columns, BF_LEN(columns), &rows);
}

enum bf_err delivery_store_resume(struct bf_tx *tx, struct bf_id owner, size_t *ret_freed)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "UPDATE events.delivery d SET next_attempt_at = now() FROM events.webhook w "
                   "WHERE d.owner = $1 AND d.state = 'pending' AND d.next_attempt_at = 'infinity' "
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
    "WITH RECURSIVE known AS ((SELECT owner FROM events.delivery WHERE state = 'pending' ORDER BY owner "
    "LIMIT 1) "
    "UNION ALL SELECT (SELECT d.owner FROM events.delivery d WHERE d.state = 'pending' AND d.owner > "
    "known.owner "
    "ORDER BY d.owner LIMIT 1) FROM known WHERE known.owner IS NOT NULL), "
    "gone AS (DELETE FROM events.replica WHERE seen_at < now() - $2 * interval '1 ms' AND id <> $1), "
    "owners AS (SELECT owner FROM known WHERE owner <> $1) "
    "UPDATE events.delivery d SET owner = $1, next_attempt_at = least(d.next_attempt_at, "
    "CASE WHEN d.attempts = 0 THEN now() ELSE d.next_attempt_at END) FROM owners "
    "WHERE d.owner = owners.owner AND d.state = 'pending' AND NOT EXISTS (SELECT FROM events.replica r "
    "WHERE r.id = owners.owner AND r.seen_at >= now() - $2 * interval '1 ms')";

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
