// Token buckets by key, in a table of fixed size: so many events a minute, as a burst or spread.
//
// A full neighbourhood gives up its fullest bucket (the one whose loss matters least), so memory is bounded
// and a stranger can at most make somebody's bucket full again. The time comes from the caller. Thread-safe:
// one lock.
#ifndef BF_RATE_H
#define BF_RATE_H

#include "bf_base.h"

struct bf_rate;

struct bf_rate *bf_rate_new(size_t buckets); // rounded up to a power of two
void bf_rate_free(struct bf_rate *rate);

// Takes one event of `key` from a bucket of per_minute. 0: taken; else in how many ms one will be there.
uint64_t bf_rate_take(struct bf_rate *rate, const void *key, size_t key_len, int64_t per_minute,
                      uint64_t mono_ms);

// The same question without taking.
uint64_t bf_rate_peek(struct bf_rate *rate, const void *key, size_t key_len, int64_t per_minute,
                      uint64_t mono_ms);

#endif
