// Clocks and RFC 3339 text.
#include "bf_clock.h"

#include <time.h>

#define UNIX_MS_LAST 253402300799999ULL // 9999-12-31T23:59:59.999Z: RFC 3339 has four digits for the year

static uint64_t now_us(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t bf_mono_ms(void)
{
    return now_us(CLOCK_MONOTONIC) / 1000;
}

uint64_t bf_mono_us(void)
{
    return now_us(CLOCK_MONOTONIC);
}

uint64_t bf_unix_ms(void)
{
    return now_us(CLOCK_REALTIME) / 1000;
}

static char *put_digits(char *at, unsigned value, int digits, char after)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    at[digits] = after;
    return at + digits + 1;
}

const char *bf_rfc3339(uint64_t unix_ms, char text[BF_RFC3339_SIZE])
{
    if (unix_ms > UNIX_MS_LAST)
        unix_ms = UNIX_MS_LAST;
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm t;
    gmtime_r(&seconds, &t);
    char *at = put_digits(text, (unsigned)t.tm_year + 1900, 4, '-');
    at = put_digits(at, (unsigned)t.tm_mon + 1, 2, '-');
    at = put_digits(at, (unsigned)t.tm_mday, 2, 'T');
    at = put_digits(at, (unsigned)t.tm_hour, 2, ':');
    at = put_digits(at, (unsigned)t.tm_min, 2, ':');
    at = put_digits(at, (unsigned)t.tm_sec, 2, '.');
    at = put_digits(at, (unsigned)(unix_ms % 1000), 3, 'Z');
    *at = '\0';
    return text;
}

static bool all_digits(struct bf_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return text.len > 0;
}

static bool read_part(struct bf_str text, size_t from, size_t len, int64_t min, int64_t max, int *ret_value)
{
    struct bf_str part = {text.at + from, len};
    int64_t value;

    if (!all_digits(part) || !bf_parse_int(part, min, max, &value))
        return false;
    *ret_value = (int)value;
    return true;
}

// ".5" is 500; "" is 0.
static bool read_fraction(struct bf_str text, unsigned *ret_ms)
{
    unsigned ms = 0;

    if (text.len && (text.at[0] != '.' || !all_digits((struct bf_str){text.at + 1, text.len - 1})))
        return false;
    for (size_t i = 1; i < 4; i++)
        ms = ms * 10 + (i < text.len ? (unsigned)(text.at[i] - '0') : 0);
    *ret_ms = ms;
    return true;
}

bool bf_rfc3339_parse(struct bf_str text, uint64_t *ret_unix_ms)
{
    static const char form[] = "0000-00-00T00:00:00";
    const size_t end = sizeof(form) - 1;
    struct tm tm = {0};
    unsigned ms;

    if (text.len < end + 1 || text.len > end + 11 || text.at[text.len - 1] != 'Z')
        return false;
    for (size_t i = 0; i < end; i++)
        if (form[i] != '0' && text.at[i] != form[i])
            return false;
    if (!read_fraction((struct bf_str){text.at + end, text.len - end - 1}, &ms) ||
        !read_part(text, 0, 4, 1970, 9999, &tm.tm_year) || !read_part(text, 5, 2, 1, 12, &tm.tm_mon) ||
        !read_part(text, 8, 2, 1, 31, &tm.tm_mday) || !read_part(text, 11, 2, 0, 23, &tm.tm_hour) ||
        !read_part(text, 14, 2, 0, 59, &tm.tm_min) || !read_part(text, 17, 2, 0, 59, &tm.tm_sec))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int day = tm.tm_mday;
    time_t at = timegm(&tm);
    if (tm.tm_mday != day) // the day overflowed into the next month
        return false;
    *ret_unix_ms = (uint64_t)at * 1000 + ms;
    return true;
}
