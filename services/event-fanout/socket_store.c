// SQL for WebSockets.
#include "socket_store.h"

#include <stdio.h>
#include <string.h>

#include "bf_sql_array.h"

#define LOOK_BACK_S 5
#define COLUMNS     "e.id, e.tenant_id, e.type, array_to_string(e.numbers, ' '), e.body"

static struct live_event event_of(const struct bf_rows *rows, size_t row)
{
    return (struct live_event){.id = bf_rows_id(rows, row, 0),
                               .tenant = bf_rows_id(rows, row, 1),
                               .type = bf_rows_text(rows, row, 2),
                               .numbers = bf_rows_text(rows, row, 3),
                               .body = bf_rows_text(rows, row, 4)};
}

static enum bf_err find(struct bf_tx *tx, struct bf_id tenant, struct bf_id after, int64_t window_s,
                        int64_t *ret_position)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    // The first event of the seconds before, or the event itself.
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT coalesce((SELECT min(b.position) FROM events.event b WHERE "
                                 "b.tenant_id = $2 AND b.position < e.position "
                                 "AND b.position > e.position - 10000 AND b.stored_at > e.stored_at - $4 * "
                                 "interval '1 s'), e.position) "
                                 "FROM events.event e WHERE e.id = $1 AND e.tenant_id = $2 AND e.stored_at > "
                                 "now() - $3 * interval '1 s'",
                                 BF_P_ID(after), BF_P_ID(tenant), BF_P_INT(window_s), BF_P_INT(LOOK_BACK_S));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_position = bf_rows_int(rows, 0, 0);
    return BF_OK;
}

enum bf_err socket_store_missed(struct bf_tx *tx, struct bf_id tenant, const char *number, struct bf_id after,
                                int64_t window_s, size_t max, struct live **ret_lives, size_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    int64_t position = 0;
    enum bf_err err = find(tx, tenant, after, window_s, &position);

    if (!err)
        err = bf_tx_exec(tx, &rows,
                         "SELECT " COLUMNS " FROM events.event e WHERE e.tenant_id = $1 AND e.position >= $2 "
                         "AND ($3 = '' OR $3 = ANY (e.numbers)) AND e.id <> $4 ORDER BY e.position LIMIT $5",
                         BF_P_ID(tenant), BF_P_INT(position), BF_P_TEXT(number), BF_P_ID(after),
                         BF_P_INT((int64_t)max + 1));
    if (err)
        return err;
    if (bf_rows_count(rows) > max)
        return BF_TOO_LARGE;
    for (size_t row = 0; row < bf_rows_count(rows); row++) {
        struct live_event event = event_of(rows, row);
        ret_lives[row] = live_new(&event);
    }
    *ret_count = bf_rows_count(rows);
    return BF_OK;
}

// The numbers of the rows that are not known by their ids, in their order.
static void unknown_pick(const struct bf_rows *rows, bool (*known)(void *ctx, struct bf_id id), void *ctx,
                         struct bf_sql_array *ids, size_t *ret_count)
{
    *ret_count = 0;
    for (size_t row = 0; row < bf_rows_count(rows); row++) {
        struct bf_id id = bf_rows_id(rows, row, 0);
        if (known && known(ctx, id))
            continue;
        bf_sql_array_id(ids, id);
        ++*ret_count;
    }
}

// Most have come by Redis: those are not read again but for their ids.
static enum bf_err unknown_read(struct bf_tx *tx, const struct bf_rows *ids,
                                const struct socket_store_reader *reader)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_sql_array unknown;
    size_t count;

    bf_sql_array_init_as(&unknown, BF_SQL_IDS);
    unknown_pick(ids, reader->known, reader->ctx, &unknown, &count);
    if (count == 0) {
        bf_sql_array_release(&unknown);
        return BF_OK;
    }
    enum bf_err err =
        bf_sql_columns_ask(tx,
                           "SELECT " COLUMNS " FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, n) "
                           "CROSS JOIN LATERAL (SELECT * FROM events.event WHERE id = given.id LIMIT 1) e "
                           "ORDER BY given.n",
                           &unknown, 1, NULL, 0, &rows);
    for (size_t row = 0; !err && row < bf_rows_count(rows); row++) {
        struct live_event event = event_of(rows, row);
        reader->each(reader->ctx, &event);
    }
    return err;
}

enum bf_err socket_store_since(struct bf_tx *tx, char mark[SOCKET_STORE_MARK_SIZE], size_t max,
                               const struct socket_store_reader *reader, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    bf_cleanup(bf_rows_release_at) struct bf_rows *now = NULL;
    enum bf_err err = bf_tx_exec(tx, &now, "SELECT pg_snapshot_xmin(pg_current_snapshot())");

    // What is below the snapshot's xmin is finished; the statement below sees at least as much as that.
    if (!err && *mark)
        err = bf_tx_exec(tx, &rows,
                         "SELECT e.id, e.tx FROM events.event e WHERE e.tx >= $1::xid8 AND e.tx < $2::xid8 "
                         "ORDER BY e.tx, e.position LIMIT $3",
                         BF_P_TEXT(mark), BF_P_TEXT(bf_rows_text(now, 0, 0)), BF_P_INT((int64_t)max));
    if (!err && *mark)
        err = unknown_read(tx, rows, reader);
    if (err)
        return err;
    size_t count = *mark ? bf_rows_count(rows) : 0;
    // The rest of the last transaction may be in the next page: it is read again from its begin.
    bool more = count == max && strcmp(bf_rows_text(rows, count - 1, 1), mark) != 0;
    snprintf(mark, SOCKET_STORE_MARK_SIZE, "%s",
             more ? bf_rows_text(rows, count - 1, 1) : bf_rows_text(now, 0, 0));
    *ret_more = more;
    return BF_OK;
}
