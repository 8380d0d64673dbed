// Doing together what waits.
#include "batcher.h"

#include "bf_base.h"

struct batcher {
    size_t size_max;
    void (*run)(void *ctx, struct batcher_job *jobs);
    void *ctx;
    pthread_mutex_t lock;
    struct batcher_job *first, **end; // under lock: who waits
    bool under_way;                   // under lock
};

struct batcher *batcher_new(size_t size_max, void (*run)(void *ctx, struct batcher_job *jobs), void *ctx)
{
    struct batcher *batcher = bf_xcalloc(1, sizeof(*batcher));

    *batcher = (struct batcher){.size_max = size_max, .run = run, .ctx = ctx, .end = &batcher->first};
    pthread_mutex_init(&batcher->lock, NULL);
    return batcher;
}

void batcher_free(struct batcher *batcher)
{
    if (!batcher)
        return;
    pthread_mutex_destroy(&batcher->lock);
    free(batcher);
}

// Under lock. The first that waits, with those behind it that go together with it.
static struct batcher_job *take(struct batcher *batcher)
{
    struct batcher_job *jobs = batcher->first, *last = jobs;
    size_t size = jobs->size;

    while (last->next && size + last->next->size <= batcher->size_max) {
        last = last->next;
        size += last->size;
    }
    batcher->first = last->next;
    last->next = NULL;
    if (!batcher->first)
        batcher->end = &batcher->first;
    return jobs;
}

// Under lock, but while it runs.
static void go(struct batcher *batcher, struct batcher_job *own)
{
    struct batcher_job *jobs = take(batcher);

    batcher->under_way = true;
    pthread_mutex_unlock(&batcher->lock);
    batcher->run(batcher->ctx, jobs);
    pthread_mutex_lock(&batcher->lock);
    batcher->under_way = false;
    for (struct batcher_job *each = jobs, *next; each; each = next) {
        next = each->next; // who is told may be gone
        each->done = true;
        if (each != own)
            pthread_cond_signal(&each->wake);
    }
    if (batcher->first)
        pthread_cond_signal(&batcher->first->wake);
}

size_t batcher_waiting(struct batcher *batcher)
{
    size_t count = 0;

    pthread_mutex_lock(&batcher->lock);
    for (const struct batcher_job *each = batcher->first; each; each = each->next)
        count++;
    pthread_mutex_unlock(&batcher->lock);
    return count;
}

void batcher_pass(struct batcher *batcher, struct batcher_job *job)
{
    job->next = NULL;
    job->done = false;
    pthread_cond_init(&job->wake, NULL);
    pthread_mutex_lock(&batcher->lock);
    *batcher->end = job;
    batcher->end = &job->next;
    while (!job->done && (batcher->under_way || batcher->first != job))
        pthread_cond_wait(&job->wake, &batcher->lock);
    if (!job->done)
        go(batcher, job);
    pthread_mutex_unlock(&batcher->lock);
    pthread_cond_destroy(&job->wake);
}
