// Protobuf -> our structs.
#include "bf_app_token_wire.h"

#include <string.h>

#include "belfry/registry/v1/registry.pb-c.h"

static bool read_key(const Belfry__Registry__V1__AppKey *from, struct bf_app_key *key)
{
    if (!bf_app_kid_ok(bf_str(from->kid)) || from->ed25519.len != sizeof(key->ed25519))
        return false;
    *key = (struct bf_app_key){.not_before_ms = from->not_before_ms, .not_after_ms = from->not_after_ms};
    memcpy(key->kid, from->kid, strlen(from->kid) + 1);
    memcpy(key->ed25519, from->ed25519.data, sizeof(key->ed25519));
    return true;
}

enum bf_err bf_app_token_wire_read_keys(struct bf_str reply, struct bf_app_key keys[BF_APP_KEYS_MAX],
                                        size_t *ret_count)
{
    Belfry__Registry__V1__AppKeysReply *answer =
        belfry__registry__v1__app_keys_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
    size_t count = 0;

    if (!answer)
        return BF_PROTOCOL;
    for (size_t i = 0; i < answer->n_keys && count < BF_APP_KEYS_MAX; i++)
        count += read_key(answer->keys[i], &keys[count]);
    belfry__registry__v1__app_keys_reply__free_unpacked(answer, NULL);
    *ret_count = count;
    return BF_OK;
}
