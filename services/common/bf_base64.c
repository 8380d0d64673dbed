// Base64.
#include "bf_base64.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char alphabet[] = LETTERS "-_";

static void encode(struct bf_buf *into, const char *letters, bool padded, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)at[i] << 16 | (have > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                        (have > 2 ? (uint32_t)at[i + 2] : 0);
        char four[4] = {letters[bits >> 18], letters[bits >> 12 & 63], letters[bits >> 6 & 63],
                        letters[bits & 63]};
        bf_buf_add(into, four, have + 1);
        bf_buf_add(into, "==", padded ? 3 - have : 0);
    }
}

void bf_base64(struct bf_buf *into, const void *bytes, size_t len)
{
    encode(into, LETTERS "+/", true, bytes, len);
}

void bf_base64url(struct bf_buf *into, const void *bytes, size_t len)
{
    encode(into, alphabet, false, bytes, len);
}

bool bf_unbase64url(struct bf_str text, void *bytes, size_t *ret_len)
{
    uint8_t *into = bytes;
    uint32_t bits = 0;
    size_t len = 0, have = 0; // bits that are not yet written

    for (size_t i = 0; i < text.len; i++) {
        const char *place = text.at[i] ? memchr(alphabet, text.at[i], sizeof(alphabet) - 1) : NULL;
        if (!place)
            return false;
        bits = bits << 6 | (uint32_t)(place - alphabet);
        have += 6;
        if (have >= 8) {
            have -= 8;
            into[len++] = (uint8_t)(bits >> have);
        }
    }
    if (text.len % 4 == 1 || (bits & ((1u << have) - 1)))
        return false;
    *ret_len = len;
    return true;
}
