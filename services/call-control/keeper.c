// Background work.
#include "keeper.h"

#include <pthread.h>
#include <time.h>

#include "bf_clock.h"
#include "call_metrics.h"
#include "cdr_store.h"
#include "reaper.h"

#define DAY_MS   (24 * 3600 * 1000)
#define RETRY_MS 5000

struct keeper {
    struct control *control;
    struct reaper *reaper;
    uint64_t partitions_at_ms; // monotonic: when to look next
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; // under lock
};

// False: stop.
static bool keeper_sleep(struct keeper *keeper, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&keeper->lock);
    while (!keeper->stop && pthread_cond_timedwait(&keeper->wake, &keeper->lock, &until) == 0)
        ;
    bool go_on = !keeper->stop;
    pthread_mutex_unlock(&keeper->lock);
    return go_on;
}

static enum bf_err partitions(struct control *control)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    int64_t made = 0, dropped = 0;
    enum bf_err err = bf_tx_begin(control->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = cdr_store_partitions(tx, control->settings.cdr_keep_months, &made, &dropped);
    if (!err)
        err = bf_tx_commit(tx);
    if (err && err != BF_UNAVAILABLE)
        bf_error("keeper.partitions", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    if (!err && (made || dropped))
        bf_info("keeper.partitions", BF_I("made", made), BF_I("dropped", dropped));
    bf_metric_set(&call_metrics[CALLS_PARTITIONS_UP], !err);
    return err;
}

static void *keeper_run(void *at)
{
    struct keeper *keeper = at;

    do {
        if (bf_mono_ms() >= keeper->partitions_at_ms)
            keeper->partitions_at_ms = bf_mono_ms() + (partitions(keeper->control) ? RETRY_MS : DAY_MS);
        enum bf_err err = reaper_turn(keeper->reaper);
        if (err && err != BF_UNAVAILABLE)
            bf_error("reaper.failed", BF_E(err));
    } while (keeper_sleep(keeper, REAPER_TURN_MS));
    return NULL;
}

static void keeper_free(struct keeper *keeper)
{
    reaper_free(keeper->reaper);
    pthread_cond_destroy(&keeper->wake);
    pthread_mutex_destroy(&keeper->lock);
    free(keeper);
}

enum bf_err keeper_start(struct control *control, struct keeper **ret_keeper)
{
    struct keeper *keeper = bf_xcalloc(1, sizeof(*keeper));
    pthread_condattr_t attr;

    keeper->control = control;
    keeper->reaper = reaper_new(control);
    bf_metrics_register(call_metrics, CALLS_METRICS);
    pthread_mutex_init(&keeper->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&keeper->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&keeper->thread, NULL, keeper_run, keeper) != 0) {
        keeper_free(keeper);
        return BF_INTERNAL;
    }
    *ret_keeper = keeper;
    return BF_OK;
}

void keeper_stop(struct keeper *keeper)
{
    if (!keeper)
        return;
    pthread_mutex_lock(&keeper->lock);
    keeper->stop = true;
    pthread_cond_signal(&keeper->wake);
    pthread_mutex_unlock(&keeper->lock);
    pthread_join(keeper->thread, NULL);
    keeper_free(keeper);
}
