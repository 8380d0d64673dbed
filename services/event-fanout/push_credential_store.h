// Push credentials in PostgreSQL, sealed. The tenant nil: the operator's (system scope), else in the
// tenant's.
#ifndef PUSH_CREDENTIAL_STORE_H
#define PUSH_CREDENTIAL_STORE_H

#include <jansson.h>

#include "bf_db.h"
#include "push_credential.h"
#include "bf_vault.h"

#define PUSH_CREDENTIALS_MAX 50 // of a tenant

struct push_credential_new {
    struct bf_id tenant;
    enum push_provider provider;
    const char *name; // "": for every app
    const char *text; // push_credential_pack's, in the clear
};

// The one that there is of this provider and name is replaced. BF_LIMIT: PUSH_CREDENTIALS_MAX are there.
bf_must_check enum bf_err push_credential_store_put(struct bf_tx *tx, const struct bf_vault *seal,
                                                    const struct push_credential_new *credential,
                                                    struct bf_id *ret_id);
// As REST shows them, oldest first, nothing secret; id nil: all.
bf_must_check enum bf_err push_credential_store_list(struct bf_tx *tx, const struct bf_vault *seal,
                                                     struct bf_id tenant, struct bf_id id,
                                                     json_t **ret_items);
bf_must_check enum bf_err push_credential_store_remove(struct bf_tx *tx, struct bf_id tenant,
                                                       struct bf_id id); // BF_NOT_FOUND

// A column `sealed` of whatever rows: the caller frees it. NULL: SQL NULL.
uint8_t *push_credential_store_sealed(const struct bf_rows *rows, size_t row, int col, size_t *ret_len);

// NULL: there is none, or it was sealed under another key.
struct push_credential *push_credential_open(const struct bf_vault *seal, enum push_provider provider,
                                             struct bf_id id, const uint8_t *sealed, size_t len);

#endif
