// SQL about the outbox.
#include "outbox_store.h"

#include "bf_sql_array.h"
#include "tell.h"

#define ENTRIES_TAG 0x0a // field 1, length-delimited: `entries` of PublishRequest

enum bf_err outbox_store_wanted(struct bf_tx *tx, const struct bf_id *tenants, size_t count,
                                struct bf_id *ret_wanted, size_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array ids;

    bf_sql_array_init_as(&ids, BF_SQL_IDS);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || !bf_id_eq(tenants[i], tenants[i - 1]))
            bf_sql_array_id(&ids, tenants[i]);
    enum bf_err err = bf_sql_columns_ask(tx, "SELECT events.wanted($1::uuid[])", &ids, 1, NULL, 0, &rows);
    *ret_count = err ? 0 : bf_rows_count(rows);
    for (size_t row = 0; row < *ret_count; row++)
        ret_wanted[row] = bf_rows_id(rows, row, 0);
    return err;
}

enum column { COL_TENANT, COL_CALL, COL_ENTRY, COLS };

static const enum bf_sql_form forms[COLS] = {BF_SQL_IDS, BF_SQL_IDS, BF_SQL_BYTES};

static void columns_add(struct bf_sql_array columns[COLS], const struct outbox_entry *entry)
{
    bf_sql_array_id(&columns[COL_TENANT], entry->tenant);
    bf_sql_array_id(&columns[COL_CALL], entry->call);
    bf_sql_array_bytes(&columns[COL_ENTRY], entry->packed.at, entry->packed.len);
}

enum bf_err outbox_store_add(struct bf_tx *tx, const struct outbox_entry *entries, size_t count)
{
    struct bf_sql_array columns[COLS];
    size_t rows;

    bf_sql_columns_init_as(columns, forms, COLS);
    for (size_t i = 0; i < count; i++)
        columns_add(columns, &entries[i]);
    return bf_sql_columns_run(tx,
                              "INSERT INTO calls.outbox (tenant_id, call, entry) SELECT tenant, call, entry "
                              "FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) WITH ORDINALITY "
                              "AS line (tenant, call, entry, n) ORDER BY n",
                              columns, COLS, &rows);
}

static void request_add(struct bf_buf *request, const void *entry, size_t len)
{
    uint8_t head[8] = {ENTRIES_TAG};
    size_t at = 1;

    for (size_t rest = len; at == 1 || rest; rest >>= 7)
        head[at++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    bf_buf_add(request, head, at);
    bf_buf_add(request, entry, len);
}

// A transaction that wrote earlier entries of a call has ended before the later ones are written: the stream
// of an edge is taken by one replica at a time. So what is seen here of a call is in order and without gaps.
// One snapshot sees all of the statement, so the rows up to the last of the first ones are these. (A join
// with the list of them is a loop in a loop for the planner, which knows the table as empty: a quarter of a
// call's CPU.)
static const char take_sql[] =
    "WITH gone AS (DELETE FROM calls.outbox WHERE position <= (SELECT max(position) FROM ("
    "SELECT position FROM calls.outbox "
    "WHERE (SELECT pg_try_advisory_xact_lock(hashtextextended('calls.outbox', 0))) ORDER BY position LIMIT "
    "$1) AS first) "
    "RETURNING position, entry) SELECT entry FROM gone ORDER BY position";

// The outbox is all but empty, and so it is planned: its table is read whole. But what was deleted since the
// last vacuum is in the way then, thousands of rows; by the index it is not.
static enum bf_err by_index(struct bf_tx *tx)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;

    return bf_tx_exec(tx, &rows, "SELECT set_config('enable_seqscan', 'off', true)");
}

enum bf_err outbox_store_take(struct bf_tx *tx, struct bf_buf *ret_request, size_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    uint8_t entry[TELL_ENTRY_BYTES_MAX];
    enum bf_err err = by_index(tx);

    if (!err)
        err = bf_tx_exec(tx, &rows, take_sql, BF_P_INT(OUTBOX_BATCH_MAX));
    if (err)
        return err;
    *ret_count = bf_rows_count(rows);
    for (size_t row = 0; row < *ret_count; row++)
        request_add(ret_request, entry, bf_rows_bytes(rows, row, 0, entry, sizeof(entry)));
    return bf_buf_ok(ret_request) ? BF_OK : BF_TOO_LARGE;
}

enum bf_err outbox_store_age(struct bf_tx *tx, int64_t *ret_seconds)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = by_index(tx);

    if (!err)
        err = bf_tx_exec(tx, &rows,
                         "SELECT coalesce((SELECT extract(epoch FROM now() - at)::bigint FROM calls.outbox "
                         "ORDER BY position LIMIT 1), 0)");

    if (!err)
        *ret_seconds = bf_rows_int(rows, 0, 0);
    return err;
}
