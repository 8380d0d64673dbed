// Deliveries as their tenant sees them: the log, and what is sent again by hand. In the tenant's scope.
#ifndef LOG_STORE_H
#define LOG_STORE_H

#include <jansson.h>

#include "bf_db.h"
#include "event.h"

#define LOG_REPLAY_MAX 1000 // at once

struct log_query {
    struct bf_id tenant;
    struct bf_id before;         // nil: the newest first
    struct bf_id webhook, event; // nil: any
    const char *state, *type;    // NULL: any
    int64_t limit;
};
// As REST shows them, newest first, `limit` and one more when there are more. The caller's array.
bf_must_check enum bf_err log_store_list(struct bf_tx *tx, const struct log_query *query, json_t **ret_items);
// With its attempts. BF_NOT_FOUND.
bf_must_check enum bf_err log_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id id,
                                         json_t **ret_delivery);

// What is made here belongs to `owner`, who hears of it. BF_CONFLICT: the webhook is not active.
// BF_NOT_FOUND.
bf_must_check enum bf_err log_store_replay(struct bf_tx *tx, struct bf_id owner, struct bf_id tenant,
                                           struct bf_id delivery, struct bf_id *ret_id);

// Those of a webhook that were made in [from, to) and have come to this state; those of a call in order, one
// after the other. At most LOG_REPLAY_MAX at once.
struct log_range {
    struct bf_id tenant, webhook;
    uint64_t from_ms, to_ms; // Unix
    const char *state;
};
struct log_replayed {
    size_t count;
    bool more;
    uint64_t next_ms; // `more`: from where to go on
};
bf_must_check enum bf_err log_store_replay_range(struct bf_tx *tx, struct bf_id owner,
                                                 const struct log_range *range,
                                                 struct log_replayed *ret_replayed);

// An event for one webhook alone, whether it wants the type or not; one that rests is tried at once.
bf_must_check enum bf_err log_store_test(struct bf_tx *tx, struct bf_id owner, struct bf_id webhook,
                                         const struct event *event, const char *body, struct bf_id *ret_id);

#endif
