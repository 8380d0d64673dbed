// What is a good push device, and when a push is tried again.
#include "push.h"

#include <stdio.h>
#include <string.h>

#include "bf_vault.h"

static const char *const provider_names[PUSH_PROVIDERS] = {
    [PUSH_EXPO] = "expo", [PUSH_FCM] = "fcm", [PUSH_APNS] = "apns"};
static const char *const kind_names[] = {
    [PUSH_WAKE] = "wake", [PUSH_CANCEL] = "cancel", [PUSH_TEST] = "test"};
static const char *const end_names[PUSH_ENDS] = {[PUSH_END_REGISTERED] = "registered",
                                                 [PUSH_END_TIMED_OUT] = "timed-out",
                                                 [PUSH_END_ANSWERED] = "answered",
                                                 [PUSH_END_CANCELLED] = "cancelled"};

const char *push_provider_name(enum push_provider provider)
{
    return provider_names[provider];
}

const char *push_kind_name(enum push_kind kind)
{
    return kind_names[kind];
}

const char *push_end_name(enum push_end end)
{
    return end_names[end];
}

bool push_provider_parse(struct bf_str name, enum push_provider *ret_provider)
{
    for (size_t i = 0; i < PUSH_PROVIDERS; i++)
        if (bf_str_eq(name, bf_str(provider_names[i]))) {
            *ret_provider = (enum push_provider)i;
            return true;
        }
    return false;
}

// ---- devices

// Letters, digits and `others`.
static bool made_of(struct bf_str text, const char *others)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return text.len > 0;
}

const char *push_provider_check(struct bf_str provider)
{
    enum push_provider ignored;

    return push_provider_parse(provider, &ignored) ? NULL : "must be \"expo\", \"fcm\" or \"apns\"";
}

const char *push_platform_check(struct bf_str platform)
{
    if (bf_str_eq(platform, BF_STR("ios")) || bf_str_eq(platform, BF_STR("android")) ||
        bf_str_eq(platform, BF_STR("web")))
        return NULL;
    return "must be \"ios\", \"android\" or \"web\"";
}

const char *push_device_id_check(struct bf_str device_id)
{
    for (size_t i = 0; i < device_id.len; i++)
        if (device_id.at[i] <= ' ' || device_id.at[i] >= 0x7f)
            return "must be 1 to 255 printable ASCII characters without spaces";
    return NULL;
}

const char *push_number_check(struct bf_str number)
{
    return made_of(number, "._+-") && number.len <= 32 ? NULL : "must be an extension's number";
}

const char *push_topic_check(struct bf_str topic)
{
    return made_of(topic, ".-_") ? NULL : "must be made of letters, digits, \".\", \"-\" and \"_\"";
}

const char *push_expo_token_check(struct bf_str token)
{
    static const char *const opens[] = {"ExponentPushToken[", "ExpoPushToken["};
    struct bf_id id;

    for (size_t i = 0; i < BF_LEN(opens); i++) {
        size_t len = strlen(opens[i]);
        if (token.len > len + 1 && memcmp(token.at, opens[i], len) == 0 && token.at[token.len - 1] == ']' &&
            made_of((struct bf_str){token.at + len, token.len - len - 1}, "-_=+/:."))
            return NULL;
    }
    return bf_id_parse(token, &id) ? NULL : "must be an Expo push token: \"ExponentPushToken[...]\"";
}

const char *push_token_check(enum push_provider provider, const char *token)
{
    struct bf_str text = bf_str(token);

    if (text.len == 0 || text.len > PUSH_TOKEN_BYTES_MAX)
        return "must be 1 to 4096 bytes";
    switch (provider) {
    case PUSH_EXPO:
        return push_expo_token_check(text);
    case PUSH_FCM:
        return made_of(text, "-_:.=") ? NULL : "must be an FCM registration token";
    case PUSH_APNS:
        break;
    default:
        return "has no provider";
    }
    for (size_t i = 0; i < text.len; i++)
        if (!strchr("0123456789abcdefABCDEF", text.at[i]))
            return "must be an APNs device token in hexadecimal";
    return text.len % 2 == 0 && text.len >= 16 && text.len <= 200
               ? NULL
               : "must be an APNs device token in hexadecimal";
}

char *push_pn_topic(enum push_provider provider, const char *param)
{
    const char *dot = strchr(param, '.');
    const char *topic = provider == PUSH_APNS && dot ? dot + 1 : param;

    return bf_xstrndup(topic, strcspn(topic, "&"));
}

