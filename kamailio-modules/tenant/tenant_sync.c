// The sync state machine.
#include "tenant_sync.h"

#include <string.h>

struct question {
    uint32_t serial; // 0: none is open
    uint64_t not_before_ms;
};

struct tenant_sync {
    const struct tenant_sync_hooks *hooks;
    void *ctx;
    struct tenant_hash_key key;
    struct tenant_master *live; // NULL before the first snapshot
    struct tenant_master *next; // the snapshot being taken
    uint64_t next_epoch, next_seq;
    uint32_t serial;
    struct question page, changes;
    bool want_snapshot;
    bool catch_up; // something is missing, or may be
    bool dirty;
    bool connected;
    uint64_t connected_ms; // since when
    uint32_t faults_in_row;
    struct tenant_sync_figures figures;
};

static const struct bf_id NIL;

struct tenant_sync *tenant_sync_new(const struct tenant_hash_key *key, const struct tenant_sync_hooks *hooks,
                                    void *ctx)
{
    struct tenant_sync *sync = bf_xcalloc(1, sizeof(*sync));

    sync->hooks = hooks;
    sync->ctx = ctx;
    sync->key = *key;
    sync->want_snapshot = true;
    return sync;
}

void tenant_sync_free(struct tenant_sync *sync)
{
    if (!sync)
        return;
    tenant_master_free(sync->live);
    tenant_master_free(sync->next);
    free(sync);
}

// ---- asking -----------------------------------------------------------------------------------------------

static uint32_t question_open(struct tenant_sync *sync, struct question *question)
{
    if (++sync->serial == 0)
        sync->serial = 1;
    question->serial = sync->serial;
    return question->serial;
}

static void ask_page(struct tenant_sync *sync, struct bf_str after)
{
    sync->hooks->ask_page(sync->ctx, question_open(sync, &sync->page), after);
}

// Asks for what is wanted, when nothing of its kind is open and it is not too soon after a failure.
static void ask_wanted(struct tenant_sync *sync, uint64_t now_ms)
{
    if (!sync->connected)
        return;
    if (sync->want_snapshot) {
        if (sync->page.serial == 0 && now_ms >= sync->page.not_before_ms)
            ask_page(sync, BF_STR(""));
        return;
    }
    if (sync->catch_up && sync->changes.serial == 0 && now_ms >= sync->changes.not_before_ms)
        sync->hooks->ask_changes(sync->ctx, question_open(sync, &sync->changes), sync->figures.epoch,
                                 sync->figures.seq);
}

static void want_snapshot(struct tenant_sync *sync)
{
    sync->want_snapshot = true;
    sync->changes.serial = 0; // whatever it answers is of no use any more
}

// The message made no sense, or the answer was an error: later again.
static void question_failed(struct tenant_sync *sync, struct question *question, uint64_t now_ms,
                            enum bf_err err)
{
    question->serial = 0;
    question->not_before_ms = now_ms + TENANT_SYNC_RETRY_MS;
    sync->figures.last_err = err;
    if (err == BF_PROTOCOL || err == BF_TOO_LARGE)
        sync->figures.faults++;
}

// ---- changes ----------------------------------------------------------------------------------------------

static void tell_left(struct tenant_sync *sync, struct bf_id left)
{
    if (!bf_id_eq(left, NIL))
        sync->hooks->tenant_gone(sync->ctx, left);
}

static void apply_domain(struct tenant_sync *sync, const struct tenant_change *change)
{
    struct bf_id left = NIL;

    if (tenant_master_put(sync->live, change->name, &change->record, &left) != BF_OK) {
        sync->figures.faults++;
        return;
    }
    sync->dirty = true;
    tell_left(sync, left);
}

static void apply_domain_gone(struct tenant_sync *sync, const struct tenant_change *change)
{
    struct bf_id left = NIL;

    if (tenant_master_drop(sync->live, change->name, &left))
        sync->dirty = true;
    tell_left(sync, left);
}

