// STUN and TURN: URLs and credentials.
#include "turn.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "bf_base64.h"

static const struct {
    const char *scheme;
    bool relays;
} schemes[] = {{"stun:", false}, {"stuns:", false}, {"turn:", true}, {"turns:", true}};

#define URL_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]?=_"

static const char *url_check(const char *url, size_t len)
{
    if (len > TURN_URL_BYTES_MAX)
        return "has a URL of more than 300 characters";
    if (strspn(url, URL_CHARACTERS) < len)
        return "has a character that no URL of STUN or TURN has";
    for (size_t i = 0; i < BF_LEN(schemes); i++) {
        size_t scheme = strlen(schemes[i].scheme);
        if (len > scheme && strncmp(url, schemes[i].scheme, scheme) == 0)
            return NULL;
    }
    return "wants URLs as turn:host:port?transport=udp, turns:host:port?transport=tcp or stun:host:port";
}

const char *turn_urls_read(const char *text, struct turn_urls *ret_urls)
{
    struct turn_urls urls = {.count = 0};

    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        const char *wrong = url_check(at, len);
        if (wrong)
            return wrong;
        if (urls.count == TURN_URLS_MAX)
            return "names more than 16 URLs";
        memcpy(urls.list[urls.count++], at, len);
        at += len;
    }
    *ret_urls = urls;
    return NULL;
}

bool turn_url_wants_credential(const char *url)
{
    for (size_t i = 0; i < BF_LEN(schemes); i++)
        if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0)
            return schemes[i].relays;
    return false;
}

bool turn_urls_want_secret(const struct turn_urls *urls)
{
    for (size_t i = 0; i < urls->count; i++)
        if (turn_url_wants_credential(urls->list[i]))
            return true;
    return false;
}

void turn_username(uint64_t ends_s, const char *slug, const char *number, char username[TURN_USERNAME_SIZE])
{
    int len = snprintf(username, TURN_USERNAME_SIZE, "%llu:%s/%s", (unsigned long long)ends_s, slug, number);

    assert(len > 0 && len < TURN_USERNAME_SIZE); // slugs and numbers are bounded
}

void turn_credential(const char *secret, const char *username, char credential[TURN_CREDENTIAL_SIZE])
{
    uint8_t mac[BF_SHA1_BYTES];
    struct bf_buf text;

    bf_hmac_sha1(secret, strlen(secret), username, strlen(username), mac);
    bf_buf_init(&text, TURN_CREDENTIAL_SIZE);
    bf_base64(&text, mac, sizeof(mac));
    snprintf(credential, TURN_CREDENTIAL_SIZE, "%.*s", (int)text.len, text.at);
    bf_buf_release(&text);
}
