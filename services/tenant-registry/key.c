// Rules about API keys.
#include "key.h"

#include <string.h>

#include "bf_clock.h"
#include "session.h"
#include "text.h"

#define PREFIX       "bfk_"
#define RANDOM_BYTES 32
#define CHECK_BYTES  6
#define CHECKED      (sizeof(PREFIX) - 1 + RANDOM_BYTES)

static const char *const role_names[] = {
    [BF_ROLE_NONE] = "",
    [BF_ROLE_OPERATOR] = "operator",
    [BF_ROLE_ADMIN] = "admin",
    [BF_ROLE_READER] = "reader",
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

const char *key_role_name(enum bf_role role)
{
    return role_names[role];
}

enum bf_role key_role_parse(struct bf_str text)
{
    for (size_t i = BF_ROLE_OPERATOR; i < BF_LEN(role_names); i++)
        if (bf_str_eq(text, bf_str(role_names[i])))
            return (enum bf_role)i;
    return BF_ROLE_NONE;
}

const char *key_role_check(struct bf_str text)
{
    enum bf_role role = key_role_parse(text);

    return role == BF_ROLE_ADMIN || role == BF_ROLE_READER ? NULL : "must be admin or reader";
}

const char *key_name_check(struct bf_str text)
{
    if (text.len > KEY_NAME_BYTES_MAX || text_has_control(text))
        return "must be at most 64 bytes of text without control characters";
    if (text.len >= sizeof(SESSION_RESERVED) - 1 &&
        memcmp(text.at, SESSION_RESERVED, sizeof(SESSION_RESERVED) - 1) == 0)
        return "must not begin with \"" SESSION_RESERVED "\"";
    return NULL;
}

const char *key_expiry_check(struct bf_str text)
{
    uint64_t unix_ms;

    return bf_rfc3339_parse(text, &unix_ms) ? NULL : "must be a time in UTC like 2027-01-31T23:59:59Z";
}
