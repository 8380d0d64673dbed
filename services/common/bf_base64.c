// Base64url.
#include "bf_base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void bf_base64url(struct bf_buf *into, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)at[i] << 16 | (have > 1 ? (uint32_t)at[i + 1] << 8 : 0) |
                        (have > 2 ? (uint32_t)at[i + 2] : 0);
        char four[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63], alphabet[bits >> 6 & 63],
                        alphabet[bits & 63]};
        bf_buf_add(into, four, have + 1);
    }
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
