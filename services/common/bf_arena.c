// Memory that is freed all at once.
#include "bf_arena.h"

#include <stdalign.h>

#define CHUNK_BYTES (32u << 10)
#define ALIGN       alignof(max_align_t)

struct bf_arena_chunk {
    struct bf_arena_chunk *before;
    alignas(max_align_t) char bytes[];
};

static void chunk_add(struct bf_arena *arena, size_t size)
{
    struct bf_arena_chunk *chunk = malloc(sizeof(*chunk) + size);

    if (!chunk)
        abort();
    chunk->before = arena->last;
    arena->left = size;
    arena->last = chunk;
}

void *bf_arena_alloc(struct bf_arena *arena, size_t size)
{
    size_t taken = (size + ALIGN - 1) & ~(ALIGN - 1);

    if (taken < size)
        abort();
    if (!arena->last || taken > arena->left)
        chunk_add(arena, taken > CHUNK_BYTES ? taken : CHUNK_BYTES);
    arena->left -= taken;
    return arena->last->bytes + arena->left;
}

void bf_arena_release(struct bf_arena *arena)
{
    while (arena->last) {
        struct bf_arena_chunk *chunk = arena->last;
        arena->last = chunk->before;
        free(chunk);
    }
    arena->left = 0;
}