static void apply(struct tenant_sync *sync, const struct tenant_change *change)
{
    switch (change->kind) {
    case TENANT_CHANGE_TENANT:
        sync->dirty |= tenant_master_update(sync->live, &change->record);
        break;
    case TENANT_CHANGE_TENANT_GONE:
        sync->dirty |= tenant_master_drop_tenant(sync->live, change->id);
        sync->hooks->tenant_gone(sync->ctx, change->id);
        break;
    case TENANT_CHANGE_DOMAIN:
        apply_domain(sync, change);
        break;
    case TENANT_CHANGE_DOMAIN_GONE:
        apply_domain_gone(sync, change);
        break;
    case TENANT_CHANGE_EXTENSION:
        sync->hooks->extension(sync->ctx, change->id, change->name, change->gone, change->extension);
        break;
    case TENANT_CHANGE_APP_KEYS:
        sync->hooks->app_keys(sync->ctx);
        break;
    case TENANT_CHANGE_NOTHING:
        break;
    }
}

// False: there is a hole in front of them.
static bool apply_all(struct tenant_sync *sync, const struct tenant_feed *feed)
{
    for (size_t i = 0; i < feed->count; i++) {
        const struct tenant_change *change = &feed->changes[i];
        if (change->seq <= sync->figures.seq)
            continue;
        if (change->seq != sync->figures.seq + 1)
            return false;
        apply(sync, change);
        sync->figures.seq = change->seq;
        sync->figures.changes++;
    }
    return true;
}

static void take_feed(struct tenant_sync *sync, const struct tenant_feed *feed)
{
    bool hole;

    if (feed->head_seq > sync->figures.head_seq || feed->epoch != sync->figures.epoch)
        sync->figures.head_seq = feed->head_seq;
    if (!sync->live)
        return; // what is missed now comes by Changes after the snapshot
    if (feed->epoch != sync->figures.epoch) {
        want_snapshot(sync);
        return;
    }
    hole = !apply_all(sync, feed);
    if (sync->figures.seq > sync->figures.head_seq)
        sync->figures.head_seq = sync->figures.seq;
    if (hole && !sync->catch_up)
        sync->figures.gaps++;
    sync->catch_up = hole || sync->figures.head_seq > sync->figures.seq;
}

void tenant_sync_feed(struct tenant_sync *sync, uint64_t now_ms, struct bf_str message)
{
    struct tenant_feed feed;

    sync->figures.heard_ms = now_ms;
    if (tenant_wire_feed(message, &feed) != BF_OK) {
        sync->figures.faults++;
        sync->catch_up = true;
    } else {
        take_feed(sync, &feed);
        tenant_feed_release(&feed);
    }
    ask_wanted(sync, now_ms);
}

void tenant_sync_changes(struct tenant_sync *sync, uint64_t now_ms, uint32_t serial, enum bf_err err,
                         struct bf_str reply)
{
    struct tenant_feed feed;

    if (serial != sync->changes.serial || sync->changes.serial == 0)
        return;
    sync->changes.serial = 0;
    if (err == BF_NOT_FOUND) {
        want_snapshot(sync);
    } else if (err != BF_OK || (err = tenant_wire_changes(reply, &feed)) != BF_OK) {
        question_failed(sync, &sync->changes, now_ms, err);
        if (err == BF_PROTOCOL && ++sync->faults_in_row >= TENANT_SYNC_FAULTS_MAX)
            want_snapshot(sync);
    } else {
        uint64_t before = sync->figures.seq;
        sync->catch_up = false;
        sync->faults_in_row = 0;
        sync->figures.last_err = BF_OK;
        take_feed(sync, &feed);
        tenant_feed_release(&feed);
        if (sync->catch_up && sync->figures.seq == before) // no step forward: do not ask in a tight loop
            sync->changes.not_before_ms = now_ms + TENANT_SYNC_RETRY_MS;
    }
    ask_wanted(sync, now_ms);
}

// ---- snapshot ---------------------------------------------------------------------------------------------

static enum bf_err page_put(struct tenant_sync *sync, const struct tenant_page *page)
{
    struct bf_id left;
    enum bf_err err = BF_OK;

    for (size_t i = 0; i < page->count && err == BF_OK; i++)
        err = tenant_master_put(sync->next, page->domains[i].name, page->domains[i].tenant, &left);
    return err;
}

struct missing {
    struct tenant_sync *sync;
    const struct tenant_master *in;
};

static void tell_missing(struct tenant_entry *entry, void *ctx)
{
    struct missing *missing = ctx;

    if (!tenant_master_has(missing->in, entry->id))
        missing->sync->hooks->tenant_gone(missing->sync->ctx, entry->id);
}

