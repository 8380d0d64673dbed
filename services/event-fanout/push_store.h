// Pushes in PostgreSQL: what calls wait for, what is due, what came of requests, who owns what. System scope,
// but for push_store_test.
#ifndef PUSH_STORE_H
#define PUSH_STORE_H

#include "bf_db.h"
#include "push.h"

#define PUSH_MEMORY_MS 660000 // how long one that is held in memory is not looked for: longer than calls wait

struct push_list {
    struct push *first, **end;
    size_t count;
};
void push_list_init(struct push_list *list);
void push_list_add(struct push_list *list, struct push *push);
void push_list_move(struct push_list *from, struct push_list *to); // `from` is empty then
struct push *push_list_take(struct push_list *list);               // the first; NULL: there is none
void push_list_free(struct push_list *list);                       // what is in it

// Wakes that are new become the replica's and are appended to `into`: held; or, unless `hold`, they are due
// at once. Those of devices that are not there are left out, and known ones ignored.
bf_must_check enum bf_err push_store_wakes(struct bf_tx *tx, struct bf_id replica,
                                           const struct push_wake *wakes, size_t count, bool hold,
                                           struct push_list *into);
// Ends wakes. Cancel pushes that nobody holds become the replica's, in the same way.
bf_must_check enum bf_err push_store_ends(struct bf_tx *tx, struct bf_id replica,
                                          const struct push_wake_end *ends, size_t count, bool hold,
                                          struct push_list *into);
// A test push, due at once at the replica. Tenant's scope. BF_NOT_FOUND: no such device.
bf_must_check enum bf_err push_store_test(struct bf_tx *tx, struct bf_id replica, struct bf_id tenant,
                                          struct bf_id device, struct bf_id push);

// Nobody knows whether the transaction that gave these was committed: if it was, they are due at once.
bf_must_check enum bf_err push_store_release(struct bf_tx *tx, const struct push_list *list);

// What is due of the replica: appended, held. At most `limit`.
bf_must_check enum bf_err push_store_due(struct bf_tx *tx, struct bf_id replica, size_t limit,
                                         struct push_list *into);

struct push_settled {
    const struct push *push;
    const struct push_outcome *outcome;
    uint64_t wait_ms;   // PUSH_AGAIN
    int64_t receipt_ms; // from now; 0: there is no receipt to ask for
};
// Writes down what came of requests; nothing of it is held any more. *ret_more: something is due at once,
// because its wake was ended meanwhile.
bf_must_check enum bf_err push_store_settle(struct bf_tx *tx, const struct push_settled *settled,
                                            size_t count, bool *ret_more);

// What dead replicas own, or unknown ones, becomes the replica's. Under the lock of delivery_store_take_over.
bf_must_check enum bf_err push_store_take_over(struct bf_tx *tx, struct bf_id replica, int64_t dead_ms,
                                               size_t *ret_taken);

#endif
