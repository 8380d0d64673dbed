// Push devices whose extension is gone.
#include "push_sweeper.h"

#include <pthread.h>
#include <string.h>

#include "authority.h"
#include "bf_clock.h"
#include "bf_ticker.h"
#include "fanout_metrics.h"
#include "push_device_store.h"

#define ALL_MS    3600000 // all are asked about
#define UNSURE_MS 10000   // holes that come one after the other are one
#define RETRY_MS  2000

struct end {
    struct bf_id tenant;
    char number[BF_APP_NUMBER_SIZE]; // "": all of the tenant
};

struct push_sweeper {
    struct fanout *fanout;
    struct bf_ticker *ticker;
    pthread_mutex_t lock;
    struct end ends[PUSH_SWEEPER_ENDS_MAX]; // under lock
    size_t count;                           // under lock
    uint64_t all_at_ms;                     // monotonic, under lock: when to ask about all
};

// ---- what the feed says

static void all_by(struct push_sweeper *sweeper, uint64_t at_ms)
{
    pthread_mutex_lock(&sweeper->lock);
    if (sweeper->all_at_ms > at_ms)
        sweeper->all_at_ms = at_ms;
    pthread_mutex_unlock(&sweeper->lock);
}

static void changed(void *ctx, const struct authority_change *change)
{
    struct push_sweeper *sweeper = ctx;
    bool tenant = change->kind == AUTHORITY_TENANT_GONE;
    bool extension = change->kind == AUTHORITY_EXTENSION && bf_id_is_nil(change->extension);
    size_t len = strlen(change->number);

    if ((!tenant && !extension) || len >= BF_APP_NUMBER_SIZE)
        return;
    pthread_mutex_lock(&sweeper->lock);
    bool full = sweeper->count == PUSH_SWEEPER_ENDS_MAX;
    if (!full) {
        struct end *end = &sweeper->ends[sweeper->count++];
        end->tenant = change->tenant;
        memcpy(end->number, change->number, len + 1);
    }
    pthread_mutex_unlock(&sweeper->lock);
    if (full)
        all_by(sweeper, bf_mono_ms() + UNSURE_MS);
    bf_ticker_poke(sweeper->ticker);
}

static void unsure(void *ctx)
{
    struct push_sweeper *sweeper = ctx;

    all_by(sweeper, bf_mono_ms() + UNSURE_MS);
    bf_ticker_poke(sweeper->ticker);
}

// ---- asking

static enum bf_err page_read(struct fanout *fanout, const struct end *end, struct bf_id after,
                             struct bf_rows **ret_rows, struct push_device **ret_list, size_t *ret_count)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = push_device_store_page(tx, end->tenant, *end->number ? end->number : NULL, after,
                                     AUTHORITY_OWNERS_MAX, ret_rows, ret_list, ret_count);
    return err;
}

// Leaves those in the list whose owner is gone.
static enum bf_err page_judge(struct fanout *fanout, struct push_device *list, size_t *count)
{
    bf_autofree struct authority_owner *owners = bf_xcalloc(*count + 1, sizeof(*owners));
    bf_autofree bool *gone = bf_xcalloc(*count + 1, sizeof(*gone));
    size_t kept = 0;

    for (size_t i = 0; i < *count; i++)
        owners[i] = (struct authority_owner){list[i].tenant, list[i].extension, list[i].number};
    enum bf_err err = authority_gone(fanout->authority, owners, *count, gone);
    if (err)
        return err;
    for (size_t i = 0; i < *count; i++)
        if (gone[i])
            list[kept++] = list[i];
    *count = kept;
    return BF_OK;
}

static enum bf_err page_forget(struct fanout *fanout, const struct push_device *list, size_t count)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    size_t gone = 0;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = push_device_store_forget(tx, list, count, &gone);
    if (!err)
        err = bf_tx_commit(tx);
    if (!err && gone) {
        fanout_count(FANOUT_PUSH_DEVICES_GONE, (int64_t)gone);
        bf_info("push.devices_gone", BF_I("devices", gone));
    }
    return err;
}

