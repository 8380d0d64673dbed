// SipHash: the keyed hash of every table here, and the source of decoys.
//
// What is hashed comes from the network, so the key is random at each start: nobody outside can aim at one
// bucket. OpenSSL is not used on purpose: it must not be touched before Kamailio's tls module has set it up.
// Any process.
#ifndef TENANT_HASH_H
#define TENANT_HASH_H

#include "bf_base.h"
#include "bf_id.h"

#define TENANT_HA1_MD5_BYTES    16
#define TENANT_HA1_SHA256_BYTES 32

struct tenant_hash_key {
    uint64_t k0, k1;
};

bf_must_check bool
tenant_hash_key_random(struct tenant_hash_key *ret_key); // false: the kernel gave no randomness

uint64_t tenant_hash(const struct tenant_hash_key *key, const void *bytes, size_t len); // SipHash-1-3: tables
uint64_t tenant_prf(const struct tenant_hash_key *key, const void *bytes, size_t len); // SipHash-2-4: secrets

// The HA1s of a user who does not exist: no password fits them, and the same user always gets the same ones,
// so that "unknown user" cannot be told from "wrong password" by answers or by time.
void tenant_decoy(const struct tenant_hash_key *key, struct bf_id tenant, struct bf_str user,
                  uint8_t ha1_md5[TENANT_HA1_MD5_BYTES], uint8_t ha1_sha256[TENANT_HA1_SHA256_BYTES]);

#endif
