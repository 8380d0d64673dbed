// Looks after what dead edges leave behind.
#include "reaper.h"

#include <string.h>

#include "bf_clock.h"
#include "bf_id.h"
#include "call_events.h"
#include "call_metrics.h"
#include "control.h"
#include "edge_store.h"
#include "forget.h"

#define LOCK_KEY "reaper"
#define HERE_KEY "calls-here" // there as long as Redis has kept its data

struct silent { // an edge that is not heard
    char id[EDGE_ID_SIZE];
    uint64_t since_ms; // monotonic
    bool reaped, forgotten;
};

struct reaper {
    struct control *control;
    char me[BF_ID_TEXT_SIZE];
    bool leads;
    uint64_t grace_until_ms; // monotonic
    uint64_t stale_at_ms;    // monotonic: when to look next
    struct silent silent[EDGES_MAX];
    size_t silent_count;
};

struct reaper *reaper_new(struct control *control)
{
    struct reaper *reaper = bf_xcalloc(1, sizeof(*reaper));

    reaper->control = control;
    reaper->grace_until_ms = bf_mono_ms() + REAPER_GRACE_MS;
    bf_id_text(bf_id_new(), reaper->me);
    return reaper;
}

// ---- one replica at a time

static bool lock_is_mine(const struct reaper *reaper, const struct bf_redis_batch *batch)
{
    return bf_str_eq(bf_redis_str(bf_redis_reply(batch, 1)), bf_str(reaper->me));
}

static enum bf_err reaper_lock(struct reaper *reaper)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(reaper->control->redis);

    bf_redis_cmd(batch, "SET", BF_R_TEXT(LOCK_KEY), BF_R_TEXT(reaper->me), BF_R_TEXT("NX"), BF_R_TEXT("PX"),
                 BF_R_INT(REAPER_LOCK_MS));
    bf_redis_cmd(batch, "GET", BF_R_TEXT(LOCK_KEY));
    enum bf_err err = bf_redis_run(batch);
    if (err)
        return err;
    bool led = reaper->leads;
    reaper->leads = lock_is_mine(reaper, batch);
    bf_metric_set(&call_metrics[CALLS_REAPER_LEADS], reaper->leads);
    if (!reaper->leads) {
        reaper->silent_count = 0;
        return BF_OK;
    }
    if (!led)
        bf_info("reaper.leads");
    bf_redis_clear(batch);
    bf_redis_cmd(batch, "PEXPIRE", BF_R_TEXT(LOCK_KEY), BF_R_INT(REAPER_LOCK_MS));
    return bf_redis_run(batch);
}

void reaper_free(struct reaper *reaper)
{
    if (!reaper)
        return;
    if (reaper->leads) {
        bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
            bf_redis_batch_new(reaper->control->redis);
        bf_redis_cmd(batch, "DEL", BF_R_TEXT(LOCK_KEY));
        (void)!bf_redis_run(batch); // else it runs out by itself
    }
    bf_metric_set(&call_metrics[CALLS_REAPER_LEADS], 0);
    free(reaper);
}

// ---- when Redis has lost its data

static enum bf_err reaper_rebuild(struct reaper *reaper)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(reaper->control->redis);
    size_t calls;

    bf_redis_cmd(batch, "EXISTS", BF_R_TEXT(HERE_KEY));
    enum bf_err err = bf_redis_run(batch);
    if (err || bf_redis_int(bf_redis_reply(batch, 0)) == 1)
        return err;
    err = call_events_rebuild(reaper->control, &calls);
    if (err)
        return err;
    bf_info("reaper.rebuilt", BF_I("calls", calls));
    reaper->grace_until_ms = bf_mono_ms() + REAPER_GRACE_MS; // edges have to be heard again first
    bf_redis_clear(batch);
    bf_redis_cmd(batch, "SET", BF_R_TEXT(HERE_KEY), BF_R_INT(1));
    return bf_redis_run(batch);
}

// ---- dead edges

static struct silent *silent_find(struct reaper *reaper, const char *id)
{
    for (size_t i = 0; i < reaper->silent_count; i++)
        if (strcmp(reaper->silent[i].id, id) == 0)
            return &reaper->silent[i];
    return NULL;
}

static struct silent *silent_add(struct reaper *reaper, const char *id)
{
    if (reaper->silent_count == EDGES_MAX)
        return NULL;
    struct silent *silent = &reaper->silent[reaper->silent_count++];
    *silent = (struct silent){.since_ms = bf_mono_ms()};
    memcpy(silent->id, id, strnlen(id, sizeof(silent->id) - 1));
    return silent;
}

