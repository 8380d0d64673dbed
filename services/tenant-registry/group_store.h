// Groups in PostgreSQL. Each function runs in the caller's transaction and sees what its scope may see.
#ifndef GROUP_STORE_H
#define GROUP_STORE_H

#include "bf_db.h"
#include "group.h"
#include "page.h"

bf_must_check enum bf_err group_store_find(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                           struct group *ret_group);
// Without its members. BF_CONFLICT: the number is an extension or a group already.
bf_must_check enum bf_err group_store_add(struct bf_tx *tx, struct bf_id tenant, const struct group *group);
bf_must_check enum bf_err group_store_update(struct bf_tx *tx, struct bf_id tenant,
                                             const struct group *group); // without its members
bf_must_check enum bf_err group_store_remove(struct bf_tx *tx, struct bf_id tenant, const char *number);
bf_must_check enum bf_err group_store_count(struct bf_tx *tx, struct bf_id tenant, int64_t *ret_count);

// The first of `members` that is no extension of the tenant; "" when all are.
bf_must_check enum bf_err group_store_stranger(struct bf_tx *tx, struct bf_id tenant, const char *members,
                                               char ret_number[EXTENSION_NUMBER_BYTES_MAX + 1]);
// Puts `members` in the place of those that it has. BF_NOT_FOUND: one is no extension.
bf_must_check enum bf_err group_store_set_members(struct bf_tx *tx, struct bf_id tenant,
                                                  const struct group *group);
// Takes an extension out of all its groups and notes a change of each of them (change_store_note).
bf_must_check enum bf_err group_store_leave_all(struct bf_tx *tx, struct bf_id tenant, const char *member);

typedef void group_store_each(void *ctx, const struct group *group);
bf_must_check enum bf_err group_store_list(struct bf_tx *tx, struct bf_id tenant, const struct bf_page *page,
                                           group_store_each *each, void *ctx, bool *ret_more);

#endif
