// Buckets of chained entries by index, and a free list; one lock, held for a few steps.
#include "tenant_calls.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define NONE UINT32_MAX

struct entry {
    struct bf_id call;
    struct tenant_call_place place;
    uint32_t next; // in the bucket, or in the free list
};

struct tenant_calls {
    _Alignas(64) pthread_mutex_t lock;
    struct tenant_hash_key key;
    uint32_t buckets; // a power of two
    uint32_t unused;
    _Atomic uint32_t count;
    size_t entries_at;
    _Alignas(64) uint32_t bucket[];
};

static uint32_t buckets_of(uint32_t max)
{
    uint32_t buckets = 64;

    while (buckets < max)
        buckets *= 2;
    return buckets;
}

static size_t entries_at(uint32_t max)
{
    return sizeof(struct tenant_calls) + (size_t)buckets_of(max) * sizeof(uint32_t);
}

size_t tenant_calls_bytes(uint32_t max)
{
    return entries_at(max) + (size_t)max * sizeof(struct entry);
}

static struct entry *entry_at(struct tenant_calls *calls, uint32_t i)
{
    return (struct entry *)((char *)calls + calls->entries_at) + i;
}

struct tenant_calls *tenant_calls_init(void *memory, uint32_t max, const struct tenant_hash_key *key)
{
    struct tenant_calls *calls = memory;
    pthread_mutexattr_t shared;

    memset(calls, 0, sizeof(*calls));
    calls->key = *key;
    calls->buckets = buckets_of(max);
    calls->entries_at = entries_at(max);
    for (uint32_t i = 0; i < calls->buckets; i++)
        calls->bucket[i] = NONE;
    for (uint32_t i = 0; i < max; i++)
        entry_at(calls, i)->next = i + 1 < max ? i + 1 : NONE;
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&calls->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    return calls;
}

// ---- under the lock

// Where the index of the call's entry stands; there is NONE when the call is unknown.
static uint32_t *link_of(struct tenant_calls *calls, struct bf_id call)
{
    uint64_t hash = tenant_hash(&calls->key, call.bytes, sizeof(call.bytes));
    uint32_t *link = &calls->bucket[(uint32_t)hash & (calls->buckets - 1)];

    while (*link != NONE && !bf_id_eq(entry_at(calls, *link)->call, call))
        link = &entry_at(calls, *link)->next;
    return link;
}

// NONE: the table is full.
static uint32_t add(struct tenant_calls *calls, uint32_t *link, struct bf_id call)
{
    uint32_t i = calls->unused;

    if (i == NONE)
        return NONE;
    calls->unused = entry_at(calls, i)->next;
    entry_at(calls, i)->call = call;
    entry_at(calls, i)->next = NONE;
    *link = i;
    atomic_fetch_add(&calls->count, 1);
    return i;
}

// ---- public

bool tenant_calls_put(struct tenant_calls *calls, struct bf_id call, const struct tenant_call_place *place)
{
    uint32_t *link, i;

    pthread_mutex_lock(&calls->lock);
    link = link_of(calls, call);
    i = *link != NONE ? *link : add(calls, link, call);
    if (i != NONE)
        entry_at(calls, i)->place = *place;
    pthread_mutex_unlock(&calls->lock);
    return i != NONE;
}

bool tenant_calls_get(struct tenant_calls *calls, struct bf_id call, struct tenant_call_place *ret_place)
{
    uint32_t i;

    pthread_mutex_lock(&calls->lock);
    i = *link_of(calls, call);
    if (i != NONE)
        *ret_place = entry_at(calls, i)->place;
    pthread_mutex_unlock(&calls->lock);
    return i != NONE;
}

bool tenant_calls_remove(struct tenant_calls *calls, struct bf_id call)
{
    uint32_t *link, i;

    pthread_mutex_lock(&calls->lock);
    link = link_of(calls, call);
    i = *link;
    if (i != NONE) {
        *link = entry_at(calls, i)->next;
        entry_at(calls, i)->next = calls->unused;
        calls->unused = i;
        atomic_fetch_sub(&calls->count, 1);
    }
    pthread_mutex_unlock(&calls->lock);
    return i != NONE;
}

uint32_t tenant_calls_count(const struct tenant_calls *calls)
{
    return atomic_load(&calls->count);
}
