// What tenants are told of a call: which of its events become events of event.v1, under which id, with what
// data. Rules only, but for packing them. Any thread.
//
// The id is made from what happened (event.proto), so telling the same thing twice does no harm: a number
// that is rung on three devices is told once.
#ifndef TELL_H
#define TELL_H

#include "bf_buf.h"
#include "call.h"

#define TELL_ENTRY_BYTES_MAX 4096 // its texts are bounded by struct call: a batch of them fits the bus

// The type, "call.incoming"; NULL: tenants are not told of it.
const char *tell_type(enum call_kind kind);

// `text`: what tells it from others of its type in the call; "" when there is one a call.
struct bf_id tell_id(struct bf_id call, const char *type, const char *text);

// Appends the packed Entry. `call` is what is known of the call with this event. False: there is nothing to
// tell, and nothing was appended.
bool tell_entry(const struct call_event *event, const struct call *call, struct bf_buf *into);

// What a wake push says that no event does.
struct tell_wake {
    const char *caller_name, *token;
};

// Likewise for those who push: a Wake of WAKING (`wake` is NULL: it is over already), a WakeEnd of WOKEN and
// WAKE_ENDED, and of a call that had to be closed one for all it waited for.
bool tell_wake_entry(const struct call_event *event, const struct call *call, const struct tell_wake *wake,
                     struct bf_buf *into);

#endif
