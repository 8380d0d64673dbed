// Domains in PostgreSQL. Each function runs in the caller's transaction and sees what its scope may see.
#ifndef DOMAIN_STORE_H
#define DOMAIN_STORE_H

#include "bf_db.h"
#include "domain.h"
#include "page.h"

struct domain {
    char name[DOMAIN_BYTES_MAX + 1];
    uint64_t created_ms; // Unix
};

// BF_CONFLICT: some tenant has it already.
bf_must_check enum bf_err domain_store_add(struct bf_tx *tx, struct bf_id tenant, const char *name);
bf_must_check enum bf_err domain_store_remove(struct bf_tx *tx, struct bf_id tenant,
                                              const char *name); // BF_NOT_FOUND
bf_must_check enum bf_err domain_store_find(struct bf_tx *tx, struct bf_id tenant, const char *name,
                                            struct domain *ret_domain); // BF_NOT_FOUND
bf_must_check enum bf_err domain_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count);

typedef void domain_store_each(void *ctx, const struct domain *domain);
bf_must_check enum bf_err domain_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                                            domain_store_each *each, void *ctx, bool *ret_more);

#endif
