// An edge's two streams, each taken exactly once and in order: bindings go to the location index, call events
// to their store, and only then the stream's position moves. They do not wait for each other: while
// PostgreSQL is away events stay at their edge, and bindings go on.
//
// What was taken before is left out; a gap is first answered with where we are, so that the edge sends what
// it still has, and taken for lost when the same gap comes again; a new boot begins at 1. A sync is asked for
// when an edge lost entries, is new, or Redis was emptied.
#ifndef REPORT_H
#define REPORT_H

#include "call_wire.h"

// What of a Report's entries is to be taken. Pure.
struct report_choice {
    size_t skip;  // of the entries, taken before
    bool refuse;  // a gap that is not believed yet: none is taken
    bool lost;    // entries are gone for good
    uint64_t seq; // the position afterwards
};
struct report_choice report_choose(const struct edge_stream *stream, uint64_t first_seq, size_t count);
// Whether the edge should send all bindings again.
bool report_wants_sync(const struct edge_stream *stream);

// BF_UNAVAILABLE: Redis or PostgreSQL is away, or another replica is at it; nothing may be taken for
// delivered. BF_CONFLICT: another process runs under this edge's id.
bf_must_check enum bf_err report_take(struct control *control, const struct wire_report *report,
                                      uint64_t *ret_taken_seq, bool *ret_resync);

#endif