static void silent_remove(struct reaper *reaper, struct silent *silent)
{
    if (silent)
        *silent = reaper->silent[--reaper->silent_count];
}

// Those that an operator has forgotten meanwhile.
static void silent_prune(struct reaper *reaper, const struct edge *edges, size_t count)
{
    for (size_t i = reaper->silent_count; i-- > 0;)
        if (!edge_in_list(edges, count, reaper->silent[i].id))
            silent_remove(reaper, &reaper->silent[i]);
}

static enum bf_err reap(struct reaper *reaper, struct silent *silent)
{
    size_t closed;
    enum bf_err err = call_events_close_edge(reaper->control, silent->id, "edge-lost", &closed);

    if (err)
        return err;
    call_count(CALLS_REAPER_EDGES);
    bf_warn("reaper.edge_lost", BF_S("edge", silent->id), BF_I("calls", closed));
    silent->reaped = true;
    return BF_OK;
}

static enum bf_err forget(struct reaper *reaper, struct silent *silent)
{
    size_t gone;
    enum bf_err err = forget_bindings(reaper->control, silent->id, &gone);

    if (err)
        return err;
    bf_info("reaper.bindings_gone", BF_S("edge", silent->id), BF_I("bindings", gone));
    silent->forgotten = true;
    return BF_OK;
}

// Its heartbeat has run out of Redis (7 days): what is left of it is its name in the list.
static enum bf_err expire(struct reaper *reaper, const char *edge)
{
    struct forgotten forgotten;
    enum bf_err err = forget_edge(reaper->control, edge, &forgotten);

    if (err == BF_NOT_FOUND || err == BF_CONFLICT) // somebody else did, or it is back
        return BF_OK;
    if (!err)
        bf_info("reaper.edge_expired", BF_S("edge", edge), BF_I("bindings", forgotten.bindings));
    return err;
}

static enum bf_err look_at(struct reaper *reaper, const struct edge *edge, uint64_t now_ms)
{
    struct silent *silent = silent_find(reaper, edge->id);

    if (edge->alive) {
        silent_remove(reaper, silent);
        return BF_OK;
    }
    if (!silent)
        silent = silent_add(reaper, edge->id);
    if (!silent || edge->age_ms < REAPER_DEAD_MS || now_ms < reaper->grace_until_ms)
        return BF_OK;
    uint64_t silent_ms = now_ms - silent->since_ms;
    if (!silent->reaped && silent_ms >= REAPER_WATCH_MS)
        return reap(reaper, silent);
    if (silent->reaped && edge->seen_ms == 0)
        return expire(reaper, edge->id);
    if (!silent->forgotten && silent_ms >= REAPER_FORGET_MS)
        return forget(reaper, silent);
    return BF_OK;
}

static enum bf_err close_stale(struct reaper *reaper, const struct edge *edge)
{
    size_t closed = 0;
    enum bf_err err = edge->alive ? call_events_close_stale(reaper->control, edge->id, &closed) : BF_OK;

    if (closed)
        bf_warn("reaper.end_not_told", BF_S("edge", edge->id), BF_I("calls", closed));
    return err;
}

static enum bf_err look_at_all(struct reaper *reaper)
{
    bool for_stale = bf_mono_ms() >= reaper->stale_at_ms && bf_mono_ms() >= reaper->grace_until_ms;
    bf_autofree struct edge *edges = NULL;
    size_t count;
    enum bf_err err = edge_store_list(reaper->control, &edges, &count);

    if (!err)
        silent_prune(reaper, edges, count);
    for (size_t i = 0; !err && i < count; i++)
        err = look_at(reaper, &edges[i], bf_mono_ms());
    for (size_t i = 0; !err && for_stale && i < count; i++)
        err = close_stale(reaper, &edges[i]);
    if (for_stale)
        reaper->stale_at_ms = bf_mono_ms() + REAPER_STALE_MS;
    return err;
}

enum bf_err reaper_turn(struct reaper *reaper)
{
    enum bf_err err = reaper_lock(reaper);

    if (!err && reaper->leads)
        err = reaper_rebuild(reaper);
    if (!err && reaper->leads)
        err = look_at_all(reaper);
    if (err) {
        call_count(CALLS_REAPER_FAILURES);
        reaper->grace_until_ms = bf_mono_ms() + REAPER_GRACE_MS;
    }
    return err;
}
