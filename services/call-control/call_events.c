// The way of call events.
#include "call_events.h"

#include <string.h>

#include "bf_clock.h"
#include "call_metrics.h"
#include "call_store.h"
#include "cdr_store.h"
#include "control.h"
#include "limit_store.h"
#include "outbox.h"
#include "timeline_store.h"
#include "wake_events.h"
#include "wake_store.h"

#define EVENTS_MAX  4000 // in one transaction
#define CLOSE_MAX   500
#define REBUILD_MAX 1000
#define SLOTS       8192 // of the table of a batch's calls: a power of two, above EVENTS_MAX

struct entry { // a call of the batch
    struct call call;
    bool known;   // to Redis
    bool begins;  // its first event is in this batch
    bool changed; // by this batch
    bool ended;   // by this batch
};

struct work {
    struct control *control;
    struct call_event *events; // clean
    size_t event_count;
    struct entry **entries; // room for as many as there are events
    size_t count;
    struct wake_events *wakes;
    bool again;            // some of it may have been told before
    uint16_t slots[SLOTS]; // index + 1 into entries
};

// ---- the calls of a batch

static struct entry *work_find(struct work *work, struct bf_id call, struct bf_id tenant)
{
    uint32_t hash;

    memcpy(&hash, call.bytes + 12, sizeof(hash)); // the random end of a UUIDv7
    for (size_t i = hash % SLOTS;; i = (i + 1) % SLOTS) {
        if (work->slots[i] == 0) {
            struct entry *entry = work->entries[work->count] = bf_xcalloc(1, sizeof(*entry));
            entry->call.id = call;
            entry->call.tenant = tenant;
            work->slots[i] = (uint16_t)++work->count;
            return entry;
        }
        struct entry *entry = work->entries[work->slots[i] - 1];
        if (bf_id_eq(entry->call.id, call))
            return entry;
    }
}

static enum bf_err work_read_live(struct work *work)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(work->control->redis);

    for (size_t i = 0; i < work->event_count; i++)
        if (work->events[i].seq == 1)
            work_find(work, work->events[i].call, work->events[i].tenant)->begins = true;
        else
            work_find(work, work->events[i].call, work->events[i].tenant);
    for (size_t i = 0; i < work->count; i++)
        call_store_ask(batch, work->entries[i]->call.tenant, work->entries[i]->call.id);
    enum bf_err err = bf_redis_run(batch);
    for (size_t i = 0; !err && i < work->count; i++) {
        struct call *call = &work->entries[i]->call;
        work->entries[i]->known = call_store_read(bf_redis_reply(batch, i), call->tenant, call->id, call);
    }
    return err;
}

static void replay_line(void *ctx, const struct call_event *event)
{
    struct entry *entry = work_find(ctx, event->call, event->tenant);

    if (!entry->known && bf_id_eq(entry->call.tenant, event->tenant)) {
        if (entry->call.state == CALL_STATE_NONE)
            call_count(CALLS_REBUILT);
        call_apply(&entry->call, event);
    }
}

// Calls that did not begin in this batch and that Redis does not know.
static enum bf_err work_replay(struct work *work, struct bf_tx *tx)
{
    bf_autofree struct bf_id *lost = bf_xcalloc(work->count + 1, sizeof(*lost));
    size_t count = 0;

    for (size_t i = 0; i < work->count; i++)
        if (!work->entries[i]->known && !work->entries[i]->begins)
            lost[count++] = work->entries[i]->call.id;
    return count ? timeline_store_replay(tx, lost, count, replay_line, work) : BF_OK;
}

// The ends come after everything else of the batch, whatever order an edge's processes wrote it in.
static void work_apply(struct work *work)
{
    for (int ends = 0; ends < 2; ends++)
        for (size_t i = 0; i < work->event_count; i++) {
            const struct call_event *event = &work->events[i];
            struct entry *entry = work_find(work, event->call, event->tenant);
            if ((event->kind == CALL_ENDED) != ends || !bf_id_eq(entry->call.tenant, event->tenant))
                continue;
            bool changed = call_apply(&entry->call, event);
            entry->changed = entry->changed || changed;
            entry->ended = entry->ended || (changed && entry->call.state == CALL_STATE_ENDED);
        }
}

