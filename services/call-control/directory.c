// The directory: cache, questions, feed.
#include "directory.h"

#include <pthread.h>
#include <string.h>

#include "bf_clock.h"
#include "directory_wire.h"

struct directory {
    struct control *control;
    struct directory_cache *cache;
    struct bf_bus_subscriber *feed;
    _Atomic uint64_t retry_at_ms; // monotonic: before it the registry is not asked for what we have
    _Atomic uint64_t heard_ms;    // monotonic, of the last message
    _Atomic uint64_t head_epoch, head_seq, head_ms; // heard when, for those who look
    // Of the feed's thread alone.
    bool synced;
    uint64_t epoch, seq;
};

enum { HITS, MISSES, STALE, FAILED, ENTRIES, EVICTED, CHANGES, GAPS, SILENCES, INVALID };

static struct bf_metric metrics[] = {
    [HITS] = {.name = "belfry_directory_lookups_total",
              .help = "Numbers looked up: cached, asked, old ones served, not to be had",
              .labels = "result=\"cached\""},
    [MISSES] = {.name = "belfry_directory_lookups_total",
                .help = "Numbers looked up: cached, asked, old ones served, not to be had",
                .labels = "result=\"asked\""},
    [STALE] = {.name = "belfry_directory_lookups_total",
               .help = "Numbers looked up: cached, asked, old ones served, not to be had",
               .labels = "result=\"stale\""},
    [FAILED] = {.name = "belfry_directory_lookups_total",
                .help = "Numbers looked up: cached, asked, old ones served, not to be had",
                .labels = "result=\"failed\""},
    [ENTRIES] = {.name = "belfry_directory_entries", .kind = BF_GAUGE, .help = "Numbers in the cache"},
    [EVICTED] = {.name = "belfry_directory_evicted_total",
                 .help = "Numbers that left the cache because it was full"},
    [CHANGES] = {.name = "belfry_directory_changes_total", .help = "Changes heard on the registry's feed"},
    [GAPS] = {.name = "belfry_directory_gaps_total",
              .help = "Times everything cached became void: a hole in the feed or another epoch"},
    [SILENCES] = {.name = "belfry_directory_silences_total",
                  .help = "Times everything cached became void: the feed was silent"},
    [INVALID] = {.name = "belfry_directory_invalid_total",
                 .help = "Messages of the registry that made no sense"},
};

static void count(int metric)
{
    bf_metric_add(&metrics[metric], 1);
}

// ---- the feed

// A hole, another epoch, or the first message ever: whatever is cached may be old.
static void start_anew(struct directory *directory, uint64_t epoch, uint64_t seq)
{
    if (directory->synced)
        count(GAPS);
    directory->synced = true;
    directory->epoch = epoch;
    directory->seq = seq;
    directory_cache_void_all(directory->cache);
}

struct hearing {
    struct directory *directory;
    uint64_t head_seq;
};

static void hear_head(void *ctx, struct directory_feed feed)
{
    struct hearing *hearing = ctx;

    hearing->head_seq = feed.head_seq;
    if (!hearing->directory->synced || feed.epoch != hearing->directory->epoch)
        start_anew(hearing->directory, feed.epoch, feed.head_seq);
}

static void hear_change(void *ctx, const struct directory_change *change)
{
    struct directory *directory = ((struct hearing *)ctx)->directory;

    // Every replica of the registry publishes the same sequence: the second time does no harm and says
    // nothing.
    if (change->seq <= directory->seq)
        return;
    if (change->seq > directory->seq + 1)
        start_anew(directory, directory->epoch, change->seq);
    directory->seq = change->seq;
    count(CHANGES);
    if (change->kind == DIRECTORY_CHANGE_TENANT)
        directory_cache_void_tenant(directory->cache, change->tenant);
    else if (change->kind == DIRECTORY_CHANGE_NUMBER)
        directory_cache_void_number(directory->cache, change->tenant, change->number);
}

static void hear(void *ctx, struct bf_str message)
{
    struct directory *directory = ctx;
    struct hearing hearing = {directory, 0};

    if (directory_wire_feed(message, hear_head, hear_change, &hearing)) {
        count(INVALID);
        return;
    }
    if (hearing.head_seq > directory->seq)
        start_anew(directory, directory->epoch, hearing.head_seq);
    uint64_t now_ms = bf_mono_ms();
    atomic_store(&directory->head_epoch, directory->epoch);
    atomic_store(&directory->head_seq, directory->seq);
    atomic_store(&directory->head_ms, now_ms);
    atomic_store(&directory->heard_ms, now_ms);
}

bool directory_head(struct directory *directory, struct directory_head *ret_head)
{
    uint64_t head_ms = atomic_load(&directory->head_ms);

    if (head_ms == 0 || bf_mono_ms() >= head_ms + DIRECTORY_SILENCE_MS)
        return false;
    *ret_head =
        (struct directory_head){atomic_load(&directory->head_epoch), atomic_load(&directory->head_seq)};
    return true;
}

// ---- looking up

static enum bf_err ask(struct directory *directory, struct bf_id tenant, const char *number,
                       int64_t timeout_ms, struct directory_entry **ret_entry)
{
    struct bf_buf request, reply;
    char id[BF_ID_TEXT_SIZE];

    bf_buf_init(&request, 256);
    bf_buf_init(&reply, 65536);
    directory_wire_ask(&request, tenant, number);
    enum bf_err err = bf_bus_call(directory->control->registry, "Directory", bf_id_text(tenant, id), "",
                                  timeout_ms, (struct bf_str){request.at, request.len}, &reply, NULL);
    if (!err)
        err = directory_wire_read((struct bf_str){reply.at, reply.len}, tenant, number, ret_entry);
    if (err == BF_PROTOCOL)
        count(INVALID);
    bf_buf_release(&request);
    bf_buf_release(&reply);
    return err;
}