// *after: in and out; *ret_more: there are further ones behind it.
static enum bf_err sweep_page(struct fanout *fanout, const struct end *end, struct bf_id *after,
                              bool *ret_more)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    bf_autofree struct push_device *list = NULL;
    size_t count = 0;
    enum bf_err err = page_read(fanout, end, *after, &rows, &list, &count);

    if (err || count == 0) {
        *ret_more = false;
        return err;
    }
    *after = list[count - 1].id;
    *ret_more = count == AUTHORITY_OWNERS_MAX;
    err = page_judge(fanout, list, &count);
    return err || count == 0 ? err : page_forget(fanout, list, count);
}

static enum bf_err sweep(struct push_sweeper *sweeper, const struct end *end, struct bf_ticker *ticker)
{
    struct bf_id after = {{0}};
    enum bf_err err = BF_OK;
    bool more = true;

    while (!err && more && !bf_ticker_stopping(ticker))
        err = sweep_page(sweeper->fanout, end, &after, &more);
    if (err && err != BF_UNAVAILABLE && err != BF_TIMEOUT)
        bf_error("push.sweep", BF_E(err));
    return err;
}

// ---- the thread

static bool take_end(struct push_sweeper *sweeper, struct end *ret_end)
{
    pthread_mutex_lock(&sweeper->lock);
    bool found = sweeper->count > 0;
    if (found)
        *ret_end = sweeper->ends[--sweeper->count];
    pthread_mutex_unlock(&sweeper->lock);
    return found;
}

static bool take_all(struct push_sweeper *sweeper)
{
    uint64_t now_ms = bf_mono_ms();

    pthread_mutex_lock(&sweeper->lock);
    bool due = sweeper->all_at_ms <= now_ms;
    if (due)
        sweeper->all_at_ms = now_ms + ALL_MS;
    pthread_mutex_unlock(&sweeper->lock);
    return due;
}

static int64_t wait_ms(struct push_sweeper *sweeper)
{
    uint64_t now_ms = bf_mono_ms();

    pthread_mutex_lock(&sweeper->lock);
    uint64_t at_ms = sweeper->all_at_ms;
    pthread_mutex_unlock(&sweeper->lock);
    return at_ms > now_ms ? (int64_t)(at_ms - now_ms) : 0;
}

static int64_t turn(void *ctx, struct bf_ticker *ticker)
{
    static const struct end everything = {.number = ""};
    struct push_sweeper *sweeper = ctx;
    enum bf_err err = BF_OK;
    struct end end;

    while (!err && !bf_ticker_stopping(ticker) && take_end(sweeper, &end))
        err = sweep(sweeper, &end, ticker);
    if (!err && take_all(sweeper))
        err = sweep(sweeper, &everything, ticker);
    if (err) // what was not done is done with all
        all_by(sweeper, bf_mono_ms() + RETRY_MS);
    return err ? RETRY_MS : wait_ms(sweeper);
}

enum bf_err push_sweeper_start(struct fanout *fanout, struct push_sweeper **ret_sweeper)
{
    struct push_sweeper *sweeper = bf_xcalloc(1, sizeof(*sweeper));
    struct authority_ear ear = {.changed = changed, .unsure = unsure, .ctx = sweeper};

    sweeper->fanout = fanout;
    pthread_mutex_init(&sweeper->lock, NULL);
    sweeper->all_at_ms = bf_mono_ms();
    enum bf_err err = bf_ticker_start(turn, sweeper, &sweeper->ticker);
    if (err) {
        push_sweeper_stop(sweeper);
        return err;
    }
    authority_listen(fanout->authority, &ear);
    *ret_sweeper = sweeper;
    return BF_OK;
}

void push_sweeper_stop(struct push_sweeper *sweeper)
{
    if (!sweeper)
        return;
    bf_ticker_stop(sweeper->ticker);
    pthread_mutex_destroy(&sweeper->lock);
    free(sweeper);
}
