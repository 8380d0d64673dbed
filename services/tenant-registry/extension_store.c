// SQL about extensions.
#include "extension_store.h"

#include "store.h"

#define COLUMNS                                                                        \
    "number, kind, display_name, max_contacts, " STORE_MS("created_at") ", " STORE_MS( \
        "updated_at") ", do_not_disturb, forward_always, forward_busy, forward_no_answer, ring_seconds, id"

static struct extension extension_from_row(const struct bf_rows *rows, size_t row)
{
    struct extension extension = {
        .id = bf_rows_id(rows, row, 11),
        .kind = extension_kind_parse(bf_str(bf_rows_text(rows, row, 1))),
        .max_contacts = bf_rows_int(rows, row, 3),
        .created_ms = (uint64_t)bf_rows_int(rows, row, 4),
        .updated_ms = (uint64_t)bf_rows_int(rows, row, 5),
        .calls = {.do_not_disturb = bf_rows_bool(rows, row, 6), .ring_seconds = bf_rows_int(rows, row, 10)},
    };

    store_text(rows, row, 0, extension.number, sizeof(extension.number));
    store_text(rows, row, 2, extension.display_name, sizeof(extension.display_name));
    store_text(rows, row, 7, extension.calls.forward_always, sizeof(extension.calls.forward_always));
    store_text(rows, row, 8, extension.calls.forward_busy, sizeof(extension.calls.forward_busy));
    store_text(rows, row, 9, extension.calls.forward_no_answer, sizeof(extension.calls.forward_no_answer));
    return extension;
}

enum bf_err extension_store_credential(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                       struct extension_credential *ret_credential)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT number, ha1_md5, ha1_sha256, max_contacts, id "
                                 "FROM registry.extension WHERE tenant_id = $1 AND number = $2",
                                 BF_P_ID(tenant), BF_P_TEXT(number));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    struct extension_credential credential = {
        .tenant = tenant,
        .max_contacts = bf_rows_int(rows, 0, 3),
        .extension = bf_rows_id(rows, 0, 4),
    };
    store_text(rows, 0, 0, credential.number, sizeof(credential.number));
    if (bf_rows_bytes(rows, 0, 1, credential.ha1.md5, BF_MD5_BYTES) != BF_MD5_BYTES ||
        bf_rows_bytes(rows, 0, 2, credential.ha1.sha256, BF_SHA256_BYTES) != BF_SHA256_BYTES)
        return BF_INTERNAL;
    *ret_credential = credential;
    return BF_OK;
}

enum bf_err extension_store_owner(struct bf_tx *tx, const char *domain, const char *number,
                                  struct bf_id *ret_tenant, struct bf_id *ret_extension)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT e.tenant_id, e.id FROM registry.domain d "
                                 "JOIN registry.extension e ON e.tenant_id = d.tenant_id AND e.number = $2 "
                                 "WHERE d.name = $1",
                                 BF_P_TEXT(domain), BF_P_TEXT(number));

    if (err)
        return err;
    if (bf_rows_count(rows) == 0)
        return BF_NOT_FOUND;
    *ret_tenant = bf_rows_id(rows, 0, 0);
    *ret_extension = bf_rows_id(rows, 0, 1);
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

// The parameters $3 to $10 of both statements that write an extension.
#define CHANGEABLE(extension)                                                                          \
    BF_P_TEXT(extension_kind_name((extension)->kind)), BF_P_TEXT((extension)->display_name),           \
        BF_P_INT((extension)->max_contacts), BF_P_TEXT((extension)->calls.do_not_disturb ? "t" : "f"), \
        BF_P_TEXT((extension)->calls.forward_always), BF_P_TEXT((extension)->calls.forward_busy),      \
        BF_P_TEXT((extension)->calls.forward_no_answer), BF_P_INT((extension)->calls.ring_seconds)

enum bf_err extension_store_add(struct bf_tx *tx, struct bf_id tenant, const struct extension *extension,
                                const struct extension_ha1 *ha1)
{
    return bf_tx_exec(tx, NULL,
                      "INSERT INTO registry.extension (tenant_id, number, kind, display_name, max_contacts, "
                      "do_not_disturb, forward_always, forward_busy, forward_no_answer, ring_seconds, "
                      "ha1_md5, ha1_sha256) VALUES ($1, $2, $3, $4, $5, $6::boolean, nullif($7, ''), "
                      "nullif($8, ''), nullif($9, ''), $10, $11, $12)",
                      BF_P_ID(tenant), BF_P_TEXT(extension->number), CHANGEABLE(extension),
                      BF_P_BYTES(ha1->md5, sizeof(ha1->md5)), BF_P_BYTES(ha1->sha256, sizeof(ha1->sha256)));
}

enum bf_err extension_store_update(struct bf_tx *tx, struct bf_id tenant, const struct extension *extension)
{
    return bf_tx_exec(tx, NULL,
                      "UPDATE registry.extension SET kind = $3, display_name = $4, max_contacts = $5, "
                      "do_not_disturb = $6::boolean, forward_always = nullif($7, ''), "
                      "forward_busy = nullif($8, ''), forward_no_answer = nullif($9, ''), "
                      "ring_seconds = $10, updated_at = now() WHERE tenant_id = $1 AND number = $2",
                      BF_P_ID(tenant), BF_P_TEXT(extension->number), CHANGEABLE(extension));
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

enum bf_err extension_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
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
