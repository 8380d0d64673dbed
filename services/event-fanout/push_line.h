// What providers answered, for calls' timelines: lines that call-control has not taken yet, in PostgreSQL
// (events.push_line), and as call.v1's Pushed.
#ifndef PUSH_LINE_H
#define PUSH_LINE_H

#include "bf_buf.h"
#include "bf_db.h"
#include "push_store.h"

#define PUSH_LINES_MAX         200 // told at once, and written at once
#define PUSH_LINE_BYTES_MAX    2048
#define PUSH_LINES_REQUEST_MAX ((size_t)PUSH_LINES_MAX * (PUSH_LINE_BYTES_MAX + 16))

struct push_line {
    struct bf_id id; // of its event
    const struct push_settled *settled;
};

// In the transaction that settles these. System scope.
bf_must_check enum bf_err push_line_add(struct bf_tx *tx, const struct push_line *lines, size_t count);
// The oldest ones leave the table and stand in *ret_request, a PushedRequest: commit when it was taken. None:
// there are none, or another replica is at it. System scope.
bf_must_check enum bf_err push_line_take(struct bf_tx *tx, struct bf_buf *ret_request, size_t *ret_count);
// How old the oldest one is; 0: there is none.
bf_must_check enum bf_err push_line_age(struct bf_tx *tx, int64_t *ret_seconds);

#endif
