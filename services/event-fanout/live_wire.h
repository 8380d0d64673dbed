// Events from replica to replica: Live of event.proto.
#ifndef LIVE_WIRE_H
#define LIVE_WIRE_H

#include "bf_buf.h"
#include "live.h"

// What is added one behind the other is one message.
void live_wire_add(struct bf_buf *into, const struct live_event *event);
// False: it is none. Entries that are no events are left out.
bf_must_check bool live_wire_read(struct bf_str message,
                                  void (*each)(void *ctx, const struct live_event *event), void *ctx);

#endif
