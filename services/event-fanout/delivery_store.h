// Deliveries in PostgreSQL: what is due, what came of attempts, who owns what. System scope.
#ifndef DELIVERY_STORE_H
#define DELIVERY_STORE_H

#include "bf_db.h"
#include "attempt.h"
#include "bf_sql_array.h"
#include "delivery.h"
#include "bf_vault.h"

#define DELIVERY_MEMORY_MS 60000             // how long one that is in memory is not looked for in the table
#define DELIVERY_CHANNEL   "belfry_delivery" // NOTIFY; the payload is the owner that has something to look for

// The columns that delivery_store_read() reads, of pending delivery d, event e and webhook w.
#define DELIVERY_COLUMNS                                                            \
    "d.id, d.tenant_id, d.webhook_id, d.event_id, d.lane, d.position, d.attempts, " \
    "(extract(epoch FROM d.give_up_at) * 1000)::bigint, e.body, " DELIVERY_WEBHOOK_COLUMNS
#define DELIVERY_WEBHOOK_COLUMNS \
    "w.url, w.secret, CASE WHEN w.before_until > now() THEN w.secret_before END AS secret_before, w.version"

// From these columns, beginning at `col`. NULL: its secret cannot be opened.
struct delivery *delivery_store_read(const struct bf_rows *rows, size_t row, int col,
                                     const struct bf_vault *seal);
// What it has from its webhook (DELIVERY_WEBHOOK_COLUMNS). False: its secret cannot be opened.
bool delivery_store_read_webhook(struct delivery *delivery, const struct bf_rows *rows, size_t row, int col,
                                 const struct bf_vault *seal);

// Looks at `limit` deliveries of the owner that are due. Those that can go, the first of their lanes at
// webhooks that do not rest, come in *ret_list (room for `limit`; the caller frees each) and are due again in
// DELIVERY_MEMORY_MS; the others when what they wait for is over. What can never go ends here.
struct delivery_due {
    size_t looked; // `limit`: there may be more
    size_t count;  // of the list
};
bf_must_check enum bf_err delivery_store_due(struct bf_tx *tx, const struct bf_vault *seal,
                                             struct bf_id owner, size_t limit, struct delivery **ret_list,
                                             struct delivery_due *ret_due);

// Writes attempts down; what another replica settled meanwhile stays as that one left it. Where the last of
// a lane in memory is through, what comes next in the table is due: *ret_woken of them.
bf_must_check enum bf_err delivery_store_settle(struct bf_tx *tx, const struct attempt *attempts,
                                                size_t *ret_woken);

// When deliveries are due that are not in memory.
struct delivery_wait {
    struct bf_id webhook, lane;
    int64_t position;
    uint64_t wait_ms; // from now on
};
bf_must_check enum bf_err delivery_store_postpone(struct bf_tx *tx, const struct delivery_wait *waits,
                                                  size_t count);

// All that is pending for these webhooks ends, with this state and error. Releases the array.
bf_must_check enum bf_err delivery_store_end(struct bf_tx *tx, struct bf_sql_array *webhooks,
                                             const char *state, const char *error);

// Those that waited for a webhook that was paused and is not any more. *ret_freed: how many.
bf_must_check enum bf_err delivery_store_resume(struct bf_tx *tx, struct bf_id owner, size_t *ret_freed);

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
