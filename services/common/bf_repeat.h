// A POST that is sent again: its Idempotency-Key, and what says that it is the same request. Where answers
// are kept is the program's affair. Any thread.
#ifndef BF_REPEAT_H
#define BF_REPEAT_H

#include "bf_crypto.h"
#include "bf_http.h"

#define BF_REPEAT_KEY_BYTES_MAX 128

const char *bf_repeat_key_check(struct bf_str key); // NULL when good
// *ret_key NULL: this request has none, or is no POST. On a fault the problem is set.
bf_must_check enum bf_err bf_repeat_key(struct bf_http_call *call, const char **ret_key);
// Two requests are the same when method, path and body are.
void bf_repeat_digest(const struct bf_http_call *call, uint8_t digest[BF_SHA256_BYTES]);
// Problems: BF_CONFLICT.
enum bf_err bf_repeat_busy(struct bf_http_call *call);  // the same request is being worked on right now
enum bf_err bf_repeat_other(struct bf_http_call *call); // the key was used for another request

#endif
