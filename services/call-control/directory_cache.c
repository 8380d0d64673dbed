// A hash table with chains and a list of use; one lock.
#include "directory_cache.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include "bf_crypto.h"

struct shared { // in front of each entry
    _Atomic unsigned refs;
    struct directory_entry entry;
};

struct slot {
    struct slot *chain;         // of the same bucket
    struct slot *newer, *older; // by use
    const struct directory_entry *entry;
    uint64_t generation; // of the cache when it was put; less than the cache's: void
};

struct directory_cache {
    pthread_mutex_t lock;
    uint64_t seed;
    struct slot **buckets;
    size_t mask;
    size_t count, max;
    struct slot *newest, *oldest;
    uint64_t generation; // counts what voided everything
    uint64_t version;    // counts whatever voided anything
    uint64_t evicted;
};

// ---- entries

static struct shared *shared_of(const struct directory_entry *entry)
{
    return (struct shared *)((char *)entry - offsetof(struct shared, entry));
}

struct directory_entry *directory_entry_new(size_t members)
{
    struct shared *shared = bf_xcalloc(1, sizeof(*shared) + members * DIRECTORY_NUMBER_SIZE);

    atomic_init(&shared->refs, 1);
    return &shared->entry;
}

const struct directory_entry *directory_entry_ref(const struct directory_entry *entry)
{
    atomic_fetch_add_explicit(&shared_of(entry)->refs, 1, memory_order_relaxed);
    return entry;
}

void directory_entry_unref(const struct directory_entry *entry)
{
    if (entry && atomic_fetch_sub_explicit(&shared_of(entry)->refs, 1, memory_order_acq_rel) == 1)
        free(shared_of(entry));
}

// ---- the table; everything below runs under the lock but the public functions

struct directory_cache *directory_cache_new(size_t entries_max)
{
    struct directory_cache *cache = bf_xcalloc(1, sizeof(*cache));

    cache->max = entries_max ? entries_max : 1;
    cache->generation = 1; // 0 is always void
    cache->mask = 63;
    while (cache->mask < cache->max)
        cache->mask = cache->mask * 2 + 1;
    cache->buckets = bf_xcalloc(cache->mask + 1, sizeof(struct slot *));
    bf_random(&cache->seed, sizeof(cache->seed));
    pthread_mutex_init(&cache->lock, NULL);
    return cache;
}

static void slot_free(struct slot *slot)
{
    directory_entry_unref(slot->entry);
    free(slot);
}

void directory_cache_free(struct directory_cache *cache)
{
    if (!cache)
        return;
    for (struct slot *slot = cache->newest, *next; slot; slot = next) {
        next = slot->older;
        slot_free(slot);
    }
    pthread_mutex_destroy(&cache->lock);
    free(cache->buckets);
    free(cache);
}

static struct slot **bucket_of(struct directory_cache *cache, struct bf_id tenant, const char *number)
{
    uint64_t hash = cache->seed ^ 0xcbf29ce484222325; // FNV-1a

    for (size_t i = 0; i < sizeof(tenant.bytes); i++)
        hash = (hash ^ tenant.bytes[i]) * 0x100000001b3;
    for (const char *at = number; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
    return &cache->buckets[(hash ^ hash >> 32) & cache->mask];
}

static struct slot *find(struct directory_cache *cache, struct bf_id tenant, const char *number)
{
    struct slot *slot = *bucket_of(cache, tenant, number);

    while (slot && (!bf_id_eq(slot->entry->tenant, tenant) || strcmp(slot->entry->number, number) != 0))
        slot = slot->chain;
    return slot;
}

static void unlink_use(struct directory_cache *cache, struct slot *slot)
{
    *(slot->newer ? &slot->newer->older : &cache->newest) = slot->older;
    *(slot->older ? &slot->older->newer : &cache->oldest) = slot->newer;
}

static void link_newest(struct directory_cache *cache, struct slot *slot)
{
    slot->newer = NULL;
    slot->older = cache->newest;
    *(cache->newest ? &cache->newest->newer : &cache->oldest) = slot;
    cache->newest = slot;
}

static void evict_oldest(struct directory_cache *cache)
{
    struct slot *slot = cache->oldest;
    struct slot **at = bucket_of(cache, slot->entry->tenant, slot->entry->number);

    while (*at != slot)
        at = &(*at)->chain;
    *at = slot->chain;
    unlink_use(cache, slot);
    slot_free(slot);
    cache->count--;
    cache->evicted++;
}

static struct slot *add(struct directory_cache *cache, const struct directory_entry *entry)
{
    if (cache->count == cache->max)
        evict_oldest(cache);
    struct slot **bucket = bucket_of(cache, entry->tenant, entry->number);
    struct slot *slot = bf_xcalloc(1, sizeof(*slot));
    slot->chain = *bucket;
    *bucket = slot;
    link_newest(cache, slot);
    cache->count++;
    return slot;
}

// ---- for everybody

const struct directory_entry *directory_cache_get(struct directory_cache *cache, struct bf_id tenant,
                                                  const char *number, bool *ret_void)
{
    const struct directory_entry *entry = NULL;

    pthread_mutex_lock(&cache->lock);
    struct slot *slot = find(cache, tenant, number);
    if (slot) {
        entry = directory_entry_ref(slot->entry);
        *ret_void = slot->generation < cache->generation;
        unlink_use(cache, slot);
        link_newest(cache, slot);
    }
    pthread_mutex_unlock(&cache->lock);
    return entry;
}

uint64_t directory_cache_version(struct directory_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    uint64_t version = cache->version;
    pthread_mutex_unlock(&cache->lock);
    return version;
}

void directory_cache_put(struct directory_cache *cache, const struct directory_entry *entry, uint64_t version)
{
    pthread_mutex_lock(&cache->lock);
    struct slot *slot = find(cache, entry->tenant, entry->number);
    if (!slot)
        slot = add(cache, entry);
    directory_entry_unref(slot->entry);
    slot->entry = directory_entry_ref(entry);
    slot->generation = cache->version == version ? cache->generation : 0;
    pthread_mutex_unlock(&cache->lock);
}

void directory_cache_void_number(struct directory_cache *cache, struct bf_id tenant, const char *number)
{
    pthread_mutex_lock(&cache->lock);
    struct slot *slot = find(cache, tenant, number);
    if (slot)
        slot->generation = 0;
    cache->version++;
    pthread_mutex_unlock(&cache->lock);
}

// A tenant changes rarely: a walk is cheaper than an index that every entry pays for.
void directory_cache_void_tenant(struct directory_cache *cache, struct bf_id tenant)
{
    pthread_mutex_lock(&cache->lock);
    for (struct slot *slot = cache->newest; slot; slot = slot->older)
        if (bf_id_eq(slot->entry->tenant, tenant))
            slot->generation = 0;
    cache->version++;
    pthread_mutex_unlock(&cache->lock);
}

void directory_cache_void_all(struct directory_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    cache->generation++;
    cache->version++;
    pthread_mutex_unlock(&cache->lock);
}

size_t directory_cache_count(struct directory_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    size_t count = cache->count;
    pthread_mutex_unlock(&cache->lock);
    return count;
}

uint64_t directory_cache_evicted(struct directory_cache *cache)
{
    pthread_mutex_lock(&cache->lock);
    uint64_t evicted = cache->evicted;
    pthread_mutex_unlock(&cache->lock);
    return evicted;
}
