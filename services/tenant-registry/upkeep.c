// Background work: one thread.
#include "upkeep.h"

#include <pthread.h>
#include <time.h>

#include "change_store.h"
#include "idempotency.h"
#include "operator_key.h"

#define RETRY_MS   500   // until the database is there
#define FAULT_MS   10000 // until somebody has cured the key file: each try is logged
#define PRUNE_MS   60000
#define PRUNE_ROWS 5000 // a transaction: short, so that writers do not wait

struct upkeep {
    struct registry *registry;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop; // under lock
};

// False: stop.
static bool upkeep_sleep(struct upkeep *upkeep, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&upkeep->lock);
    while (!upkeep->stop && pthread_cond_timedwait(&upkeep->wake, &upkeep->lock, &until) == 0)
        ;
    bool go_on = !upkeep->stop;
    pthread_mutex_unlock(&upkeep->lock);
    return go_on;
}

static enum bf_err prune_changes(struct registry *registry, struct bf_tx *tx, int64_t *ret_pruned)
{
    return change_store_prune(tx, registry->settings.changes_keep_rows, registry->settings.changes_keep_hours,
                              PRUNE_ROWS, ret_pruned);
}

static enum bf_err prune_idempotency(struct registry *registry, struct bf_tx *tx, int64_t *ret_pruned)
{
    return idempotency_prune(tx, PRUNE_ROWS, ret_pruned);
}

static const struct {
    const char *table;
    enum bf_err (*prune)(struct registry *registry, struct bf_tx *tx, int64_t *ret_pruned);
    enum registry_metric metric;
} prunings[] = {
    {"change", prune_changes, METRIC_PRUNED_CHANGES},
    {"idempotency", prune_idempotency, METRIC_PRUNED_IDEMPOTENCY},
};

// One batch; *ret_pruned below PRUNE_ROWS: nothing is left to do.
static enum bf_err prune_batch(struct registry *registry, size_t which, int64_t *ret_pruned)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = prunings[which].prune(registry, tx, ret_pruned);
    if (!err)
        err = bf_tx_commit(tx);
    if (!err)
        bf_metric_add(&registry_metrics[prunings[which].metric], *ret_pruned);
    else if (err != BF_UNAVAILABLE)
        bf_error("upkeep.prune", BF_S("table", prunings[which].table), BF_E(err),
                 BF_S("database", tx ? bf_tx_error(tx) : ""));
    return err;
}

static bool prune_all(struct upkeep *upkeep)
{
    for (size_t i = 0; i < BF_LEN(prunings); i++) {
        int64_t pruned = PRUNE_ROWS;

        while (pruned >= PRUNE_ROWS && !prune_batch(upkeep->registry, i, &pruned))
            if (!upkeep_sleep(upkeep, 10))
                return false;
    }
    return true;
}

static void *upkeep_run(void *at)
{
    struct upkeep *upkeep = at;

    for (enum bf_err err; (err = operator_key_ensure(upkeep->registry));)
        if (!upkeep_sleep(upkeep, err == BF_UNAVAILABLE ? RETRY_MS : FAULT_MS))
            return NULL;
    upkeep->registry->operator_key_ready = true;
    while (prune_all(upkeep) && upkeep_sleep(upkeep, PRUNE_MS))
        ;
    return NULL;
}

enum bf_err upkeep_start(struct registry *registry, struct upkeep **ret_upkeep)
{
    struct upkeep *upkeep = bf_xcalloc(1, sizeof(*upkeep));
    pthread_condattr_t attr;

    upkeep->registry = registry;
    pthread_mutex_init(&upkeep->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&upkeep->wake, &attr);
    pthread_condattr_destroy(&attr);
    if (pthread_create(&upkeep->thread, NULL, upkeep_run, upkeep) != 0) {
        pthread_cond_destroy(&upkeep->wake);
        pthread_mutex_destroy(&upkeep->lock);
        free(upkeep);
        return BF_INTERNAL;
    }
    *ret_upkeep = upkeep;
    return BF_OK;
}

void upkeep_stop(struct upkeep *upkeep)
{
    if (!upkeep)
        return;
    pthread_mutex_lock(&upkeep->lock);
    upkeep->stop = true;
    pthread_cond_signal(&upkeep->wake);
    pthread_mutex_unlock(&upkeep->lock);
    pthread_join(upkeep->thread, NULL);
    pthread_cond_destroy(&upkeep->wake);
    pthread_mutex_destroy(&upkeep->lock);
    free(upkeep);
}
