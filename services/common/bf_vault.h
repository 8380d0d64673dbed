// Secrets in the database: sealed under one key, and bound to the row they stand in. Any thread.
#ifndef BF_VAULT_H
#define BF_VAULT_H

#include "bf_crypto.h"
#include "bf_id.h"

#define BF_VAULT_KEY_BYTES 32

struct bf_vault {
    uint8_t key[BF_VAULT_KEY_BYTES];
};

void bf_vault_init(struct bf_vault *vault, const char *passphrase);
// `row` is the id of the row that the secret belongs to. The caller frees what is returned.
bf_must_check enum bf_err bf_vault_seal(const struct bf_vault *vault, struct bf_id row, const char *secret,
                                        uint8_t **ret_sealed, size_t *ret_len);
// BF_INVALID: another key, another row, or damaged. The caller wipes and frees the secret (bf_vault_forget).
bf_must_check enum bf_err bf_vault_open(const struct bf_vault *vault, struct bf_id row, const void *sealed,
                                        size_t len, char **ret_secret);
void bf_vault_forget(char *secret); // NULL is fine

#endif
