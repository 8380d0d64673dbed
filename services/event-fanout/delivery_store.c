// SQL about deliveries.
#include "delivery_store.h"

#include <string.h>

#include "bf_sql_array.h"

#define SECRET_BYTES_MAX 512

static char *secret_read(const struct bf_rows *rows, size_t row, int col, const struct seal *seal,
                         struct bf_id webhook)
{
    uint8_t sealed[SECRET_BYTES_MAX];
    size_t len = bf_rows_bytes(rows, row, col, sealed, sizeof(sealed));
    char *secret = NULL;

    return len && seal_open(seal, webhook, sealed, len, &secret) == BF_OK ? secret : NULL;
}

struct delivery *delivery_store_read(const struct bf_rows *rows, size_t row, int col, const struct seal *seal)
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
    if (delivery->secret)
        return delivery;
    delivery_free(delivery);
    return NULL;
}

// The first of each lane only: what is behind it becomes due with it and waits all the same. What was settled
// meanwhile is seen by the update's own condition.
static const char due_sql[] =
    "WITH due AS (SELECT d.id FROM events.delivery d "
    "JOIN events.webhook w ON w.id = d.webhook_id AND w.status = 'active' "
    "WHERE d.owner = $1 AND d.state = 'pending' AND d.next_attempt_at <= now() "
    "AND NOT EXISTS (SELECT FROM events.delivery b WHERE b.webhook_id = d.webhook_id AND b.lane = d.lane "
    "AND b.state = 'pending' AND b.position < d.position) ORDER BY d.next_attempt_at LIMIT $2), "
    "d AS (UPDATE events.delivery d SET next_attempt_at = now() + $3 * interval '1 ms' FROM due "
    "WHERE d.id = due.id AND d.owner = $1 AND d.state = 'pending' RETURNING d.*) "
    "SELECT " DELIVERY_COLUMNS " FROM d JOIN events.event e ON e.id = d.event_id "
    "JOIN events.webhook w ON w.id = d.webhook_id ORDER BY d.position";

enum bf_err delivery_store_due(struct bf_tx *tx, const struct seal *seal, struct bf_id owner, size_t limit,
                               struct delivery **ret_list, size_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    size_t count = 0;
    enum bf_err err = bf_tx_exec(tx, &rows, due_sql, BF_P_ID(owner), BF_P_INT((int64_t)limit),
                                 BF_P_INT(DELIVERY_MEMORY_MS));

    if (err)
        return err;
    for (size_t row = 0; row < bf_rows_count(rows); row++) {
        struct delivery *delivery = delivery_store_read(rows, row, 0, seal);
        if (delivery)
            ret_list[count++] = delivery;
    }
    *ret_count = count;
    return BF_OK;
}

enum column {
    COL_ID,
    COL_TENANT,
    COL_NUMBER,
    COL_AT,
    COL_CODE,
    COL_ERROR,
    COL_LATENCY,
    COL_ANSWER,
    COL_STATE,
    COL_WAIT,
    COL_GONE,
    COLS,
};

static const char settle_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::integer[], $4::bigint[], "
    "$5::smallint[], "
    "$6::text[], $7::integer[], $8::text[], $9::text[], $10::bigint[], $11::uuid[]) "
    "AS line (id, tenant_id, number, at_ms, code, error, latency_ms, answer, state, wait_ms, gone)), "
    "logged AS (INSERT INTO events.attempt (delivery_id, number, tenant_id, at, code, error, latency_ms, "
    "answer) "
    "SELECT id, number, tenant_id, to_timestamp(at_ms / 1000.0), code, error, latency_ms, decode(answer, "
    "'hex') "
    "FROM given ON CONFLICT DO NOTHING), "
    "gone AS (UPDATE events.webhook w SET status = 'gone', version = version + 1, updated_at = now() "
    "FROM given WHERE w.id = given.gone AND w.status = 'active') "
    "UPDATE events.delivery d SET state = given.state, attempts = given.number, code = given.code, "
    "error = given.error, next_attempt_at = now() + given.wait_ms * interval '1 ms', "
    "owner = CASE WHEN given.state = 'pending' THEN d.owner END, "
    "done_at = CASE WHEN given.state <> 'pending' THEN now() END "
    "FROM given WHERE d.id = given.id AND d.state = 'pending'";

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

static void columns_add(struct bf_sql_array columns[COLS], const struct delivery_settled *settled)
{
    const struct delivery_outcome *outcome = settled->outcome;
    char answer[2 * DELIVERY_ANSWER_BYTES_MAX + 1];

    bf_sql_array_id(&columns[COL_ID], settled->delivery->id);
    bf_sql_array_id(&columns[COL_TENANT], settled->delivery->tenant);
    bf_sql_array_int(&columns[COL_NUMBER], settled->delivery->attempts + 1);
    bf_sql_array_int(&columns[COL_AT], (int64_t)outcome->at_ms);
    bf_sql_array_int(&columns[COL_CODE], outcome->code);
    bf_sql_array_text(&columns[COL_ERROR], outcome->error);
    bf_sql_array_int(&columns[COL_LATENCY], outcome->latency_ms);
    bf_sql_array_text(&columns[COL_ANSWER], bf_hex(outcome->answer, outcome->answer_len, answer));
    bf_sql_array_text(&columns[COL_STATE], state_of(settled->verdict));
    bf_sql_array_int(&columns[COL_WAIT], (int64_t)settled->wait_ms);
    if (settled->verdict == DELIVERY_GONE)
        bf_sql_array_id(&columns[COL_GONE], settled->delivery->webhook);
    else
        bf_sql_array_text(&columns[COL_GONE], NULL);
}

enum bf_err delivery_store_settle(struct bf_tx *tx, const struct delivery_settled *settled, size_t count)
{
    struct bf_sql_array columns[COLS];
    size_t rows;

    bf_sql_columns_init(columns, COLS);
    for (size_t i = 0; i < count; i++)
        columns_add(columns, &settled[i]);
    return bf_sql_columns_run(tx, settle_sql, columns, COLS, &rows);
}

enum bf_err delivery_store_due_now(struct bf_tx *tx, const struct bf_id *ids, size_t count)
{
    struct bf_sql_array array;
    size_t rows;

    bf_sql_columns_init(&array, 1);
    for (size_t i = 0; i < count; i++)
        bf_sql_array_id(&array, ids[i]);
    return bf_sql_columns_run(
        tx,
        "UPDATE events.delivery SET next_attempt_at = now() WHERE id = ANY ($1::uuid[]) "
        "AND state = 'pending'",
        &array, 1, &rows);
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

// One replica at a time, so that lanes move whole. Owners that nobody knows are those of a batch that was
// stored while its lane's owner was taken over.
static const char dead_sql[] =
    "WITH gone AS (DELETE FROM events.replica WHERE seen_at < now() - $2 * interval '1 ms' AND id <> $1), "
    "owners AS (SELECT DISTINCT owner FROM events.delivery WHERE state = 'pending' AND owner <> $1) "
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
