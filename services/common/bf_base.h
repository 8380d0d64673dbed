// What every file of ours may use: attributes, ownership helpers, pointer+length strings, checked integers.
//
// Allocation: small fixed sizes abort when memory is out (bf_xcalloc, bf_xstrdup, bf_xasprintf); whatever
// input sizes is capped by the caller and goes through struct bf_buf, which returns an error. Any thread.
#ifndef BF_BASE_H
#define BF_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define bf_must_check      __attribute__((warn_unused_result))
#define bf_printf(fmt, at) __attribute__((format(printf, fmt, at)))
#define bf_cleanup(fn)     __attribute__((cleanup(fn)))
#define bf_autofree        bf_cleanup(bf_free_at)
#define BF_LEN(array)      (sizeof(array) / sizeof((array)[0]))

// Moves the pointer out of its variable, so that the variable's cleanup finds NULL.
#define BF_TAKE(p)                     \
    ({                                 \
        __typeof__(p) bf_taken_ = (p); \
        (p) = NULL;                    \
        bf_taken_;                     \
    })

// Text that is not ours and not terminated. `at` may be NULL only when len is 0.
struct bf_str {
    const char *at;
    size_t len;
};

#define BF_STR(literal) ((struct bf_str){(literal), sizeof(literal) - 1})

static inline void bf_free_at(void *p)
{
    free(*(void **)p);
}

struct bf_str bf_str(const char *text); // NULL gives an empty one
bool bf_str_eq(struct bf_str a, struct bf_str b);
bool bf_str_case_eq(struct bf_str a, struct bf_str b); // ASCII only

void *bf_xcalloc(size_t count, size_t size);
char *bf_xstrdup(const char *text);
char *bf_xstrndup(const char *at, size_t len);
char *bf_xasprintf(const char *fmt, ...) bf_printf(1, 2);

// Decimal digits only (an optional leading '-'), the whole text, within [min, max]. False leaves *ret_value
// alone.
bf_must_check bool bf_parse_int(struct bf_str text, int64_t min, int64_t max, int64_t *ret_value);

// Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms) without U+0000.
bool bf_utf8_valid(struct bf_str text);
size_t bf_utf8_good(struct bf_str text); // bytes before the first that is not well-formed
// Bytes of the first character; 0 when there is none or it is not well-formed (or U+0000).
size_t bf_utf8_next(struct bf_str text);
// Copies at most size - 1 bytes of well-formed UTF-8 without control characters, whole characters only; what
// is neither becomes '?'. NULL counts as "".
void bf_text_clean(const char *from, char *into, size_t size);

#endif
