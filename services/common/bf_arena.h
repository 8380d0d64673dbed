// Memory that is freed all at once: for messages of thousands of small parts, whose parts malloc and free
// would take one by one.
//
// Aborts when memory is out; whoever fills it caps what comes in. Not thread-safe.
#ifndef BF_ARENA_H
#define BF_ARENA_H

#include "bf_base.h"

struct bf_arena { // begins as zeroes
    struct bf_arena_chunk *last;
    size_t left; // bytes of the last chunk
};

// Aligned for anything, not zeroed.
void *bf_arena_alloc(struct bf_arena *arena, size_t size);
void bf_arena_release(struct bf_arena *arena);

#endif