static void snapshot_done(struct tenant_sync *sync)
{
    struct tenant_master *before = sync->live;

    sync->live = BF_TAKE(sync->next);
    sync->want_snapshot = false;
    sync->figures.epoch = sync->next_epoch;
    sync->figures.seq = sync->next_seq;
    sync->figures.head_seq = sync->next_seq;
    sync->figures.snapshots++;
    sync->dirty = true;
    sync->catch_up = true; // what happened while the pages were read
    sync->hooks->forget(sync->ctx);
    if (before)
        tenant_master_each_tenant(before, tell_missing, &(struct missing){sync, sync->live});
    tenant_master_free(before);
}

static void snapshot_restart(struct tenant_sync *sync)
{
    tenant_master_free(sync->next);
    sync->next = NULL;
}

static enum bf_err take_page(struct tenant_sync *sync, const struct tenant_page *page)
{
    if (!sync->next) {
        sync->next = tenant_master_new(&sync->key);
        sync->next_epoch = page->epoch;
        sync->next_seq = page->seq;
    }
    if (page->epoch != sync->next_epoch)
        return BF_CONFLICT; // restored while we were reading
    if (page->next.len > 0 && page->count == 0)
        return BF_PROTOCOL; // would never end
    return page_put(sync, page);
}

void tenant_sync_page(struct tenant_sync *sync, uint64_t now_ms, uint32_t serial, enum bf_err err,
                      struct bf_str reply)
{
    struct tenant_page page = {0};

    if (serial != sync->page.serial || sync->page.serial == 0)
        return;
    sync->page.serial = 0;
    if (err == BF_OK)
        err = tenant_wire_page(reply, &page);
    if (err == BF_OK)
        err = take_page(sync, &page);
    if (err != BF_OK) {
        question_failed(sync, &sync->page, now_ms, err);
        snapshot_restart(sync);
    } else if (page.next.len > 0) {
        ask_page(sync, page.next);
    } else {
        snapshot_done(sync);
        sync->faults_in_row = 0;
        sync->figures.last_err = BF_OK;
        sync->page.not_before_ms =
            now_ms + TENANT_SYNC_RETRY_MS; // a bound, should the feed's epoch never agree
    }
    tenant_page_release(&page);
    ask_wanted(sync, now_ms);
}

void tenant_sync_again(struct tenant_sync *sync, uint64_t now_ms)
{
    sync->page = (struct question){0};
    snapshot_restart(sync);
    want_snapshot(sync);
    ask_wanted(sync, now_ms);
}

// The feed is a connection of its own, and usually later than the one for questions: what is published in
// between is lost.
static bool feed_is_silent(const struct tenant_sync *sync, uint64_t now_ms)
{
    bool fresh =
        sync->figures.heard_ms < sync->connected_ms && now_ms < sync->connected_ms + TENANT_SYNC_SILENCE_MS;
    uint64_t patience_ms = fresh ? TENANT_SYNC_FRESH_MS : TENANT_SYNC_SILENCE_MS;

    return now_ms > sync->figures.heard_ms + patience_ms &&
           now_ms > sync->changes.not_before_ms + patience_ms;
}

void tenant_sync_tick(struct tenant_sync *sync, uint64_t now_ms, bool connected)
{
    if (connected && !sync->connected) { // back again: at once, and whatever was refused before
        sync->catch_up = true;
        sync->connected_ms = now_ms;
        sync->page.not_before_ms = sync->changes.not_before_ms = now_ms;
    }
    sync->connected = connected;
    if (connected && sync->changes.serial == 0 && feed_is_silent(sync, now_ms)) {
        sync->catch_up = true;
        sync->changes.not_before_ms = now_ms;
    }
    ask_wanted(sync, now_ms);
}

struct tenant_master *tenant_sync_master(const struct tenant_sync *sync)
{
    return sync->live;
}

bool tenant_sync_dirty(const struct tenant_sync *sync)
{
    return sync->dirty;
}

void tenant_sync_clean(struct tenant_sync *sync)
{
    sync->dirty = false;
}

struct tenant_sync_figures tenant_sync_figures(const struct tenant_sync *sync)
{
    struct tenant_sync_figures figures = sync->figures;

    figures.synced = sync->live && !sync->want_snapshot && !sync->catch_up && figures.head_seq <= figures.seq;
    return figures;
}
