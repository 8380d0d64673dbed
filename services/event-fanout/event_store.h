// Events in PostgreSQL, and the deliveries they make.
#ifndef EVENT_STORE_H
#define EVENT_STORE_H

#include "bf_db.h"
#include "delivery.h"
#include "event.h"
#include "bf_vault.h"

struct event_new { // an event to store, with its envelope
    const struct event *event;
    const char *body;
};

// A delivery that was made: `ours` is NULL when another replica owns its lane (it has to be told: see
// delivery_store_notify) or when its secret cannot be opened.
struct event_made {
    struct delivery *ours;
    int64_t behind;     // position of the last of its lane that was pending before; 0: none was
    struct bf_id owner; // the replica that it belongs to
};

struct event_stored {
    size_t stored; // events that were not known
    struct event_made *made;
    size_t made_count;
};

// System scope. The deliveries belong to `replica`, unless their lane belongs to another. `all_new`: nobody
// looks whether one is known, which is dear; BF_CONFLICT when one is.
bf_must_check enum bf_err event_store_add(struct bf_tx *tx, const struct bf_vault *seal, struct bf_id replica,
                                          const struct event_new *events, size_t count, bool all_new,
                                          struct event_stored *ret_stored);
// Other replicas that own one of the lanes look for it when this is committed.
bf_must_check enum bf_err event_store_tell_owners(struct bf_tx *tx, struct bf_id replica,
                                                  const struct event_stored *stored);
void event_stored_release(struct event_stored *stored); // also of deliveries that nobody took (set to NULL)

// Makes the days to come and drops the old ones. System scope.
#define EVENT_DAYS_AHEAD 3
bf_must_check enum bf_err event_store_partitions(struct bf_tx *tx, int64_t keep_days, int64_t *ret_made,
                                                 int64_t *ret_dropped);

#endif