static enum bf_err work_write_cdrs(struct work *work, struct bf_tx *tx, size_t *ret_new)
{
    bf_autofree const struct call **over = bf_xcalloc(work->count + 1, sizeof(void *));
    size_t count = 0;

    *ret_new = 0;
    for (size_t i = 0; i < work->count; i++)
        if (work->entries[i]->ended)
            over[count++] = &work->entries[i]->call;
    return count ? cdr_store_add(tx, over, count, !work->again, ret_new) : BF_OK;
}

static enum bf_err work_ask_outbox(const struct work *work, struct outbox_work *outbox, struct bf_tx *tx)
{
    bf_autofree struct bf_id *tenants = bf_xcalloc(work->count + 1, sizeof(tenants[0]));

    for (size_t i = 0; i < work->count; i++)
        tenants[i] = work->entries[i]->call.tenant;
    return outbox_ask(outbox, tx, tenants, work->count);
}

// All of the batch, also what was told before: the same has the same id. But an end is told by the call's
// first.
static enum bf_err work_write_outbox(struct work *work, struct outbox_work *outbox, struct bf_tx *tx)
{
    enum bf_err err = work_ask_outbox(work, outbox, tx);

    if (err)
        return err;
    for (int ends = 0; ends < 2; ends++)
        for (size_t i = 0; i < work->event_count; i++) {
            const struct call_event *event = &work->events[i];
            const struct entry *entry = work_find(work, event->call, event->tenant);
            bool end = event->kind == CALL_ENDED;
            if (end == (ends == 1) && bf_id_eq(entry->call.tenant, event->tenant) && (!end || entry->ended))
                outbox_tell(outbox, event, &entry->call, wake_events_told(work->wakes, event));
        }
    return outbox_write(outbox, tx);
}

static enum bf_err work_write_sql(struct work *work, struct outbox_work *outbox)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    size_t lines = 0, cdrs = 0;
    enum bf_err err = bf_tx_begin(work->control->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = work_replay(work, tx);
    if (!err)
        err = timeline_store_add(tx, work->events, work->event_count, !work->again, &lines);
    if (!err) {
        work_apply(work);
        err = work_write_cdrs(work, tx, &cdrs);
    }
    if (!err)
        err = work_write_outbox(work, outbox, tx);
    if (!err)
        err = bf_tx_commit(tx);
    if (err == BF_INTERNAL || err == BF_FORBIDDEN)
        bf_error("calls.events", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    if (err)
        return err;
    bf_metric_add(&call_metrics[CALLS_EVENTS], (int64_t)lines);
    bf_metric_add(&call_metrics[CALLS_EVENTS_AGAIN], (int64_t)(work->event_count - lines));
    bf_metric_add(&call_metrics[CALLS_CDRS], (int64_t)cdrs);
    return BF_OK;
}

// Before it rings or waits for a phone that sleeps it has its plan's lease, or was refused one.
static struct call_keep keep_live(const struct entry *entry)
{
    bool runs = entry->call.state != CALL_STATE_PLANNING || entry->call.waited;

    return (struct call_keep){.listed = entry->known, .hold_ms = runs ? LIMIT_HOLD_MS : 0};
}

struct keeping { // a call in a batch
    const struct call *call;
    struct call_keep how;
    size_t reply;
};

static void keeping_add(struct keeping *keeping, struct bf_redis_batch *batch)
{
    keeping->reply = call_store_keep(batch, keeping->call, keeping->how);
}

// Calls that somebody else has ended meanwhile (a reaper, for their edge) are not listed for it again.
static enum bf_err forget_over(struct control *control, const struct keeping *all, size_t count,
                               const struct bf_redis_batch *kept)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);

    for (size_t i = 0; i < count; i++)
        if (call_store_kept(bf_redis_reply(kept, all[i].reply)) == CALL_KEPT_OVER)
            call_store_forget(batch, all[i].call->edge, all[i].call->tenant, all[i].call->id);
    return bf_redis_run(batch);
}

