// Token buckets in a hash table with a bounded probe.
#include "bf_rate.h"

#include <pthread.h>
#include <string.h>

#include "bf_crypto.h"

#define PROBES 8
#define MINUTE 60000 // ms; a bucket counts in 1/60000 events, so refilling is exact integer arithmetic

struct bucket {
    uint64_t hash; // 0: free
    uint64_t mono_ms;
    int64_t level; // events x MINUTE
    int64_t per_minute;
};

struct bf_rate {
    pthread_mutex_t lock;
    size_t mask;
    uint8_t salt[16]; // so that nobody chooses keys that collide
    struct bucket buckets[];
};

struct bf_rate *bf_rate_new(size_t buckets)
{
    size_t room = PROBES;

    while (room < buckets)
        room *= 2;
    struct bf_rate *rate = bf_xcalloc(1, sizeof(*rate) + room * sizeof(rate->buckets[0]));
    pthread_mutex_init(&rate->lock, NULL);
    bf_random(rate->salt, sizeof(rate->salt));
    rate->mask = room - 1;
    return rate;
}

void bf_rate_free(struct bf_rate *rate)
{
    if (!rate)
        return;
    pthread_mutex_destroy(&rate->lock);
    free(rate);
}

static uint64_t rate_hash(const struct bf_rate *rate, const void *key, size_t key_len)
{
    uint8_t mac[BF_SHA256_BYTES];
    uint64_t hash;

    bf_hmac_sha256(rate->salt, sizeof(rate->salt), key, key_len, mac);
    memcpy(&hash, mac, sizeof(hash));
    return hash ? hash : 1;
}

static void bucket_refill(struct bucket *bucket, int64_t per_minute, uint64_t mono_ms)
{
    int64_t full = per_minute * MINUTE;
    uint64_t passed_ms = mono_ms > bucket->mono_ms ? mono_ms - bucket->mono_ms : 0;

    if (passed_ms > MINUTE)
        passed_ms = MINUTE;
    // Another limit than before: what was taken stays taken.
    bucket->level += (per_minute - bucket->per_minute) * MINUTE;
    if (bucket->level < 0)
        bucket->level = 0;
    bucket->level += (int64_t)passed_ms * per_minute;
    if (bucket->level > full)
        bucket->level = full;
    bucket->mono_ms = mono_ms;
    bucket->per_minute = per_minute;
}

static bool bucket_is_emptier(const struct bucket *a, const struct bucket *b, uint64_t mono_ms)
{
    struct bucket at = *a, bt = *b;

    bucket_refill(&at, at.per_minute, mono_ms);
    bucket_refill(&bt, bt.per_minute, mono_ms);
    // by share of its own size: at.level / at.per_minute < bt.level / bt.per_minute
    return at.level / (at.per_minute ? at.per_minute : 1) < bt.level / (bt.per_minute ? bt.per_minute : 1);
}

static struct bucket *rate_find(struct bf_rate *rate, uint64_t hash, int64_t per_minute, uint64_t mono_ms)
{
    struct bucket *victim = NULL;

    for (size_t i = 0; i < PROBES; i++) {
        struct bucket *bucket = &rate->buckets[(hash + i) & rate->mask];
        if (bucket->hash == hash)
            return bucket;
        if (!victim || (victim->hash && (!bucket->hash || bucket_is_emptier(victim, bucket, mono_ms))))
            victim = bucket;
    }
    *victim = (struct bucket){hash, mono_ms, per_minute * MINUTE, per_minute};
    return victim;
}

static uint64_t rate_ask(struct bf_rate *rate, const void *key, size_t key_len, int64_t per_minute,
                         uint64_t mono_ms, bool take)
{
    uint64_t hash = rate_hash(rate, key, key_len);
    uint64_t wait_ms = 0;

    pthread_mutex_lock(&rate->lock);
    struct bucket *bucket = rate_find(rate, hash, per_minute, mono_ms);
    bucket_refill(bucket, per_minute, mono_ms);
    if (bucket->level < MINUTE)
        wait_ms = (uint64_t)((MINUTE - bucket->level + per_minute - 1) / per_minute);
    else if (take)
        bucket->level -= MINUTE;
    pthread_mutex_unlock(&rate->lock);
    return wait_ms;
}

uint64_t bf_rate_take(struct bf_rate *rate, const void *key, size_t key_len, int64_t per_minute,
                      uint64_t mono_ms)
{
    return rate_ask(rate, key, key_len, per_minute, mono_ms, true);
}

uint64_t bf_rate_peek(struct bf_rate *rate, const void *key, size_t key_len, int64_t per_minute,
                      uint64_t mono_ms)
{
    return rate_ask(rate, key, key_len, per_minute, mono_ms, false);
}
