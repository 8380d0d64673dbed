// SQL about extensions.
#include "extension_store.h"

#include "store.h"

#define COLUMNS \
    "number, kind, display_name, max_contacts, " STORE_MS("created_at") ", " STORE_MS("updated_at")

static struct extension extension_from_row(const struct bf_rows *rows, size_t row)
{
    struct extension extension = {
        .kind = extension_kind_parse(bf_str(bf_rows_text(rows, row, 1))),
        .max_contacts = bf_rows_int(rows, row, 3),
        .created_ms = (uint64_t)bf_rows_int(rows, row, 4),
        .updated_ms = (uint64_t)bf_rows_int(rows, row, 5),
    };

    store_text(rows, row, 0, extension.number, sizeof(extension.number));
    store_text(rows, row, 2, extension.display_name, sizeof(extension.display_name));
    return extension;
}

enum bf_err extension_store_credential(struct bf_tx *tx, const char *domain, const char *number,
                                       struct extension_credential *ret_credential)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT t.id, e.number, t.realm, e.ha1_md5, e.ha1_sha256, e.max_contacts "
                                 "FROM registry.domain d JOIN registry.tenant t ON t.id = d.tenant_id "
                                 "JOIN registry.extension e ON e.tenant_id = d.tenant_id AND e.number = $2 "
                                 "WHERE d.name = $1",
                                 BF_P_TEXT(domain), BF_P_TEXT(number));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    struct extension_credential credential = {
        .tenant = bf_rows_id(rows, 0, 0),
        .max_contacts = bf_rows_int(rows, 0, 5),
    };
    store_text(rows, 0, 1, credential.number, sizeof(credential.number));
    store_text(rows, 0, 2, credential.realm, sizeof(credential.realm));
    if (bf_rows_bytes(rows, 0, 3, credential.ha1.md5, BF_MD5_BYTES) != BF_MD5_BYTES ||
        bf_rows_bytes(rows, 0, 4, credential.ha1.sha256, BF_SHA256_BYTES) != BF_SHA256_BYTES)
        return BF_INTERNAL;
    *ret_credential = credential;
    return BF_OK;
}

enum bf_err extension_store_find(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                 struct extension *ret_extension)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows, "SELECT " COLUMNS " FROM registry.extension WHERE tenant_id = $1 AND number = $2",
        BF_P_ID(tenant), BF_P_TEXT(number));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_extension = extension_from_row(rows, 0);
    return BF_OK;
}

enum bf_err extension_store_add(struct bf_tx *tx, struct bf_id tenant, const struct extension *extension,
                                const struct extension_ha1 *ha1)
{
    return bf_tx_exec(
        tx, NULL,
        "INSERT INTO registry.extension (tenant_id, number, kind, display_name, max_contacts, ha1_md5, "
        "ha1_sha256) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        BF_P_ID(tenant), BF_P_TEXT(extension->number), BF_P_TEXT(extension_kind_name(extension->kind)),
        BF_P_TEXT(extension->display_name), BF_P_INT(extension->max_contacts),
        BF_P_BYTES(ha1->md5, sizeof(ha1->md5)), BF_P_BYTES(ha1->sha256, sizeof(ha1->sha256)));
}

enum bf_err extension_store_update(struct bf_tx *tx, struct bf_id tenant, const struct extension *extension)
{
    return bf_tx_exec(
        tx, NULL,
        "UPDATE registry.extension SET kind = $3, display_name = $4, max_contacts = $5, updated_at = now() "
        "WHERE tenant_id = $1 AND number = $2",
        BF_P_ID(tenant), BF_P_TEXT(extension->number), BF_P_TEXT(extension_kind_name(extension->kind)),
        BF_P_TEXT(extension->display_name), BF_P_INT(extension->max_contacts));
}

enum bf_err extension_store_password(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                     const struct extension_ha1 *ha1)
{
    return bf_tx_exec(tx, NULL,
                      "UPDATE registry.extension SET ha1_md5 = $3, ha1_sha256 = $4, updated_at = now() "
                      "WHERE tenant_id = $1 AND number = $2",
                      BF_P_ID(tenant), BF_P_TEXT(number), BF_P_BYTES(ha1->md5, sizeof(ha1->md5)),
                      BF_P_BYTES(ha1->sha256, sizeof(ha1->sha256)));
}

enum bf_err extension_store_remove(struct bf_tx *tx, struct bf_id tenant, const char *number)
{
    return bf_tx_exec(tx, NULL, "DELETE FROM registry.extension WHERE tenant_id = $1 AND number = $2",
                      BF_P_ID(tenant), BF_P_TEXT(number));
}

enum bf_err extension_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "SELECT count(*) FROM registry.extension WHERE tenant_id = $1",
                                 BF_P_ID(tenant));

    if (err)
        return err;
    *ret_count = bf_rows_int(rows, 0, 0);
    return BF_OK;
}

enum bf_err extension_store_list(struct bf_tx *tx, struct bf_id tenant, const struct page *page,
                                 extension_store_each *each, void *ctx, bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT " COLUMNS " FROM registry.extension "
                                 "WHERE tenant_id = $1 AND number > $2 ORDER BY number LIMIT $3",
                                 BF_P_ID(tenant), BF_P_TEXT(page->after), BF_P_INT(page->limit + 1));

    if (err)
        return err;
    size_t count = store_page_count(rows, page, ret_more);
    for (size_t i = 0; i < count; i++) {
        struct extension extension = extension_from_row(rows, i);

        each(ctx, &extension);
    }
    return BF_OK;
}
