// SQL about the keys of app tokens.
#include "app_key_store.h"

#include <string.h>

#include "bf_crypto.h"
#include "change_store.h"
#include "store.h"

#define SEALED_BYTES_MAX 512

static void open_key(const struct bf_rows *rows, size_t row, const struct bf_vault *vault,
                     struct app_key *key)
{
    uint8_t sealed[SEALED_BYTES_MAX];
    size_t len = bf_rows_bytes(rows, row, 3, sealed, sizeof(sealed));
    char *hex = NULL;

    if (bf_vault_open(vault, key->id, sealed, len, &hex))
        return;
    key->opened = bf_unhex(bf_str(hex), key->private_key, sizeof(key->private_key));
    bf_vault_forget(hex);
}

enum bf_err app_key_store_list(struct bf_tx *tx, const struct bf_vault *vault,
                               struct app_key keys[BF_APP_KEYS_MAX], size_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err =
        bf_tx_exec(tx, &rows,
                   "SELECT id, kid, public, sealed, " STORE_MS("not_before") ", " STORE_MS(
                       "not_after") " FROM registry.app_key ORDER BY not_before DESC, id DESC LIMIT $1",
                   BF_P_INT(BF_APP_KEYS_MAX));

    if (err)
        return err;
    for (size_t row = 0; row < bf_rows_count(rows); row++) {
        struct app_key *key = &keys[row];
        *key = (struct app_key){.id = bf_rows_id(rows, row, 0),
                                .public = {.not_before_ms = (uint64_t)bf_rows_int(rows, row, 4),
                                           .not_after_ms = (uint64_t)bf_rows_int(rows, row, 5)}};
        store_text(rows, row, 1, key->public.kid, sizeof(key->public.kid));
        bf_rows_bytes(rows, row, 2, key->public.ed25519, sizeof(key->public.ed25519));
        open_key(rows, row, vault, key);
    }
    *ret_count = bf_rows_count(rows);
    return BF_OK;
}

static enum bf_err add(struct bf_tx *tx, const struct bf_vault *vault, uint64_t not_before_ms)
{
    struct app_key key;
    char hex[2 * BF_ED25519_BYTES + 1];
    bf_autofree uint8_t *sealed = NULL;
    size_t len;

    app_key_make(&key, not_before_ms);
    bf_hex(key.private_key, sizeof(key.private_key), hex);
    enum bf_err err = bf_vault_seal(vault, key.id, hex, &sealed, &len);
    explicit_bzero(hex, sizeof(hex));
    explicit_bzero(key.private_key, sizeof(key.private_key));
    if (err)
        return err;
    err = bf_tx_exec(tx, NULL,
                     "UPDATE registry.app_key SET not_after = to_timestamp($1::bigint / 1000::float8) WHERE "
                     "not_after IS NULL",
                     BF_P_INT((int64_t)app_key_ends_ms(not_before_ms)));
    if (err)
        return err;
    return bf_tx_exec(tx, NULL,
                      "INSERT INTO registry.app_key (id, kid, public, sealed, not_before) "
                      "VALUES ($1, $2, $3, $4, to_timestamp($5::bigint / 1000::float8))",
                      BF_P_ID(key.id), BF_P_TEXT(key.public.kid),
                      BF_P_BYTES(key.public.ed25519, sizeof(key.public.ed25519)), BF_P_BYTES(sealed, len),
                      BF_P_INT((int64_t)not_before_ms));
}

enum bf_err app_key_store_turn(struct bf_tx *tx, const struct bf_vault *vault, uint64_t now_ms,
                               bool *ret_made)
{
    struct app_key keys[BF_APP_KEYS_MAX];
    size_t count = 0;
    uint64_t not_before_ms = 0;
    enum bf_err err =
        bf_tx_exec(tx, NULL, "SELECT pg_advisory_xact_lock(hashtextextended('registry.app_key', 0))");

    if (!err)
        err = bf_tx_exec(
            tx, NULL,
            "DELETE FROM registry.app_key WHERE not_after < to_timestamp($1::bigint / 1000::float8)",
            BF_P_INT((int64_t)now_ms));
    if (!err)
        err = app_key_store_list(tx, vault, keys, &count);
    *ret_made = !err && app_key_due(keys, count, now_ms, &not_before_ms);
    explicit_bzero(keys, sizeof(keys));
    if (err || !*ret_made)
        return err;
    err = add(tx, vault, not_before_ms);
    return err ? err : change_store_note(tx, CHANGE_APP_KEYS, (struct bf_id){{0}}, NULL);
}
