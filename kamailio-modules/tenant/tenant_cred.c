// Each shard: its buckets (index + 1 of an entry), its entries in a doubly linked list by use, and a free
// list.
#include "tenant_cred.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SHARDS 64u
#define NONE   UINT32_MAX

struct entry {
    uint64_t expires_ms; // 0: never
    struct bf_id tenant;
    struct tenant_credential credential;
    uint32_t chain;        // next in the bucket, or in the free list
    uint32_t newer, older; // in the order of use
    uint8_t user_len;
    char user[TENANT_USER_MAX];
};

struct shard {
    _Alignas(64) pthread_mutex_t lock;
    uint32_t newest, oldest, unused;
    _Atomic uint64_t count;
    _Atomic uint64_t evicted;
};

struct tenant_creds {
    struct tenant_hash_key key;
    uint32_t negative_ttl_ms;
    uint32_t entries; // a shard
    uint32_t buckets; // a shard, a power of two
    size_t buckets_at, entries_at;
    struct shard shards[SHARDS];
};

struct place { // where a key belongs
    struct shard *shard;
    struct entry *entries;
    uint32_t *bucket;
};

static uint32_t shard_entries(uint32_t max)
{
    return (max + SHARDS - 1) / SHARDS;
}

static uint32_t shard_buckets(uint32_t max)
{
    uint32_t buckets = 8;

    while (buckets < shard_entries(max))
        buckets *= 2;
    return buckets;
}

static size_t up64(size_t bytes)
{
    return (bytes + 63) & ~(size_t)63;
}

size_t tenant_creds_bytes(uint32_t max)
{
    return up64(sizeof(struct tenant_creds)) + up64((size_t)SHARDS * shard_buckets(max) * sizeof(uint32_t)) +
           (size_t)SHARDS * shard_entries(max) * sizeof(struct entry);
}

static uint32_t *shard_bucket(struct tenant_creds *creds, uint32_t shard)
{
    return (uint32_t *)((char *)creds + creds->buckets_at) + (size_t)shard * creds->buckets;
}

static struct entry *shard_entry(struct tenant_creds *creds, uint32_t shard)
{
    return (struct entry *)((char *)creds + creds->entries_at) + (size_t)shard * creds->entries;
}

// Everything free: entries chained in the free list, buckets empty.
static void shard_clear(struct tenant_creds *creds, uint32_t number)
{
    struct shard *shard = &creds->shards[number];
    struct entry *entries = shard_entry(creds, number);

    for (uint32_t i = 0; i < creds->buckets; i++)
        shard_bucket(creds, number)[i] = NONE;
    for (uint32_t i = 0; i < creds->entries; i++)
        entries[i].chain = i + 1 < creds->entries ? i + 1 : NONE;
    shard->newest = shard->oldest = NONE;
    shard->unused = 0;
    atomic_store(&shard->count, 0);
}

struct tenant_creds *tenant_creds_init(void *memory, uint32_t max, uint32_t negative_ttl_ms,
                                       const struct tenant_hash_key *key)
{
    struct tenant_creds *creds = memory;
    pthread_mutexattr_t shared;

    memset(creds, 0, sizeof(*creds));
    creds->key = *key;
    creds->negative_ttl_ms = negative_ttl_ms;
    creds->entries = shard_entries(max);
    creds->buckets = shard_buckets(max);
    creds->buckets_at = up64(sizeof(*creds));
    creds->entries_at = creds->buckets_at + up64((size_t)SHARDS * creds->buckets * sizeof(uint32_t));
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    for (uint32_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&creds->shards[i].lock, &shared);
        shard_clear(creds, i);
    }
    pthread_mutexattr_destroy(&shared);
    return creds;
}

static struct place place_of(struct tenant_creds *creds, struct bf_id tenant, struct bf_str user)
{
    uint8_t key[sizeof(tenant.bytes) + TENANT_USER_MAX];
    uint64_t hash;
    uint32_t number;

    memcpy(key, tenant.bytes, sizeof(tenant.bytes));
    memcpy(key + sizeof(tenant.bytes), user.at, user.len);
    hash = tenant_hash(&creds->key, key, sizeof(tenant.bytes) + user.len);
    number = (uint32_t)(hash >> 58);
    return (struct place){
        .shard = &creds->shards[number],
        .entries = shard_entry(creds, number),
        .bucket = &shard_bucket(creds, number)[(uint32_t)hash & (creds->buckets - 1)],
    };
}

// The link that points to the entry, or that ends the chain.
static uint32_t *chain_find(const struct place *place, struct bf_id tenant, struct bf_str user)
{
    uint32_t *link = place->bucket;

    for (; *link != NONE; link = &place->entries[*link].chain) {
        const struct entry *entry = &place->entries[*link];
        if (bf_id_eq(entry->tenant, tenant) && bf_str_eq((struct bf_str){entry->user, entry->user_len}, user))
            break;
    }
    return link;
}

static void use_remove(struct shard *shard, struct entry *entries, uint32_t i)
{
    struct entry *entry = &entries[i];

    *(entry->newer == NONE ? &shard->newest : &entries[entry->newer].older) = entry->older;
    *(entry->older == NONE ? &shard->oldest : &entries[entry->older].newer) = entry->newer;
}

static void use_front(struct shard *shard, struct entry *entries, uint32_t i)
{
    entries[i].newer = NONE;
    entries[i].older = shard->newest;
    *(shard->newest == NONE ? &shard->oldest : &entries[shard->newest].newer) = i;
    shard->newest = i;
}

