// From events that were stored to the WebSockets of every replica.
//
// Whoever stored events publishes them on Redis, and every replica, also itself, hears them there: one order
// for all. Redis may lose: so each replica also reads twice a second what was committed since it last looked,
// by PostgreSQL's own transaction numbers, and tells its sockets what it had not heard. Nothing is missed,
// nothing comes twice.
#ifndef RELAY_H
#define RELAY_H

#include "fanout.h"
#include "hall.h"

struct relay;

bf_must_check enum bf_err relay_start(struct fanout *fanout, struct hall *hall, struct relay **ret_relay);
void relay_stop(struct relay *relay); // NULL is fine

// After the commit. Waits for Redis at most RELAY_PUBLISH_MS; when it is away, PostgreSQL is read at once
// instead.
#define RELAY_PUBLISH_MS 200
void relay_publish(struct relay *relay, const struct live_event *events, size_t count);
// Something was committed that is not published: read it at once.
void relay_poke(struct relay *relay);

#endif
