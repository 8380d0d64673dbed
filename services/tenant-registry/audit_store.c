// SQL about the audit trail.
#include "audit_store.h"

#include "store.h"

static void json_release_at(json_t **json)
{
    json_decref(*json);
}

enum bf_err audit_store_add(struct bf_tx *tx, const struct audit *audit)
{
    bf_autofree char *before = audit->before ? json_dumps(audit->before, JSON_COMPACT) : NULL;
    bf_autofree char *after = audit->after ? json_dumps(audit->after, JSON_COMPACT) : NULL;
    struct bf_id id = bf_id_new();

    return bf_tx_exec(
        tx, NULL,
        "INSERT INTO registry.audit (id, tenant_id, key_id, role, request_id, remote, action, target, "
        "before, after) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        BF_P_ID(id), BF_P_ID(audit->tenant), BF_P_ID(audit->key_id), BF_P_TEXT(key_role_name(audit->role)),
        BF_P_TEXT(audit->request_id), BF_P_TEXT(audit->remote), BF_P_TEXT(audit->action),
        BF_P_TEXT(audit->target), BF_P_TEXT(before), BF_P_TEXT(after));
}

static json_t *json_from_row(const struct bf_rows *rows, size_t row, int col)
{
    return bf_rows_null(rows, row, col) ? NULL
                                        : json_loads(bf_rows_text(rows, row, col), JSON_DECODE_ANY, NULL);
}

static void audit_from_row(const struct bf_rows *rows, size_t row, audit_store_each *each, void *ctx)
{
    bf_cleanup(json_release_at) json_t *before = json_from_row(rows, row, 7);
    bf_cleanup(json_release_at) json_t *after = json_from_row(rows, row, 8);

    each(ctx, &(struct audit){
                  .id = bf_rows_id(rows, row, 0),
                  .at_ms = (uint64_t)bf_rows_int(rows, row, 1),
                  .key_id = bf_rows_id(rows, row, 2),
                  .role = key_role_parse(bf_str(bf_rows_text(rows, row, 3))),
                  .request_id = bf_rows_text(rows, row, 4),
                  .remote = bf_rows_text(rows, row, 5),
                  .action = bf_rows_text(rows, row, 6),
                  .before = before,
                  .after = after,
                  .target = bf_rows_text(rows, row, 9),
              });
}

enum bf_err audit_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                             audit_store_each *each, void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "SELECT id, " STORE_MS("at") ", key_id, role, request_id, remote, action, before, after, "
                                     "target FROM registry.audit WHERE tenant_id = $1 "
                                     "AND ($2 = '' OR id < nullif($2, '')::uuid) ORDER BY id DESC LIMIT $3",
        BF_P_ID(tenant), BF_P_TEXT(page->after), BF_P_INT(page->limit + 1));

    if (err)
        return err;
    size_t count = store_page_count(rows, page, ret_more);
    for (size_t i = 0; i < count; i++)
        audit_from_row(rows, i, each, ctx);
    return BF_OK;
}

enum bf_err audit_store_knows(struct bf_tx *tx, struct bf_id tenant, bool *ret_knows)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "SELECT EXISTS (SELECT FROM registry.audit WHERE tenant_id = $1)",
                                 BF_P_ID(tenant));

    if (err)
        return err;
    *ret_knows = bf_rows_bool(rows, 0, 0);
    return BF_OK;
}
