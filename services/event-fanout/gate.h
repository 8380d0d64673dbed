// Work that many threads bring and that is cheaper done together: what comes while others are at it waits,
// and is then done all at once by one of those who wait.
#ifndef GATE_H
#define GATE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct gate;

struct gate_job { // caller's memory, first in what it brings
    size_t size;  // counts against size_max
    bool alone;   // not with others
    struct gate_job *next;
    bool done;           // the gate's
    pthread_cond_t wake; // the gate's
};

// At most so many are at it at once, each with jobs of size_max together, or a larger one alone. `run` gets a
// list of jobs by `next`, in the order they came, on the thread of one of them.
struct gate *gate_new(size_t at_once, size_t size_max, void (*run)(void *ctx, struct gate_job *jobs),
                      void *ctx);
void gate_free(struct gate *gate); // nobody is in it; NULL is fine

size_t gate_waiting(struct gate *gate); // jobs that nobody is at yet

void gate_pass(struct gate *gate, struct gate_job *job); // returns when the job is done

#endif
