// Background work, two threads: the keeper beats the replica's heart, takes over what dead ones owned, brings
// what is due to the sender, and makes and drops days; the listener hears of lanes that others put something
// into.
#ifndef KEEPER_H
#define KEEPER_H

#include "fanout.h"

#define KEEPER_TURN_MS 1000
#define KEEPER_DEAD_MS 5000

struct keeper;

// Tries to make the replica known to the others before it returns; while PostgreSQL is away fanout->known
// comes later.
bf_must_check enum bf_err keeper_start(struct fanout *fanout, struct keeper **ret_keeper);
// Waits for what is under way. NULL is fine.
void keeper_stop(struct keeper *keeper);

#endif