// Those that somebody told of since we read them.
static enum bf_err keep_again(struct control *control, const struct keeping *all, size_t count,
                              const struct bf_redis_batch *kept)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    bf_autofree struct keeping *again = bf_xcalloc(count + 1, sizeof(*again));
    size_t told = 0;

    for (size_t i = 0; i < count; i++) {
        if (call_store_kept(bf_redis_reply(kept, all[i].reply)) != CALL_KEPT_NOT)
            continue;
        again[told] = all[i];
        again[told].how.listed = true;
        keeping_add(&again[told++], batch);
    }
    enum bf_err err = bf_redis_run(batch);
    return err ? err : forget_over(control, again, told, batch);
}

static enum bf_err work_write_live(struct work *work)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(work->control->redis);
    bf_autofree struct keeping *keepings = bf_xcalloc(work->count + 1, sizeof(*keepings));
    size_t count = 0;

    for (size_t i = 0; i < work->count; i++) {
        const struct entry *entry = work->entries[i];
        if (entry->call.state == CALL_STATE_ENDED && (entry->ended || !entry->known)) {
            call_store_end(batch, &entry->call);
        } else if (entry->call.state == CALL_STATE_ENDED) {
            // Told late, or again, because who took it the first time did not come to the end of this.
            call_store_forget(batch, entry->call.edge, entry->call.tenant, entry->call.id);
        } else if (entry->changed) {
            keepings[count] = (struct keeping){.call = &entry->call, .how = keep_live(entry)};
            keeping_add(&keepings[count++], batch);
        }
    }
    enum bf_err err = bf_redis_run(batch);
    if (!err)
        err = keep_again(work->control, keepings, count, batch);
    return err ? err : forget_over(work->control, keepings, count, batch);
}

// An edge tells the end of each wait; of a call that was closed for it nobody did.
static enum bf_err work_write_waits(struct work *work)
{
    enum bf_err err = wake_events_write(work->wakes);

    for (size_t i = 0; !err && i < work->count; i++) {
        const struct entry *entry = work->entries[i];
        if (entry->ended && entry->call.waited)
            err = wake_store_end(work->control, entry->call.tenant, entry->call.id);
    }
    return err;
}

static void refuse(const struct call_event *event, const char *why)
{
    char id[BF_ID_TEXT_SIZE];

    call_count(CALLS_EVENTS_REFUSED);
    bf_warn("calls.event_refused", BF_S("call", bf_id_text(event->call, id)), BF_I("seq", event->seq),
            BF_S("edge", event->edge ? event->edge : ""), BF_S("why", why));
}

static struct work *work_new(struct control *control, size_t calls_max)
{
    struct work *work = bf_xcalloc(1, sizeof(*work));

    work->control = control;
    work->entries = bf_xcalloc(calls_max + 1, sizeof(struct entry *));
    return work;
}

static void work_free(struct work *work)
{
    for (size_t i = 0; i < work->count; i++)
        free(work->entries[i]);
    free(work->entries);
    free(work);
}

static enum bf_err apply_once(struct control *control, struct call_event *events, size_t count, bool again)
{
    struct work *work = work_new(control, count);

    work->events = events;
    work->event_count = count;
    work->again = again;
    work->wakes = wake_events_new(control, events, count);
    enum bf_err err = work_read_live(work);
    if (!err) {
        struct outbox_work *outbox = outbox_begin(control);
        err = work_write_sql(work, outbox);
        outbox_end(outbox, !err);
    }
    if (!err)
        err = work_write_live(work);
    if (!err)
        err = work_write_waits(work);
    wake_events_free(work->wakes);
    work_free(work);
    return err;
}

// What PostgreSQL refuses as nonsense is found by halving, so that one such event does not hold up an edge.
static enum bf_err apply_halving(struct control *control, struct call_event *events, size_t count)
{
    enum bf_err err = apply_once(control, events, count, false);

