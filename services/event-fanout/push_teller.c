// From settled pushes to timelines.
#include "push_teller.h"

#include "bf_ticker.h"
#include "fanout_metrics.h"
#include "push_line.h"

#define TELL_MS        2000
#define TURN_MS        1000 // what another replica wrote and did not tell
#define TURN_FAILED_MS 500

struct push_teller {
    struct fanout *fanout;
    struct bf_ticker *ticker;
    bool away; // call-control, when last told
};

static enum bf_err tell(struct push_teller *teller, const struct bf_buf *request)
{
    bf_cleanup(bf_buf_release) struct bf_buf reply;

    bf_buf_init(&reply, 1024);
    enum bf_err err = bf_bus_call(teller->fanout->control, "Pushed", "", "", TELL_MS,
                                  (struct bf_str){request->at, request->len}, &reply, NULL);
    if ((err != BF_OK) != teller->away)
        bf_log(err ? BF_LOG_WARN : BF_LOG_INFO, err ? "push.lines_wait" : "push.lines_go_on",
               (const struct bf_log_field[]){BF_E(err), {NULL, NULL, 0, 0}});
    teller->away = err != BF_OK;
    return err;
}

static enum bf_err tell_some(struct push_teller *teller, size_t *ret_count)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    bf_cleanup(bf_buf_release) struct bf_buf request;
    enum bf_err err = bf_tx_begin(teller->fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    bf_buf_init(&request, PUSH_LINES_REQUEST_MAX);
    if (!err)
        err = push_line_take(tx, &request, ret_count);
    if (err == BF_INTERNAL || err == BF_TOO_LARGE)
        bf_error("push.lines", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    if (!err && *ret_count)
        err = tell(teller, &request);
    return err ? err : bf_tx_commit(tx);
}

static void measure(struct push_teller *teller)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    int64_t seconds = 0;
    enum bf_err err = bf_tx_begin(teller->fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = push_line_age(tx, &seconds);
    if (!err)
        bf_metric_set(&fanout_metrics[FANOUT_PUSH_LINES_AGE], seconds);
}

static int64_t turn(void *ctx, struct bf_ticker *ticker)
{
    struct push_teller *teller = ctx;
    enum bf_err err;
    size_t count;

    do {
        count = 0;
        err = tell_some(teller, &count);
        if (!err)
            fanout_count(FANOUT_PUSH_LINES, (int64_t)count);
    } while (!err && count && !bf_ticker_stopping(ticker));
    measure(teller);
    return err ? TURN_FAILED_MS : TURN_MS;
}

enum bf_err push_teller_start(struct fanout *fanout, struct push_teller **ret_teller)
{
    struct push_teller *teller = bf_xcalloc(1, sizeof(*teller));

    teller->fanout = fanout;
    enum bf_err err = bf_ticker_start(turn, teller, &teller->ticker);
    if (err) {
        free(teller);
        return err;
    }
    *ret_teller = teller;
    return BF_OK;
}

void push_teller_stop(struct push_teller *teller)
{
    if (!teller)
        return;
    bf_ticker_stop(teller->ticker);
    free(teller);
}

void push_teller_poke(struct push_teller *teller)
{
    if (teller)
        bf_ticker_poke(teller->ticker);
}