static struct directory_entry *unknown(struct bf_id tenant, const char *number)
{
    struct directory_entry *entry = directory_entry_new(0);

    entry->tenant = tenant;
    memcpy(entry->number, number, strnlen(number, sizeof(entry->number) - 1));
    return entry;
}

// While the feed is silent a change may have passed unheard: what is cached has to be asked for again, once
// for each silence.
static void check_silence(struct directory *directory, uint64_t now_ms)
{
    uint64_t heard_ms = atomic_load(&directory->heard_ms);

    if (heard_ms == 0 || now_ms < heard_ms + DIRECTORY_SILENCE_MS)
        return;
    if (!atomic_compare_exchange_strong(&directory->heard_ms, &heard_ms, now_ms))
        return;
    count(SILENCES);
    directory_cache_void_all(directory->cache);
}

static enum bf_err refresh(struct directory *directory, struct bf_id tenant, const char *number,
                           int64_t timeout_ms, const struct directory_entry **ret_entry)
{
    uint64_t version = directory_cache_version(directory->cache);
    struct directory_entry *entry = NULL;
    enum bf_err err = ask(directory, tenant, number, timeout_ms, &entry);

    if (err == BF_NOT_FOUND) {
        entry = unknown(tenant, number);
        err = BF_OK;
    }
    if (err) {
        atomic_store(&directory->retry_at_ms, bf_mono_ms() + DIRECTORY_RETRY_MS);
        return BF_UNAVAILABLE;
    }
    directory_cache_put(directory->cache, entry, version);
    *ret_entry = entry;
    return BF_OK;
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && strlen(text) < DIRECTORY_NUMBER_SIZE;
}

const struct directory_entry *directory_known(struct directory *directory, struct bf_id tenant,
                                              const char *number)
{
    bool is_void = false;

    if (!is_number(number))
        return unknown(tenant, number);
    check_silence(directory, bf_mono_ms());
    const struct directory_entry *entry = directory_cache_get(directory->cache, tenant, number, &is_void);
    if (entry && is_void) {
        directory_entry_unref(entry);
        return NULL;
    }
    if (entry)
        count(HITS);
    return entry;
}

enum bf_err directory_look(struct directory *directory, struct bf_id tenant, const char *number,
                           const struct directory_entry **ret_entry)
{
    uint64_t now_ms = bf_mono_ms();
    bool is_void = false;

    if (!is_number(number)) {
        *ret_entry = unknown(tenant, number);
        return BF_OK;
    }
    check_silence(directory, now_ms);
    const struct directory_entry *old = directory_cache_get(directory->cache, tenant, number, &is_void);
    if (old && !is_void) {
        count(HITS);
        *ret_entry = old;
        return BF_OK;
    }
    bool wait = old && now_ms < atomic_load(&directory->retry_at_ms);
    int64_t timeout_ms = old ? DIRECTORY_AGAIN_MS : DIRECTORY_ASK_MS;
    enum bf_err err = wait ? BF_UNAVAILABLE : refresh(directory, tenant, number, timeout_ms, ret_entry);
    if (err && old) {
        count(STALE);
        *ret_entry = old;
        return BF_OK;
    }
    count(err ? FAILED : MISSES);
    directory_entry_unref(old);
    return err;
}

enum bf_err directory_unknown(struct directory *directory, const struct directory_name *names, size_t count,
                              bool *ret_unknown)
{
    struct bf_buf request, reply;

    bf_buf_init(&request, BF_BUS_BYTES_MAX);
    bf_buf_init(&reply, BF_BUS_BYTES_MAX);
    directory_wire_ask_unknown(&request, names, count);
    enum bf_err err = bf_bus_call(directory->control->registry, "Unknown", "", "", DIRECTORY_UNKNOWN_MS,
                                  (struct bf_str){request.at, request.len}, &reply, NULL);
    if (!err)
        err = directory_wire_unknown((struct bf_str){reply.at, reply.len}, count, ret_unknown);
    if (err == BF_PROTOCOL)
        bf_metric_add(&metrics[INVALID], 1);
    bf_buf_release(&request);
    bf_buf_release(&reply);
    return err;
}

// ---- start and stop

static void refresh_metrics(void *ctx)
{
    struct directory *directory = ctx;

    bf_metric_set(&metrics[ENTRIES], (int64_t)directory_cache_count(directory->cache));
    bf_metric_set(&metrics[EVICTED], (int64_t)directory_cache_evicted(directory->cache));
}

enum bf_err directory_start(struct control *control, struct directory **ret_directory)
{
    struct directory *directory = bf_xcalloc(1, sizeof(*directory));

    bf_metrics_register(metrics, BF_LEN(metrics));
    directory->control = control;
    directory->cache = directory_cache_new((size_t)control->settings.directory_entries_max);
    enum bf_err err = bf_bus_subscribe(control->settings.registry_feed, hear, directory, &directory->feed);
    if (err) {
        directory_stop(directory);
        return err;
    }
    bf_metrics_on_render(refresh_metrics, directory);
    *ret_directory = directory;
    return BF_OK;
}

void directory_stop(struct directory *directory)
{
    if (!directory)
        return;
    if (directory->feed)
        bf_bus_unsubscribe(directory->feed);
    directory_cache_free(directory->cache);
    free(directory);
}
