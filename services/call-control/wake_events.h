// What the events of a batch mean for sleeping devices: what a push is told, and which calls wait in Redis.
// Between call_events.c, which takes the batch, and what knows about waking.
#ifndef WAKE_EVENTS_H
#define WAKE_EVENTS_H

#include "call.h"
#include "control.h"
#include "tell.h"
#include "wake.h"

struct wake_events;

// Looks up what the batch's WAKING events do not say themselves: who calls, how the device is known. Nothing
// that is away holds it up for long. NULL: nothing of the batch is about waking. The events are borrowed.
struct wake_events *wake_events_new(struct control *control, const struct call_event *events, size_t count);
void wake_events_free(struct wake_events *wakes); // NULL is fine

// For the push of this event: NULL when it is no WAKING.
const struct tell_wake *wake_events_told(const struct wake_events *wakes, const struct call_event *event);

// When the batch is durable: waits begin and end in Redis, in the order of the events; a wait whose device
// has registered meanwhile ends at once.
bf_must_check enum bf_err wake_events_write(struct wake_events *wakes);

#endif
