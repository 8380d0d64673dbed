// Protobuf of the registry's Directory, Unknown and feed <-> our structs.
#ifndef AUTHORITY_WIRE_H
#define AUTHORITY_WIRE_H

#include "bf_app_token.h"
#include "bf_buf.h"

struct authority_number { // what a number is
    bool is_extension, suspended;
    struct bf_id extension; // nil: the registry does not say
};
void authority_wire_ask_number(struct bf_buf *into, struct bf_id tenant, const char *number);
bf_must_check enum bf_err authority_wire_read_number(struct bf_str reply,
                                                     struct authority_number *ret_number);

struct authority_owner { // an extension that owns something here
    struct bf_id tenant, extension;
    const char *number;
};
void authority_wire_ask_gone(struct bf_buf *into, const struct authority_owner *owners, size_t count);
bf_must_check enum bf_err authority_wire_read_gone(struct bf_str reply, size_t count, bool *ret_gone);

// What of a feed's message concerns us.
enum authority_change_kind {
    AUTHORITY_TENANT_SUSPENDED,
    AUTHORITY_TENANT_GONE,
    AUTHORITY_EXTENSION, // changed or gone
    AUTHORITY_KEYS_CHANGE,
};
struct authority_change {
    enum authority_change_kind kind;
    struct bf_id tenant;
    const char *number;     // EXTENSION
    struct bf_id extension; // EXTENSION: which one it is now; nil: gone
};
struct authority_feed {
    uint64_t epoch, head_seq;
    uint64_t first_seq, last_seq; // of its changes; 0: a heartbeat
};
// False: no feed.
bf_must_check bool authority_wire_read_feed(struct bf_str message, struct authority_feed *ret_feed,
                                            void (*each)(void *ctx, const struct authority_change *change),
                                            void *ctx);

#endif
