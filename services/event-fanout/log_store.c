// SQL about deliveries as their tenant sees them.
#include "log_store.h"

#include <string.h>

#include "delivery_store.h"

#define TIME(column) "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
#define SHOWN                                                                                                \
    "SELECT json_build_object('id', d.id, 'webhook', d.webhook_id, 'event', d.event_id, 'type', d.type, "    \
    "'call_id', (SELECT e.call FROM events.event e WHERE e.id = d.event_id), 'state', d.state, 'attempts', " \
    "d.attempts, 'code', nullif(d.code, 0), 'error', nullif(d.error, ''), "                                  \
    "'created_at', " TIME("d.created_at") ", 'next_attempt_at', " TIME(                                      \
        "nullif(d.next_attempt_at, 'infinity')") ", "                                                        \
                                                 "'give_up_at', " TIME("d.give_up_at") ", 'done_at', " TIME( \
                                                     "d.done_at") ", 'replay_of', d.replay_of) "             \
                                                                  "FROM events.log d "

#define ID_OR_NULL(id) (bf_id_is_nil(id) ? BF_P_NULL : BF_P_ID(id))

// Plans are made once: what has an index of its own is a statement of its own.
#define LIST_SQL(webhook)                                                                      \
    SHOWN "WHERE d.tenant_id = $1 AND ($2::uuid IS NULL OR d.id < $2) AND " webhook            \
          " AND ($4::uuid IS NULL OR d.event_id = $4) AND ($5::text IS NULL OR d.state = $5) " \
          "AND ($6::text IS NULL OR d.type = $6) ORDER BY d.id DESC LIMIT $7"
static const char list_sql[] = LIST_SQL("$3::uuid IS NULL"),
                  list_of_webhook_sql[] = LIST_SQL("d.webhook_id = $3");

enum bf_err log_store_list(struct bf_tx *tx, const struct log_query *query, json_t **ret_items)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, bf_id_is_nil(query->webhook) ? list_sql : list_of_webhook_sql,
                                 BF_P_ID(query->tenant), ID_OR_NULL(query->before),
                                 ID_OR_NULL(query->webhook), ID_OR_NULL(query->event),
                                 BF_P_TEXT(query->state), BF_P_TEXT(query->type), BF_P_INT(query->limit + 1));

    if (err)
        return err;
    json_t *items = json_array();
    for (size_t row = 0; row < bf_rows_count(rows); row++)
        json_array_append_new(items, json_loads(bf_rows_text(rows, row, 0), 0, NULL));
    *ret_items = items;
    return BF_OK;
}

// What a stranger's program answered, cut anywhere: as much of it as is text.
static json_t *answer_text(char *at, size_t len)
{
    for (size_t cut = 0; cut <= 3 && cut <= len; cut++) {
        json_t *text = json_stringn(at, len - cut);
        if (text)
            return text;
    }
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)at[i] >= 0x80)
            at[i] = '?';
    return json_stringn(at, len);
}

static enum bf_err attempts_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                 json_t **ret_attempts)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    char answer[DELIVERY_ANSWER_BYTES_MAX];
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "SELECT json_build_object('number', number, 'at', " TIME(
            "at") ", 'code', nullif(code, 0), 'error', nullif(error, ''), 'latency_ms', "
                  "latency_ms), answer FROM (SELECT number, at, code, error, latency_ms, answer "
                  "FROM events.attempt WHERE delivery_id = $1 UNION ALL SELECT attempts, tried_at, "
                  "code, error, latency_ms, answer FROM events.delivery WHERE tenant_id = $2 "
                  "AND id = $1 AND tried_at IS NOT NULL) tried ORDER BY number",
        BF_P_ID(id), BF_P_ID(tenant));

    if (err)
        return err;
    json_t *attempts = json_array();
    for (size_t row = 0; row < bf_rows_count(rows); row++) {
        json_t *attempt = json_loads(bf_rows_text(rows, row, 0), 0, NULL);
        size_t len = bf_rows_bytes(rows, row, 1, answer, sizeof(answer));
        json_object_set_new(attempt, "answer", answer_text(answer, len));
        json_array_append_new(attempts, attempt);
    }
    *ret_attempts = attempts;
    return BF_OK;
}

enum bf_err log_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id id, json_t **ret_delivery)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    json_t *attempts = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, SHOWN "WHERE d.tenant_id = $1 AND d.id = $2", BF_P_ID(tenant), BF_P_ID(id));

    if (!err && bf_rows_count(rows) == 0)
        err = BF_NOT_FOUND;
    if (!err)
        err = attempts_find(tx, tenant, id, &attempts);
    if (err)
        return err;
    json_t *delivery = json_loads(bf_rows_text(rows, 0, 0), 0, NULL);
    json_object_set_new(delivery, "log", attempts);
    *ret_delivery = delivery;
    return BF_OK;
}

// ---- sent again

#define COLUMNS                                                                                        \
    "(id, tenant_id, webhook_id, event_id, position, lane, type, owner, next_attempt_at, give_up_at, " \
    "replay_of) "

static enum bf_err must_be_active(struct bf_tx *tx, struct bf_id webhook)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT status FROM events.webhook WHERE id = $1 FOR SHARE", BF_P_ID(webhook));

    if (!err && bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    return !err && strcmp(bf_rows_text(rows, 0, 0), "active") != 0 ? BF_CONFLICT : err;
}

