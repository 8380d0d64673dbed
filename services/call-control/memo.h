// Answers that others gave a short while ago, in a table of fixed size: by a key of any bytes, a value of one
// size, and how old it is.
//
// A full neighbourhood gives up its oldest answer, so memory is bounded. The time comes from the caller.
// Thread-safe: one lock.
#ifndef MEMO_H
#define MEMO_H

#include "bf_base.h"

struct memo;

struct memo *memo_new(size_t answers, size_t value_size); // answers: rounded up to a power of two
void memo_free(struct memo *memo);                        // NULL is fine

// False: there is none.
bool memo_get(struct memo *memo, const void *key, size_t key_len, uint64_t mono_ms, void *ret_value,
              uint64_t *ret_age_ms);
void memo_put(struct memo *memo, const void *key, size_t key_len, uint64_t mono_ms, const void *value);
void memo_drop(struct memo *memo, const void *key, size_t key_len);

#endif
