// Extensions in PostgreSQL. Each function runs in the caller's transaction and sees what its scope may see.
#ifndef EXTENSION_STORE_H
#define EXTENSION_STORE_H

#include "bf_db.h"
#include "domain.h"
#include "extension.h"
#include "page.h"

// What a digest is checked against; its realm is the tenant's.
struct extension_credential {
    struct bf_id tenant, extension;
    char number[EXTENSION_NUMBER_BYTES_MAX + 1];
    struct extension_ha1 ha1;
    int64_t max_contacts;
};

bf_must_check enum bf_err extension_store_credential(struct bf_tx *tx, struct bf_id tenant,
                                                     const char *number,
                                                     struct extension_credential *ret_credential);
// By the domain the phone uses. BF_NOT_FOUND: no such domain, or no such number in its tenant.
bf_must_check enum bf_err extension_store_owner(struct bf_tx *tx, const char *domain, const char *number,
                                                struct bf_id *ret_tenant, struct bf_id *ret_extension);

bf_must_check enum bf_err extension_store_find(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                               struct extension *ret_extension);
bf_must_check enum bf_err
extension_store_add(struct bf_tx *tx, struct bf_id tenant, const struct extension *extension,
                    const struct extension_ha1 *ha1); // BF_CONFLICT: taken, maybe by a group
bf_must_check enum bf_err extension_store_update(struct bf_tx *tx, struct bf_id tenant,
                                                 const struct extension *extension);
bf_must_check enum bf_err extension_store_password(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                                   const struct extension_ha1 *ha1);
bf_must_check enum bf_err extension_store_remove(struct bf_tx *tx, struct bf_id tenant, const char *number);
bf_must_check enum bf_err extension_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count);

typedef void extension_store_each(void *ctx, const struct extension *extension);
bf_must_check enum bf_err extension_store_list(struct bf_tx *tx, struct bf_id tenant,
                                               const struct bf_page *page, extension_store_each *each,
                                               void *ctx, bool *ret_more);

#endif
