// Background work.
#include "keeper.h"

#include "bf_clock.h"
#include "bf_ticker.h"
#include "call_metrics.h"
#include "cdr_store.h"
#include "reaper.h"

#define DAY_MS   (24 * 3600 * 1000)
#define RETRY_MS 5000

struct keeper {
    struct control *control;
    struct reaper *reaper;
    uint64_t partitions_at_ms; // monotonic: when to look next
    struct bf_ticker *ticker;
};

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

static int64_t keeper_turn(void *ctx, struct bf_ticker *ticker)
{
    struct keeper *keeper = ctx;

    if (bf_mono_ms() >= keeper->partitions_at_ms)
        keeper->partitions_at_ms = bf_mono_ms() + (partitions(keeper->control) ? RETRY_MS : DAY_MS);
    enum bf_err err = reaper_turn(keeper->reaper);
    if (err && err != BF_UNAVAILABLE)
        bf_error("reaper.failed", BF_E(err));
    return REAPER_TURN_MS;
}

enum bf_err keeper_start(struct control *control, struct keeper **ret_keeper)
{
    struct keeper *keeper = bf_xcalloc(1, sizeof(*keeper));

    keeper->control = control;
    keeper->reaper = reaper_new(control);
    bf_metrics_register(call_metrics, CALLS_METRICS);
    enum bf_err err = bf_ticker_start(keeper_turn, keeper, &keeper->ticker);
    if (err) {
        keeper_stop(keeper);
        return err;
    }
    *ret_keeper = keeper;
    return BF_OK;
}

void keeper_stop(struct keeper *keeper)
{
    if (!keeper)
        return;
    bf_ticker_stop(keeper->ticker);
    reaper_free(keeper->reaper);
    free(keeper);
}