enum bf_err log_store_replay(struct bf_tx *tx, struct bf_id owner, struct bf_id tenant, struct bf_id delivery,
                             struct bf_id *ret_id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_id id = bf_id_new();
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "INSERT INTO events.pending " COLUMNS
                   "SELECT $4, tenant_id, webhook_id, event_id, position, $4, type, $3, now(), "
                   "now() + $5 * interval '1 ms', id FROM events.log d WHERE tenant_id = $1 "
                   "AND id = $2 AND EXISTS (SELECT FROM events.event e WHERE e.id = d.event_id) "
                   "RETURNING webhook_id",
                   BF_P_ID(tenant), BF_P_ID(delivery), BF_P_ID(owner), BF_P_ID(id),
                   BF_P_INT((int64_t)DELIVERY_GIVE_UP_MS));

    if (!err && bf_rows_count(rows) == 0)
        err = BF_NOT_FOUND;
    if (!err)
        err = must_be_active(tx, bf_rows_id(rows, 0, 0));
    if (!err)
        err = delivery_store_notify(tx, owner);
    if (!err)
        *ret_id = id;
    return err == BF_NOT_FOUND && rows && bf_rows_count(rows) ? BF_CONFLICT : err;
}

// Lanes of their own, so that nothing of now waits for them: one for each call.
static const char range_sql[] =
    "WITH old AS (SELECT d.*, row_number() OVER (ORDER BY d.id) AS n FROM events.delivery d WHERE "
    "d.tenant_id = $1 "
    "AND d.webhook_id = $2 AND d.id >= events.id_at(to_timestamp($3 / 1000::float8)) "
    "AND d.id < events.id_at(to_timestamp($4 / 1000::float8)) AND d.state = $5 AND d.replay_of IS NULL "
    "AND EXISTS (SELECT FROM events.event e WHERE e.id = d.event_id) ORDER BY d.id LIMIT $9 + 1), "
    "made AS (INSERT INTO events.pending " COLUMNS
    "SELECT events.new_id(), tenant_id, webhook_id, event_id, position, md5(lane::text || $7)::uuid, type, "
    "$6, now(), "
    "now() + $8 * interval '1 ms', id FROM old WHERE n <= $9 RETURNING 1) "
    "SELECT (SELECT count(*) FROM made), (SELECT count(*) > $9 FROM old), "
    "(SELECT id FROM old ORDER BY id DESC LIMIT 1)";

enum bf_err log_store_replay_range(struct bf_tx *tx, struct bf_id owner, const struct log_range *range,
                                   struct log_replayed *ret_replayed)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    char batch[BF_ID_TEXT_SIZE];
    enum bf_err err = must_be_active(tx, range->webhook);

    if (!err)
        err = bf_tx_exec(tx, &rows, range_sql, BF_P_ID(range->tenant), BF_P_ID(range->webhook),
                         BF_P_INT((int64_t)range->from_ms), BF_P_INT((int64_t)range->to_ms),
                         BF_P_TEXT(range->state), BF_P_ID(owner), BF_P_TEXT(bf_id_text(bf_id_new(), batch)),
                         BF_P_INT((int64_t)DELIVERY_GIVE_UP_MS), BF_P_INT(LOG_REPLAY_MAX));
    if (!err)
        err = delivery_store_notify(tx, owner);
    if (!err)
        *ret_replayed = (struct log_replayed){.count = (size_t)bf_rows_int(rows, 0, 0),
                                              .more = bf_rows_bool(rows, 0, 1),
                                              .next_ms = bf_id_ms(bf_rows_id(rows, 0, 2))};
    return err;
}

// A higher version ends the rest that the webhook has in the replicas' memory.
static const char test_sql[] =
    "WITH e AS (INSERT INTO events.event (id, tenant_id, type, seq, at, numbers, body) "
    "VALUES ($1, $2, $3, 0, to_timestamp($4 / 1000::float8), '{}', $5) RETURNING id, tenant_id, type, "
    "position), "
    "w AS (UPDATE events.webhook SET version = version + 1, open_until = NULL WHERE id = $6) "
    "INSERT INTO events.pending " COLUMNS "SELECT $7, tenant_id, $6, id, position, id, type, $8, now(), "
    "now() + $9 * interval '1 ms', NULL FROM e";

enum bf_err log_store_test(struct bf_tx *tx, struct bf_id owner, struct bf_id webhook,
                           const struct event *event, const char *body, struct bf_id *ret_id)
{
    struct bf_id id = bf_id_new();
    enum bf_err err = must_be_active(tx, webhook);

    if (!err)
        err =
            bf_tx_exec(tx, NULL, test_sql, BF_P_ID(event->id), BF_P_ID(event->tenant), BF_P_TEXT(event->type),
                       BF_P_INT((int64_t)event->at_ms), BF_P_TEXT(body), BF_P_ID(webhook), BF_P_ID(id),
                       BF_P_ID(owner), BF_P_INT((int64_t)DELIVERY_GIVE_UP_MS));
    if (!err)
        err = delivery_store_notify(tx, owner);
    if (!err)
        *ret_id = id;
    return err;
}
