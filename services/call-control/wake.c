// Which waits a binding ends.
#include "wake.h"

#include <string.h>

#define MAC_BYTES ((WAKE_TOKEN_SIZE - 1) / 2)

void wake_token(const char *key, struct bf_id tenant, struct bf_id call, struct bf_id device,
                char token[WAKE_TOKEN_SIZE])
{
    struct {
        char what[12];
        struct bf_id tenant, call, device;
    } bound = {"belfry-wake", tenant, call, device};
    uint8_t mac[BF_SHA256_BYTES];

    bf_hmac_sha256(key, strlen(key), &bound, sizeof(bound), mac);
    bf_hex(mac, MAC_BYTES, token);
}

static size_t match_token(const struct wake_wait *waits, size_t count, const char *given, const char *key,
                          bool *ends)
{
    char token[WAKE_TOKEN_SIZE];

    if (!given || strlen(given) != WAKE_TOKEN_SIZE - 1)
        return 0;
    for (size_t i = 0; i < count; i++) {
        wake_token(key, waits[i].tenant, waits[i].call, waits[i].sleeper.id, token);
        ends[i] = bf_secret_eq(token, given, WAKE_TOKEN_SIZE - 1);
        if (ends[i])
            return 1;
    }
    return 0;
}

static bool is_for(const struct wake_wait *wait, const struct binding *binding)
{
    return binding_is_of(binding, wait->sleeper.extension);
}

static size_t match_named(const struct wake_wait *waits, size_t count, const struct binding *binding,
                          bool *ends)
{
    size_t matched = 0;

    for (size_t i = 0; i < count; i++) {
        ends[i] = is_for(&waits[i], binding) && plan_sleeper_is(&waits[i].sleeper, binding);
        matched += ends[i];
    }
    return matched;
}

static bool is_first_of_call(const struct wake_wait *waits, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (bf_id_eq(waits[i].call, waits[at].call))
            return false;
    return true;
}

static size_t match_any(const struct wake_wait *waits, size_t count, const struct binding *binding,
                        bool *ends)
{
    size_t matched = 0;

    for (size_t i = 0; i < count; i++) {
        ends[i] = is_for(&waits[i], binding) && is_first_of_call(waits, i);
        matched += ends[i];
    }
    return matched;
}

size_t wake_match(const struct wake_wait *waits, size_t count, const struct binding *binding, bool fresh,
                  const char *key, bool *ends)
{
    size_t matched = match_token(waits, count, binding->wake, key, ends);

    if (!matched)
        matched = match_named(waits, count, binding, ends);
    return matched || !fresh ? matched : match_any(waits, count, binding, ends);
}
