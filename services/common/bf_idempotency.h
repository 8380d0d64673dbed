// Idempotency-Key: the same request sent twice is done once and answered twice, also with a secret that is
// shown once.
//
// Kept for 24 hours, for each API key by itself. The answer is sealed under a key made of the bearer and the
// Idempotency-Key, of which only hashes are stored: the database alone does not give the secret away. Only
// what succeeded is kept; what failed may be tried again. Runs in the transaction of the change itself.
//
// The table (a name of the program's own, schema included) has: key_id, hash, tenant_id, request, status,
// answer, created_at.
#ifndef BF_IDEMPOTENCY_H
#define BF_IDEMPOTENCY_H

#include "bf_crypto.h"
#include "bf_db.h"
#include "bf_http.h"

struct bf_idempotency {
    const char *table;
    bool asked; // the request has an Idempotency-Key
    struct bf_id key_id;
    uint8_t hash[BF_SHA256_BYTES];
    uint8_t request[BF_SHA256_BYTES];
    uint8_t seal[BF_SHA256_BYTES];
};

struct bf_idempotency_answer {
    int status; // 0: not done before, go on
    uint8_t *body;
    size_t len;
};

// `key` NULL: asked stays false. `request` is all that makes two requests the same: method, path and body in
// one hash.
void bf_idempotency_init(struct bf_idempotency *idempotency, const char *table, struct bf_id key_id,
                         const char *bearer, const char *key, const uint8_t request[BF_SHA256_BYTES]);
// The same from a request. On a fault the problem is set.
bf_must_check enum bf_err bf_idempotency_of(struct bf_http_call *call, const char *table, struct bf_id key_id,
                                            struct bf_idempotency *ret_idempotency);

// BF_CONFLICT: the key was used for another request, or (*ret_busy) the same one is being worked on right
// now.
bf_must_check enum bf_err bf_idempotency_look(struct bf_tx *tx, const struct bf_idempotency *idempotency,
                                              bool *ret_busy, struct bf_idempotency_answer *ret_answer);
// Answers again what was done before (*ret_done), or sets the problem of a key that is used twice.
bf_must_check enum bf_err bf_idempotency_replay(struct bf_http_call *call, struct bf_tx *tx,
                                                const struct bf_idempotency *idempotency, bool *ret_done);
// tenant nil: the request belongs to none.
bf_must_check enum bf_err bf_idempotency_keep(struct bf_tx *tx, const struct bf_idempotency *idempotency,
                                              struct bf_id tenant, int status, struct bf_str body);
bf_must_check enum bf_err bf_idempotency_prune(struct bf_tx *tx, const char *table, int64_t batch,
                                               int64_t *ret_pruned);

#endif
