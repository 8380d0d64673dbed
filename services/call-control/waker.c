// What follows when a sleeping phone registers.
#include "waker.h"

#include <pthread.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_memo.h"
#include "bf_ticker.h"
#include "call_wire.h"
#include "control_metrics.h"
#include "edges.h"
#include "push_devices.h"
#include "push_wire.h"
#include "wake_store.h"

#define WORKERS       4
#define RING_MS       400 // for one AddBranch
#define RING_AGAIN_MS 250
#define REGISTER_MS   1000
#define REGISTERED    8192   // devices that are remembered
#define REGISTERED_MS 600000 // so long nothing is said of them
#define IDLE_MS       1000

struct job {
    struct job *next;
    uint64_t due_ms; // monotonic
    bool rings;      // else it registers
    struct wake_wait wait;
    uint64_t seen_ms;
    struct binding *binding; // owned
};

struct waker {
    struct control *control;
    struct bf_memo *registered;
    struct bf_ticker *workers[WORKERS];
    pthread_mutex_t lock;
    // Under the lock, in the order they came.
    struct job *first, **end;
    size_t count;
};

static void job_free(struct job *job)
{
    free(job->binding);
    free(job);
}

// ---- the queue

static void push(struct waker *waker, struct job *job)
{
    bool full;

    pthread_mutex_lock(&waker->lock);
    full = waker->count == WAKER_JOBS_MAX;
    if (!full) {
        job->next = NULL;
        *waker->end = job;
        waker->end = &job->next;
        waker->count++;
    }
    pthread_mutex_unlock(&waker->lock);
    if (full) {
        control_count(CONTROL_WAKER_FULL, 1);
        job_free(job);
        return;
    }
    for (size_t i = 0; i < WORKERS; i++)
        bf_ticker_poke(waker->workers[i]);
}

// The first that is due; without one *ret_wait_ms is when to look again.
static struct job *pop(struct waker *waker, int64_t *ret_wait_ms)
{
    uint64_t now_ms = bf_mono_ms(), next_ms = now_ms + IDLE_MS;
    struct job *found = NULL;

    pthread_mutex_lock(&waker->lock);
    for (struct job **at = &waker->first; *at && !found; at = &(*at)->next) {
        if ((*at)->due_ms > now_ms) {
            next_ms = (*at)->due_ms < next_ms ? (*at)->due_ms : next_ms;
            continue;
        }
        found = *at;
        *at = found->next;
        if (!*at)
            waker->end = at;
        waker->count--;
        break;
    }
    pthread_mutex_unlock(&waker->lock);
    *ret_wait_ms = found ? 0 : (int64_t)(next_ms - now_ms);
    return found;
}

// ---- AddBranch

static enum bf_err ring(const struct waker *waker, const struct job *job)
{
    struct edges_internal internal = {.edges = waker->control->edges};
    bf_cleanup(bf_buf_release) struct bf_buf body, reply, error;

    bf_buf_init(&body, 16384);
    bf_buf_init(&reply, 256);
    bf_buf_init(&error, 256);
    wire_write_branch(&body, job->wait.call, job->wait.sleeper.id, job->binding, job->wait.edge,
                      edges_internal, &internal);
    return edges_call(waker->control->edges, job->wait.edge, "AddBranch", "", RING_MS,
                      (struct bf_str){body.at, body.len}, &reply, &error);
}

// True: again later.
static bool ring_done(struct job *job, enum bf_err err)
{
    uint64_t now_ms = bf_unix_ms();

    switch (err) {
    case BF_OK:
        control_count(CONTROL_WAKE_RUNG, 1);
        if (job->seen_ms && now_ms >= job->seen_ms)
            bf_metric_observe_us(&control_metrics[CONTROL_WAKE_SECONDS], (now_ms - job->seen_ms) * 1000);
        return false;
    case BF_CONFLICT:
    case BF_NOT_FOUND:
        control_count(CONTROL_WAKE_LATE, 1);
        return false;
    case BF_UNAVAILABLE:
    case BF_TIMEOUT:
    case BF_LIMIT:
        job->due_ms = bf_mono_ms() + RING_AGAIN_MS;
        if (now_ms + RING_AGAIN_MS < job->wait.until_ms)
            return true;
        break;
    default:
        break;
    }
    control_count(CONTROL_WAKE_FAILED, 1);
    bf_warn("wake.not_rung", BF_S("edge", job->wait.edge), BF_S("number", job->wait.sleeper.number),
            BF_E(err));
    return false;
}

