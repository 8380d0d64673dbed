// The audit trail in PostgreSQL: written in the transaction of the change it tells of, never changed.
#ifndef AUDIT_STORE_H
#define AUDIT_STORE_H

#include <jansson.h>

#include "bf_db.h"
#include "key.h"
#include "page.h"

// Texts are borrowed. `before` and `after` hold no secret; NULL where there is none.
struct audit {
    struct bf_id id; // of the row; set by audit_store_add
    struct bf_id tenant, key_id;
    enum bf_role role;
    uint64_t at_ms; // Unix; set by the database
    const char *request_id, *remote;
    const char *action; // "extension.create"
    const char *target; // "extension/100"
    json_t *before, *after;
};

bf_must_check enum bf_err audit_store_add(struct bf_tx *tx, const struct audit *audit);

// Newest first. Also of a tenant that is gone.
typedef void audit_store_each(void *ctx, const struct audit *audit);
bf_must_check enum bf_err audit_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                                           audit_store_each *each, void *ctx, bool *ret_more);
bf_must_check enum bf_err audit_store_knows(struct bf_tx *tx, struct bf_id tenant, bool *ret_knows);

#endif
