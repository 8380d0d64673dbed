// Idempotency-Key: the same request sent twice is done once and answered twice, also with a secret that is
// shown once.
//
// Kept for 24 hours, for each API key by itself. The answer is sealed under a key made of the bearer and the
// Idempotency-Key, of which only hashes are stored: the database alone does not give the secret away. Only
// what succeeded is kept; what failed may be tried again. Runs in the transaction of the change itself.
#ifndef IDEMPOTENCY_H
#define IDEMPOTENCY_H

#include "bf_crypto.h"
#include "bf_db.h"

struct idempotency {
    bool asked; // the request has an Idempotency-Key
    struct bf_id key_id;
    uint8_t hash[BF_SHA256_BYTES];
    uint8_t request[BF_SHA256_BYTES];
    uint8_t seal[BF_SHA256_BYTES];
};

struct idempotency_answer {
    int status; // 0: not done before, go on
    uint8_t *body;
    size_t len;
};

// `key` NULL: asked stays false. `request` is all that makes two requests the same: method, path and body in
// one hash.
void idempotency_init(struct idempotency *idempotency, struct bf_id key_id, const char *bearer,
                      const char *key, const uint8_t request[BF_SHA256_BYTES]);

// BF_CONFLICT: the key was used for another request, or (*ret_busy) the same one is being worked on right
// now.
bf_must_check enum bf_err idempotency_look(struct bf_tx *tx, const struct idempotency *idempotency,
                                           bool *ret_busy, struct idempotency_answer *ret_answer);
// tenant nil: the request belongs to none.
bf_must_check enum bf_err idempotency_keep(struct bf_tx *tx, const struct idempotency *idempotency,
                                           struct bf_id tenant, int status, struct bf_str body);
bf_must_check enum bf_err idempotency_prune(struct bf_tx *tx, int64_t batch, int64_t *ret_pruned);

#endif
