// Push devices in PostgreSQL, and what happened with pushes to them. In the tenant's scope, unless said
// otherwise.
#ifndef PUSH_DEVICE_STORE_H
#define PUSH_DEVICE_STORE_H

#include <jansson.h>

#include "bf_db.h"
#include "push_device.h"

#define PUSH_DEVICES_MAX   20  // of a number; dead ones make room
#define PUSH_ATTEMPTS_SHOW 100 // the newest

// The device as it is, to the last token, and written not long ago: *ret_id. BF_NOT_FOUND: it is not. Any
// scope that sees the tenant.
bf_must_check enum bf_err push_device_store_find(struct bf_tx *tx, const struct push_device *device,
                                                 struct bf_id *ret_id);

// The same number, device_id and provider again is the same device, alive again; the same token of another
// number or device_id is no longer theirs: phones change hands. What an extension left that had the number
// before goes. What did not change is not written. *ret_id: as it is there. BF_LIMIT: the number has
// PUSH_DEVICES_MAX; BF_NOT_FOUND: a newer extension has the number, and this device already. Any scope that
// sees the tenant.
bf_must_check enum bf_err push_device_store_put(struct bf_tx *tx, const struct push_device *device,
                                                struct bf_id *ret_id);

// Living devices of these numbers, as far as they belong to these extensions, one for each number. The texts
// borrow from *ret_rows, the list is the caller's. System scope.
bf_must_check enum bf_err push_device_store_of(struct bf_tx *tx, struct bf_id tenant,
                                               const char *const *numbers, const struct bf_id *extensions,
                                               size_t count, struct bf_rows **ret_rows,
                                               struct push_device **ret_list, size_t *ret_count);

// Whether any number of the tenant has a living device. System scope.
bf_must_check enum bf_err push_device_store_any(struct bf_tx *tx, struct bf_id tenant, bool *ret_any);

// Of all, or of a tenant (not nil), or of one of its numbers (not NULL): the next `limit` devices behind
// `after`, by id; of them id, tenant, extension and number, which borrows from *ret_rows. System scope.
bf_must_check enum bf_err push_device_store_page(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                                 struct bf_id after, int64_t limit, struct bf_rows **ret_rows,
                                                 struct push_device **ret_list, size_t *ret_count);
// These devices, as far as they still belong to these extensions. System scope.
bf_must_check enum bf_err push_device_store_forget(struct bf_tx *tx, const struct push_device *devices,
                                                   size_t count, size_t *ret_gone);

// As REST shows them. `number` NULL: of all, newest first, behind `after` (nil: from the beginning), at most
// `limit`.
bf_must_check enum bf_err push_device_store_list(struct bf_tx *tx, struct bf_id tenant, const char *number,
                                                 struct bf_id after, int64_t limit, json_t **ret_items);
bf_must_check enum bf_err push_device_store_get(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                                json_t **ret_device); // BF_NOT_FOUND
bf_must_check enum bf_err push_device_store_remove(struct bf_tx *tx, struct bf_id tenant,
                                                   struct bf_id id); // BF_NOT_FOUND
bf_must_check enum bf_err push_device_store_attempts(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                                     json_t **ret_items);

#endif
