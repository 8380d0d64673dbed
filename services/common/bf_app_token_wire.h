// Protobuf of the registry's AppKeys -> our structs.
#ifndef BF_APP_TOKEN_WIRE_H
#define BF_APP_TOKEN_WIRE_H

#include "bf_app_token.h"

// Of an AppKeysReply. A key that is none is left out. BF_PROTOCOL: this is no reply.
bf_must_check enum bf_err
bf_app_token_wire_read_keys(struct bf_str reply, struct bf_app_key keys[BF_APP_KEYS_MAX], size_t *ret_count);

#endif
