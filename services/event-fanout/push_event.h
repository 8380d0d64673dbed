// push.sent and push.failed: what webhooks and WebSockets are told of pushes, and calls' timelines.
#ifndef PUSH_EVENT_H
#define PUSH_EVENT_H

#include "event_store.h"
#include "fanout.h"
#include "push_store.h"

// Of outcomes that are final; at most PUSH_LINES_MAX. In the transaction that settles them. The caller hands
// what was made to the sender once that is committed, and releases it, and pokes the teller.
bf_must_check enum bf_err push_event_store(struct bf_tx *tx, struct fanout *fanout,
                                           const struct push_settled *settled, size_t count,
                                           struct event_stored *ret_stored);

#endif
