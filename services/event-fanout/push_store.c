// SQL about pushes.
#include "push_store.h"

#include <jansson.h>

#include "bf_sql_array.h"
#include "push_credential_store.h"

// ---- lists

void push_list_init(struct push_list *list)
{
    *list = (struct push_list){.first = NULL};
    list->end = &list->first;
}

void push_list_add(struct push_list *list, struct push *push)
{
    push->next = NULL;
    *list->end = push;
    list->end = &push->next;
    list->count++;
}

void push_list_move(struct push_list *from, struct push_list *to)
{
    for (struct push *push; (push = push_list_take(from));)
        push_list_add(to, push);
}

struct push *push_list_take(struct push_list *list)
{
    struct push *push = list->first;

    if (!push)
        return NULL;
    list->first = push->next;
    if (!list->first)
        list->end = &list->first;
    list->count--;
    push->next = NULL;
    return push;
}

void push_list_free(struct push_list *list)
{
    for (struct push *push; (push = push_list_take(list));)
        push_free(push);
}

// ---- reading

// What a push is made of, of wake w (and `got_before`), its device and the credential: a tenant's own before
// the operator's, one of the device's app before one for any.
#define PUSH_SELECT(got_before)                                                                       \
    "SELECT w.call, w.device, w.tenant_id, w.kind, w.state, w.attempts, "                             \
    "(extract(epoch FROM w.until) * 1000)::bigint, " got_before                                       \
    ", w.number, w.body, d.provider, d.platform, "                                                    \
    "CASE WHEN d.state = 'alive' THEN d.token END, d.param, d.device_id, c.id, "                      \
    "(extract(epoch FROM c.updated_at) * 1000000)::bigint, c.sealed, (extract(epoch FROM "            \
    "w.next_attempt_at) * 1000000)::bigint "                                                          \
    "FROM w LEFT JOIN events.push_device d ON d.id = w.device LEFT JOIN LATERAL " PUSH_CREDENTIAL_OF( \
        "d") " ON true"
#define PUSH_CREDENTIAL_OF(d)                                                       \
    "(SELECT * FROM events.push_credential c WHERE c.provider = " d ".provider "    \
    "AND (c.tenant_id = " d ".tenant_id OR c.tenant_id IS NULL) "                   \
    "AND c.name IN ('', " d ".param, regexp_replace(" d ".param, '\\.voip$', '')) " \
    "ORDER BY c.tenant_id IS NULL, c.name = '' LIMIT 1) c"

static char *text_at(const struct bf_rows *rows, size_t row, int col)
{
    return bf_rows_null(rows, row, col) ? NULL : bf_xstrdup(bf_rows_text(rows, row, col));
}

static char *member(const json_t *body, const char *name)
{
    const char *text = json_string_value(json_object_get(body, name));

    return bf_xstrdup(text ? text : "");
}

static void body_read(struct push *push, const char *text)
{
    json_t *body = json_loads(text, 0, NULL);

    push->caller = member(body, "caller");
    push->caller_name = member(body, "caller_name");
    push->callee = member(body, "callee");
    push->sip_call_id = member(body, "sip_call_id");
    push->wake_token = member(body, "token");
    push->at_ms = (uint64_t)json_integer_value(json_object_get(body, "at_ms"));
    json_decref(body);
}

static enum push_kind kind_of(const char *kind, const char *state)
{
    if (bf_str_eq(bf_str(kind), BF_STR("test")))
        return PUSH_TEST;
    return bf_str_eq(bf_str(state), BF_STR("cancelling")) ? PUSH_CANCEL : PUSH_WAKE;
}

static struct push *push_read(const struct bf_rows *rows, size_t row)
{
    struct push *push = bf_xcalloc(1, sizeof(*push));

