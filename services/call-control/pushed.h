// What event-fanout tells of pushes becomes lines of timelines (call.v1 Pushed).
#ifndef PUSHED_H
#define PUSHED_H

#include "call.h"
#include "control.h"

#define PUSHED_LINES_MAX 200 // told at once

struct pushed { // borrowed texts
    struct bf_id id, tenant, call, device;
    const char *number, *kind, *provider, *answer, *push_id;
    uint64_t at_ms;
    uint32_t code, attempts;
    bool failed;
};

// The line as people read it. Its words, CALL_TEXT_SIZE at most, go into `text`; the rest is borrowed.
struct call_event pushed_event(const struct pushed *pushed, char text[CALL_TEXT_SIZE]);

// Durable when this is BF_OK: each id once. What makes no sense is logged, counted and left out.
bf_must_check enum bf_err pushed_take(struct control *control, const struct pushed *pushed, size_t count);

#endif
