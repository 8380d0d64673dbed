// What event-fanout has to be told, kept until it has it: written with the timeline, published by a thread of
// its own.
//
// One replica at a time publishes, in order, a batch in a transaction: the entries leave the outbox when
// event-fanout has them. While it is away they stay, for as long as it takes. Without event-fanout
// (BELFRY_EVENTS_BUS is empty) nothing is written. Any thread.
#ifndef OUTBOX_H
#define OUTBOX_H

#include "bf_db.h"
#include "call.h"
#include "control.h"
#include "tell.h"

struct outbox;

bf_must_check enum bf_err outbox_start(struct control *control, struct outbox **ret_outbox);
void outbox_stop(struct outbox *outbox); // NULL is fine

struct outbox_work; // the entries of one transaction
struct outbox_work *outbox_begin(struct control *control);
// Before anything is told of these tenants: whose events are wanted at all (a webhook, a WebSocket).
bf_must_check enum bf_err outbox_ask(struct outbox_work *work, struct bf_tx *tx, const struct bf_id *tenants,
                                     size_t count);
// The event, if it is wanted, and what pushes have to know, which always is. `wake`: see tell_wake_entry().
void outbox_tell(struct outbox_work *work, const struct call_event *event, const struct call *call,
                 const struct tell_wake *wake);
bf_must_check enum bf_err outbox_write(struct outbox_work *work, struct bf_tx *tx);
void outbox_end(struct outbox_work *work, bool committed); // when it was, the publisher hears of it

#endif
