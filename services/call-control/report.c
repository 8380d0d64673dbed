// An edge's streams.
#include "report.h"

#include <string.h>

#include "call_events.h"
#include "control.h"
#include "control_metrics.h"
#include "location_store.h"
#include "bf_clock.h"
#include "wake_store.h"
#include "waker.h"

// A batch that stays in the cache: of a whole Report it would be 1 MB, most of it page faults.
#define FLUSH_COMMANDS 500

struct report_choice report_choose(const struct edge_stream *stream, uint64_t first_seq, size_t count)
{
    uint64_t next = stream->known ? stream->seq + 1 : first_seq;
    struct report_choice choice = {.seq = first_seq + count - 1};

    if (first_seq > next && stream->gap != first_seq)
        return (struct report_choice){.refuse = true, .seq = stream->seq};
    choice.lost = first_seq > next;
    if (first_seq < next)
        choice.skip = next - first_seq < count ? (size_t)(next - first_seq) : count;
    if (choice.seq + 1 < next)
        choice.seq = next - 1;
    return choice;
}

bool report_wants_sync(const struct edge_stream *stream)
{
    return !stream->synced && stream->sync == 0;
}

struct taking {
    struct control *control;
    const struct wire_report *report;
    struct edge_stream stream;
    struct bf_redis_batch *batch;
    struct call_event *events;
    size_t event_count;
    // Bindings in the batch: who waits for their numbers?
    struct look {
        const struct wire_entry *entry;
        size_t fresh_at, waits_at; // replies
    } * looks;
    size_t look_count;
    size_t listed; // of the looks
};

// Many at once, in front of whatever comes after the puts.
static void list(struct taking *taking)
{
    const struct binding *bindings[LOCATION_LIST_MAX];

    while (taking->listed < taking->look_count) {
        size_t count = 0;
        while (count < LOCATION_LIST_MAX && taking->listed < taking->look_count)
            bindings[count++] = &taking->looks[taking->listed++].entry->binding;
        location_store_list(taking->batch, taking->report->edge.id, bindings, count,
                            taking->stream.sync != 0);
    }
}

static void put(struct taking *taking, const struct wire_entry *entry)
{
    struct look *look = &taking->looks[taking->look_count++];

    look->entry = entry;
    look->fresh_at = location_store_put(taking->batch, &entry->binding, entry->packed);
    look->waits_at = wake_store_ask(taking->batch, entry->binding.tenant, entry->binding.number);
}

// A sync tells again what was told: nothing of it is new.
static void look_at(struct taking *taking, const struct look *look)
{
    const struct binding *binding = &look->entry->binding;
    struct waker *waker = taking->control->waker;
    bool fresh = bf_redis_int(bf_redis_reply(taking->batch, look->fresh_at)) > 0;
    const struct bf_redis_reply *waits = bf_redis_reply(taking->batch, look->waits_at);

    waker_register(waker, binding);
    if (bf_redis_items(waits) == 0)
        return;
    bf_autofree struct wake_wait *waiting = bf_xcalloc(WAKE_WAITS_MAX, sizeof(*waiting));
    size_t count = wake_store_read(waits, binding->tenant, binding->number, bf_unix_ms(), waiting);
    waker_look(waker, waiting, count, binding, fresh && taking->stream.sync == 0, look->entry->at_ms);
}

static enum bf_err run(struct taking *taking)
{
    enum bf_err err = bf_redis_run(taking->batch);

    for (size_t i = 0; !err && i < taking->look_count; i++)
        look_at(taking, &taking->looks[i]);
    if (!err)
        taking->look_count = taking->listed = 0;
    return err;
}

static enum bf_err flush(struct taking *taking)
{
    list(taking);
    enum bf_err err = run(taking);

    if (!err)
        bf_redis_clear(taking->batch);
    return err;
}

// What did not come since the begin is gone; the batch goes first, so that what came is confirmed.
static enum bf_err end_sync(struct taking *taking, uint64_t id)
{
    size_t gone = 0;

    if (id != taking->stream.sync) {
        control_count(CONTROL_SYNC_BROKEN, 1);
        return BF_OK;
    }
    enum bf_err err = flush(taking);
    if (!err)
        err = location_store_sync_end(taking->control, taking->report->edge.id, &gone);
    if (err)
        return err;
    taking->stream.sync = 0;
    taking->stream.synced = true;
    control_count(CONTROL_SYNC_ENDED, 1);
    bf_info("edge.synced", BF_S("edge", taking->report->edge.id), BF_I("gone", gone),
            BF_I("bindings", taking->report->edge.bindings));
    return BF_OK;
}

