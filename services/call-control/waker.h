// What follows when a sleeping phone registers, away from the edges' streams: the edge that holds its call is
// told to ring it (AddBranch), and event-fanout which push device a REGISTER's Contact names (RegisterPush).
//
// A queue of WAKER_JOBS_MAX in memory and a few threads. What an edge does not answer is asked again until
// the wait is over: an edge takes the same device twice as once. What event-fanout does not answer comes
// again with the phone's next REGISTER. What finds the queue full is counted and left out. Any thread.
#ifndef WAKER_H
#define WAKER_H

#include "control.h"
#include "wake.h"

#define WAKER_JOBS_MAX 4096

struct waker;

bf_must_check enum bf_err waker_start(struct control *control, struct waker **ret_waker);
void waker_stop(struct waker *waker); // NULL is fine; what is queued is left

// For each binding of a number with what it waits for. `seen_ms`: Unix, when its REGISTER came; 0: not known.
void waker_look(struct waker *waker, const struct wake_wait *waits, size_t count,
                const struct binding *binding, bool fresh, uint64_t seen_ms);
// The binding's contact has RFC 8599's parameters, or not.
void waker_register(struct waker *waker, const struct binding *binding);

#endif
