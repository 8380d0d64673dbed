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
