// Rules about extensions.
#include "extension.h"

#include <string.h>

#include "text.h"

static const char *const kind_names[] = {
    [EXTENSION_UNKNOWN] = "", [EXTENSION_SOFTPHONE] = "softphone", [EXTENSION_BROWSER] = "browser",
    [EXTENSION_APP] = "app",  [EXTENSION_DOOR] = "door",
};

const char *extension_kind_name(enum extension_kind kind)
{
    return kind_names[kind];
}

enum extension_kind extension_kind_parse(struct bf_str text)
{
    for (size_t i = EXTENSION_SOFTPHONE; i < BF_LEN(kind_names); i++)
        if (bf_str_eq(text, bf_str(kind_names[i])))
            return (enum extension_kind)i;
    return EXTENSION_UNKNOWN;
}

const char *extension_number_check(struct bf_str text)
{
    if (text.len < 1 || text.len > EXTENSION_NUMBER_BYTES_MAX || !text_only(text, TEXT_ALNUM "._+-") ||
        !text_only((struct bf_str){text.at, 1}, TEXT_ALNUM "+"))
        return "must be 1 to 32 of 0-9 A-Z a-z . _ + -, the first a digit, a letter or +";
    return NULL;
}

const char *extension_kind_check(struct bf_str text)
{
    return extension_kind_parse(text) == EXTENSION_UNKNOWN ? "must be softphone, browser, app or door" : NULL;
}

const char *extension_display_check(struct bf_str text)
{
    // Quotes and backslashes would need escaping in every SIP header that shows the name.
    if (text.len > EXTENSION_DISPLAY_BYTES_MAX || text_has_control(text) || memchr(text.at, '"', text.len) ||
        memchr(text.at, '\\', text.len))
        return "must be at most 128 bytes of text without control characters, \" and \\";
    return NULL;
}

const char *extension_forward_check(struct bf_str text)
{
    return text.len > 0 && extension_number_check(text)
               ? "must be null or a number: 1 to 32 of 0-9 A-Z a-z . _ + -, the first a digit, a letter or +"
               : NULL;
}

const char *extension_password_check(struct bf_str text)
{
    bool printable = true;

    for (size_t i = 0; i < text.len; i++)
        printable = printable && text.at[i] >= 0x20 && text.at[i] < 0x7f;
    if (!printable || text.len < EXTENSION_PASSWORD_MIN || text.len > EXTENSION_PASSWORD_MAX)
        return "must be 12 to 128 printable ASCII characters; leave it out and a strong one is made";
    return NULL;
}

void extension_password_make(char *password)
{
    text_random(password, EXTENSION_PASSWORD_MADE,
                "23456789abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ");
}

struct extension_ha1 extension_ha1(const char *number, const char *realm, const char *password)
{
    struct extension_ha1 ha1;

    bf_ha1_md5(bf_str(number), bf_str(realm), bf_str(password), ha1.md5);
    bf_ha1_sha256(bf_str(number), bf_str(realm), bf_str(password), ha1.sha256);
    return ha1;
}