    push->call = bf_rows_id(rows, row, 0);
    push->device = bf_rows_id(rows, row, 1);
    push->tenant = bf_rows_id(rows, row, 2);
    push->kind = kind_of(bf_rows_text(rows, row, 3), bf_rows_text(rows, row, 4));
    push->attempts = bf_rows_int(rows, row, 5);
    push->until_ms = (uint64_t)bf_rows_int(rows, row, 6);
    push->got_before = bf_rows_bool(rows, row, 7);
    push->number = bf_xstrdup(bf_rows_text(rows, row, 8));
    body_read(push, bf_rows_text(rows, row, 9));
    // A device that is gone has no provider: any will do, for there is no token.
    (void)!push_provider_parse(bf_str(bf_rows_text(rows, row, 10)), &push->provider);
    push->platform = bf_xstrdup(bf_rows_text(rows, row, 11));
    push->token = text_at(rows, row, 12);
    push->topic = bf_xstrdup(bf_rows_text(rows, row, 13));
    push->device_id = bf_xstrdup(bf_rows_text(rows, row, 14));
    if (!bf_rows_null(rows, row, 15))
        push->credential = bf_rows_id(rows, row, 15);
    push->credential_version = (uint64_t)bf_rows_int(rows, row, 16);
    push->sealed = push_credential_store_sealed(rows, row, 17, &push->sealed_len);
    push->held_us = bf_rows_int(rows, row, 18);
    return push;
}

static struct bf_param bool_param(bool value)
{
    return BF_P_TEXT(value ? "true" : "false");
}

static void read_all(const struct bf_rows *rows, struct push_list *into)
{
    for (size_t row = 0; row < bf_rows_count(rows); row++)
        push_list_add(into, push_read(rows, row));
}

// ---- what calls wait for

static const char wakes_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[]) "
    "AS line (call, device, tenant_id, body, until_ms)), "
    "w AS (INSERT INTO events.wake (call, device, tenant_id, number, body, until, owner, held, got, "
    "next_attempt_at) SELECT given.call, given.device, given.tenant_id, d.number, given.body::jsonb, "
    "to_timestamp(given.until_ms / 1000::float8), $6, $7, $7, now() + $8 * interval '1 ms' "
    "FROM given JOIN events.push_device d ON d.id = given.device AND d.tenant_id = given.tenant_id "
    "ON CONFLICT DO NOTHING RETURNING *) " PUSH_SELECT("false");

static char *body_of(const struct push_wake *wake)
{
    json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I}", "caller", wake->caller, "caller_name",
                             wake->caller_name, "callee", wake->callee, "sip_call_id", wake->sip_call_id,
                             "token", wake->token, "at_ms", (json_int_t)wake->at_ms);
    char *text = json_dumps(body, JSON_COMPACT);

    json_decref(body);
    return text;
}

enum bf_err push_store_wakes(struct bf_tx *tx, struct bf_id replica, const struct push_wake *wakes,
                             size_t count, bool hold, struct push_list *into)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_param more[] = {BF_P_ID(replica), bool_param(hold), BF_P_INT(hold ? PUSH_MEMORY_MS : 0)};
    struct bf_sql_array columns[5];

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (size_t i = 0; i < count; i++) {
        bf_autofree char *body = body_of(&wakes[i]);
        bf_sql_array_id(&columns[0], wakes[i].call);
        bf_sql_array_id(&columns[1], wakes[i].device);
        bf_sql_array_id(&columns[2], wakes[i].tenant);
        bf_sql_array_text(&columns[3], body);
        bf_sql_array_int(&columns[4], (int64_t)wakes[i].until_ms);
    }
    enum bf_err err = bf_sql_columns_ask(tx, wakes_sql, columns, BF_LEN(columns), more, BF_LEN(more), &rows);
    if (!err && hold)
        read_all(rows, into);
    return err;
}

