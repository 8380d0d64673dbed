// SQL about push credentials.
#include "push_credential_store.h"

#include <string.h>

#define SEALED_BYTES_MAX 16384
#define TIME(column)     "to_char(" column " AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"

// The operator's have NULL there.
static struct bf_param tenant_param(const struct bf_id *tenant)
{
    return bf_id_is_nil(*tenant) ? BF_P_NULL : bf_param_id(tenant);
}

// What is sealed is bound to the row's id, so the id comes first: the old one's, or a new one.
static enum bf_err id_for(struct bf_tx *tx, const struct push_credential_new *credential,
                          struct bf_id *ret_id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "SELECT (SELECT count(*) FROM events.push_credential WHERE tenant_id IS NOT DISTINCT FROM "
                   "$1::uuid), (SELECT id FROM events.push_credential WHERE tenant_id IS NOT DISTINCT FROM "
                   "$1::uuid AND provider = $2 AND name = $3)",
                   tenant_param(&credential->tenant), BF_P_TEXT(push_provider_name(credential->provider)),
                   BF_P_TEXT(credential->name));

    if (err)
        return err;
    if (bf_rows_null(rows, 0, 1) && bf_rows_int(rows, 0, 0) >= PUSH_CREDENTIALS_MAX)
        return BF_LIMIT;
    *ret_id = bf_rows_null(rows, 0, 1) ? bf_id_new() : bf_rows_id(rows, 0, 1);
    return BF_OK;
}

// Two that make the same one at the same moment: the second is told of a conflict and may try again.
enum bf_err push_credential_store_put(struct bf_tx *tx, const struct bf_vault *seal,
                                      const struct push_credential_new *credential, struct bf_id *ret_id)
{
    bf_autofree uint8_t *sealed = NULL;
    struct bf_id id;
    size_t len = 0;
    enum bf_err err = id_for(tx, credential, &id);

    if (!err)
        err = bf_vault_seal(seal, id, credential->text, &sealed, &len);
    if (!err)
        err =
            bf_tx_exec(tx, NULL,
                       "INSERT INTO events.push_credential (id, tenant_id, provider, name, sealed) "
                       "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, "
                       "updated_at = clock_timestamp()",
                       BF_P_ID(id), tenant_param(&credential->tenant),
                       BF_P_TEXT(push_provider_name(credential->provider)), BF_P_TEXT(credential->name),
                       BF_P_BYTES(sealed, len));
    if (!err)
        *ret_id = id;
    return err;
}

uint8_t *push_credential_store_sealed(const struct bf_rows *rows, size_t row, int col, size_t *ret_len)
{
    if (bf_rows_null(rows, row, col))
        return NULL;
    uint8_t *sealed = bf_xcalloc(1, SEALED_BYTES_MAX);
    *ret_len = bf_rows_bytes(rows, row, col, sealed, SEALED_BYTES_MAX);
    return sealed;
}

struct push_credential *push_credential_open(const struct bf_vault *seal, enum push_provider provider,
                                             struct bf_id id, const uint8_t *sealed, size_t len)
{
    struct push_credential *credential = NULL;
    char *text = NULL;

    if (sealed && bf_vault_open(seal, id, sealed, len, &text) == BF_OK)
        credential = push_credential_new(provider, text);
    bf_vault_forget(text);
    return credential;
}

// One that cannot be opened is shown all the same: it can be deleted, or replaced.
static void show_more(const struct bf_rows *rows, size_t row, const struct bf_vault *seal, json_t *item)
{
    size_t len = 0;
    bf_autofree uint8_t *sealed = push_credential_store_sealed(rows, row, 1, &len);
    struct push_credential *credential = NULL;
    enum push_provider provider;

    if (push_provider_parse(bf_str(json_string_value(json_object_get(item, "provider"))), &provider))
        credential = push_credential_open(seal, provider, bf_rows_id(rows, row, 2), sealed, len);
    json_object_set_new(item, "usable", json_boolean(credential));
    json_object_set_new(item, "account", credential ? push_credential_show(credential) : json_object());
    push_credential_free(credential);
}

enum bf_err push_credential_store_list(struct bf_tx *tx, const struct bf_vault *seal, struct bf_id tenant,
                                       struct bf_id id, json_t **ret_items)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT json_build_object('id', id, 'provider', provider, 'name', name, "
                                 "'created_at', " TIME("created_at") ", 'updated_at', " TIME(
                                     "updated_at") "), sealed, id FROM events.push_credential "
                                                   "WHERE tenant_id IS NOT DISTINCT FROM $1::uuid AND "
                                                   "($2::uuid IS NULL OR id = $2) ORDER BY id",
                                 tenant_param(&tenant), bf_id_is_nil(id) ? BF_P_NULL : BF_P_ID(id));

    if (err)
        return err;
    json_t *items = json_array();
    for (size_t row = 0; row < bf_rows_count(rows); row++) {
        json_t *item = json_loads(bf_rows_text(rows, row, 0), 0, NULL);
        show_more(rows, row, seal, item);
        json_array_append_new(items, item);
    }
    *ret_items = items;
    return BF_OK;
}

enum bf_err push_credential_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(
        tx, &rows,
        "DELETE FROM events.push_credential WHERE tenant_id IS NOT DISTINCT FROM $1::uuid AND id = $2",
        tenant_param(&tenant), BF_P_ID(id));

    return !err && bf_rows_affected(rows) == 0 ? BF_NOT_FOUND : err;
}
