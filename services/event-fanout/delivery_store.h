// Deliveries in PostgreSQL: what is due, what came of attempts, who owns what. System scope.
#ifndef DELIVERY_STORE_H
#define DELIVERY_STORE_H

#include "bf_db.h"
#include "delivery.h"
#include "seal.h"

#define DELIVERY_MEMORY_MS 60000             // how long one that is in memory is not looked for in the table
#define DELIVERY_CHANNEL   "belfry_delivery" // NOTIFY; the payload is the owner that has something to look for

// The columns that delivery_store_read() reads, of delivery d, event e and webhook w.
#define DELIVERY_COLUMNS                                                            \
    "d.id, d.tenant_id, d.webhook_id, d.event_id, d.lane, d.position, d.attempts, " \
    "(extract(epoch FROM d.give_up_at) * 1000)::bigint, w.url, w.secret, "          \
    "CASE WHEN w.before_until > now() THEN w.secret_before END, e.body"
#define DELIVERY_COLUMN_COUNT 12

// From these columns, beginning at `col`. NULL: its secret cannot be opened.
struct delivery *delivery_store_read(const struct bf_rows *rows, size_t row, int col,
                                     const struct seal *seal);

// At most `limit` deliveries of the owner that are due and the first of their lanes; they are then due again
// in DELIVERY_MEMORY_MS. The caller frees each; `ret_list` has room for `limit`.
bf_must_check enum bf_err delivery_store_due(struct bf_tx *tx, const struct seal *seal, struct bf_id owner,
                                             size_t limit, struct delivery **ret_list, size_t *ret_count);

// What came of an attempt.
struct delivery_settled {
    const struct delivery *delivery;
    const struct delivery_outcome *outcome;
    enum delivery_verdict verdict;
    uint64_t wait_ms; // DELIVERY_AGAIN
};
// Writes the attempts down; what another replica settled meanwhile stays as that one left it.
bf_must_check enum bf_err delivery_store_settle(struct bf_tx *tx, const struct delivery_settled *settled,
                                                size_t count);

// Those that memory had no room for, and those behind one that has to wait: due from now on.
bf_must_check enum bf_err delivery_store_due_now(struct bf_tx *tx, const struct bf_id *ids, size_t count);

bf_must_check enum bf_err delivery_store_notify(struct bf_tx *tx, struct bf_id owner);

// This replica lives.
bf_must_check enum bf_err delivery_store_beat(struct bf_tx *tx, struct bf_id replica);
// What replicas own that are dead for `dead_ms`, or unknown, becomes the replica's. *ret_taken: how many
// deliveries.
bf_must_check enum bf_err delivery_store_take_over(struct bf_tx *tx, struct bf_id replica, int64_t dead_ms,
                                                   size_t *ret_taken);
// The end of a replica: the others need not wait until it is dead.
bf_must_check enum bf_err delivery_store_leave(struct bf_tx *tx, struct bf_id replica);

#endif