// What somebody holds is only said to be ended: its holder finds that when its request is answered.
static const char ends_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) "
    "AS line (call, device, tenant_id, why)), "
    "ended AS (SELECT b.call, b.device, b.held, given.why FROM given JOIN events.wake b "
    "ON b.call = given.call AND b.tenant_id = given.tenant_id "
    "AND (given.device IS NULL OR b.device = given.device) "
    "WHERE b.state IN ('waking', 'waiting') AND b.kind = 'wake' FOR UPDATE OF b), "
    "changed AS (UPDATE events.wake w SET "
    "state = CASE WHEN ended.why = 'registered' OR NOT w.got THEN 'over' ELSE 'cancelling' END, "
    "why = ended.why, ended_at = now(), until = now() + $6 * interval '1 ms', "
    "owner = CASE WHEN ended.held THEN w.owner ELSE $5 END, held = ended.held OR $7, "
    "next_attempt_at = CASE WHEN ended.held THEN w.next_attempt_at ELSE now() + $8 * interval '1 ms' END "
    "FROM ended WHERE w.call = ended.call AND w.device = ended.device AND w.state IN ('waking', 'waiting') "
    "RETURNING w.*, ended.held AS held_before), "
    "w AS (SELECT * FROM changed WHERE state = 'cancelling' AND NOT held_before) " PUSH_SELECT("true");

enum bf_err push_store_ends(struct bf_tx *tx, struct bf_id replica, const struct push_wake_end *ends,
                            size_t count, bool hold, struct push_list *into)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_param more[] = {BF_P_ID(replica), BF_P_INT((int64_t)PUSH_CANCEL_MS), bool_param(hold),
                              BF_P_INT(hold ? PUSH_MEMORY_MS : 0)};
    struct bf_sql_array columns[4];

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (size_t i = 0; i < count; i++) {
        bf_sql_array_id(&columns[0], ends[i].call);
        if (bf_id_is_nil(ends[i].device))
            bf_sql_array_text(&columns[1], NULL);
        else
            bf_sql_array_id(&columns[1], ends[i].device);
        bf_sql_array_id(&columns[2], ends[i].tenant);
        bf_sql_array_text(&columns[3], push_end_name(ends[i].why));
    }
    enum bf_err err = bf_sql_columns_ask(tx, ends_sql, columns, BF_LEN(columns), more, BF_LEN(more), &rows);
    if (!err && hold)
        read_all(rows, into);
    return err;
}

enum bf_err push_store_test(struct bf_tx *tx, struct bf_id replica, struct bf_id tenant, struct bf_id device,
                            struct bf_id push)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "INSERT INTO events.wake (call, device, tenant_id, number, body, until, owner, kind) "
        "SELECT $1, id, tenant_id, number, '{}', now() + $5 * interval '1 ms', $2, 'test' "
        "FROM events.push_device WHERE tenant_id = $3 AND id = $4",
        BF_P_ID(push), BF_P_ID(replica), BF_P_ID(tenant), BF_P_ID(device), BF_P_INT((int64_t)PUSH_TEST_MS));

    if (err)
        return err;
    return bf_rows_affected(rows) == 1 ? BF_OK : BF_NOT_FOUND;
}

// ---- what is due

// When it was published again meanwhile it is held until another moment, and that stays.
static const char release_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS line (call, device, "
    "held_us)) "
    "UPDATE events.wake w SET held = false, next_attempt_at = now() FROM given WHERE w.call = given.call "
    "AND w.device = given.device AND w.held "
    "AND (extract(epoch FROM w.next_attempt_at) * 1000000)::bigint = given.held_us";

enum bf_err push_store_release(struct bf_tx *tx, const struct push_list *list)
{
    struct bf_sql_array columns[3];
    size_t rows;

    bf_sql_columns_init(columns, BF_LEN(columns));
    for (const struct push *each = list->first; each; each = each->next) {
        bf_sql_array_id(&columns[0], each->call);
        bf_sql_array_id(&columns[1], each->device);
        bf_sql_array_int(&columns[2], each->held_us);
    }
    return bf_sql_columns_run(tx, release_sql, columns, BF_LEN(columns), &rows);
}

static const char due_sql[] =
    "WITH due AS (SELECT call, device, got AS got_before FROM events.wake WHERE owner = $1 "
    "AND state IN ('waking', 'cancelling') AND next_attempt_at <= now() ORDER BY next_attempt_at LIMIT $2 "
    "FOR UPDATE), "
    "w AS (UPDATE events.wake w SET held = true, got = true, "
    "next_attempt_at = now() + $3 * interval '1 ms' FROM due "
    "WHERE w.call = due.call AND w.device = due.device RETURNING w.*, due.got_before) " PUSH_SELECT(
        "w.got_before") " ORDER BY w.call";

enum bf_err push_store_due(struct bf_tx *tx, struct bf_id replica, size_t limit, struct push_list *into)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, due_sql, BF_P_ID(replica), BF_P_INT((int64_t)limit), BF_P_INT(PUSH_MEMORY_MS));

    if (!err)
        read_all(rows, into);
    return err;
}

