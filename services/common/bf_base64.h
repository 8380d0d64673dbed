// Base64 (RFC 4648): url without padding (5), as JWTs have it, and the old one with padding (4). Any thread.
#ifndef BF_BASE64_H
#define BF_BASE64_H

#include "bf_buf.h"

// Room that decoding so many characters takes at most.
#define BF_BASE64_DECODED(chars) ((chars) / 4 * 3 + 3)

void bf_base64(struct bf_buf *into, const void *bytes, size_t len);
void bf_base64url(struct bf_buf *into, const void *bytes, size_t len);
// Only the one form that encoding gives is taken: no padding, no spaces, no left-over bits. `bytes` has room
// for BF_BASE64_DECODED(text.len).
bf_must_check bool bf_unbase64url(struct bf_str text, void *bytes, size_t *ret_len);

#endif
