// API keys in PostgreSQL. Each function runs in the caller's transaction and sees what its scope may see.
#ifndef KEY_STORE_H
#define KEY_STORE_H

#include "bf_db.h"
#include "key.h"
#include "page.h"
#include "tenant.h"

// Whose key it is. tenant.id is nil for an operator; of the tenant only id, slug, status and limits are
// filled.
struct key_owner {
    struct bf_id key_id;
    enum bf_role role;
    struct tenant tenant;
};

// By the key's hash, in the system scope; notes once an hour that it is used. BF_UNAUTHENTICATED: unknown or
// expired.
bf_must_check enum bf_err key_store_authenticate(struct bf_tx *tx, const uint8_t hash[BF_SHA256_BYTES],
                                                 struct key_owner *ret_owner);

// `tenant` nil: an operator's. `hash` exists already: BF_CONFLICT.
bf_must_check enum bf_err key_store_add(struct bf_tx *tx, struct bf_id tenant, const struct key *key,
                                        const uint8_t hash[BF_SHA256_BYTES]);
// The same, and quietly nothing when the hash is there already. *ret_added says which.
bf_must_check enum bf_err key_store_ensure_operator(struct bf_tx *tx, const uint8_t hash[BF_SHA256_BYTES],
                                                    struct bf_id id, bool *ret_added);
bf_must_check enum bf_err key_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id key,
                                         struct key *ret_key);
bf_must_check enum bf_err key_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id key);
// By its id alone, an operator's too: a caller's own key.
bf_must_check enum bf_err key_store_own(struct bf_tx *tx, struct bf_id key, struct key *ret_key);
// Deletes it; *ret_spent false: somebody else has done so first.
bf_must_check enum bf_err key_store_spend(struct bf_tx *tx, struct bf_id key, bool *ret_spent);
// Keys that expired more than an hour ago.
bf_must_check enum bf_err key_store_prune(struct bf_tx *tx, int64_t batch, int64_t *ret_pruned);
bf_must_check enum bf_err key_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count);

typedef void key_store_each(void *ctx, const struct key *key);
bf_must_check enum bf_err key_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                                         key_store_each *each, void *ctx, bool *ret_more);

#endif
