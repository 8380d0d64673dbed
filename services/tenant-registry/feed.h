// The feeder: one thread that publishes every change once it is committed, and a heartbeat each second
// without one.
//
// Every replica feeds the same sequence. Without PostgreSQL there is no heartbeat, which is how an edge
// knows.
#ifndef FEED_H
#define FEED_H

#include "registry.h"

struct feed;

bf_must_check enum bf_err feed_start(struct registry *registry, struct feed **ret_feed);
void feed_stop(struct feed *feed); // NULL is fine

#endif