// ---- what came of requests

enum column {
    COL_CALL,
    COL_DEVICE,
    COL_TENANT,
    COL_KIND,
    COL_NUMBER,
    COL_AT,
    COL_CODE,
    COL_RESULT,
    COL_DETAIL,
    COL_REF,
    COL_LATENCY,
    COL_RECEIPT,
    COL_STATE,
    COL_WAIT,
    COL_GOT,
    COL_TOKEN,
    COL_DEAD,
    COLS,
};

// A device is dead only while it still has the token that was refused, and was not registered anew after the
// provider found it dead. A cancel is due at once when the wake was ended while its push was under way, and
// is not needed when that did not reach the device.
static const char settle_sql[] =
    "WITH given AS (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::integer[], "
    "$6::bigint[], $7::smallint[], $8::text[], $9::text[], $10::text[], $11::integer[], $12::bigint[], "
    "$13::text[], $14::bigint[], $15::bigint[], $16::text[], $17::bigint[]) "
    "AS line (call, device, tenant_id, kind, number, at_ms, code, result, detail, ref, latency_ms, "
    "receipt_ms, state, wait_ms, got, token, dead_ms)), "
    "logged AS (INSERT INTO events.push_attempt (call, device, number, tenant_id, kind, at, code, result, "
    "detail, push_id, latency_ms, receipt_at) SELECT call, device, number, tenant_id, kind, "
    "to_timestamp(at_ms / 1000::float8), code, result, detail, ref, latency_ms, "
    "CASE WHEN receipt_ms > 0 THEN now() + receipt_ms * interval '1 ms' END FROM given "
    "ON CONFLICT DO NOTHING), "
    "pushed AS (UPDATE events.push_device d SET "
    "pushed_at = CASE WHEN given.result = 'sent' THEN now() ELSE d.pushed_at END, "
    "state = CASE WHEN given.dead_ms >= 0 THEN 'dead' ELSE d.state END, "
    "why = CASE WHEN given.dead_ms >= 0 THEN given.detail ELSE d.why END "
    "FROM given WHERE d.id = given.device AND d.token = given.token AND (given.result = 'sent' "
    "OR given.dead_ms = 0 OR (given.dead_ms > 0 AND d.updated_at <= to_timestamp(given.dead_ms / "
    "1000::float8)))) "
    "UPDATE events.wake w SET attempts = greatest(w.attempts, given.number), held = false, "
    "got = given.got <> 0, "
    "state = CASE WHEN w.state = 'cancelling' AND given.kind <> 'cancel' "
    "THEN CASE WHEN given.got <> 0 THEN 'cancelling' ELSE 'over' END "
    "WHEN w.state IN ('waking', 'cancelling') THEN given.state ELSE w.state END, "
    "next_attempt_at = CASE WHEN w.state = 'cancelling' AND given.kind <> 'cancel' THEN now() "
    "ELSE now() + given.wait_ms * interval '1 ms' END, "
    "why = CASE WHEN w.why = '' AND given.state = 'over' THEN given.result ELSE w.why END "
    "FROM given WHERE w.call = given.call AND w.device = given.device "
    "RETURNING w.state = 'cancelling' AND given.kind <> 'cancel'";

