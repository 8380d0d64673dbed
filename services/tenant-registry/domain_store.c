// SQL about domains.
#include "domain_store.h"

#include "store.h"

#define COLUMNS "name, " STORE_MS("created_at")

enum bf_err domain_store_add(struct bf_tx *tx, struct bf_id tenant, const char *name)
{
    return bf_tx_exec(tx, NULL, "INSERT INTO registry.domain (name, tenant_id) VALUES ($1, $2)",
                      BF_P_TEXT(name), BF_P_ID(tenant));
}

enum bf_err domain_store_remove(struct bf_tx *tx, struct bf_id tenant, const char *name)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "DELETE FROM registry.domain WHERE name = $1 AND tenant_id = $2",
                                 BF_P_TEXT(name), BF_P_ID(tenant));

    if (err)
        return err;
    return bf_rows_affected(rows) > 0 ? BF_OK : BF_NOT_FOUND;
}

static struct domain domain_from_row(const struct bf_rows *rows, size_t row)
{
    struct domain domain = {.created_ms = (uint64_t)bf_rows_int(rows, row, 1)};

    store_text(rows, row, 0, domain.name, sizeof(domain.name));
    return domain;
}

enum bf_err domain_store_find(struct bf_tx *tx, struct bf_id tenant, const char *name,
                              struct domain *ret_domain)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT " COLUMNS " FROM registry.domain WHERE name = $1 AND tenant_id = $2",
                   BF_P_TEXT(name), BF_P_ID(tenant));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_domain = domain_from_row(rows, 0);
    return BF_OK;
}

enum bf_err domain_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows, "SELECT count(*) FROM registry.domain WHERE tenant_id = $1", BF_P_ID(tenant));

    if (err)
        return err;
    *ret_count = bf_rows_int(rows, 0, 0);
    return BF_OK;
}

enum bf_err domain_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                              domain_store_each *each, void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT " COLUMNS " FROM registry.domain "
                                 "WHERE tenant_id = $1 AND name > $2 ORDER BY name LIMIT $3",
                                 BF_P_ID(tenant), BF_P_TEXT(page->after), BF_P_INT(page->limit + 1));

    if (err)
        return err;
    size_t count = store_page_count(rows, page, ret_more);
    for (size_t i = 0; i < count; i++) {
        struct domain domain = domain_from_row(rows, i);

        each(ctx, &domain);
    }
    return BF_OK;
}
