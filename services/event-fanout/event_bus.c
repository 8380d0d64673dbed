// The bus methods.
#include "event_bus.h"

#include "bf_clock.h"
#include "event_store.h"
#include "delivery_store.h"
#include "event_wire.h"
#include "fanout.h"
#include "fanout_metrics.h"
#include "batcher.h"
#include "push_bus.h"
#include "push_sender.h"
#include "relay.h"
#include "sender.h"

struct batch { // the good ones of what was published
    struct event_new *news;
    struct push_wake *wakes;
    struct push_wake_end *ends;
    size_t news_count, wakes_count, ends_count;
    const char **refused; // by place in what was published
    size_t refused_count;
};

static const char *batch_add_event(struct batch *batch, const struct event *event, uint64_t now_ms)
{
    const char *wrong = event_check(event, now_ms);
    char *body = wrong ? NULL : event_envelope(event);

    if (body)
        batch->news[batch->news_count++] = (struct event_new){event, body};
    return wrong || body ? wrong : "its data is no JSON object";
}

// What is wrong with it; NULL: it was added.
static const char *batch_add(struct batch *batch, const struct wire_entry *entry, uint64_t now_ms)
{
    const char *wrong = "is none that is known here";

    switch (entry->kind) {
    case WIRE_EVENT:
        return batch_add_event(batch, &entry->event, now_ms);
    case WIRE_WAKE:
        wrong = push_wake_check(&entry->wake, now_ms);
        if (!wrong)
            batch->wakes[batch->wakes_count++] = entry->wake;
        return wrong;
    case WIRE_WAKE_END:
        wrong = push_wake_end_check(&entry->wake_end);
        if (!wrong)
            batch->ends[batch->ends_count++] = entry->wake_end;
        return wrong;
    case WIRE_NONE:
        break;
    }
    return wrong;
}

static void batch_make(struct batch *batch, const struct wire_publish *publish)
{
    uint64_t now_ms = bf_unix_ms();

    batch->news = bf_xcalloc(publish->count, sizeof(batch->news[0]));
    batch->wakes = bf_xcalloc(publish->count, sizeof(batch->wakes[0]));
    batch->ends = bf_xcalloc(publish->count, sizeof(batch->ends[0]));
    batch->refused = bf_xcalloc(publish->count, sizeof(batch->refused[0]));
    for (size_t i = 0; i < publish->count; i++) {
        batch->refused[i] = batch_add(batch, &publish->entries[i], now_ms);
        batch->refused_count += batch->refused[i] != NULL;
    }
}

static void batch_release(struct batch *batch)
{
    for (size_t i = 0; i < batch->news_count; i++)
        free((char *)batch->news[i].body);
    free(batch->news);
    free(batch->wakes);
    free(batch->ends);
    free(batch->refused);
}

static enum bf_err store_events(struct fanout *fanout, struct bf_tx *tx, const struct batch *batch,
                                bool new_only, struct event_stored *ret_stored)
{
    if (batch->news_count == 0)
        return BF_OK;
    enum bf_err err = event_store_add(tx, &fanout->seal, fanout->replica, batch->news, batch->news_count,
                                      new_only, ret_stored);
    return err ? err : event_store_tell_owners(tx, fanout->replica, ret_stored);
}

static enum bf_err store_pushes(struct fanout *fanout, struct bf_tx *tx, const struct batch *batch,
                                struct push_list *pushes)
{
    bool hold = push_sender_has_room(fanout->pushes);
    enum bf_err err = batch->wakes_count || batch->ends_count ? bf_tx_plan_anew(tx) : BF_OK;

    if (!err && batch->wakes_count)
        err = push_store_wakes(tx, fanout->replica, batch->wakes, batch->wakes_count, hold, pushes);
    if (!err && batch->ends_count)
        err = push_store_ends(tx, fanout->replica, batch->ends, batch->ends_count, hold, pushes);
    return err;
}

// In the order in which they were published. Of those that were known not all are new: who has them is found
// out by reading.
static void tell_sockets(const struct fanout *fanout, const struct batch *batch, size_t stored)
{
    if (batch->news_count == 0)
        return;
    struct live_event *events = bf_xcalloc(batch->news_count, sizeof(events[0]));
    struct bf_buf numbers;

    bf_buf_init(&numbers, batch->news_count * EVENT_NUMBERS_MAX * (EVENT_NUMBER_BYTES_MAX + 1));
    bf_autofree size_t *begins = bf_xcalloc(batch->news_count, sizeof(begins[0]));
    for (size_t i = 0; i < batch->news_count; i++) {
        begins[i] = numbers.len;
        for (size_t n = 0; n < batch->news[i].event->number_count; n++)
            bf_buf_fmt(&numbers, "%s%s", n ? " " : "", batch->news[i].event->numbers[n]);
        bf_buf_add(&numbers, "", 1);
    }
    for (size_t i = 0; i < batch->news_count; i++) {
        const struct event *event = batch->news[i].event;
        events[i] = (struct live_event){event->id, event->tenant, event->type, numbers.at + begins[i],
                                        batch->news[i].body};
    }
    if (stored == batch->news_count)
        relay_publish(fanout->relay, events, batch->news_count);
    else
        relay_poke(fanout->relay);
    bf_buf_release(&numbers);
    free(events);
}

