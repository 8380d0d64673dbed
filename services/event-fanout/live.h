// An event on its way to WebSockets: one copy in memory, however many sockets it goes to. Rules only. Any
// thread may hold one; what is sent out of `room` is the hall's thread's affair.
#ifndef LIVE_H
#define LIVE_H

#include <stdatomic.h>

#include "bf_err.h"
#include "bf_id.h"

#define LIVE_CHANNEL    "belfry:events" // of Redis: a Live of event.proto, from replica to replica
#define LIVE_FRAME_ROOM 16              // in front of the text: WebSocket's own header is written there

struct live {
    _Atomic unsigned refs;
    struct bf_id id; // of the event; nil: a message of ours that is no event
    struct bf_id tenant;
    char *type;
    char *numbers; // "100 101": whose apps may see it; "": the tenant's only
    size_t len;
    char *text; // what is sent: LIVE_FRAME_ROOM bytes of room are before it
    char room[];
};

// What an event is made of; texts are borrowed.
struct live_event {
    struct bf_id id, tenant;
    const char *type, *numbers, *body;
};

struct live *live_new(const struct live_event *event);
struct live *live_message(const char *text); // no event
struct live *live_ref(struct live *live);
void live_unref(struct live *live); // NULL is fine

// Whether an app of this number of the event's tenant may see it.
bool live_names(const struct live *live, const char *number);

// {"type":"incoming_call","call":{...}} for apps of before, of a call.incoming that rings this number. NULL:
// it is nothing of that kind.
struct live *live_incoming_call(const struct live *live, const char *number);

#endif