static const char *result_of(enum push_verdict verdict)
{
    switch (verdict) {
    case PUSH_SENT:
        return "sent";
    case PUSH_DEAD:
        return "token-dead";
    case PUSH_DROPPED:
        return "dropped";
    default:
        return "retry";
    }
}

static const char *state_of(const struct push_settled *settled)
{
    enum push_kind kind = settled->push->kind;

    if (settled->outcome->verdict == PUSH_AGAIN)
        return kind == PUSH_CANCEL ? "cancelling" : "waking";
    return settled->outcome->verdict == PUSH_SENT && kind == PUSH_WAKE ? "waiting" : "over";
}

static void columns_add(struct bf_sql_array columns[COLS], const struct push_settled *settled)
{
    const struct push *push = settled->push;
    const struct push_outcome *outcome = settled->outcome;
    bool got = push->got_before || push->kind == PUSH_CANCEL || push_may_have_got(outcome);

    bf_sql_array_id(&columns[COL_CALL], push->call);
    bf_sql_array_id(&columns[COL_DEVICE], push->device);
    bf_sql_array_id(&columns[COL_TENANT], push->tenant);
    bf_sql_array_text(&columns[COL_KIND], push_kind_name(push->kind));
    bf_sql_array_int(&columns[COL_NUMBER], push->attempts + 1);
    bf_sql_array_int(&columns[COL_AT], (int64_t)outcome->at_ms);
    bf_sql_array_int(&columns[COL_CODE], outcome->code);
    bf_sql_array_text(&columns[COL_RESULT], result_of(outcome->verdict));
    bf_sql_array_text(&columns[COL_DETAIL], outcome->detail);
    bf_sql_array_text(&columns[COL_REF], outcome->ref);
    bf_sql_array_int(&columns[COL_LATENCY], outcome->latency_ms);
    bf_sql_array_int(&columns[COL_RECEIPT], settled->receipt_ms);
    bf_sql_array_text(&columns[COL_STATE], state_of(settled));
    bf_sql_array_int(&columns[COL_WAIT], (int64_t)settled->wait_ms);
    bf_sql_array_int(&columns[COL_GOT], got);
    bf_sql_array_text(&columns[COL_TOKEN], push->token);
    bf_sql_array_int(&columns[COL_DEAD], outcome->verdict == PUSH_DEAD ? (int64_t)outcome->dead_ms : -1);
}

enum bf_err push_store_settle(struct bf_tx *tx, const struct push_settled *settled, size_t count,
                              bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array columns[COLS];

    bf_sql_columns_init(columns, COLS);
    for (size_t i = 0; i < count; i++)
        columns_add(columns, &settled[i]);
    enum bf_err err = bf_sql_columns_ask(tx, settle_sql, columns, COLS, NULL, 0, &rows);
    if (err)
        return err;
    *ret_more = false;
    for (size_t row = 0; row < bf_rows_count(rows); row++)
        *ret_more = *ret_more || bf_rows_bool(rows, row, 0);
    return BF_OK;
}

// ---- dead replicas

static const char dead_sql[] =
    "WITH owners AS (SELECT DISTINCT owner FROM events.wake WHERE state IN ('waking', 'cancelling') "
    "AND owner <> $1) UPDATE events.wake w SET owner = $1, held = false, next_attempt_at = "
    "CASE WHEN w.held THEN now() ELSE w.next_attempt_at END FROM owners WHERE w.owner = owners.owner "
    "AND w.state IN ('waking', 'cancelling') AND NOT EXISTS (SELECT FROM events.replica r "
    "WHERE r.id = owners.owner AND r.seen_at >= now() - $2 * interval '1 ms')";

enum bf_err push_store_take_over(struct bf_tx *tx, struct bf_id replica, int64_t dead_ms, size_t *ret_taken)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, dead_sql, BF_P_ID(replica), BF_P_INT(dead_ms));

    if (!err)
        *ret_taken = (size_t)bf_rows_affected(rows);
    return err;
}
