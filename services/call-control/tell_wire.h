// event.v1's protobuf: what event-fanout is told, and what it says to that. Any thread.
#ifndef TELL_WIRE_H
#define TELL_WIRE_H

#include "bf_buf.h"
#include "bf_id.h"

// Borrowed texts.
struct tell_event {
    struct bf_id id, tenant, call;
    const char *type;
    uint64_t at_ms;
    int64_t seq;
    const char *const *numbers;
    size_t number_count;
    const char *data; // a JSON object
};

// Appends the packed Entry. False: it does not fit.
bool tell_wire_entry(struct bf_buf *into, const struct tell_event *event);

// Likewise Wake and WakeEnd.
struct tell_wake_begin {
    struct bf_id tenant, call, device;
    const char *number, *caller, *caller_name, *callee, *sip_call_id, *token;
    uint64_t at_ms, until_ms;
};
bool tell_wire_wake(struct bf_buf *into, const struct tell_wake_begin *wake);

enum tell_wake_why {
    TELL_WAKE_REGISTERED,
    TELL_WAKE_TIMED_OUT,
    TELL_WAKE_ANSWERED,
    TELL_WAKE_CANCELLED,
};
struct tell_wake_end {
    struct bf_id tenant, call;
    struct bf_id device; // nil: every one of the call
    uint64_t at_ms;
    enum tell_wake_why why;
};
bool tell_wire_wake_end(struct bf_buf *into, const struct tell_wake_end *end);

// The reasons of a PublishReply's refused entries, one call each.
void tell_wire_refused(struct bf_str reply, void (*refused)(const char *why));

#endif