static enum bf_err take_entry(struct taking *taking, const struct wire_entry *entry)
{
    switch (entry->kind) {
    case WIRE_ENTRY_BINDING:
        control_count(CONTROL_ENTRY_BINDING, 1);
        put(taking, entry);
        break;
    case WIRE_ENTRY_BINDING_GONE:
        control_count(CONTROL_ENTRY_BINDING_GONE, 1);
        list(taking);
        location_store_gone(taking->batch, &entry->binding, taking->stream.sync != 0);
        break;
    case WIRE_ENTRY_CALL:
        control_count(CONTROL_ENTRY_CALL, 1);
        taking->events[taking->event_count++] = entry->event;
        break;
    case WIRE_ENTRY_SYNC_BEGIN:
        list(taking);
        taking->stream.sync = entry->sync ? entry->sync : 1;
        location_store_sync_begin(taking->batch, taking->report->edge.id);
        break;
    case WIRE_ENTRY_SYNC_END:
        return end_sync(taking, entry->sync ? entry->sync : 1);
    case WIRE_ENTRY_UNKNOWN:
        control_count(CONTROL_ENTRY_INVALID, 1);
        break;
    }
    return bf_redis_count(taking->batch) < FLUSH_COMMANDS ? BF_OK : flush(taking);
}

static enum bf_err take_entries(struct taking *taking, size_t skip)
{
    enum bf_err err = BF_OK;

    for (size_t i = skip; !err && i < taking->report->entry_count; i++)
        err = take_entry(taking, &taking->report->entries[i]);
    if (err || taking->event_count == 0)
        return err; // the rest of the batch goes with the commit
    err = flush(taking);
    if (!err)
        err = call_events_apply(taking->control, taking->events, taking->event_count);
    return err;
}

static enum bf_err commit(struct taking *taking)
{
    list(taking);
    size_t at = edge_store_commit(taking->batch, taking->report->edge.id, &taking->stream);
    enum bf_err err = run(taking);

    if (!err && bf_redis_int(bf_redis_reply(taking->batch, at)) != 1)
        return BF_UNAVAILABLE; // it took too long and another replica has begun: that one's answer counts
    return err;
}

static void note_losses(struct taking *taking, const struct report_choice *choice)
{
    const struct wire_report *report = taking->report;

    if (choice->lost) {
        control_count(CONTROL_STREAM_GAPS, 1);
        bf_warn("edge.gap", BF_S("edge", report->edge.id), BF_I("taken_seq", taking->stream.seq),
                BF_I("first_seq", report->first_seq));
    }
    if (report->lost > taking->stream.lost)
        bf_warn("edge.lost", BF_S("edge", report->edge.id), BF_I("lost", report->lost));
    if (choice->lost || report->lost > taking->stream.lost) {
        taking->stream.synced = false;
        taking->stream.sync = 0; // a sync under way may be what was lost
    }
    taking->stream.lost = report->lost;
}

// The calls of the boot before ended with it, and nobody else can tell.
static enum bf_err close_former(struct taking *taking)
{
    size_t closed = 0;
    enum bf_err err = BF_OK;

    if (!taking->stream.restarted || !taking->report->calls)
        return BF_OK;
    err = call_events_close_edge(taking->control, taking->report->edge.id, "edge-restarted", &closed);
    if (!err && closed > 0)
        bf_info("edge.restarted", BF_S("edge", taking->report->edge.id), BF_I("calls_closed", closed));
    return err;
}

static enum bf_err take(struct taking *taking)
{
    const struct wire_report *report = taking->report;
    struct report_choice choice = report_choose(&taking->stream, report->first_seq, report->entry_count);
    enum bf_err err = BF_OK;

    control_count(CONTROL_STREAM_REPEATED, (int64_t)choice.skip);
    if (choice.refuse) {
        taking->stream.gap = report->first_seq;
        return commit(taking);
    }
    note_losses(taking, &choice);
    taking->stream.gap = 0;
    err = close_former(taking);
    if (!err)
        err = take_entries(taking, choice.skip);
    taking->stream.seq = choice.seq;
    return err ? err : commit(taking);
}

enum bf_err report_take(struct control *control, const struct wire_report *report, uint64_t *ret_taken_seq,
                        bool *ret_resync)
{
    struct taking taking = {.control = control, .report = report};
    enum bf_err err = edge_store_begin(
        control, &report->edge, report->calls ? EDGE_STREAM_CALLS : EDGE_STREAM_BINDINGS, &taking.stream);

    if (err)
        return err;
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    bf_autofree struct call_event *events = bf_xcalloc(report->entry_count + 1, sizeof(*events));
    bf_autofree struct look *looks = bf_xcalloc(report->entry_count + 1, sizeof(*looks));
    taking.batch = batch;
    taking.looks = looks;
    taking.events = events;
    err = take(&taking);
    if (err) {
        edge_store_abandon(control, report->edge.id, &taking.stream);
        return err;
    }
    *ret_taken_seq = taking.stream.seq;
    *ret_resync = !report->calls && report_wants_sync(&taking.stream);
    return BF_OK;
}
