// SQL about groups.
#include "group_store.h"

#include "store.h"

#define COLUMNS                                                                                      \
    "g.number, g.display_name, g.strategy, g.ring_seconds, " STORE_MS("g.created_at") ", " STORE_MS( \
        "g.updated_at") ", " STORE_MEMBERS("g")

static void group_from_row(const struct bf_rows *rows, size_t row, struct group *group)
{
    group->strategy = group_strategy_parse(bf_str(bf_rows_text(rows, row, 2)));
    group->ring_seconds = bf_rows_int(rows, row, 3);
    group->created_ms = (uint64_t)bf_rows_int(rows, row, 4);
    group->updated_ms = (uint64_t)bf_rows_int(rows, row, 5);
    store_text(rows, row, 0, group->number, sizeof(group->number));
    store_text(rows, row, 1, group->display_name, sizeof(group->display_name));
    store_text(rows, row, 6, group->members, sizeof(group->members));
}

enum bf_err group_store_find(struct bf_tx *tx, struct bf_id tenant, const char *number,
                             struct group *ret_group)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows, "SELECT " COLUMNS " FROM registry.group_ g WHERE g.tenant_id = $1 AND g.number = $2",
        BF_P_ID(tenant), BF_P_TEXT(number));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    group_from_row(rows, 0, ret_group);
    return BF_OK;
}

enum bf_err group_store_add(struct bf_tx *tx, struct bf_id tenant, const struct group *group)
{
    return bf_tx_exec(tx, NULL,
                      "INSERT INTO registry.group_ (tenant_id, number, display_name, strategy, ring_seconds) "
                      "VALUES ($1, $2, $3, $4, $5)",
                      BF_P_ID(tenant), BF_P_TEXT(group->number), BF_P_TEXT(group->display_name),
                      BF_P_TEXT(group_strategy_name(group->strategy)), BF_P_INT(group->ring_seconds));
}

enum bf_err group_store_update(struct bf_tx *tx, struct bf_id tenant, const struct group *group)
{
    return bf_tx_exec(
        tx, NULL,
        "UPDATE registry.group_ SET display_name = $3, strategy = $4, ring_seconds = $5, updated_at = now() "
        "WHERE tenant_id = $1 AND number = $2",
        BF_P_ID(tenant), BF_P_TEXT(group->number), BF_P_TEXT(group->display_name),
        BF_P_TEXT(group_strategy_name(group->strategy)), BF_P_INT(group->ring_seconds));
}

enum bf_err group_store_remove(struct bf_tx *tx, struct bf_id tenant, const char *number)
{
    return bf_tx_exec(tx, NULL, "DELETE FROM registry.group_ WHERE tenant_id = $1 AND number = $2",
                      BF_P_ID(tenant), BF_P_TEXT(number));
}

enum bf_err group_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT count(*) FROM registry.group_ WHERE tenant_id = $1", BF_P_ID(tenant));

    if (err)
        return err;
    *ret_count = bf_rows_int(rows, 0, 0);
    return BF_OK;
}

enum bf_err group_store_stranger(struct bf_tx *tx, struct bf_id tenant, const char *members,
                                 char ret_number[EXTENSION_NUMBER_BYTES_MAX + 1])
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "SELECT m.number FROM unnest(string_to_array($2, ' ')) WITH ORDINALITY AS m (number, nth) "
                   "WHERE NOT EXISTS (SELECT FROM registry.extension e WHERE e.tenant_id = $1 "
                   "AND e.number = m.number) ORDER BY m.nth LIMIT 1",
                   BF_P_ID(tenant), BF_P_TEXT(members));

    if (err)
        return err;
    ret_number[0] = '\0';
    if (bf_rows_count(rows) > 0)
        store_text(rows, 0, 0, ret_number, EXTENSION_NUMBER_BYTES_MAX + 1);
    return BF_OK;
}

enum bf_err group_store_set_members(struct bf_tx *tx, struct bf_id tenant, const struct group *group)
{
    enum bf_err err =
        bf_tx_exec(tx, NULL, "DELETE FROM registry.group_member WHERE tenant_id = $1 AND group_number = $2",
                   BF_P_ID(tenant), BF_P_TEXT(group->number));

    if (err)
        return err;
    return bf_tx_exec(tx, NULL,
                      "INSERT INTO registry.group_member (tenant_id, group_number, member, position) "
                      "SELECT $1, $2, m.number, m.nth "
                      "FROM unnest(string_to_array($3, ' ')) WITH ORDINALITY AS m (number, nth)",
                      BF_P_ID(tenant), BF_P_TEXT(group->number), BF_P_TEXT(group->members));
}

enum bf_err group_store_leave_all(struct bf_tx *tx, struct bf_id tenant, const char *member)
{
    // One statement, however many groups: each takes a number of the feed, without holes.
    return bf_tx_exec(
        tx, NULL,
        "WITH was AS (DELETE FROM registry.group_member WHERE tenant_id = $1 AND member = $2 "
        "RETURNING group_number), "
        "head AS (UPDATE registry.feed_head SET seq = seq + (SELECT count(*) FROM was) RETURNING seq) "
        "INSERT INTO registry.change (seq, tenant_id, kind, number) "
        "SELECT head.seq + 1 - row_number() OVER (ORDER BY was.group_number DESC), $1, 'group', "
        "was.group_number FROM head, was",
        BF_P_ID(tenant), BF_P_TEXT(member));
}

enum bf_err group_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                             group_store_each *each, void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT " COLUMNS " FROM registry.group_ g "
                                 "WHERE g.tenant_id = $1 AND g.number > $2 ORDER BY g.number LIMIT $3",
                                 BF_P_ID(tenant), BF_P_TEXT(page->after), BF_P_INT(page->limit + 1));

    if (err)
        return err;
    size_t count = store_page_count(rows, page, ret_more);
    for (size_t i = 0; i < count; i++) {
        struct group group = {.number = ""};

        group_from_row(rows, i, &group);
        each(ctx, &group);
    }
    return BF_OK;
}
