// SQL of the directory.
#include "directory_store.h"

#include "store.h"

#define TENANT_COLUMNS 8 // STORE_TENANT gives as many
#define EXTENSION_AT   TENANT_COLUMNS
#define GROUP_AT       (EXTENSION_AT + 8)

static const char find_sql[] = "SELECT " STORE_TENANT(
    "t") ", e.number, e.display_name, e.do_not_disturb, e.forward_always, "
         "e.forward_busy, e.forward_no_answer, e.ring_seconds, e.id, "
         "g.number, g.display_name, g.strategy, g.ring_seconds, " STORE_MEMBERS(
             "g") " FROM registry.tenant t "
                  "LEFT JOIN registry.extension e ON e.tenant_id = t.id AND e.number = $2 "
                  "LEFT JOIN registry.group_ g ON g.tenant_id = t.id AND g.number = $2 "
                  "WHERE t.id = $1 AND (e.number IS NOT NULL OR g.number IS NOT NULL)";

static void extension_from_columns(const struct bf_rows *rows, int col, struct extension *extension)
{
    store_text(rows, 0, col, extension->number, sizeof(extension->number));
    store_text(rows, 0, col + 1, extension->display_name, sizeof(extension->display_name));
    extension->calls.do_not_disturb = bf_rows_bool(rows, 0, col + 2);
    store_text(rows, 0, col + 3, extension->calls.forward_always, EXTENSION_NUMBER_BYTES_MAX + 1);
    store_text(rows, 0, col + 4, extension->calls.forward_busy, EXTENSION_NUMBER_BYTES_MAX + 1);
    store_text(rows, 0, col + 5, extension->calls.forward_no_answer, EXTENSION_NUMBER_BYTES_MAX + 1);
    extension->calls.ring_seconds = bf_rows_int(rows, 0, col + 6);
    extension->id = bf_rows_id(rows, 0, col + 7);
}

static void group_from_columns(const struct bf_rows *rows, int col, struct group *group)
{
    store_text(rows, 0, col, group->number, sizeof(group->number));
    store_text(rows, 0, col + 1, group->display_name, sizeof(group->display_name));
    group->strategy = group_strategy_parse(bf_str(bf_rows_text(rows, 0, col + 2)));
    group->ring_seconds = bf_rows_int(rows, 0, col + 3);
    store_text(rows, 0, col + 4, group->members, sizeof(group->members));
}

enum bf_err directory_store_find(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                 struct directory_entry *ret_entry)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, find_sql, BF_P_ID(tenant), BF_P_TEXT(number));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_entry = (struct directory_entry){.is_group = bf_rows_null(rows, 0, EXTENSION_AT)};
    store_tenant(rows, 0, 0, &ret_entry->tenant);
    if (ret_entry->is_group)
        group_from_columns(rows, GROUP_AT, &ret_entry->group);
    else
        extension_from_columns(rows, EXTENSION_AT, &ret_entry->extension);
    return BF_OK;
}

static const char unknown_sql[] =
    "SELECT n.nth - 1 FROM unnest(string_to_array($1, ' ')::uuid[], string_to_array($2, ' '), "
    "string_to_array($3, ' ', '-')::uuid[]) WITH ORDINALITY AS n (tenant_id, number, id, nth) "
    "LEFT JOIN registry.extension e ON e.tenant_id = n.tenant_id AND e.number = n.number "
    "AND e.id = coalesce(n.id, e.id) "
    "WHERE e.number IS NULL ORDER BY n.nth";

enum bf_err directory_store_unknown(struct bf_tx *tx, const char *tenants, const char *numbers,
                                    const char *ids, void (*found)(void *ctx, uint32_t at), void *ctx)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, unknown_sql, BF_P_TEXT(tenants), BF_P_TEXT(numbers), BF_P_TEXT(ids));

    if (err)
        return err;
    for (size_t row = 0; row < bf_rows_count(rows); row++)
        found(ctx, (uint32_t)bf_rows_int(rows, row, 0));
    return BF_OK;
}
