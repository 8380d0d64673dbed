// Looks after the calls and bindings of edges that are dead, and brings live calls back when Redis has lost
// them.
//
// Any replica may do it; one at a time does, by a lock in Redis. An edge is dead when its heartbeat is older
// than REAPER_DEAD_MS and the replica itself has watched it being silent for REAPER_WATCH_MS: so neither a
// restart of call-control nor one of Redis counts against edges that could not be heard. One whose heartbeat
// ran out of Redis is forgotten altogether (forget.h). One thread.
#ifndef REAPER_H
#define REAPER_H

#include "bf_base.h"
#include "bf_err.h"

#define REAPER_DEAD_MS   5000
#define REAPER_WATCH_MS  2500
#define REAPER_GRACE_MS  8000 // after the start and after each failure of Redis or PostgreSQL
#define REAPER_LOCK_MS   5000
#define REAPER_FORGET_MS 600000 // a dead edge's bindings wait so long for it to come back and ask for them
#define REAPER_TURN_MS   500
#define REAPER_STALE_MS  60000 // how often it looks for calls whose end was never told

struct control;
struct reaper;

struct reaper *reaper_new(struct control *control);
void reaper_free(struct reaper *reaper); // gives the lock back; NULL is fine

// One turn, to be done every REAPER_TURN_MS.
bf_must_check enum bf_err reaper_turn(struct reaper *reaper);

#endif
