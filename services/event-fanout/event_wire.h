// event.v1's protobuf <-> our structs.
#ifndef EVENT_WIRE_H
#define EVENT_WIRE_H

#include "bf_buf.h"
#include "event.h"
#include "push.h"

#define EVENT_WIRE_ENTRIES_MAX 1000

enum wire_kind {
    WIRE_NONE, // an entry that we do not know or cannot read
    WIRE_EVENT,
    WIRE_WAKE,
    WIRE_WAKE_END,
};

struct wire_entry {
    enum wire_kind kind;
    union {
        struct event event;
        struct push_wake wake;
        struct push_wake_end wake_end;
    };
};

struct wire_publish {
    struct wire_entry *entries;
    size_t count;
    void *message; // what the texts borrow from
};

bf_must_check enum bf_err event_wire_read_publish(struct bf_str body, struct wire_publish *ret_publish,
                                                  struct bf_buf *error);
void event_wire_release_publish(struct wire_publish *publish);

// `refused[i]`: why entry i was refused, NULL when it was not.
void event_wire_write_publish(struct bf_buf *into, size_t stored, const char *const *refused, size_t count);

#endif
