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

// The reasons of a PublishReply's refused entries, one call each.
void tell_wire_refused(struct bf_str reply, void (*refused)(const char *why));

#endif
