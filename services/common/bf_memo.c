// A hash table with a bounded probe.
#include "bf_memo.h"

#include <pthread.h>
#include <string.h>

#include "bf_crypto.h"

#define PROBES 8

struct slot {
    uint8_t key[BF_SHA256_BYTES]; // all zero: free
    uint64_t mono_ms;
};

struct bf_memo {
    pthread_mutex_t lock;
    size_t mask, value_size;
    uint8_t salt[16]; // so that nobody chooses keys that collide
    struct slot *slots;
    uint8_t *values;
};

struct bf_memo *bf_memo_new(size_t answers, size_t value_size)
{
    struct bf_memo *memo = bf_xcalloc(1, sizeof(*memo));
    size_t room = PROBES;

    while (room < answers)
        room *= 2;
    pthread_mutex_init(&memo->lock, NULL);
    bf_random(memo->salt, sizeof(memo->salt));
    memo->mask = room - 1;
    memo->value_size = value_size;
    memo->slots = bf_xcalloc(room, sizeof(memo->slots[0]));
    memo->values = bf_xcalloc(room, value_size);
    return memo;
}

void bf_memo_free(struct bf_memo *memo)
{
    if (!memo)
        return;
    pthread_mutex_destroy(&memo->lock);
    free(memo->slots);
    free(memo->values);
    free(memo);
}

// The slot of the key, or (taken or not) the one it would get. Under lock.
static struct slot *memo_find(struct bf_memo *memo, const uint8_t mac[BF_SHA256_BYTES], bool *ret_found)
{
    struct slot *victim = NULL;
    uint64_t hash;

    memcpy(&hash, mac, sizeof(hash));
    for (size_t i = 0; i < PROBES; i++) {
        struct slot *slot = &memo->slots[(hash + i) & memo->mask];
        *ret_found = memcmp(slot->key, mac, BF_SHA256_BYTES) == 0;
        if (*ret_found)
            return slot;
        if (!victim || slot->mono_ms < victim->mono_ms) // a free one has 0
            victim = slot;
    }
    return victim;
}

static void *value_of(struct bf_memo *memo, const struct slot *slot)
{
    return memo->values + (size_t)(slot - memo->slots) * memo->value_size;
}

bool bf_memo_get(struct bf_memo *memo, const void *key, size_t key_len, uint64_t mono_ms, void *ret_value,
                 uint64_t *ret_age_ms)
{
    uint8_t mac[BF_SHA256_BYTES];
    bool found;

    bf_hmac_sha256(memo->salt, sizeof(memo->salt), key, key_len, mac);
    pthread_mutex_lock(&memo->lock);
    const struct slot *slot = memo_find(memo, mac, &found);
    if (found) {
        memcpy(ret_value, value_of(memo, slot), memo->value_size);
        *ret_age_ms = mono_ms > slot->mono_ms ? mono_ms - slot->mono_ms : 0;
    }
    pthread_mutex_unlock(&memo->lock);
    return found;
}

void bf_memo_put(struct bf_memo *memo, const void *key, size_t key_len, uint64_t mono_ms, const void *value)
{
    uint8_t mac[BF_SHA256_BYTES];
    bool found;

    bf_hmac_sha256(memo->salt, sizeof(memo->salt), key, key_len, mac);
    pthread_mutex_lock(&memo->lock);
    struct slot *slot = memo_find(memo, mac, &found);
    memcpy(slot->key, mac, sizeof(mac));
    slot->mono_ms = mono_ms;
    memcpy(value_of(memo, slot), value, memo->value_size);
    pthread_mutex_unlock(&memo->lock);
}

void bf_memo_drop(struct bf_memo *memo, const void *key, size_t key_len)
{
    uint8_t mac[BF_SHA256_BYTES];
    bool found;

    bf_hmac_sha256(memo->salt, sizeof(memo->salt), key, key_len, mac);
    pthread_mutex_lock(&memo->lock);
    struct slot *slot = memo_find(memo, mac, &found);
    if (found)
        *slot = (struct slot){.mono_ms = 0};
    pthread_mutex_unlock(&memo->lock);
}
