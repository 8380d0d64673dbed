// What is a good webhook, and signatures.
#include "webhook.h"

#include <string.h>

#include "bf_crypto.h"
#include "event.h"

const char *webhook_url_check(struct bf_str url)
{
    static const char wrong[] =
        "must be an http:// or https:// URL of at most 2048 printable characters, without a user "
        "name or a fragment";
    size_t scheme = 0;

    if (url.len > 8 && bf_str_case_eq((struct bf_str){url.at, 8}, BF_STR("https://")))
        scheme = 8;
    else if (url.len > 7 && bf_str_case_eq((struct bf_str){url.at, 7}, BF_STR("http://")))
        scheme = 7;
    if (!scheme || url.len > WEBHOOK_URL_BYTES_MAX)
        return wrong;
    for (size_t i = 0; i < url.len; i++)
        if (url.at[i] <= ' ' || url.at[i] >= 0x7f || strchr("\"<>\\^`{|}#", url.at[i]))
            return wrong;
    struct bf_str rest = {url.at + scheme, url.len - scheme};
    const char *slash = memchr(rest.at, '/', rest.len);
    size_t host = slash ? (size_t)(slash - rest.at) : rest.len;
    return host == 0 || memchr(rest.at, '@', host) ? wrong : NULL;
}

const char *webhook_type_check(struct bf_str type)
{
    bool all_of = type.len > 2 && memcmp(type.at + type.len - 2, ".*", 2) == 0;
    char probe[EVENT_TYPE_BYTES_MAX + 1];

    if (bf_str_eq(type, BF_STR("*")))
        return NULL;
    if (type.len <= EVENT_TYPE_BYTES_MAX) {
        memcpy(probe, type.at, type.len);
        if (all_of)
            probe[type.len - 1] = 'x'; // any last word
        if (event_type_ok((struct bf_str){probe, type.len}))
            return NULL;
    }
    return "must be an event type like \"call.ended\", \"call.*\" for all of them, or \"*\"";
}

static void sign_one(struct bf_buf *into, const char *secret, struct bf_str signed_text)
{
    uint8_t mac[BF_SHA256_BYTES];
    char hex[2 * BF_SHA256_BYTES + 1];

    bf_hmac_sha256(secret, strlen(secret), signed_text.at, signed_text.len, mac);
    bf_buf_str(into, ",v1=");
    bf_buf_add(into, bf_hex(mac, sizeof(mac), hex), sizeof(hex) - 1);
}

void webhook_sign(struct bf_buf *into, uint64_t unix_s, const char *secret, const char *before,
                  struct bf_str body)
{
    bf_cleanup(bf_buf_release) struct bf_buf text;

    bf_buf_init(&text, body.len + 32);
    bf_buf_int(&text, (int64_t)unix_s);
    bf_buf_str(&text, ".");
    bf_buf_add(&text, body.at, body.len);
    bf_buf_str(into, "t=");
    bf_buf_int(into, (int64_t)unix_s);
    sign_one(into, secret, (struct bf_str){text.at, text.len});
    if (before)
        sign_one(into, before, (struct bf_str){text.at, text.len});
}
