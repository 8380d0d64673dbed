// Background work.
#include "keeper.h"

#include "bf_clock.h"
#include "bf_idempotency.h"
#include "bf_ticker.h"
#include "delivery_store.h"
#include "event_store.h"
#include "fanout_metrics.h"
#include "listener_store.h"
#include "push_store.h"
#include "sender.h"

#define DAY_MS     UINT64_C(86400000)
#define RETRY_MS   5000
#define LISTEN_MS  500
#define RESUME_MS  60000 // REST does it at once; this is for what was published in the same moment
#define PRUNE_MS   60000 // answers kept for repeated requests; listeners that are gone
#define PRUNE_ROWS 5000
#define DUE_MAX    500 // at once; more are asked for at once too

struct keeper {
    struct fanout *fanout;
    struct bf_db_listener *heard;
    uint64_t partitions_at_ms, beat_at_ms, resume_at_ms, prune_at_ms; // monotonic: when to do it next
    struct bf_ticker *ticker, *listener;
};

static void complain(const char *event, enum bf_err err, struct bf_tx *tx)
{
    if (err && err != BF_UNAVAILABLE)
        bf_error(event, BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
}

static enum bf_err partitions(struct fanout *fanout)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    int64_t made = 0, dropped = 0;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = event_store_partitions(tx, fanout->settings.events_keep_days, &made, &dropped);
    if (!err)
        err = bf_tx_commit(tx);
    complain("keeper.partitions", err, tx);
    if (!err && (made || dropped))
        bf_info("keeper.partitions", BF_I("made", made), BF_I("dropped", dropped));
    bf_metric_set(&fanout_metrics[FANOUT_PARTITIONS_UP], !err);
    return err;
}

// A transaction of its own: taking over waits for others who do it, and they may wait for this row.
static enum bf_err beat(struct fanout *fanout)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = delivery_store_beat(tx, fanout->replica);
    if (!err)
        err = bf_tx_commit(tx);
    complain("keeper.beat", err, tx);
    if (!err)
        fanout->known = true;
    return err;
}

static void take_over(struct fanout *fanout)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    size_t taken = 0, pushes = 0;
    enum bf_err err = bf_tx_begin_keyed(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = delivery_store_take_over(tx, fanout->replica, KEEPER_DEAD_MS, &taken);
    if (!err)
        err = bf_tx_plan_anew(tx);
    if (!err)
        err = push_store_take_over(tx, fanout->replica, KEEPER_DEAD_MS, &pushes);
    if (!err)
        err = bf_tx_commit(tx);
    complain("keeper.take_over", err, tx);
    if (!err && taken) {
        fanout_count(FANOUT_TAKEN_OVER, (int64_t)taken);
        bf_info("keeper.taken_over", BF_I("deliveries", taken));
    }
    if (!err && pushes) {
        fanout_count(FANOUT_PUSHES_TAKEN_OVER, (int64_t)pushes);
        bf_info("keeper.taken_over", BF_I("pushes", pushes));
    }
}

// *ret_more: ask again at once.
static enum bf_err due(struct fanout *fanout, bool *ret_more)
{
    bf_autofree struct delivery **list = bf_xcalloc(DUE_MAX, sizeof(struct delivery *));
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct delivery_due due = {.count = 0};
    size_t room = sender_due_begin(fanout->sender), limit = room < DUE_MAX ? room : DUE_MAX;
    enum bf_err err =
        limit ? bf_tx_begin_keyed(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx) : BF_LIMIT;

    if (!err)
        err = delivery_store_due(tx, &fanout->seal, fanout->replica, limit, list, &due);
    if (!err)
        err = bf_tx_commit(tx);
    if (err != BF_LIMIT)
        complain("keeper.due", err, tx);
    for (size_t i = 0; err && i < due.count; i++)
        delivery_free(list[i]);
    sender_due_end(fanout->sender, list, err ? 0 : due.count, err || due.looked > due.count);
    *ret_more = !err && due.looked == limit;
    return err;
}

static void resume(struct fanout *fanout)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    size_t freed = 0;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = delivery_store_resume(tx, fanout->replica, &freed);
    if (!err)
        err = bf_tx_commit(tx);
    complain("keeper.resume", err, tx);
}

static void prune(struct fanout *fanout)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    int64_t pruned;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = bf_idempotency_prune(tx, "events.idempotency", PRUNE_ROWS, &pruned);
    if (!err)
        err = listener_store_prune(tx);
    if (!err)
        err = bf_tx_commit(tx);
    complain("keeper.prune", err, tx);
}

static bool is_time(uint64_t *at_ms, uint64_t every_ms)
{
    if (bf_mono_ms() < *at_ms)
        return false;
    *at_ms = bf_mono_ms() + every_ms;
    return true;
}

static void live(struct keeper *keeper)
{
    if (is_time(&keeper->beat_at_ms, KEEPER_TURN_MS) && !beat(keeper->fanout))
        take_over(keeper->fanout);
}

static int64_t keeper_turn(void *ctx, struct bf_ticker *ticker)
{
    struct keeper *keeper = ctx;
    bool more = true;

    live(keeper);
    if (is_time(&keeper->partitions_at_ms, DAY_MS) && partitions(keeper->fanout))
        keeper->partitions_at_ms = bf_mono_ms() + RETRY_MS;
    if (is_time(&keeper->resume_at_ms, RESUME_MS))
        resume(keeper->fanout);
    if (is_time(&keeper->prune_at_ms, PRUNE_MS))
        prune(keeper->fanout);
    while (more && due(keeper->fanout, &more) == BF_OK && !bf_ticker_stopping(ticker))
        live(keeper); // a long row of them must not make the others think that we are dead
    return KEEPER_TURN_MS;
}

// The payload need not be read: to look once too often is cheap.
static int64_t listener_turn(void *ctx, struct bf_ticker *ticker)
{
    struct keeper *keeper = ctx;
    bool notified;
    enum bf_err err = bf_db_listener_wait(keeper->heard, LISTEN_MS, &notified);

    if (!err && notified)
        bf_ticker_poke(keeper->ticker);
    return err ? LISTEN_MS : 0;
}

static void keeper_due(void *ctx)
{
    bf_ticker_poke(((struct keeper *)ctx)->ticker);
}

enum bf_err keeper_start(struct fanout *fanout, struct keeper **ret_keeper)
{
    struct keeper *keeper = bf_xcalloc(1, sizeof(*keeper));

    keeper->fanout = fanout;
    (void)!beat(fanout); // before anybody can ask us to own something; each turn tries again
    enum bf_err err = bf_db_listener_open(&fanout->settings.db, DELIVERY_CHANNEL, &keeper->heard);
    if (!err)
        err = bf_ticker_start(keeper_turn, keeper, &keeper->ticker);
    if (!err)
        err = bf_ticker_start(listener_turn, keeper, &keeper->listener);
    if (err) {
        keeper_stop(keeper);
        return err;
    }
    sender_on_due(fanout->sender, keeper_due, keeper);
    *ret_keeper = keeper;
    return BF_OK;
}

void keeper_stop(struct keeper *keeper)
{
    if (!keeper)
        return;
    sender_on_due(keeper->fanout->sender, NULL, NULL);
    bf_ticker_stop(keeper->listener);
    bf_ticker_stop(keeper->ticker);
    bf_db_listener_close(keeper->heard);
    free(keeper);
}
