// Answers that others gave a short while ago, in a table of fixed size: by a key of any bytes, a value of one
// size, and how old it is.
//
// A full neighbourhood gives up its oldest answer, so memory is bounded. The time comes from the caller.
// Thread-safe: one lock.
#ifndef BF_MEMO_H
#define BF_MEMO_H

#include "bf_base.h"

struct bf_memo;

struct bf_memo *bf_memo_new(size_t answers, size_t value_size); // answers: rounded up to a power of two
void bf_memo_free(struct bf_memo *memo);                        // NULL is fine

// False: there is none.
bool bf_memo_get(struct bf_memo *memo, const void *key, size_t key_len, uint64_t mono_ms, void *ret_value,
                 uint64_t *ret_age_ms);
void bf_memo_put(struct bf_memo *memo, const void *key, size_t key_len, uint64_t mono_ms, const void *value);
void bf_memo_drop(struct bf_memo *memo, const void *key, size_t key_len);

#endif
