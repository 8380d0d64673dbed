// The few primitives we need, all by OpenSSL's EVP; signatures are in bf_ed25519.h. Nothing here logs. Any
// thread.
#ifndef BF_CRYPTO_H
#define BF_CRYPTO_H

#include "bf_base.h"
#include "bf_err.h"

#define BF_SHA256_BYTES 32
#define BF_MD5_BYTES    16
#define BF_SHA1_BYTES   20

void bf_random(void *bytes, size_t len); // getrandom; aborts when the kernel has none
void bf_sha256(const void *bytes, size_t len, uint8_t digest[BF_SHA256_BYTES]);
void bf_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                    uint8_t mac[BF_SHA256_BYTES]);
// For what others still ask for (coturn); nothing new of ours uses SHA-1.
void bf_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t mac[BF_SHA1_BYTES]);
bool bf_secret_eq(const void *a, const void *b, size_t len); // constant time

// RFC 7616 A1 = user ":" realm ":" password, hashed. These two are all we ever keep of a SIP password.
void bf_ha1_md5(struct bf_str user, struct bf_str realm, struct bf_str password,
                uint8_t digest[BF_MD5_BYTES]);
void bf_ha1_sha256(struct bf_str user, struct bf_str realm, struct bf_str password,
                   uint8_t digest[BF_SHA256_BYTES]);

char *bf_hex(const void *bytes, size_t len, char *text); // text has room for 2 * len + 1; returns text
bf_must_check bool bf_unhex(struct bf_str text, void *bytes, size_t len); // exactly 2 * len digits

// A secret for people and programs: `prefix` and `random_bytes` of randomness in base62-safe characters.
// Caller frees.
char *bf_secret_new(const char *prefix, size_t random_bytes);

// AES-256-GCM with a fresh nonce in front: sealed is 28 bytes longer than plain. The caller frees *ret_*.
// open: BF_INVALID when the key or the bytes are not the ones that were sealed.
bf_must_check enum bf_err bf_seal(const uint8_t key[32], const void *plain, size_t len, uint8_t **ret_sealed,
                                  size_t *ret_len);
bf_must_check enum bf_err bf_open(const uint8_t key[32], const void *sealed, size_t len, uint8_t **ret_plain,
                                  size_t *ret_len);

#endif
