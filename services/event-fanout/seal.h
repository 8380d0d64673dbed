// Secrets in the database: sealed under one key, and bound to the row they stand in. Any thread.
#ifndef SEAL_H
#define SEAL_H

#include "bf_crypto.h"
#include "bf_id.h"

#define SEAL_KEY_BYTES 32

struct seal {
    uint8_t key[SEAL_KEY_BYTES];
};

void seal_init(struct seal *seal, const char *passphrase);
// `row` is the id of the row that the secret belongs to. The caller frees what is returned.
bf_must_check enum bf_err seal_close(const struct seal *seal, struct bf_id row, const char *secret,
                                     uint8_t **ret_sealed, size_t *ret_len);
// BF_INVALID: another key, another row, or damaged. The caller wipes and frees the secret (seal_forget).
bf_must_check enum bf_err seal_open(const struct seal *seal, struct bf_id row, const void *sealed, size_t len,
                                    char **ret_secret);
void seal_forget(char *secret); // NULL is fine

#endif