    if (err == BF_CONFLICT)
        err = apply_once(control, events, count, true);
    if (err != BF_INVALID && err != BF_TOO_LARGE)
        return err;
    if (count == 1) {
        refuse(&events[0], bf_err_text(err));
        return BF_OK;
    }
    err = apply_halving(control, events, count / 2);
    return err ? err : apply_halving(control, events + count / 2, count - count / 2);
}

static enum bf_err apply_chunk(struct control *control, const struct call_event *events, size_t count)
{
    bf_autofree struct call_event *clean = bf_xcalloc(count + 1, sizeof(*clean));
    bf_autofree struct call_spare *spares = bf_xcalloc(count + 1, sizeof(*spares));
    size_t good = 0;
    enum bf_err err = BF_OK;

    for (size_t i = 0; i < count; i++) {
        const char *wrong = call_event_check(&events[i]);
        if (wrong) {
            refuse(&events[i], wrong);
            continue;
        }
        clean[good] = events[i];
        call_event_clean(&clean[good], &spares[good]);
        good++;
    }
    if (good)
        err = apply_halving(control, clean, good);
    for (size_t i = 0; i < good; i++)
        call_spare_release(&spares[i]);
    return err;
}

enum bf_err call_events_apply(struct control *control, const struct call_event *events, size_t count)
{
    uint64_t began_us = bf_mono_us();
    enum bf_err err = BF_OK;

    for (size_t at = 0; !err && at < count; at += EVENTS_MAX)
        err = apply_chunk(control, events + at, count - at < EVENTS_MAX ? count - at : EVENTS_MAX);
    if (!err)
        bf_metric_observe_us(&call_metrics[CALLS_EVENTS_SECONDS], bf_mono_us() - began_us);
    return err;
}

// ---- calls that nobody tells of any more

// The refs' calls as far as Redis knows them; what it does not know has id, tenant and edge alone.
static enum bf_err refs_read(struct control *control, const char *edge, const struct call_ref *refs,
                             size_t count, struct call *calls)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);

    for (size_t i = 0; i < count; i++)
        call_store_ask(batch, refs[i].tenant, refs[i].call);
    enum bf_err err = bf_redis_run(batch);
    for (size_t i = 0; !err && i < count; i++) {
        calls[i] = (struct call){.id = refs[i].call, .tenant = refs[i].tenant};
        bf_text_clean(edge, calls[i].edge, sizeof(calls[i].edge));
        (void)call_store_read(bf_redis_reply(batch, i), refs[i].tenant, refs[i].call, &calls[i]);
    }
    return err;
}

static enum bf_err calls_close(struct control *control, const char *edge, const char *reason,
                               const struct call *calls, size_t count)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    bf_autofree struct call_event *events = bf_xcalloc(count + 1, sizeof(*events));

    for (size_t i = 0; i < count; i++) {
        events[i] = call_close_event(&calls[i], reason, bf_unix_ms());
        call_store_forget(batch, edge, calls[i].tenant, calls[i].id);
    }
    enum bf_err err = call_events_apply(control, events, count);
    if (err)
        return err;
    bf_metric_add(&call_metrics[CALLS_CLOSED], (int64_t)count);
    return bf_redis_run(batch);
}

enum bf_err call_events_close_edge(struct control *control, const char *edge, const char *reason,
                                   size_t *ret_closed)
{
    bf_autofree struct call_ref *refs = bf_xcalloc(CLOSE_MAX, sizeof(*refs));
    bf_autofree struct call *calls = bf_xcalloc(CLOSE_MAX, sizeof(*calls));
    size_t closed = 0, count;
    enum bf_err err;

    do {
        err = call_store_of_edge(control, edge, CLOSE_MAX, refs, &count);
        if (!err && count)
            err = refs_read(control, edge, refs, count, calls);
        if (!err && count)
            err = calls_close(control, edge, reason, calls, count);
        if (err)
            return err;
        closed += count;
    } while (count);
    *ret_closed = closed;
    return BF_OK;
}

