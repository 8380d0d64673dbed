// Webhooks in PostgreSQL. In the tenant's scope.
#ifndef WEBHOOK_STORE_H
#define WEBHOOK_STORE_H

#include <jansson.h>

#include "bf_db.h"
#include "bf_vault.h"

#define WEBHOOK_COUNT_MAX 50 // of a tenant

struct webhook_new {
    struct bf_id id, tenant;
    const char *url;
    const char *const *types;
    size_t type_count;
    const char *secret; // in the clear
};

// BF_LIMIT: the tenant has WEBHOOK_COUNT_MAX already.
bf_must_check enum bf_err webhook_store_add(struct bf_tx *tx, const struct bf_vault *seal,
                                            const struct webhook_new *webhook);

// As REST shows them, oldest first, `limit` and one more when there are more. *ret_items is the caller's
// array.
bf_must_check enum bf_err webhook_store_list(struct bf_tx *tx, struct bf_id tenant, struct bf_id after,
                                             int64_t limit, json_t **ret_items);
bf_must_check enum bf_err webhook_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                             json_t **ret_webhook); // BF_NOT_FOUND

// What is NULL or 0 stays. A webhook that becomes active begins anew: what waits for it is due now, and its
// owners hear of it. BF_NOT_FOUND.
struct webhook_change {
    const char *url, *status;
    const char *const *types;
    size_t type_count;
};
bf_must_check enum bf_err webhook_store_change(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                               const struct webhook_change *change);

// The secret so far signs too for so long; one before that no more. BF_NOT_FOUND.
bf_must_check enum bf_err webhook_store_rotate(struct bf_tx *tx, const struct bf_vault *seal,
                                               struct bf_id tenant, struct bf_id id, const char *secret,
                                               int64_t overlap_seconds);

// BF_NOT_FOUND: no such webhook. Its pending deliveries are dropped.
bf_must_check enum bf_err webhook_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id id);

#endif