char *push_pn_token(const char *prid)
{
    const char *end = strpbrk(prid, "&");
    size_t len = end ? (size_t)(end - prid) : strlen(prid);
    static const char voip[] = ":voip";

    if (len > sizeof(voip) - 1 && memcmp(prid + len - (sizeof(voip) - 1), voip, sizeof(voip) - 1) == 0)
        len -= sizeof(voip) - 1;
    return bf_xstrndup(prid, len);
}

// ---- one push

void push_free(struct push *push)
{
    if (!push)
        return;
    free(push->number);
    free(push->caller);
    free(push->caller_name);
    free(push->callee);
    free(push->sip_call_id);
    bf_vault_forget(push->wake_token);
    free(push->platform);
    free(push->token);
    free(push->topic);
    free(push->device_id);
    free(push->sealed);
    free(push);
}

#define TOKEN_BEGINS 8 // characters at the end that are the beginning of a token, and not a word like it

static size_t common(const char *words, const char *token)
{
    size_t len = 0;

    while (token[len] && words[len] == token[len])
        len++;
    return len;
}

void push_hide_token(char *words, const char *token)
{
    char *to = words;

    for (const char *at = words; *at && *token;) {
        size_t len = common(at, token);
        bool whole = !token[len], cut = !at[len] && len >= TOKEN_BEGINS;
        if (whole || cut)
            at += len;
        else
            *to++ = *at++;
    }
    if (*token)
        *to = '\0';
}

bool push_may_have_got(const struct push_outcome *outcome)
{
    return outcome->verdict == PUSH_SENT || (outcome->begun && outcome->code == 0);
}

static uint64_t back_off_ms(int64_t attempts, uint32_t random)
{
    uint64_t wait_ms = PUSH_BACKOFF_MS;

    for (int64_t i = 0; i < attempts && wait_ms < PUSH_BACKOFF_MAX_MS; i++)
        wait_ms *= 2;
    if (wait_ms > PUSH_BACKOFF_MAX_MS)
        wait_ms = PUSH_BACKOFF_MAX_MS;
    return wait_ms * 3 / 4 + (wait_ms / 2) * random / UINT32_MAX;
}

void push_settle(const struct push *push, struct push_outcome *outcome, uint64_t now_ms, uint32_t random,
                 uint64_t *ret_wait_ms)
{
    char why[PUSH_DETAIL_SIZE];
    uint64_t wait_ms = 0;

    if (outcome->verdict == PUSH_AGAIN) {
        wait_ms = back_off_ms(push->attempts, random);
        if (wait_ms < outcome->wait_ms)
            wait_ms = outcome->wait_ms;
        if (now_ms + wait_ms >= push->until_ms) {
            snprintf(why, sizeof(why), "%s", outcome->detail);
            outcome->verdict = PUSH_DROPPED;
            // The longest detail loses its end, not the reason.
            snprintf(outcome->detail, sizeof(outcome->detail), "no time left: %.200s", why);
        }
    }
    *ret_wait_ms = wait_ms;
}

// ---- what a call waits for

static bool text_fits(const char *text, size_t max)
{
    return text && strlen(text) <= max && bf_utf8_valid(bf_str(text));
}

const char *push_wake_check(const struct push_wake *wake, uint64_t now_ms)
{
    if (bf_id_is_nil(wake->tenant) || bf_id_is_nil(wake->call) || bf_id_is_nil(wake->device))
        return "has no tenant, call or device";
    if (wake->until_ms == 0 || wake->until_ms > now_ms + PUSH_UNTIL_MS_MAX)
        return "waits for more than 10 minutes, or for no time";
    if (!text_fits(wake->caller, 256) || !text_fits(wake->caller_name, 256) ||
        !text_fits(wake->callee, 256) || !text_fits(wake->sip_call_id, 256) || !text_fits(wake->number, 32))
        return "one of its texts is longer than 256 bytes or no UTF-8";
    return text_fits(wake->token, PUSH_WAKE_TOKEN_MAX) ? NULL : "its token is longer than 1024 bytes";
}

const char *push_wake_end_check(const struct push_wake_end *end)
{
    if (bf_id_is_nil(end->tenant) || bf_id_is_nil(end->call))
        return "has no tenant or no call";
    return end->why < PUSH_ENDS ? NULL : "does not say why";
}
