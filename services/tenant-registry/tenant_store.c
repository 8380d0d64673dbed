// SQL about tenants.
#include "tenant_store.h"

#include <string.h>

#include "store.h"

#define COLUMNS                                                                                         \
    "t.id, t.slug, t.name, t.realm, t.status, t.max_calls, t.max_registrations, t.calls_per_second, "   \
    "t.requests_per_minute, " STORE_MS("t.created_at") ", " STORE_MS(                                   \
        "t.updated_at") ", "                                                                            \
                        "(SELECT string_agg(d.name, ' ' ORDER BY d.name) FROM registry.domain d WHERE " \
                        "d.tenant_id = t.id)"

static void tenant_from_row(const struct bf_rows *rows, size_t row, struct tenant *tenant)
{
    *tenant = (struct tenant){
        .id = bf_rows_id(rows, row, 0),
        .status = tenant_status_parse(bf_str(bf_rows_text(rows, row, 4))),
        .limits = {bf_rows_int(rows, row, 5), bf_rows_int(rows, row, 6), bf_rows_int(rows, row, 7),
                   bf_rows_int(rows, row, 8)},
        .created_ms = (uint64_t)bf_rows_int(rows, row, 9),
        .updated_ms = (uint64_t)bf_rows_int(rows, row, 10),
        .domains = bf_xstrdup(bf_rows_text(rows, row, 11)),
    };
    store_text(rows, row, 1, tenant->slug, sizeof(tenant->slug));
    store_text(rows, row, 2, tenant->name, sizeof(tenant->name));
    store_text(rows, row, 3, tenant->realm, sizeof(tenant->realm));
}

enum bf_err tenant_store_find(struct bf_tx *tx, const char *name, enum tenant_lock lock,
                              struct tenant *ret_tenant)
{
    // The lock is taken on the row alone, before the domains are read: they are then those of the last
    // writer.
    static const char *const by_id[] = {
        [TENANT_READ] = "SELECT id FROM registry.tenant WHERE id = $1",
        [TENANT_WRITE] = "SELECT id FROM registry.tenant WHERE id = $1 FOR NO KEY UPDATE",
    };
    static const char *const by_slug[] = {
        [TENANT_READ] = "SELECT id FROM registry.tenant WHERE slug = $1",
        [TENANT_WRITE] = "SELECT id FROM registry.tenant WHERE slug = $1 FOR NO KEY UPDATE",
    };
    bf_cleanup(bf_rows_release_at) struct bf_rows *found = NULL;
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_id id;
    enum bf_err err;

    if (bf_id_parse(bf_str(name), &id))
        err = bf_tx_exec(tx, &found, by_id[lock], BF_P_ID(id));
    else if (tenant_slug_check(bf_str(name)))
        return BF_NOT_FOUND;
    else
        err = bf_tx_exec(tx, &found, by_slug[lock], BF_P_TEXT(name));
    if (err)
        return err;
    if (bf_rows_count(found) == 0)
        return BF_NOT_FOUND;
    id = bf_rows_id(found, 0, 0);
    err = bf_tx_exec(tx, &rows, "SELECT " COLUMNS " FROM registry.tenant t WHERE t.id = $1", BF_P_ID(id));
    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    tenant_from_row(rows, 0, ret_tenant);
    return BF_OK;
}

enum bf_err tenant_store_add(struct bf_tx *tx, const struct tenant *tenant)
{
    return bf_tx_exec(
        tx, NULL,
        "INSERT INTO registry.tenant (id, slug, name, realm, status, max_calls, max_registrations, "
        "calls_per_second, requests_per_minute) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        BF_P_ID(tenant->id), BF_P_TEXT(tenant->slug), BF_P_TEXT(tenant->name), BF_P_TEXT(tenant->realm),
        BF_P_TEXT(tenant_status_name(tenant->status)), BF_P_INT(tenant->limits.max_calls),
        BF_P_INT(tenant->limits.max_registrations), BF_P_INT(tenant->limits.calls_per_second),
        BF_P_INT(tenant->limits.requests_per_minute));
}

enum bf_err tenant_store_update(struct bf_tx *tx, const struct tenant *tenant)
{
    return bf_tx_exec(
        tx, NULL,
        "UPDATE registry.tenant SET name = $2, status = $3, max_calls = $4, max_registrations = $5, "
        "calls_per_second = $6, requests_per_minute = $7, updated_at = now() WHERE id = $1",
        BF_P_ID(tenant->id), BF_P_TEXT(tenant->name), BF_P_TEXT(tenant_status_name(tenant->status)),
        BF_P_INT(tenant->limits.max_calls), BF_P_INT(tenant->limits.max_registrations),
        BF_P_INT(tenant->limits.calls_per_second), BF_P_INT(tenant->limits.requests_per_minute));
}

enum bf_err tenant_store_remove(struct bf_tx *tx, struct bf_id tenant)
{
    return bf_tx_exec(tx, NULL, "DELETE FROM registry.tenant WHERE id = $1", BF_P_ID(tenant));
}

enum bf_err tenant_store_list(struct bf_tx *tx, const struct bf_page *page, tenant_store_each *each,
                              void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows, "SELECT " COLUMNS " FROM registry.tenant t WHERE t.slug > $1 ORDER BY t.slug LIMIT $2",
        BF_P_TEXT(page->after), BF_P_INT(page->limit + 1));

    if (err)
        return err;
    size_t count = store_page_count(rows, page, ret_more);
    for (size_t i = 0; i < count; i++) {
        struct tenant tenant;

        tenant_from_row(rows, i, &tenant);
        each(ctx, &tenant);
        tenant_release(&tenant);
    }
    return BF_OK;
}
