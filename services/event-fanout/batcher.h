// Work that many threads bring and that is cheaper done together: what comes while one of them is at it
// waits, and is then done all at once by one of those who wait.
#ifndef BATCHER_H
#define BATCHER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct batcher;

struct batcher_job { // caller's memory, first in what it brings
    size_t size;     // counts against size_max
    struct batcher_job *next;
    bool done;           // the batcher's
    pthread_cond_t wake; // the batcher's
};

// `run` gets a list of jobs by `next`, in the order they came, on the thread of one of them: of size_max
// together, or a larger one alone.
struct batcher *batcher_new(size_t size_max, void (*run)(void *ctx, struct batcher_job *jobs), void *ctx);
void batcher_free(struct batcher *batcher); // nobody is in it; NULL is fine

size_t batcher_waiting(struct batcher *batcher); // jobs that nobody is at yet

void batcher_pass(struct batcher *batcher, struct batcher_job *job); // returns when the job is done

#endif
