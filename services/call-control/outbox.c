// What event-fanout has to be told.
#include "outbox.h"

#include <stdlib.h>
#include <string.h>

#include "bf_ticker.h"
#include "call_metrics.h"
#include "outbox_store.h"
#include "tell.h"
#include "tell_wire.h"

#define ENTRIES_MAX     2000 // in one transaction: at most two for each event
#define REQUEST_BYTES   ((size_t)OUTBOX_BATCH_MAX * TELL_ENTRY_BYTES_MAX)
#define ENTRY_BYTES     ((size_t)ENTRIES_MAX * TELL_ENTRY_BYTES_MAX)
#define PUBLISH_MS      2000
#define TURN_MS         1000 // what another replica wrote and did not publish
#define TURN_FAILED_MS  500
#define REPLY_BYTES_MAX 65536

struct outbox {
    struct control *control;
    struct bf_ticker *ticker;
    bool away; // event-fanout, when last asked
};

// ---- writing

struct outbox_work {
    struct control *control;
    struct outbox_entry entries[ENTRIES_MAX];
    size_t begins[ENTRIES_MAX]; // of each in `packed`
    size_t count;
    struct bf_buf packed;
    struct bf_id *wanted; // tenants, in order
    size_t wanted_count;
};

struct outbox_work *outbox_begin(struct control *control)
{
    struct outbox_work *work = bf_xcalloc(1, sizeof(*work));

    work->control = control;
    bf_buf_init(&work->packed, ENTRY_BYTES);
    return work;
}

enum bf_err outbox_ask(struct outbox_work *work, struct bf_tx *tx, const struct bf_id *tenants, size_t count)
{
    if (!work->control->outbox || count == 0)
        return BF_OK;
    work->wanted = bf_xcalloc(count, sizeof(work->wanted[0]));
    return outbox_store_wanted(tx, tenants, count, work->wanted, &work->wanted_count);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct bf_id));
}

static bool wanted(const struct outbox_work *work, struct bf_id tenant)
{
    return work->wanted_count &&
           bsearch(&tenant, work->wanted, work->wanted_count, sizeof(work->wanted[0]), compare);
}

static void keep(struct outbox_work *work, const struct call_event *event, size_t begins)
{
    work->begins[work->count] = begins;
    work->entries[work->count++] = (struct outbox_entry){
        .tenant = event->tenant, .call = event->call, .packed = {NULL, work->packed.len - begins}};
}

void outbox_tell(struct outbox_work *work, const struct call_event *event, const struct call *call,
                 const struct tell_wake *wake)
{
    size_t begins = work->packed.len;

    if (!work->control->outbox || work->count + 2 > ENTRIES_MAX)
        return;
    if (wanted(work, event->tenant) && tell_entry(event, call, &work->packed))
        keep(work, event, begins);
    begins = work->packed.len;
    if (tell_wake_entry(event, call, wake, &work->packed))
        keep(work, event, begins);
}

enum bf_err outbox_write(struct outbox_work *work, struct bf_tx *tx)
{
    for (size_t i = 0; i < work->count; i++)
        work->entries[i].packed.at = work->packed.at + work->begins[i];
    return work->count ? outbox_store_add(tx, work->entries, work->count) : BF_OK;
}

void outbox_end(struct outbox_work *work, bool committed)
{
    if (committed && work->count) {
        bf_metric_add(&call_metrics[CALLS_TOLD], (int64_t)work->count);
        bf_ticker_poke(work->control->outbox->ticker);
    }
    bf_buf_release(&work->packed);
    free(work->wanted);
    free(work);
}

// ---- publishing

// What event-fanout will never take is not sent again: it is counted and logged here, for the last time.
static void note_refused(const char *why)
{
    call_count(CALLS_TOLD_REFUSED);
    bf_warn("outbox.refused", BF_S("why", why));
}

static enum bf_err publish(struct outbox *outbox, const struct bf_buf *request)
{
    bf_cleanup(bf_buf_release) struct bf_buf reply;

    bf_buf_init(&reply, REPLY_BYTES_MAX);
    enum bf_err err = bf_bus_call(outbox->control->events, "Publish", "", "", PUBLISH_MS,
                                  (struct bf_str){request->at, request->len}, &reply, NULL);
    if (!err)
        tell_wire_refused((struct bf_str){reply.at, reply.len}, note_refused);
    if ((err != BF_OK) != outbox->away)
        bf_log(err ? BF_LOG_WARN : BF_LOG_INFO, err ? "outbox.waits" : "outbox.goes_on",
               (const struct bf_log_field[]){BF_E(err), {NULL, NULL, 0, 0}});
    outbox->away = err != BF_OK;
    return err;
}

static enum bf_err publish_some(struct outbox *outbox, size_t *ret_count)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    bf_cleanup(bf_buf_release) struct bf_buf request;
    size_t count = 0;

    bf_buf_init(&request, REQUEST_BYTES);
    enum bf_err err = bf_tx_begin(outbox->control->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);
    if (!err)
        err = outbox_store_take(tx, &request, &count);
    if (err == BF_INTERNAL || err == BF_TOO_LARGE)
        bf_error("outbox.failed", BF_E(err), BF_S("database", bf_tx_error(tx)));
    if (!err && count)
        err = publish(outbox, &request);
    if (!err)
        err = bf_tx_commit(tx);
    if (!err)
        *ret_count = count;
    return err;
}

static void measure(struct outbox *outbox)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    int64_t seconds = 0;
    enum bf_err err = bf_tx_begin(outbox->control->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = outbox_store_age(tx, &seconds);
    if (!err)
        bf_metric_set(&call_metrics[CALLS_OUTBOX_AGE], seconds);
}

static int64_t outbox_turn(void *ctx, struct bf_ticker *ticker)
{
    struct outbox *outbox = ctx;
    enum bf_err err;
    size_t count;

    do {
        count = 0;
        err = publish_some(outbox, &count);
    } while (!err && count && !bf_ticker_stopping(ticker));
    measure(outbox);
    return err ? TURN_FAILED_MS : TURN_MS;
}

enum bf_err outbox_start(struct control *control, struct outbox **ret_outbox)
{
    struct outbox *outbox = bf_xcalloc(1, sizeof(*outbox));

    outbox->control = control;
    enum bf_err err = bf_ticker_start(outbox_turn, outbox, &outbox->ticker);
    if (err) {
        free(outbox);
        return err;
    }
    *ret_outbox = outbox;
    return BF_OK;
}

void outbox_stop(struct outbox *outbox)
{
    if (!outbox)
        return;
    bf_ticker_stop(outbox->ticker);
    free(outbox);
}
