// Webhooks: from a delivery that was made or is due to its outcome in the database.
//
// A delivery waits in its lane until it is the first, then for its turn at its endpoint, goes to the courier,
// and stays the first of its lane until its outcome is durable; then the next one goes. One that has to wait
// leaves memory with all behind it, and so does what an endpoint that rests has no room for: the keeper
// brings them back when they are due. Any thread.
#ifndef SENDER_H
#define SENDER_H

#include "event_store.h"
#include "fanout.h"

struct courier;
struct sender;

bf_must_check enum bf_err sender_start(struct fanout *fanout, struct sender **ret_sender);
// Requests under way have so long. What has no outcome then stays pending for the next replica; nothing is
// taken any more. NULL is fine.
void sender_stop(struct sender *sender, int64_t drain_ms);
void sender_free(struct sender *sender); // once it is stopped and nobody calls any more; NULL is fine

// What a committed event_store_add made: takes those that are ours.
void sender_take_made(struct sender *sender, struct event_stored *stored);
// For deliveries that were looked up in the table (delivery_store_due): between these two calls what is
// settled is remembered, so that none of it is sent again. Begin returns how many there is room for; at 0 do
// not look. End takes all; `blocked`: there were others that could not go. One thread at a time.
size_t sender_due_begin(struct sender *sender);
void sender_due_end(struct sender *sender, struct delivery **list, size_t count, bool blocked);

// Who is told that something of this replica may be due. Runs on the settler's thread, must not block nor
// call the sender. NULL: nobody; none is under way when it returns.
void sender_on_due(struct sender *sender, void (*due)(void *ctx), void *ctx);

#endif
