// Lanes: the messages of one call are worked on one after the other, in the order in which they were read.
//
// Several processes read from one socket, so a 200 read right after its 180 overtakes it whenever the first
// one's process is slower. A message joins the lane of its Call-ID when it has been read, waits until those
// before it have left, and leaves when it has been sent on. Who waits too long, or finds too many before it,
// goes on out of turn: a process that died in a lane, or a flood with one Call-ID, holds nobody up for long.
//
// Calls share lanes (a hash of their Call-ID chooses); that costs a wait now and then and nothing else.
// In shared memory, any process. One process may have places in several lanes; it takes its turns in the
// order in which it entered, so two processes never wait for each other. That messages enter in the order in
// which they were read is what tenant_door.h is for.
#ifndef TENANT_LANE_H
#define TENANT_LANE_H

#include "bf_base.h"

#define TENANT_LANES            4096
#define TENANT_LANE_WAITING_MAX 2 // processes that wait for one lane

struct tenant_lane {
    _Atomic uint32_t next;    // the number that the next message gets
    _Atomic uint32_t serving; // the number whose turn it is
    _Atomic uint32_t waiting; // processes that wait for their turn
};

enum tenant_lane_turn {
    TENANT_LANE_FREE,   // nobody was before it
    TENANT_LANE_WAITED, // its turn came
    TENANT_LANE_PASSED, // it goes on out of turn
};

uint32_t tenant_lane_enter(struct tenant_lane *lane); // its number, which is to leave in any case
enum tenant_lane_turn tenant_lane_wait(struct tenant_lane *lane, uint32_t number, uint32_t wait_ms);
void tenant_lane_leave(struct tenant_lane *lane, uint32_t number);

// The value of Call-ID (or its short form `i`) in a message as it came from the network, unparsed and
// untrusted; empty when there is none before the body.
struct bf_str tenant_lane_call_id(struct bf_str message);

#endif
