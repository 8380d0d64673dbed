// Endpoints: whose turn it is to be sent to, so that a slow or dead webhook costs the others nothing. Rules
// only, in memory, bounded. One thread at a time.
//
// Each webhook has a queue of deliveries that are ready (first of their lane) and so many requests under way
// at most: few until it has answered well once, one while it fails. Over all webhooks there is a limit too;
// below it they take turns. So a request never waits for a connection once it has begun.
//
// The circuit breaker: after ENDPOINT_FAILURES failures in a row nothing is sent for a pause that doubles
// each time (ENDPOINT_REST_MS to ENDPOINT_REST_MAX_MS, +-25 %). Then one delivery tries: when it is taken the
// webhook is well, else it rests again.
#ifndef ENDPOINT_H
#define ENDPOINT_H

#include "delivery.h"

#define ENDPOINT_FAILURES    5
#define ENDPOINT_REST_MS     5000ull
#define ENDPOINT_REST_MAX_MS 600000ull
#define ENDPOINT_UNPROVEN    4     // requests at once to one that has not yet answered well
#define ENDPOINTS_KEPT       20000 // idle ones; then they are forgotten

struct endpoints;
struct endpoint;

struct endpoints_options {
    int64_t requests_max; // under way, in all
    int64_t each_max;     // of one webhook
    size_t queue_max;     // deliveries of one webhook in memory
};

struct endpoints *endpoints_new(const struct endpoints_options *options);
void endpoints_free(struct endpoints *endpoints); // not the deliveries; NULL is fine

// The webhook's. A higher version than before is news of it: it begins anew, as well as any.
struct endpoint *endpoints_of(struct endpoints *endpoints, const struct delivery *delivery);

enum endpoint_room {
    ENDPOINT_ROOM,
    ENDPOINT_RESTS, // the circuit is open, or one that tries is under way
    ENDPOINT_FULL,  // queue_max
};
// Whether it takes a delivery now. Otherwise *ret_wait_ms says when to ask again.
enum endpoint_room endpoint_room(const struct endpoints *endpoints, const struct endpoint *endpoint,
                                 uint64_t now_ms, uint32_t random, uint64_t *ret_wait_ms);
// How many of its deliveries are in memory, ready or behind others.
void endpoint_count(struct endpoint *endpoint, int by);
void endpoint_ready(struct endpoints *endpoints, struct endpoint *endpoint, struct delivery *delivery);

// The next delivery to be sent, which counts as under way from then on; NULL: none for now.
struct delivery *endpoints_next(struct endpoints *endpoints);

// What a webhook's state is in the database.
struct endpoint_health {
    int64_t failures;          // in a row
    uint64_t failing_since_ms; // Unix; 0: it does not fail
    uint64_t open_until_ms;    // Unix; 0: the circuit is closed
};

// One that was under way is through. True: its health changed. `opened`: the circuit opened right now, and
// what is ready has to go (endpoint_flush).
bool endpoints_done(struct endpoints *endpoints, struct endpoint *endpoint, bool well, uint64_t now_ms,
                    uint32_t random, struct endpoint_health *ret_health, bool *ret_opened);

// All that is ready, as a list by `ready_next`; the endpoint forgets them (not their count).
struct delivery *endpoint_flush(struct endpoints *endpoints, struct endpoint *endpoint);

bool endpoint_rests(const struct endpoint *endpoint, uint64_t now_ms); // its circuit is open
size_t endpoints_resting(const struct endpoints *endpoints);           // circuits that are not closed

#endif
