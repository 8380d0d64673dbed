// The WebSockets of this replica: by a number that outlives none of them, and by tenant. One thread.
#ifndef SEATS_H
#define SEATS_H

#include "socket.h"

struct lws;
struct seats;
struct seats_tenant;

// Names a seat for other threads: of one that is left, nobody is found.
struct seat_ref {
    uint32_t place, generation;
};

struct seat {
    struct socket socket;
    struct seat_ref ref;
    struct lws *wsi;         // NULL before it is established
    char *key;               // its API key; NULL: it has a token
    char *token;             // that could not be verified yet
    struct bf_id after;      // what it has seen last; nil: nothing is to be replayed
    uint64_t check_ms;       // monotonic: when to ask about it again
    struct seats_tenant *of; // NULL: it has not joined
    struct seat *next, **at; // of its tenant
};

struct seats *seats_new(size_t seats_max);
void seats_free(struct seats *seats); // all have left. NULL is fine
size_t seats_count(const struct seats *seats);

// Takes a place. False: all are taken.
bool seats_add(struct seats *seats, struct seat *seat);
// Leaves it, and its tenant; the caller frees it.
void seats_leave(struct seats *seats, struct seat *seat);
struct seat *seats_find(const struct seats *seats, struct seat_ref ref); // NULL: it has left
// By place, from 0 on; NULL: nobody has it.
struct seat *seats_at(const struct seats *seats, size_t place);
size_t seats_places(const struct seats *seats);

// Among those of who.tenant. False: there are `max` already.
bool seats_join(struct seats *seats, struct seat *seat, size_t max);
struct seat *seats_of(const struct seats *seats, struct bf_id tenant); // the first; then by next

void seat_free(struct seat *seat); // wipes its secrets. NULL is fine

#endif
