// Rules about API keys.
#include "key.h"

#include <string.h>
#include <time.h>

#include "text.h"

#define PREFIX       "bfk_"
#define RANDOM_BYTES 32
#define CHECK_BYTES  6
#define CHECKED      (sizeof(PREFIX) - 1 + RANDOM_BYTES)

static const char *const role_names[] = {
    [KEY_ROLE_UNKNOWN] = "",
    [KEY_ROLE_OPERATOR] = "operator",
    [KEY_ROLE_ADMIN] = "admin",
    [KEY_ROLE_READER] = "reader",
};

static void key_check_chars(const char *text, char check[CHECK_BYTES])
{
    uint8_t digest[BF_SHA256_BYTES];

    bf_sha256(text, CHECKED, digest);
    for (size_t i = 0; i < CHECK_BYTES; i++)
        check[i] = TEXT_ALNUM[digest[i] % (sizeof(TEXT_ALNUM) - 1)];
}

void key_make(char text[KEY_TEXT_BYTES + 1])
{
    memcpy(text, PREFIX, sizeof(PREFIX) - 1);
    text_random(text + sizeof(PREFIX) - 1, RANDOM_BYTES, TEXT_ALNUM);
    key_check_chars(text, text + CHECKED);
    text[KEY_TEXT_BYTES] = '\0';
}

bool key_well_formed(struct bf_str text)
{
    char check[CHECK_BYTES];

    if (text.len != KEY_TEXT_BYTES || memcmp(text.at, PREFIX, sizeof(PREFIX) - 1) != 0)
        return false;
    key_check_chars(text.at, check);
    return memcmp(text.at + CHECKED, check, CHECK_BYTES) == 0;
}

void key_hash(struct bf_str text, uint8_t hash[BF_SHA256_BYTES])
{
    bf_sha256(text.at, text.len, hash);
}

const char *key_role_name(enum key_role role)
{
    return role_names[role];
}

enum key_role key_role_parse(struct bf_str text)
{
    for (size_t i = KEY_ROLE_OPERATOR; i < BF_LEN(role_names); i++)
        if (bf_str_eq(text, bf_str(role_names[i])))
            return (enum key_role)i;
    return KEY_ROLE_UNKNOWN;
}

const char *key_role_check(struct bf_str text)
{
    enum key_role role = key_role_parse(text);

    return role == KEY_ROLE_ADMIN || role == KEY_ROLE_READER ? NULL : "must be admin or reader";
}

const char *key_name_check(struct bf_str text)
{
    if (text.len > KEY_NAME_BYTES_MAX || text_has_control(text))
        return "must be at most 64 bytes of text without control characters";
    return NULL;
}

const char *key_expiry_check(struct bf_str text)
{
    uint64_t unix_ms;

    return key_time_parse(text, &unix_ms) ? NULL : "must be a time in UTC like 2027-01-31T23:59:59Z";
}

static bool key_number(struct bf_str text, size_t from, size_t len, int64_t min, int64_t max, int *ret_value)
{
    int64_t value;

    if (!text_only((struct bf_str){text.at + from, len}, TEXT_DIGITS) ||
        !bf_parse_int((struct bf_str){text.at + from, len}, min, max, &value))
        return false;
    *ret_value = (int)value;
    return true;
}

bool key_time_parse(struct bf_str text, uint64_t *ret_unix_ms)
{
    static const char form[] = "0000-00-00T00:00:00";
    struct tm tm = {0};
    size_t seconds_end = sizeof(form) - 1;

    if (text.len < seconds_end + 1 || text.len > seconds_end + 11 || text.at[text.len - 1] != 'Z')
        return false;
    for (size_t i = 0; i < seconds_end; i++)
        if (form[i] != '0' && text.at[i] != form[i])
            return false;
    struct bf_str fraction = {text.at + seconds_end, text.len - seconds_end - 1};
    if (fraction.len > 0 && (fraction.len < 2 || fraction.at[0] != '.' ||
                             !text_only((struct bf_str){fraction.at + 1, fraction.len - 1}, TEXT_DIGITS)))
        return false;
    if (!key_number(text, 0, 4, 1970, 9999, &tm.tm_year) || !key_number(text, 5, 2, 1, 12, &tm.tm_mon) ||
        !key_number(text, 8, 2, 1, 31, &tm.tm_mday) || !key_number(text, 11, 2, 0, 23, &tm.tm_hour) ||
        !key_number(text, 14, 2, 0, 59, &tm.tm_min) || !key_number(text, 17, 2, 0, 59, &tm.tm_sec))
        return false;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int day = tm.tm_mday;
    time_t at = timegm(&tm);
    if (tm.tm_mday != day) // the day overflowed into the next month
        return false;
    *ret_unix_ms = (uint64_t)at * 1000;
    return true;
}
