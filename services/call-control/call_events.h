// The way of call events: into PostgreSQL (timeline, CDR), then into Redis (live state, leases).
//
// PostgreSQL comes first: when it is away nothing is taken and the caller must not acknowledge. When Redis
// fails after it, the events come again and find their lines and CDRs already there. A call that Redis does
// not know is made again from its timeline. Any thread.
#ifndef CALL_EVENTS_H
#define CALL_EVENTS_H

#include "bf_err.h"
#include "call.h"

struct control;

// A whole batch as an edge sent it, of any calls and tenants, in one transaction (four thousand events each):
// use this, not one by one. BF_OK: all are durable, live state, leases and CDRs included. Events that make no
// sense are counted, logged and left out. Any error: nothing may be acknowledged; the same batch may be sent
// again.
bf_must_check enum bf_err call_events_apply(struct control *control, const struct call_event *events,
                                            size_t count);

static inline bf_must_check enum bf_err call_event_apply(struct control *control,
                                                         const struct call_event *event)
{
    return call_events_apply(control, event, 1);
}

// Closes the live calls of an edge that is dead or has started anew: each gets a last event and its CDR with
// `reason` ("edge-lost", "edge-restarted"), its lease is freed. To be called before the first events of the
// edge's new start are taken. Does what it can before it returns an error; calling again goes on.
bf_must_check enum bf_err call_events_close_edge(struct control *control, const char *edge,
                                                 const char *reason, size_t *ret_closed);

// Closes calls of a living edge that have outlived every call (CALL_LIVE_S) because their end was never told:
// reason "end-not-told". Looks at some of the edge's calls, others each time.
bf_must_check enum bf_err call_events_close_stale(struct control *control, const char *edge,
                                                  size_t *ret_closed);

// Redis has lost its data: brings the running calls back from PostgreSQL.
bf_must_check enum bf_err call_events_rebuild(struct control *control, size_t *ret_calls);

#endif
