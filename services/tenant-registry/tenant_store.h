// Tenants in PostgreSQL. Each function runs in the caller's transaction and sees what its scope may see.
#ifndef TENANT_STORE_H
#define TENANT_STORE_H

#include "bf_db.h"
#include "page.h"
#include "tenant.h"

enum tenant_lock {
    TENANT_READ,
    TENANT_WRITE, // other writers of this tenant wait until the transaction ends
};

// `name` is an id or a slug. BF_NOT_FOUND when there is none in sight. tenant_release() the result.
bf_must_check enum bf_err tenant_store_find(struct bf_tx *tx, const char *name, enum tenant_lock lock,
                                            struct tenant *ret_tenant);

bf_must_check enum bf_err tenant_store_add(struct bf_tx *tx, const struct tenant *tenant);
bf_must_check enum bf_err tenant_store_update(struct bf_tx *tx,
                                              const struct tenant *tenant); // name, status, limits
bf_must_check enum bf_err tenant_store_remove(struct bf_tx *tx, struct bf_id tenant);

// At most page->limit tenants by slug; `each` borrows. *ret_more: there are further ones.
typedef void tenant_store_each(void *ctx, const struct tenant *tenant);
bf_must_check enum bf_err tenant_store_list(struct bf_tx *tx, const struct bf_page *page,
                                            tenant_store_each *each, void *ctx, bool *ret_more);

#endif
