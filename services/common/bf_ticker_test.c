// Background work.
#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bf_clock.h"
#include "bf_ticker.h"

#define HOUR_MS INT64_C(3600000)

struct work {
    int64_t pause_ms; // between turns; behind the last an hour
    int turns;
    _Atomic int taken;
    sem_t done;
    pthread_t thread;
};

static struct work *work_init(struct work *work, int64_t pause_ms, int turns)
{
    *work = (struct work){.pause_ms = pause_ms, .turns = turns};
    sem_init(&work->done, 0, 0);
    return work;
}

static int64_t work_turn(void *ctx, struct bf_ticker *ticker)
{
    struct work *work = ctx;

    work->thread = pthread_self();
    if (++work->taken < work->turns)
        return work->pause_ms;
    sem_post(&work->done);
    return HOUR_MS;
}

static void turns_come_one_after_the_other_on_a_thread_of_their_own(void **state)
{
    struct bf_ticker *ticker;
    struct work work;

    assert_int_equal(bf_ticker_start(work_turn, work_init(&work, 0, 100), &ticker), BF_OK);
    sem_wait(&work.done);
    bf_ticker_stop(ticker);
    assert_int_equal(work.taken, 100);
    assert_false(pthread_equal(work.thread, pthread_self()));
    sem_destroy(&work.done);
}

static void a_turn_says_when_the_next_one_comes(void **state)
{
    struct bf_ticker *ticker;
    struct work work;
    uint64_t began_ms = bf_mono_ms();

    assert_int_equal(bf_ticker_start(work_turn, work_init(&work, 20, 4), &ticker), BF_OK);
    sem_wait(&work.done);
    assert_true(bf_mono_ms() - began_ms >= 3 * 20 - 3); // a deadline is cut to whole ms
    bf_ticker_stop(ticker);
    sem_destroy(&work.done);
}

// The work's first turn sleeps an hour: only a poke can bring the second.
static void who_is_poked_takes_its_next_turn_at_once(void **state)
{
    struct bf_ticker *ticker;
    struct work work;

    assert_int_equal(bf_ticker_start(work_turn, work_init(&work, HOUR_MS, 2), &ticker), BF_OK);
    bf_ticker_poke(ticker);
    sem_wait(&work.done);
    assert_int_equal(work.taken, 2);
    bf_ticker_stop(ticker);
    sem_destroy(&work.done);
}

static void who_sleeps_is_stopped_at_once(void **state)
{
    struct bf_ticker *ticker;
    struct work work;
    uint64_t began_ms = bf_mono_ms();

    assert_int_equal(bf_ticker_start(work_turn, work_init(&work, HOUR_MS, 1), &ticker), BF_OK);
    sem_wait(&work.done);
    bf_ticker_stop(ticker);
    assert_true(bf_mono_ms() - began_ms < HOUR_MS / 2);
    assert_int_equal(work.taken, 1);
    sem_destroy(&work.done);
}

static int64_t long_turn(void *ctx, struct bf_ticker *ticker)
{
    struct work *work = ctx;

    sem_post(&work->done);
    while (!bf_ticker_stopping(ticker))
        sched_yield();
    work->taken++;
    return 0;
}

static void a_long_turn_hears_that_it_should_end_and_is_waited_for(void **state)
{
    struct bf_ticker *ticker;
    struct work work;

    assert_int_equal(bf_ticker_start(long_turn, work_init(&work, 0, 0), &ticker), BF_OK);
    sem_wait(&work.done);
    bf_ticker_stop(ticker);
    assert_int_equal(work.taken, 1);
    bf_ticker_stop(NULL);
    sem_destroy(&work.done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turns_come_one_after_the_other_on_a_thread_of_their_own),
        cmocka_unit_test(a_turn_says_when_the_next_one_comes),
        cmocka_unit_test(who_is_poked_takes_its_next_turn_at_once),
        cmocka_unit_test(who_sleeps_is_stopped_at_once),
        cmocka_unit_test(a_long_turn_hears_that_it_should_end_and_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
