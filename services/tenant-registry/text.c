// Small questions about texts.
#include "text.h"

#include <string.h>

#include "bf_crypto.h"

bool text_only(struct bf_str text, const char *allowed)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] == '\0' || !strchr(allowed, text.at[i]))
            return false;
    return true;
}

bool text_has_control(struct bf_str text)
{
    const unsigned char *at = (const unsigned char *)text.at;

    for (size_t i = 0; i < text.len; i++) {
        if (at[i] < 0x20 || at[i] == 0x7f)
            return true;
        if (at[i] == 0xc2 && i + 1 < text.len && at[i + 1] < 0xa0)
            return true;
    }
    return false;
}

void text_random(char *text, size_t len, const char *alphabet)
{
    size_t letters = strlen(alphabet);
    unsigned whole = 256 - 256 % (unsigned)letters; // bytes from here on would favour the first letters

    for (size_t i = 0; i < len;) {
        uint8_t byte;

        bf_random(&byte, 1);
        if (byte < whole)
            text[i++] = alphabet[byte % letters];
    }
    text[len] = '\0';
}
