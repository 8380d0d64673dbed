// Idempotency-Key on POST: the same request sent twice is done once and answered twice.
//
// Kept in Redis for REPEAT_KEEP_S, for each API key by itself; nothing here is a secret, so the answer is
// kept as it is. Only what succeeded is kept; what failed may be tried again. While Redis is away nothing
// with such a key is done.
#ifndef REPEAT_H
#define REPEAT_H

#include "api.h"
#include "bf_repeat.h"

#define REPEAT_KEEP_S 86400
#define REPEAT_BUSY_S 30

struct repeat {
    bool asked; // the request has an Idempotency-Key
    char key[96];
    char request[2 * BF_SHA256_BYTES + 1]; // what makes two requests the same: method, path and body
};

// *ret_done: it was answered before and now again. BF_CONFLICT: the key was used for another request, or the
// same one is being worked on.
bf_must_check enum bf_err repeat_begin(struct api_work *work, struct repeat *repeat, bool *ret_done);
void repeat_end(struct api_work *work, const struct repeat *repeat, enum bf_err err);

#endif
