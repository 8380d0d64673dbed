// A webhook: what is a good one, and how what is sent to it is signed. Rules only. Any thread.
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include "bf_buf.h"

#define WEBHOOK_URL_BYTES_MAX 2048
#define WEBHOOK_TYPES_MAX     32
#define WEBHOOK_SECRET_BYTES  24 // of randomness

// NULL when good, else what would be.
const char *webhook_url_check(struct bf_str url);
const char *webhook_type_check(struct bf_str type); // "call.ended", "call.*" or "*"

// Appends "t=<unix>,v1=<hex>[,v1=<hex>]": HMAC-SHA-256 of "<unix>.<body>" under each secret. `before` may be
// NULL.
void webhook_sign(struct bf_buf *into, uint64_t unix_s, const char *secret, const char *before,
                  struct bf_str body);

#endif
