// When keys of app tokens come and go.
#include "app_key.h"

#include <string.h>

#include "bf_crypto.h"

const struct app_key *app_key_signing(const struct app_key *keys, size_t count, uint64_t now_ms)
{
    for (size_t i = 0; i < count; i++)
        if (keys[i].opened && keys[i].public.not_before_ms <= now_ms)
            return &keys[i];
    return NULL;
}

bool app_key_due(const struct app_key *keys, size_t count, uint64_t now_ms, uint64_t *ret_not_before_ms)
{
    bool first = !app_key_signing(keys, count, now_ms);
    uint64_t turn_ms = count ? keys[0].public.not_before_ms + APP_KEY_SIGNS_MS : 0;

    if (first && count && keys[0].opened) // told, and signs soon: nothing to be cured
        return false;
    if (first) { // nobody has tokens of ours, or nobody can sign any: waiting would cure nothing
        *ret_not_before_ms = now_ms;
        return true;
    }
    if (turn_ms > now_ms + APP_KEY_TOLD_MS)
        return false;
    *ret_not_before_ms = now_ms + APP_KEY_TOLD_MS > turn_ms ? now_ms + APP_KEY_TOLD_MS : turn_ms;
    return true;
}

uint64_t app_key_ends_ms(uint64_t next_ms)
{
    return next_ms + (BF_APP_TOKEN_LIFE_S + BF_APP_TOKEN_SKEW_S) * 1000ull;
}

void app_key_make(struct app_key *key, uint64_t not_before_ms)
{
    char id[BF_ID_TEXT_SIZE];

    *key = (struct app_key){.id = bf_id_new(), .public = {.not_before_ms = not_before_ms}, .opened = true};
    bf_random(key->private_key, sizeof(key->private_key));
    bf_ed25519_public(key->private_key, key->public.ed25519);
    // The random end of the id: its beginning is a time, which keys made at once share.
    memcpy(key->public.kid, bf_id_text(key->id, id) + 24, 12 + 1);
}
