// Doing together what waits.
#include "gate.h"

#include "bf_base.h"

struct gate {
    size_t at_once, size_max;
    void (*run)(void *ctx, struct gate_job *jobs);
    void *ctx;
    pthread_mutex_t lock;
    struct gate_job *first, **end; // under lock: who waits
    size_t under_way;              // under lock
};

struct gate *gate_new(size_t at_once, size_t size_max, void (*run)(void *ctx, struct gate_job *jobs),
                      void *ctx)
{
    struct gate *gate = bf_xcalloc(1, sizeof(*gate));

    *gate =
        (struct gate){.at_once = at_once, .size_max = size_max, .run = run, .ctx = ctx, .end = &gate->first};
    pthread_mutex_init(&gate->lock, NULL);
    return gate;
}

void gate_free(struct gate *gate)
{
    if (!gate)
        return;
    pthread_mutex_destroy(&gate->lock);
    free(gate);
}

// Under lock. The first that waits, with those behind it that go together with it.
static struct gate_job *take(struct gate *gate)
{
    struct gate_job *jobs = gate->first, *last = jobs;
    size_t size = jobs->size;

    while (!jobs->alone && last->next && !last->next->alone && size + last->next->size <= gate->size_max) {
        last = last->next;
        size += last->size;
    }
    gate->first = last->next;
    last->next = NULL;
    if (!gate->first)
        gate->end = &gate->first;
    return jobs;
}

// Under lock.
static bool may_go(const struct gate *gate, const struct gate_job *job)
{
    return gate->first == job && gate->under_way < gate->at_once;
}

// Under lock.
static void tell_next(struct gate *gate)
{
    if (gate->first && gate->under_way < gate->at_once)
        pthread_cond_signal(&gate->first->wake);
}

// Under lock, but while it runs.
static void go(struct gate *gate, struct gate_job *own)
{
    struct gate_job *jobs = take(gate);

    gate->under_way++;
    tell_next(gate);
    pthread_mutex_unlock(&gate->lock);
    gate->run(gate->ctx, jobs);
    pthread_mutex_lock(&gate->lock);
    gate->under_way--;
    for (struct gate_job *each = jobs, *next; each; each = next) {
        next = each->next; // who is told may be gone
        each->done = true;
        if (each != own)
            pthread_cond_signal(&each->wake);
    }
    tell_next(gate);
}

size_t gate_waiting(struct gate *gate)
{
    size_t count = 0;

    pthread_mutex_lock(&gate->lock);
    for (const struct gate_job *each = gate->first; each; each = each->next)
        count++;
    pthread_mutex_unlock(&gate->lock);
    return count;
}

void gate_pass(struct gate *gate, struct gate_job *job)
{
    job->next = NULL;
    job->done = false;
    pthread_cond_init(&job->wake, NULL);
    pthread_mutex_lock(&gate->lock);
    *gate->end = job;
    gate->end = &job->next;
    while (!job->done && !may_go(gate, job))
        pthread_cond_wait(&job->wake, &gate->lock);
    if (!job->done)
        go(gate, job);
    pthread_mutex_unlock(&gate->lock);
    pthread_cond_destroy(&job->wake);
}
