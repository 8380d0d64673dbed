#include "tlsguard.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#define CURED_MAJOR 5
#define CURED_MINOR 8

static bool number_before(struct bf_str *text, char end, int64_t *ret_number)
{
    const char *at = memchr(text->at, end, text->len);
    struct bf_str digits = {text->at, at ? (size_t)(at - text->at) : text->len};

    if (!bf_parse_int(digits, 0, INT_MAX, ret_number))
        return false;
    text->at += digits.len + (at ? 1 : 0);
    text->len -= digits.len + (at ? 1 : 0);
    return true;
}

bool tlsguard_needed(struct bf_str version)
{
    int64_t major, minor;

    if (version.len == 0 || !number_before(&version, '.', &major) || !number_before(&version, '.', &minor))
        return true;
    return major < CURED_MAJOR || (major == CURED_MAJOR && minor < CURED_MINOR);
}

// A key that nobody has made has no value.
size_t tlsguard_forget(bool (*is_shared)(const void *address))
{
    size_t forgotten = 0;

    for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; key++) {
        const void *value = pthread_getspecific(key);
        if (value && is_shared(value) && pthread_setspecific(key, NULL) == 0)
            forgotten++;
    }
    return forgotten;
}
