// What waits at a batcher is done together, within its limits.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "bf_base.h"
#include "bf_clock.h"
#include "batcher.h"

#define JOBS        6
#define DEADLINE_MS 10000

struct run {
    size_t jobs, size;
};

static struct {
    struct batcher *batcher;
    struct batcher_job jobs[JOBS];
    pthread_t threads[JOBS];
    sem_t began, go_on;
    struct run runs[JOBS];
    _Atomic size_t run_count, under_way, most;
} site;

static void run(void *ctx, struct batcher_job *jobs)
{
    struct run *own = &site.runs[site.run_count++];

    if (++site.under_way > site.most)
        site.most = site.under_way;
    for (struct batcher_job *each = jobs; each; each = each->next) {
        own->jobs++;
        own->size += each->size;
    }
    sem_post(&site.began);
    sem_wait(&site.go_on);
    site.under_way--;
}

static void *pass(void *job)
{
    batcher_pass(site.batcher, job);
    return NULL;
}

static void setup(size_t size_max)
{
    site.batcher = batcher_new(size_max, run, NULL);
    sem_init(&site.began, 0, 0);
    sem_init(&site.go_on, 0, 0);
    memset(site.runs, 0, sizeof(site.runs));
    site.run_count = site.under_way = site.most = 0;
}

static void begin(size_t i, size_t size)
{
    site.jobs[i] = (struct batcher_job){.size = size};
    pthread_create(&site.threads[i], NULL, pass, &site.jobs[i]);
}

static void until_waiting(size_t count)
{
    uint64_t deadline_ms = bf_mono_ms() + DEADLINE_MS;

    while (batcher_waiting(site.batcher) < count && bf_mono_ms() < deadline_ms)
        usleep(1000);
    assert_int_equal(batcher_waiting(site.batcher), count);
}

static void finish(size_t jobs)
{
    for (size_t i = 0; i < JOBS; i++)
        sem_post(&site.go_on);
    for (size_t i = 0; i < jobs; i++)
        pthread_join(site.threads[i], NULL);
    batcher_free(site.batcher);
    sem_destroy(&site.began);
    sem_destroy(&site.go_on);
}

static void what_comes_meanwhile_goes_together(void **state)
{
    setup(100);
    begin(0, 10);
    sem_wait(&site.began);
    for (size_t i = 1; i < 4; i++)
        begin(i, 10);
    until_waiting(3);
    finish(4);
    assert_int_equal(site.run_count, 2);
    assert_int_equal(site.runs[0].jobs, 1);
    assert_int_equal(site.runs[1].jobs, 3);
    assert_int_equal(site.runs[1].size, 30);
    assert_int_equal(site.most, 1);
}

static void no_more_than_fits_goes_together(void **state)
{
    setup(25);
    begin(0, 99); // larger than any may be together: it goes all the same
    sem_wait(&site.began);
    for (size_t i = 1; i < 5; i++) {
        begin(i, 10);
        until_waiting(i);
    }
    finish(5);
    assert_int_equal(site.run_count, 3);
    assert_int_equal(site.runs[0].size, 99);
    assert_int_equal(site.runs[1].jobs, 2);
    assert_int_equal(site.runs[2].jobs, 2);
    assert_int_equal(site.most, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_comes_meanwhile_goes_together),
        cmocka_unit_test(no_more_than_fits_goes_together),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
