// Whether a tenant has push devices at all, for call-control: most have none, and their calls need not ask.
//
// Redis, `pd:{t}`: "1" some, "0" none; missing: ask. It says "1" before the first device is committed and "0"
// only where nothing stands. Should Redis be emptied between the two, and a call ask in that moment, "0" may
// stand although there is a device, for PUSH_MARK_S at most. Any thread.
#ifndef PUSH_MARK_H
#define PUSH_MARK_H

#include "fanout.h"

#define PUSH_MARK_S 600

// Before a device is written. BF_UNAVAILABLE: not without Redis.
bf_must_check enum bf_err push_mark_some(struct fanout *fanout, struct bf_id tenant);
void push_mark_none(struct fanout *fanout, struct bf_id tenant); // the table was asked

#endif
