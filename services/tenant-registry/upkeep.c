// Background work.
#include "upkeep.h"

#include "app_key_store.h"
#include "bf_clock.h"
#include "change_store.h"
#include "key_store.h"
#include "bf_idempotency.h"
#include "operator_key.h"

#define RETRY_MS   500   // until the database is there
#define FAULT_MS   10000 // until somebody has cured the key file: each try is logged
#define PRUNE_MS   60000
#define BATCH_MS   10   // while there is more to prune
#define PRUNE_ROWS 5000 // a transaction: short, so that writers do not wait

static enum bf_err prune_changes(struct registry *registry, struct bf_tx *tx, int64_t *ret_pruned)
{
    return change_store_prune(tx, registry->settings.changes_keep_rows, registry->settings.changes_keep_hours,
                              PRUNE_ROWS, ret_pruned);
}

static enum bf_err prune_idempotency(struct registry *registry, struct bf_tx *tx, int64_t *ret_pruned)
{
    return bf_idempotency_prune(tx, "registry.idempotency", PRUNE_ROWS, ret_pruned);
}

static enum bf_err prune_keys(struct registry *registry, struct bf_tx *tx, int64_t *ret_pruned)
{
    return key_store_prune(tx, PRUNE_ROWS, ret_pruned);
}

static const struct {
    const char *table;
    enum bf_err (*prune)(struct registry *registry, struct bf_tx *tx, int64_t *ret_pruned);
    enum registry_metric metric;
} prunings[] = {
    {"change", prune_changes, METRIC_PRUNED_CHANGES},
    {"idempotency", prune_idempotency, METRIC_PRUNED_IDEMPOTENCY},
    {"api_key", prune_keys, METRIC_PRUNED_KEYS},
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

// Whether more than one batch is left of a table.
static bool prune_all(struct registry *registry)
{
    bool more = false;

    for (size_t i = 0; i < BF_LEN(prunings); i++) {
        int64_t pruned = 0;
        enum bf_err err = prune_batch(registry, i, &pruned);
        more = more || (!err && pruned >= PRUNE_ROWS);
    }
    return more;
}

static enum bf_err app_keys(struct registry *registry)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    bool made = false;
    enum bf_err err = bf_tx_begin(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = app_key_store_turn(tx, &registry->vault, bf_unix_ms(), &made);
    if (!err)
        err = bf_tx_commit(tx);
    bf_metric_set(&registry_metrics[METRIC_APP_KEYS_UP], !err);
    if (err && err != BF_UNAVAILABLE)
        bf_error("upkeep.app_keys", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    if (!err && made) {
        registry_count(METRIC_APP_KEYS_MADE);
        bf_info("upkeep.app_key_made");
    }
    return err;
}

static int64_t upkeep_turn(void *ctx, struct bf_ticker *ticker)
{
    struct registry *registry = ctx;

    if (!registry->operator_key_ready) {
        enum bf_err err = operator_key_ensure(registry);
        if (err)
            return err == BF_UNAVAILABLE ? RETRY_MS : FAULT_MS;
        registry->operator_key_ready = true;
    }
    if (prune_all(registry))
        return BATCH_MS;
    return app_keys(registry) ? RETRY_MS : PRUNE_MS;
}

enum bf_err upkeep_start(struct registry *registry, struct bf_ticker **ret_upkeep)
{
    return bf_ticker_start(upkeep_turn, registry, ret_upkeep);
}
