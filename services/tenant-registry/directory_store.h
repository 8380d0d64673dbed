// What a number of a tenant is, in PostgreSQL: for planning calls.
#ifndef DIRECTORY_STORE_H
#define DIRECTORY_STORE_H

#include "bf_db.h"
#include "extension.h"
#include "group.h"
#include "tenant.h"

// Extension or group. tenant.domains is never filled, nor are created_ms and updated_ms.
struct directory_entry {
    struct tenant tenant;
    bool is_group;
    struct extension extension; // unless is_group
    struct group group;         // if is_group
};

// In one statement. BF_NOT_FOUND: no such tenant, or it has no such number.
bf_must_check enum bf_err directory_store_find(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                               struct directory_entry *ret_entry);

// Which are no extensions: `tenants`, `numbers` and `ids` are as many UUIDs, numbers and UUIDs of extensions
// ("-": whichever has the number), separated by spaces; `found` runs for each, with its place from 0,
// ascending.
bf_must_check enum bf_err directory_store_unknown(struct bf_tx *tx, const char *tenants, const char *numbers,
                                                  const char *ids, void (*found)(void *ctx, uint32_t at),
                                                  void *ctx);

#endif
