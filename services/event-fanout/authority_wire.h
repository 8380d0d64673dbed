// Protobuf of the registry's AppKeys, Directory and feed <-> our structs.
#ifndef AUTHORITY_WIRE_H
#define AUTHORITY_WIRE_H

#include "bf_app_token.h"
#include "bf_buf.h"

bf_must_check enum bf_err
authority_wire_read_keys(struct bf_str reply, struct bf_app_key keys[BF_APP_KEYS_MAX], size_t *ret_count);
void authority_wire_ask_number(struct bf_buf *into, struct bf_id tenant, const char *number);
bf_must_check enum bf_err authority_wire_read_number(struct bf_str reply, bool *ret_extension,
                                                     bool *ret_suspended);

// What of a feed's message concerns sockets.
enum authority_change {
    AUTHORITY_TENANT_ENDS, // gone or suspended
    AUTHORITY_NUMBER_ENDS,
    AUTHORITY_KEYS_CHANGE,
};
struct authority_feed {
    uint64_t epoch, head_seq;
    uint64_t first_seq, last_seq; // of its changes; 0: a heartbeat
};
// False: no feed.
bf_must_check bool authority_wire_read_feed(struct bf_str message, struct authority_feed *ret_feed,
                                            void (*each)(void *ctx, enum authority_change change,
                                                         struct bf_id tenant, const char *number),
                                            void *ctx);

#endif
