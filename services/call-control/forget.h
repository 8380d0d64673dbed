// Taking away what an edge leaves behind: its bindings after a while, or all of it when an operator says that
// it does not come back. Any thread; everything may be broken off and done again.
#ifndef FORGET_H
#define FORGET_H

#include "bf_base.h"
#include "bf_err.h"

// Longer than EDGE_LOCK_MS: no replica is still at the edge's stream.
#define FORGET_SILENT_MS 6000

struct control;

struct forgotten {
    uint64_t age_ms; // of its last heartbeat
    size_t calls, bindings;
};

// To the index it is as if the edge had sent everything it has, and that were nothing.
bf_must_check enum bf_err forget_bindings(struct control *control, const char *edge, size_t *ret_gone);

// The whole edge: its calls are closed (CDR with "edge-lost", leases free), its bindings and its heartbeat
// go. BF_NOT_FOUND: there is none of that id. BF_CONFLICT: it was heard within FORGET_SILENT_MS, or came back
// meanwhile (then it is asked to send its bindings again). *ret_forgotten is filled in every case but
// BF_NOT_FOUND. An edge that starts again under the id later is a new one.
bf_must_check enum bf_err forget_edge(struct control *control, const char *edge,
                                      struct forgotten *ret_forgotten);

#endif