void waker_look(struct waker *waker, const struct wake_wait *waits, size_t count,
                const struct binding *binding, bool fresh, uint64_t seen_ms)
{
    bool ends[WAKE_WAITS_MAX] = {false};

    if (!waker || count == 0 ||
        wake_match(waits, count, binding, fresh, waker->control->settings.wake_key, ends) == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        if (!ends[i])
            continue;
        struct job *job = bf_xcalloc(1, sizeof(*job));
        *job = (struct job){
            .rings = true, .wait = waits[i], .seen_ms = seen_ms, .binding = binding_dup(binding)};
        push(waker, job);
    }
}

// ---- RegisterPush

struct registered_key {
    uint8_t digest[BF_SHA256_BYTES];
};

static struct registered_key registered_key(const struct binding *binding)
{
    const char *texts[] = {binding->number, binding->pn_provider, binding->pn_prid, binding->pn_param,
                           binding->instance};
    bf_cleanup(bf_buf_release) struct bf_buf all;
    struct registered_key key;

    bf_buf_init(&all, 8192);
    bf_buf_add(&all, binding->tenant.bytes, sizeof(binding->tenant.bytes));
    bf_buf_add(&all, binding->extension.bytes, sizeof(binding->extension.bytes));
    for (size_t i = 0; i < BF_LEN(texts); i++)
        bf_buf_add(&all, texts[i] ? texts[i] : "", texts[i] ? strlen(texts[i]) + 1 : 1);
    bf_sha256(all.at, all.len, key.digest);
    return key;
}

void waker_register(struct waker *waker, const struct binding *binding)
{
    uint64_t age_ms;
    bool known;

    if (!waker || !waker->control->events || !binding->pn_provider || !*binding->pn_provider ||
        !binding->pn_prid || !*binding->pn_prid)
        return;
    struct registered_key key = registered_key(binding);
    if (bf_memo_get(waker->registered, &key, sizeof(key), bf_mono_ms(), &known, &age_ms) &&
        age_ms < REGISTERED_MS)
        return;
    struct job *job = bf_xcalloc(1, sizeof(*job));
    *job = (struct job){.binding = binding_dup(binding)};
    push(waker, job);
}

static void register_device(struct waker *waker, const struct binding *binding)
{
    struct push_register asked = {binding->tenant,      binding->extension, binding->number,
                                  binding->pn_provider, binding->pn_prid,   binding->pn_param,
                                  binding->instance,    binding->user_agent};
    struct registered_key key = registered_key(binding);
    bf_cleanup(bf_buf_release) struct bf_buf body, reply, error;
    char id[BF_ID_TEXT_SIZE];
    bool known = true;

    bf_buf_init(&body, 16384);
    bf_buf_init(&reply, 256);
    bf_buf_init(&error, 256);
    push_wire_register(&body, &asked);
    enum bf_err err = bf_bus_call(waker->control->events, "RegisterPush", bf_id_text(binding->tenant, id), "",
                                  REGISTER_MS, (struct bf_str){body.at, body.len}, &reply, &error);
    control_count(err ? CONTROL_PUSH_REGISTER_FAILED : CONTROL_PUSH_REGISTERED, 1);
    if (err == BF_OK || err == BF_INVALID || err == BF_NOT_FOUND) // what is refused will be refused again
        bf_memo_put(waker->registered, &key, sizeof(key), bf_mono_ms(), &known);
    if (!err)
        push_devices_void(waker->control->push, binding->tenant,
                          &(struct push_number){binding->number, binding->extension});
}

// ---- the workers

static int64_t turn(void *ctx, struct bf_ticker *ticker)
{
    struct waker *waker = ctx;
    int64_t wait_ms;
    struct job *job = pop(waker, &wait_ms);

    if (!job)
        return wait_ms;
    if (!job->rings)
        register_device(waker, job->binding);
    else if (ring_done(job, ring(waker, job))) {
        push(waker, job);
        return 0;
    }
    job_free(job);
    return 0;
}

enum bf_err waker_start(struct control *control, struct waker **ret_waker)
{
    struct waker *waker = bf_xcalloc(1, sizeof(*waker));
    enum bf_err err = BF_OK;

    waker->control = control;
    waker->end = &waker->first;
    waker->registered = bf_memo_new(REGISTERED, sizeof(bool));
    pthread_mutex_init(&waker->lock, NULL);
    for (size_t i = 0; !err && i < WORKERS; i++)
        err = bf_ticker_start(turn, waker, &waker->workers[i]);
    if (err)
        waker_stop(waker);
    else
        *ret_waker = waker;
    return err;
}

void waker_stop(struct waker *waker)
{
    if (!waker)
        return;
    for (size_t i = 0; i < WORKERS; i++)
        bf_ticker_stop(waker->workers[i]);
    while (waker->first) {
        struct job *job = waker->first;
        waker->first = job->next;
        job_free(job);
    }
    pthread_mutex_destroy(&waker->lock);
    bf_memo_free(waker->registered);
    free(waker);
}
