// What event-fanout is asked about push devices (event.v1). One thread at a time each.
#ifndef PUSH_WIRE_H
#define PUSH_WIRE_H

#include "bf_buf.h"
#include "bf_err.h"
#include "push_devices.h"

void push_wire_ask(struct bf_buf *into, struct bf_id tenant, const struct push_number *numbers, size_t count);
// At most `max` devices; those that make no sense are left out. BF_PROTOCOL: it is no answer at all.
bf_must_check enum bf_err push_wire_read(struct bf_str body, struct plan_sleeper *sleepers, size_t max,
                                         size_t *ret_count);

struct push_register {
    struct bf_id tenant;
    struct bf_id extension;
    const char *number, *provider, *prid, *param, *instance, *user_agent;
};
void push_wire_register(struct bf_buf *into, const struct push_register *asked);

#endif
