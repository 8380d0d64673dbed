// Timelines in PostgreSQL: every event of every call, once.
//
// A line is known by its call and sequence number, so writing it again does nothing. What only some kinds of
// events have (parties, tags, relay, media) is in `details`: enough to make a live call again from its lines.
#ifndef TIMELINE_STORE_H
#define TIMELINE_STORE_H

#include "bf_db.h"
#include "call.h"

#define TIMELINE_PAGE_MAX 1000

// *ret_new: how many were not there yet. Texts must be clean (call_event_clean). `all_new`: nobody looks for
// them, which is a third of the work; BF_CONFLICT when one is there.
bf_must_check enum bf_err timeline_store_add(struct bf_tx *tx, const struct call_event *events, size_t count,
                                             bool all_new, size_t *ret_new);

// The same of what is told of pushes. On another clock than the edges': no line stands before the edge's that
// its device is waited for.
bf_must_check enum bf_err timeline_store_pushed(struct bf_tx *tx, const struct call_event *events,
                                                size_t count, size_t *ret_new);

struct timeline_position { // of a line in its call's list
    uint64_t at_ms;
    int64_t seq;
};

// By time, then by number. The event's texts live for the time of `each`.
typedef void timeline_store_each(void *ctx, const struct call_event *event);
bf_must_check enum bf_err timeline_store_list(struct bf_tx *tx, struct bf_id tenant, struct bf_id call,
                                              struct timeline_position after, int64_t limit,
                                              timeline_store_each *each, void *ctx, bool *ret_more);

// The lines that make up the state of these calls (call_apply), at most TIMELINE_REPLAY_MAX.
#define TIMELINE_REPLAY_MAX 50000
bf_must_check enum bf_err timeline_store_replay(struct bf_tx *tx, const struct bf_id *calls, size_t count,
                                                timeline_store_each *each, void *ctx);

// Running calls: those that began at or after `since_ms` and have no CDR. A page looks at the TIMELINE_SCAN
// newest calls before `before` (nil: from the newest), however few of them run. `more`: there may be older
// ones.
#define TIMELINE_SCAN 5000
struct timeline_open {
    struct bf_id running[TIMELINE_SCAN];
    size_t count;
    struct bf_id oldest; // looked at
    bool more;
};
bf_must_check enum bf_err timeline_store_open(struct bf_tx *tx, uint64_t since_ms, struct bf_id before,
                                              struct timeline_open *ret_open);

#endif
