// SipHash (Aumasson, Bernstein) with 1-3 and 2-4 rounds.
#include "tenant_hash.h"

#include <string.h>
#include <sys/random.h>

struct sip {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct sip *s)
{
    s->v0 += s->v1;
    s->v1 = rotate(s->v1, 13) ^ s->v0;
    s->v0 = rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotate(s->v1, 17) ^ s->v2;
    s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word, int rounds)
{
    s->v3 ^= word;
    for (int i = 0; i < rounds; i++)
        sip_round(s);
    s->v0 ^= word;
}

static inline uint64_t siphash(const struct tenant_hash_key *key, const void *bytes, size_t len, int rounds,
                               int last_rounds)
{
    struct sip s = {key->k0 ^ 0x736f6d6570736575, key->k1 ^ 0x646f72616e646f6d, key->k0 ^ 0x6c7967656e657261,
                    key->k1 ^ 0x7465646279746573};
    const uint8_t *at = bytes;
    uint64_t word;
    size_t left = len;

    for (; left >= sizeof(word); left -= sizeof(word), at += sizeof(word)) {
        memcpy(&word, at, sizeof(word));
        sip_word(&s, word, rounds);
    }
    word = (uint64_t)len << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)at[i] << (8 * i);
    sip_word(&s, word, rounds);
    s.v2 ^= 0xff;
    for (int i = 0; i < last_rounds; i++)
        sip_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

bool tenant_hash_key_random(struct tenant_hash_key *ret_key)
{
    struct tenant_hash_key key;

    if (getrandom(&key, sizeof(key), 0) != (ssize_t)sizeof(key))
        return false;
    *ret_key = key;
    return true;
}

uint64_t tenant_hash(const struct tenant_hash_key *key, const void *bytes, size_t len)
{
    return siphash(key, bytes, len, 1, 3);
}

uint64_t tenant_prf(const struct tenant_hash_key *key, const void *bytes, size_t len)
{
    return siphash(key, bytes, len, 2, 4);
}

void tenant_decoy(const struct tenant_hash_key *key, struct bf_id tenant, struct bf_str user,
                  uint8_t ha1_md5[TENANT_HA1_MD5_BYTES], uint8_t ha1_sha256[TENANT_HA1_SHA256_BYTES])
{
    uint64_t words[6];
    struct {
        uint8_t tenant[16];
        uint64_t user;
        uint64_t counter;
    } seed = {.user = tenant_prf(key, user.at, user.len)};

    memcpy(seed.tenant, tenant.bytes, sizeof(seed.tenant));
    for (; seed.counter < BF_LEN(words); seed.counter++)
        words[seed.counter] = tenant_prf(key, &seed, sizeof(seed));
    memcpy(ha1_md5, words, TENANT_HA1_MD5_BYTES);
    memcpy(ha1_sha256, words + 2, TENANT_HA1_SHA256_BYTES);
}
