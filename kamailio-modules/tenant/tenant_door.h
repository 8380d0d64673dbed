// A door before each socket that several processes read: one at a time is behind it.
//
// Who is behind the door reads, says which place in the order its message has (tenant_lane_enter), and only
// then lets the next one in. Without it, between reading and saying so another process can get ahead.
// In shared memory, any process. A process that dies behind its door leaves it shut: the edge has to end with
// it, as Kamailio does.
#ifndef TENANT_DOOR_H
#define TENANT_DOOR_H

#include "bf_base.h"

struct tenant_door {
    _Alignas(64) _Atomic uint32_t state; // 0: open, 1: somebody is behind it, 2: and others wait
};

void tenant_door_shut(struct tenant_door *door); // waits until it is open
void tenant_door_open(struct tenant_door *door);

#endif
