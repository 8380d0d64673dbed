// The outbox in PostgreSQL: what event-fanout has not acknowledged yet, in order. System scope.
#ifndef OUTBOX_STORE_H
#define OUTBOX_STORE_H

#include "bf_buf.h"
#include "bf_db.h"

#define OUTBOX_BATCH_MAX 500

// Of these tenants those whose events somebody wants, each once, in the order of ids (memcmp); room for
// `count`.
bf_must_check enum bf_err outbox_store_wanted(struct bf_tx *tx, const struct bf_id *tenants, size_t count,
                                              struct bf_id *ret_wanted, size_t *ret_count);

struct outbox_entry {
    struct bf_id tenant, call;
    struct bf_str packed; // an Entry of event.v1
};
bf_must_check enum bf_err outbox_store_add(struct bf_tx *tx, const struct outbox_entry *entries,
                                           size_t count);

// Takes the oldest entries out, as a packed PublishRequest: rolled back, they are in again. Nobody else gets
// any until the transaction ends; *ret_count 0: there are none, or another replica is at it.
bf_must_check enum bf_err outbox_store_take(struct bf_tx *tx, struct bf_buf *ret_request, size_t *ret_count);

// How old the oldest entry is, in seconds; 0: there is none.
bf_must_check enum bf_err outbox_store_age(struct bf_tx *tx, int64_t *ret_seconds);

#endif