// `link` is the one that points to the entry.
static void entry_remove(struct shard *shard, struct entry *entries, uint32_t *link)
{
    uint32_t i = *link;

    *link = entries[i].chain;
    use_remove(shard, entries, i);
    explicit_bzero(&entries[i].credential, sizeof(entries[i].credential));
    entries[i].chain = shard->unused;
    shard->unused = i;
    atomic_fetch_sub(&shard->count, 1);
}

static void shard_evict(struct tenant_creds *creds, const struct place *place)
{
    const struct entry *oldest = &place->entries[place->shard->oldest];
    struct bf_str user = {oldest->user, oldest->user_len};
    struct place at = place_of(creds, oldest->tenant, user);

    entry_remove(at.shard, at.entries, chain_find(&at, oldest->tenant, user));
    atomic_fetch_add(&place->shard->evicted, 1);
}

bool tenant_creds_get(struct tenant_creds *creds, struct bf_id tenant, struct bf_str user, uint64_t now_ms,
                      struct tenant_credential *ret_credential)
{
    struct place place;
    uint32_t i;
    bool found;

    if (user.len > TENANT_USER_MAX)
        return false;
    place = place_of(creds, tenant, user);
    pthread_mutex_lock(&place.shard->lock);
    i = *chain_find(&place, tenant, user);
    found = i != NONE && (place.entries[i].expires_ms == 0 || place.entries[i].expires_ms > now_ms);
    if (found) {
        *ret_credential = place.entries[i].credential;
        use_remove(place.shard, place.entries, i);
        use_front(place.shard, place.entries, i);
    }
    pthread_mutex_unlock(&place.shard->lock);
    return found;
}

static struct entry *entry_new(struct tenant_creds *creds, struct place *place, struct bf_id tenant,
                               struct bf_str user)
{
    struct shard *shard = place->shard;
    uint32_t i;

    if (shard->unused == NONE)
        shard_evict(creds, place);
    i = shard->unused;
    shard->unused = place->entries[i].chain;
    place->entries[i].tenant = tenant;
    place->entries[i].user_len = (uint8_t)user.len;
    memcpy(place->entries[i].user, user.at, user.len);
    place->entries[i].chain = *place->bucket;
    *place->bucket = i;
    use_front(shard, place->entries, i);
    atomic_fetch_add(&shard->count, 1);
    return &place->entries[i];
}

void tenant_creds_put(struct tenant_creds *creds, struct bf_id tenant, struct bf_str user, uint64_t now_ms,
                      const struct tenant_credential *credential)
{
    struct place place;
    struct entry *entry;
    uint32_t i;

    if (user.len > TENANT_USER_MAX)
        return;
    place = place_of(creds, tenant, user);
    pthread_mutex_lock(&place.shard->lock);
    i = *chain_find(&place, tenant, user);
    entry = i != NONE ? &place.entries[i] : entry_new(creds, &place, tenant, user);
    entry->credential = *credential;
    entry->expires_ms = credential->known ? 0 : now_ms + creds->negative_ttl_ms;
    pthread_mutex_unlock(&place.shard->lock);
}

bool tenant_creds_forget(struct tenant_creds *creds, struct bf_id tenant, struct bf_str user)
{
    struct place place;
    uint32_t *link;
    bool found;

    if (user.len > TENANT_USER_MAX)
        return false;
    place = place_of(creds, tenant, user);
    pthread_mutex_lock(&place.shard->lock);
    link = chain_find(&place, tenant, user);
    found = *link != NONE;
    if (found)
        entry_remove(place.shard, place.entries, link);
    pthread_mutex_unlock(&place.shard->lock);
    return found;
}

void tenant_creds_forget_all(struct tenant_creds *creds)
{
    for (uint32_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&creds->shards[i].lock);
        for (uint32_t e = 0; e < creds->entries; e++)
            explicit_bzero(&shard_entry(creds, i)[e].credential, sizeof(struct tenant_credential));
        shard_clear(creds, i);
        pthread_mutex_unlock(&creds->shards[i].lock);
    }
}

static void bucket_sweep(struct shard *shard, struct entry *entries, uint32_t *link, tenant_creds_keep *keep,
                         void *ctx)
{
    while (*link != NONE) {
        struct entry *entry = &entries[*link];
        if (keep(ctx, entry->tenant))
            link = &entry->chain;
        else
            entry_remove(shard, entries, link);
    }
}

void tenant_creds_sweep(struct tenant_creds *creds, tenant_creds_keep *keep, void *ctx)
{
    for (uint32_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&creds->shards[i].lock);
        for (uint32_t b = 0; b < creds->buckets; b++)
            bucket_sweep(&creds->shards[i], shard_entry(creds, i), &shard_bucket(creds, i)[b], keep, ctx);
        pthread_mutex_unlock(&creds->shards[i].lock);
    }
}

uint64_t tenant_creds_count(const struct tenant_creds *creds)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < SHARDS; i++)
        count += atomic_load(&creds->shards[i].count);
    return count;
}

uint64_t tenant_creds_evicted(const struct tenant_creds *creds)
{
    uint64_t evicted = 0;

    for (uint32_t i = 0; i < SHARDS; i++)
        evicted += atomic_load(&creds->shards[i].evicted);
    return evicted;
}