// BF_CONFLICT: `new_only`, and some of it was known.
static enum bf_err store(struct fanout *fanout, const struct batch *batch, bool new_only, size_t *ret_stored)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct event_stored stored = {.made = NULL};
    struct push_list pushes;
    enum bf_err err = bf_tx_begin_keyed(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    push_list_init(&pushes);
    if (!err)
        err = store_events(fanout, tx, batch, new_only, &stored);
    if (!err)
        err = store_pushes(fanout, tx, batch, &pushes);
    if (!err)
        err = bf_tx_commit(tx);
    if (err == BF_INTERNAL || err == BF_FORBIDDEN)
        bf_error("events.store", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    if (!err) {
        *ret_stored = stored.stored + pushes.count;
        fanout_count(FANOUT_EVENTS, (int64_t)stored.stored);
        fanout_count(FANOUT_EVENTS_AGAIN, (int64_t)(batch->news_count - stored.stored));
        push_sender_take(fanout->pushes, &pushes);
        sender_take_made(fanout->sender, &stored);
        tell_sockets(fanout, batch, stored.stored);
    }
    push_sender_doubt(fanout->pushes, &pushes); // taken, unless this failed
    event_stored_release(&stored);
    return err;
}

// ---- batches together

// A statement for many events costs little more than one for a few, and one commit is one write to the disk:
// one at a time, with all that came during the one before. What wakes phones waits for nobody.
#define STORE_NEWS_MAX 1000 // of several batches

struct passing {
    struct batcher_job job;
    const struct batch *batch;
    size_t stored;
    enum bf_err err;
};

// False: each has to go for itself, because how many of each were new is not known, or one of them is at
// fault.
static bool store_together(struct fanout *fanout, struct batcher_job *jobs)
{
    struct batch all = {.news = NULL};
    size_t stored = 0;

    for (struct batcher_job *each = jobs; each; each = each->next)
        all.news_count += each->size;
    all.news = bf_xcalloc(all.news_count, sizeof(all.news[0]));
    size_t at = 0;
    for (struct batcher_job *each = jobs; each; each = each->next) {
        const struct batch *batch = ((struct passing *)each)->batch;
        for (size_t i = 0; i < batch->news_count; i++)
            all.news[at++] = batch->news[i];
    }
    enum bf_err err = store(fanout, &all, true, &stored);
    free(all.news);
    for (struct batcher_job *each = jobs; each; each = each->next) {
        ((struct passing *)each)->err = err;
        ((struct passing *)each)->stored = each->size;
    }
    return !err || err == BF_UNAVAILABLE;
}

static void store_passing(void *ctx, struct batcher_job *jobs)
{
    struct fanout *fanout = ctx;

    if (jobs->next && store_together(fanout, jobs))
        return;
    for (struct batcher_job *each = jobs; each; each = each->next) {
        struct passing *passing = (struct passing *)each;
        passing->err = store(fanout, passing->batch, false, &passing->stored);
    }
}

struct batcher *event_bus_batcher_new(struct fanout *fanout)
{
    return batcher_new(STORE_NEWS_MAX, store_passing, fanout);
}

static enum bf_err store_batch(struct fanout *fanout, const struct batch *batch, size_t *ret_stored)
{
    struct passing passing = {.job = {.size = batch->news_count}, .batch = batch};

    if (batch->wakes_count || batch->ends_count)
        return store(fanout, batch, false, ret_stored);
    batcher_pass(fanout->batcher, &passing.job);
    *ret_stored = passing.stored;
    return passing.err;
}

static enum bf_err publish(const struct bf_bus_request *request, struct bf_buf *ret_body,
                           struct bf_buf *error, void *ctx)
{
    uint64_t began_us = bf_mono_us();
    struct wire_publish asked;
    struct batch batch = {.news = NULL};
    struct fanout *fanout = ctx;
    size_t stored = 0;
    enum bf_err err = fanout->known ? event_wire_read_publish(request->body, &asked, error) : BF_UNAVAILABLE;

    if (err)
        return err;
    batch_make(&batch, &asked);
    if (batch.refused_count < asked.count)
        err = store_batch(fanout, &batch, &stored);
    if (!err) {
        fanout_count(FANOUT_EVENTS_REFUSED, (int64_t)batch.refused_count);
        event_wire_write_publish(ret_body, stored, batch.refused, asked.count);
        bf_metric_observe_us(&fanout_metrics[FANOUT_STORE_SECONDS], bf_mono_us() - began_us);
    }
    batch_release(&batch);
    event_wire_release_publish(&asked);
    return err;
}

const struct bf_bus_method event_bus_methods[] = {
    {"Publish", publish},
    {"PushDevices", push_bus_devices},
    {"RegisterPush", push_bus_register},
};
const size_t event_bus_method_count = BF_LEN(event_bus_methods);
