// Pushes: from what a call waits for to the provider's answer in the database.
//
// One thread has the lanes, writes what came of requests, and looks for what is due. What must be tried again
// leaves memory: it is due in the table. Any thread may call.
#ifndef PUSH_SENDER_H
#define PUSH_SENDER_H

#include "fanout.h"
#include "push_store.h"

struct push_sender;

bf_must_check enum bf_err push_sender_start(struct fanout *fanout, struct push_sender **ret_sender);
// Requests under way have so long. What was not sent then is for the next replica. NULL is fine.
void push_sender_stop(struct push_sender *sender, int64_t drain_ms);

// Is there room in memory? What was stored without being held is sent when there is.
bool push_sender_has_room(struct push_sender *sender);
// What was stored in a transaction of which nobody knows whether it was committed: takes all. If it was, they
// go.
void push_sender_doubt(struct push_sender *sender, struct push_list *list);
// What was stored and is held, committed: takes all.
void push_sender_take(struct push_sender *sender, struct push_list *list);

#endif
