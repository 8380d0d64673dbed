// The bus methods.
#include "event_bus.h"

#include "bf_clock.h"
#include "event_store.h"
#include "delivery_store.h"
#include "event_wire.h"
#include "fanout.h"
#include "fanout_metrics.h"
#include "sender.h"

struct batch { // the good ones of what was published
    struct event_new *news;
    size_t count;
    const char **refused; // by place in what was published
};

static void batch_make(struct batch *batch, const struct wire_publish *publish)
{
    uint64_t now_ms = bf_unix_ms();

    batch->news = bf_xcalloc(publish->count, sizeof(batch->news[0]));
    batch->refused = bf_xcalloc(publish->count, sizeof(batch->refused[0]));
    for (size_t i = 0; i < publish->count; i++) {
        const struct event *event = &publish->events[i];
        const char *wrong = event->type ? event_check(event, now_ms) : "is no event";
        char *body = wrong ? NULL : event_envelope(event);
        if (body)
            batch->news[batch->count++] = (struct event_new){event, body};
        else
            batch->refused[i] = wrong ? wrong : "its data is no JSON object";
    }
}

static void batch_release(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        free((char *)batch->news[i].body);
    free(batch->news);
    free(batch->refused);
}

// Other replicas that own one of the lanes look for it when this is committed.
static enum bf_err tell_owners(const struct fanout *fanout, struct bf_tx *tx,
                               const struct event_stored *stored)
{
    enum bf_err err = BF_OK;

    for (size_t i = 0; !err && i < stored->made_count; i++) {
        const struct event_made *made = &stored->made[i];
        if (!bf_id_eq(made->owner, fanout->replica) &&
            (i == 0 || !bf_id_eq(made->owner, stored->made[i - 1].owner)))
            err = delivery_store_notify(tx, made->owner);
    }
    return err;
}

static enum bf_err store(struct fanout *fanout, const struct batch *batch, size_t *ret_stored)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct event_stored stored = {.made = NULL};
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = event_store_add(tx, &fanout->seal, fanout->replica, batch->news, batch->count, &stored);
    if (!err)
        err = tell_owners(fanout, tx, &stored);
    if (!err)
        err = bf_tx_commit(tx);
    if (err == BF_INTERNAL || err == BF_FORBIDDEN)
        bf_error("events.store", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    if (!err) {
        *ret_stored = stored.stored;
        fanout_count(FANOUT_EVENTS, (int64_t)stored.stored);
        fanout_count(FANOUT_EVENTS_AGAIN, (int64_t)(batch->count - stored.stored));
        sender_take_made(fanout->sender, &stored);
    }
    event_stored_release(&stored);
    return err;
}

static enum bf_err publish(const struct bf_bus_request *request, struct bf_buf *ret_body,
                           struct bf_buf *error, void *ctx)
{
    uint64_t began_us = bf_mono_us();
    struct wire_publish asked;
    struct batch batch = {.count = 0};
    size_t stored = 0;
    enum bf_err err = event_wire_read_publish(request->body, &asked, error);

    if (err)
        return err;
    batch_make(&batch, &asked);
    if (batch.count)
        err = store(ctx, &batch, &stored);
    if (!err) {
        fanout_count(FANOUT_EVENTS_REFUSED, (int64_t)(asked.count - batch.count));
        event_wire_write_publish(ret_body, stored, batch.refused, asked.count);
        bf_metric_observe_us(&fanout_metrics[FANOUT_STORE_SECONDS], bf_mono_us() - began_us);
    }
    batch_release(&batch);
    event_wire_release_publish(&asked);
    return err;
}

const struct bf_bus_method event_bus_methods[] = {
    {"Publish", publish},
};
const size_t event_bus_method_count = BF_LEN(event_bus_methods);