// What is listed though it is over: nothing does that, and a place under max_calls is too dear to rely on it.
static enum bf_err calls_unlist(struct control *control, const char *edge, const struct call *calls,
                                size_t count)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);

    for (size_t i = 0; i < count; i++) {
        if (calls[i].state == CALL_STATE_ENDED)
            call_store_forget(batch, edge, calls[i].tenant, calls[i].id);
    }
    return bf_redis_run(batch);
}

enum bf_err call_events_close_stale(struct control *control, const char *edge, size_t *ret_closed)
{
    bf_autofree struct call_ref *refs = bf_xcalloc(CLOSE_MAX, sizeof(*refs));
    bf_autofree struct call *calls = bf_xcalloc(CLOSE_MAX, sizeof(*calls));
    size_t count, stale = 0;
    enum bf_err err = call_store_of_edge(control, edge, CLOSE_MAX, refs, &count);

    if (!err && count)
        err = refs_read(control, edge, refs, count, calls);
    if (!err)
        err = calls_unlist(control, edge, calls, count);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        if (calls[i].state == CALL_STATE_NONE)
            calls[stale++] = calls[i];
    *ret_closed = stale;
    return stale ? calls_close(control, edge, "end-not-told", calls, stale) : BF_OK;
}

// Those that nobody has told of meanwhile. One that does not ring yet may have been refused: it gets a plan's
// lease at most.
static enum bf_err rebuild_write(struct work *work, size_t *ret_calls)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(work->control->redis);
    bf_autofree struct keeping *keepings = bf_xcalloc(work->count + 1, sizeof(*keepings));
    size_t count = 0;

    for (size_t i = 0; i < work->count; i++) {
        const struct call *call = &work->entries[i]->call;
        struct call_keep how = {.only_new = true, .hold_ms = LIMIT_HOLD_MS};
        if (call->state == CALL_STATE_ENDED) // since we looked: whoever told of it writes that
            continue;
        if (call->state == CALL_STATE_PLANNING && !call->waited)
            how.hold_ms = LIMIT_PLAN_MS;
        keepings[count] = (struct keeping){.call = call, .how = how};
        keeping_add(&keepings[count++], batch);
    }
    enum bf_err err = bf_redis_run(batch);
    if (err)
        return err;
    for (size_t i = 0; i < count; i++)
        *ret_calls += call_store_kept(bf_redis_reply(batch, keepings[i].reply)) == CALL_KEPT;
    return forget_over(work->control, keepings, count, batch);
}

static enum bf_err rebuild_some(struct control *control, struct bf_tx *tx, const struct bf_id *calls,
                                size_t count, size_t *ret_calls)
{
    struct work *work = work_new(control, count);
    enum bf_err err = timeline_store_replay(tx, calls, count, replay_line, work);
    if (!err)
        err = rebuild_write(work, ret_calls);
    work_free(work);
    return err;
}

// One look at the timelines; `open` is from the look before, or zeroes.
static enum bf_err rebuild_page(struct control *control, struct timeline_open *open, size_t *ret_calls)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    uint64_t since_ms = bf_unix_ms() - (uint64_t)CALL_LIVE_S * 1000;
    enum bf_err err = bf_tx_begin(control->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = timeline_store_open(tx, since_ms, open->oldest, open);
    for (size_t at = 0; !err && at < open->count; at += REBUILD_MAX)
        err = rebuild_some(control, tx, open->running + at,
                           open->count - at < REBUILD_MAX ? open->count - at : REBUILD_MAX, ret_calls);
    return err ? err : bf_tx_commit(tx);
}

enum bf_err call_events_rebuild(struct control *control, size_t *ret_calls)
{
    bf_autofree struct timeline_open *open = bf_xcalloc(1, sizeof(*open));
    size_t calls = 0;
    enum bf_err err;

    do
        err = rebuild_page(control, open, &calls);
    while (!err && open->more);
    if (!err)
        *ret_calls = calls;
    return err;
}
