// Memory that may not fail, strings that are not ours, integers and UTF-8 that are checked.
#include "bf_base.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static void *or_abort(void *p)
{
    if (!p)
        abort();
    return p;
}

struct bf_str bf_str(const char *text)
{
    return (struct bf_str){text, text ? strlen(text) : 0};
}

bool bf_str_eq(struct bf_str a, struct bf_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static unsigned char ascii_lower(unsigned char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned char)(c + ('a' - 'A')) : c;
}

bool bf_str_case_eq(struct bf_str a, struct bf_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower((unsigned char)a.at[i]) != ascii_lower((unsigned char)b.at[i]))
            return false;
    return true;
}

void *bf_xcalloc(size_t count, size_t size)
{
    return or_abort(calloc(count ? count : 1, size ? size : 1));
}

char *bf_xstrdup(const char *text)
{
    return or_abort(strdup(text));
}

char *bf_xstrndup(const char *at, size_t len)
{
    char *copy = bf_xcalloc(len + 1, 1);
    if (len)
        memcpy(copy, at, len);
    return copy;
}

char *bf_xasprintf(const char *fmt, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    return or_abort(len < 0 ? NULL : text);
}

// Works on the negative side, because -INT64_MIN does not exist.
bool bf_parse_int(struct bf_str text, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = text.len > 0 && text.at[0] == '-';
    size_t i = negative ? 1 : 0;
    if (i == text.len)
        return false;
    int64_t value = 0;
    for (; i < text.len; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, text.at[i] - '0', &value))
            return false;
    }
    if (!negative && __builtin_sub_overflow(0, value, &value))
        return false;
    if (value < min || value > max)
        return false;
    *ret_value = value;
    return true;
}

// How many bytes the sequence that starts at `at` has; 0 when it is not well-formed.
static size_t utf8_sequence(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char lead_min, lead_max, second_min, second_max;
        size_t len;
    } forms[] = {
        {0x01, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t f = 0; f < BF_LEN(forms); f++) {
        if (at[0] < forms[f].lead_min || at[0] > forms[f].lead_max)
            continue;
        size_t len = forms[f].len;
        if (len == 1)
            return 1;
        if (len > left || at[1] < forms[f].second_min || at[1] > forms[f].second_max)
            return 0;
        for (size_t i = 2; i < len; i++)
            if ((at[i] & 0xc0) != 0x80)
                return 0;
        return len;
    }
    return 0;
}

size_t bf_utf8_next(struct bf_str text)
{
    return text.len ? utf8_sequence((const unsigned char *)text.at, text.len) : 0;
}

// So many bytes at the begin are ASCII without U+0000, in steps of eight: nearly all text is.
static size_t ascii_len(struct bf_str text)
{
    const uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
    uint64_t eight;
    size_t at = 0;

    for (; text.len - at >= sizeof(eight); at += sizeof(eight)) {
        memcpy(&eight, text.at + at, sizeof(eight));
        if ((eight | (eight - ones)) & tops)
            break;
    }
    return at;
}

size_t bf_utf8_good(struct bf_str text)
{
    size_t at = 0;

    while (at < text.len) {
        struct bf_str rest = {text.at + at, text.len - at};
        size_t len = ascii_len(rest);
        if (!len)
            len = bf_utf8_next(rest);
        if (!len)
            break;
        at += len;
    }
    return at;
}

bool bf_utf8_valid(struct bf_str text)
{
    return bf_utf8_good(text) == text.len;
}

// Bytes of the first character; *ret_fit: it may be kept. Control characters, also those of C1, are not.
static size_t character(struct bf_str text, bool *ret_fit)
{
    size_t bytes = bf_utf8_next(text);
    unsigned char first = (unsigned char)text.at[0];

    *ret_fit = bytes > 0 && (bytes > 1 || (first >= 0x20 && first != 0x7f)) &&
               !(bytes == 2 && first == 0xc2 && (unsigned char)text.at[1] < 0xa0);
    return bytes ? bytes : 1;
}

void bf_text_clean(const char *from, char *into, size_t size)
{
    struct bf_str rest = bf_str(from);
    size_t len = 0;
    bool fit;

    while (rest.len > 0) {
        size_t bytes = character(rest, &fit);
        size_t kept = fit ? bytes : 1;

        if (len + kept > size - 1)
            break;
        memcpy(into + len, fit ? rest.at : "?", kept);
        len += kept;
        rest.at += bytes;
        rest.len -= bytes;
    }
    into[len] = '\0';
}
