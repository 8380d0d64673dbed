// Token buckets by key, in a table of fixed size: so many events a minute, as a burst or spread.
//
// A full neighbourhood gives up its fullest bucket (the one whose loss matters least), so memory is bounded
// and a stranger can at most make somebody's bucket full again. The time comes from the caller. Thread-safe:
// one lock.
#ifndef RATE_H
#define RATE_H

#include "bf_base.h"

struct rate;

struct rate *rate_new(size_t buckets); // rounded up to a power of two
void rate_free(struct rate *rate);

// Takes one event of `key` from a bucket of per_minute. 0: taken; else in how many ms one will be there.
uint64_t rate_take(struct rate *rate, const void *key, size_t key_len, int64_t per_minute, uint64_t mono_ms);

// The same question without taking.
uint64_t rate_peek(struct rate *rate, const void *key, size_t key_len, int64_t per_minute, uint64_t mono_ms);

// Whether this key has a bucket: something was taken for it a while ago.
bool rate_known(struct rate *rate, const void *key, size_t key_len);

#endif
