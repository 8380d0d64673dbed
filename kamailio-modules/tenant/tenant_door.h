// A door before each socket that several processes read: one at a time is behind it.
//
// Who is behind the door reads what is there, says which place in the order its message has
// (tenant_lane_enter), and opens it again: microseconds. Without it, between reading and saying so another
// process can get ahead. Nobody waits for messages behind it. In shared memory, any process. Who died or
// hangs behind a door keeps nobody out: the others stop waiting and read without it, at worst out of order.
#ifndef TENANT_DOOR_H
#define TENANT_DOOR_H

#include "bf_base.h"

struct tenant_door {
    _Alignas(64) _Atomic uint32_t state; // 0: open, 1: somebody is behind it, 2: and others wait
    _Atomic uint32_t idle;               // how many have nothing to read: theirs to count
};

bool tenant_door_shut(struct tenant_door *door, uint32_t wait_us); // false: it did not open within wait_us
void tenant_door_open(struct tenant_door *door);

#endif
