// Secrets in the database.
#include "bf_vault.h"

#include <string.h>

void bf_vault_init(struct bf_vault *vault, const char *passphrase)
{
    bf_sha256(passphrase, strlen(passphrase), vault->key);
}

enum bf_err bf_vault_seal(const struct bf_vault *vault, struct bf_id row, const char *secret,
                          uint8_t **ret_sealed, size_t *ret_len)
{
    size_t len = strlen(secret);
    bf_autofree char *plain = bf_xcalloc(sizeof(row.bytes) + len + 1, 1);

    memcpy(plain, row.bytes, sizeof(row.bytes));
    memcpy(plain + sizeof(row.bytes), secret, len);
    enum bf_err err = bf_seal(vault->key, plain, sizeof(row.bytes) + len, ret_sealed, ret_len);
    explicit_bzero(plain, sizeof(row.bytes) + len);
    return err;
}

enum bf_err bf_vault_open(const struct bf_vault *vault, struct bf_id row, const void *sealed, size_t len,
                          char **ret_secret)
{
    uint8_t *plain;
    size_t plain_len;
    enum bf_err err = bf_open(vault->key, sealed, len, &plain, &plain_len);

    if (err)
        return err;
    bool ours = plain_len >= sizeof(row.bytes) && memcmp(plain, row.bytes, sizeof(row.bytes)) == 0;
    if (ours)
        *ret_secret = bf_xstrndup((char *)plain + sizeof(row.bytes), plain_len - sizeof(row.bytes));
    explicit_bzero(plain, plain_len);
    free(plain);
    return ours ? BF_OK : BF_INVALID;
}

void bf_vault_forget(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}
