// Threads that ask on behalf of WebSockets what the hall's thread must not wait for: the registry, whether
// one may stay, and PostgreSQL, what it missed. Who may stay stands in PostgreSQL as a listener before the
// hall hears of it. Answers go back to the hall.
#ifndef PORTER_H
#define PORTER_H

#include "fanout.h"
#include "seats.h"

#define PORTER_MISSED_MAX 1000 // events replayed to one socket

struct hall;
struct porter;

struct porter_job {
    struct seat_ref ref;
    struct socket_who who;
    char *key, *token;  // taken; NULL: none
    struct bf_id after; // nil: whether it may stay; else what it missed
};

bf_must_check enum bf_err porter_start(struct fanout *fanout, struct hall *hall, struct porter **ret_porter);
void porter_stop(struct porter *porter); // what is queued is dropped. NULL is fine
void porter_ask(struct porter *porter, const struct porter_job *job);

#endif
