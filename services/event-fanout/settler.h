// Writes what came of attempts into PostgreSQL, many in one transaction, in the order in which they ended:
// what nobody waits for lingers until more has come. One thread. While the database is away they wait here,
// and nothing of their lanes goes on.
#ifndef SETTLER_H
#define SETTLER_H

#include "attempt.h"
#include "bf_db.h"
#include "delivery_store.h"

struct settler;

// Called on the settler's thread. `attempts` is a list by `next`, at most SETTLER_BATCH_MAX.
#define SETTLER_BATCH_MAX 500
#define SETTLER_LINGER_MS 5
struct settler_hooks {
    void (*before)(void *ctx, struct attempt *attempts);              // it is written next
    void (*after)(void *ctx, struct attempt *attempts, bool written); // takes them
    void (*due)(void *ctx);                                           // something in the table is due now
    void *ctx;
};

bf_must_check enum bf_err settler_start(struct bf_db *db, const struct settler_hooks *hooks,
                                        struct settler **ret_settler);
// Writes what it has, once; what the database does not take stays pending. NULL is fine.
void settler_stop(struct settler *settler);

// Any thread; they do not block. At most SETTLER_WAITS_MAX of the second kind: further ones are found in the
// table later (DELIVERY_MEMORY_MS).
#define SETTLER_WAITS_MAX 50000
void settler_add(struct settler *settler, struct attempt *attempt,
                 bool hurry); // taken; does something wait for it?
void settler_postpone(struct settler *settler, const struct delivery *delivery, uint64_t wait_ms);

#endif
