// Webhooks in PostgreSQL. In the tenant's scope.
#ifndef WEBHOOK_STORE_H
#define WEBHOOK_STORE_H

#include <jansson.h>

#include "bf_db.h"
#include "seal.h"

#define WEBHOOK_COUNT_MAX 50 // of a tenant

struct webhook_new {
    struct bf_id id, tenant;
    const char *url;
    const char *const *types;
    size_t type_count;
    const char *secret; // in the clear
};

// BF_LIMIT: the tenant has WEBHOOK_COUNT_MAX already.
bf_must_check enum bf_err webhook_store_add(struct bf_tx *tx, const struct seal *seal,
                                            const struct webhook_new *webhook);

// As REST shows them, oldest first; id nil: all. *ret_items is the caller's array.
bf_must_check enum bf_err webhook_store_list(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                             json_t **ret_items);

// BF_NOT_FOUND: no such webhook. Its pending deliveries are dropped.
bf_must_check enum bf_err webhook_store_remove(struct bf_tx *tx, struct bf_id tenant, struct bf_id id);

#endif
