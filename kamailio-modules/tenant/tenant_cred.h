// The credential cache: what the registry said of a user of a tenant, in shared memory of a fixed size.
//
// Sharded, one lock a shard, the least recently used entry of a full shard goes. A known user stays until the
// feed voids the entry (so it also serves while the registry is away); an unknown one at most
// negative_ttl_ms. Keyed by tenant, not by domain: a tenant's domains share. Position-independent but for the
// caller's pointer; any process, any thread.
#ifndef TENANT_CRED_H
#define TENANT_CRED_H

#include "bf_base.h"
#include "bf_id.h"
#include "tenant_hash.h"

#define TENANT_USER_MAX  64
#define TENANT_CREDS_MIN 1024
#define TENANT_CREDS_MAX 5000000

struct tenant_credential {
    uint8_t ha1_md5[TENANT_HA1_MD5_BYTES];
    uint8_t ha1_sha256[TENANT_HA1_SHA256_BYTES];
    struct bf_id extension; // nil: the registry did not say
    uint32_t max_contacts;
    bool known; // false: the HA1s are a decoy
};

struct tenant_creds;

size_t tenant_creds_bytes(uint32_t max);
// `memory`: tenant_creds_bytes(max), aligned to 64.
struct tenant_creds *tenant_creds_init(void *memory, uint32_t max, uint32_t negative_ttl_ms,
                                       const struct tenant_hash_key *key);

// False: not here, ask. A user longer than TENANT_USER_MAX is never here.
bf_must_check bool tenant_creds_get(struct tenant_creds *creds, struct bf_id tenant, struct bf_str user,
                                    uint64_t now_ms, struct tenant_credential *ret_credential);
void tenant_creds_put(struct tenant_creds *creds, struct bf_id tenant, struct bf_str user, uint64_t now_ms,
                      const struct tenant_credential *credential);
bool tenant_creds_forget(struct tenant_creds *creds, struct bf_id tenant,
                         struct bf_str user); // true: it was here
void tenant_creds_forget_all(struct tenant_creds *creds);
// Walks all, a shard at a time, and forgets what `keep` does not want.
typedef bool tenant_creds_keep(void *ctx, struct bf_id tenant);
void tenant_creds_sweep(struct tenant_creds *creds, tenant_creds_keep *keep, void *ctx);

uint64_t tenant_creds_count(const struct tenant_creds *creds);
uint64_t tenant_creds_evicted(const struct tenant_creds *creds);

#endif
