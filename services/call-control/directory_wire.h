// The registry's protobuf <-> our structs.
#ifndef DIRECTORY_WIRE_H
#define DIRECTORY_WIRE_H

#include "bf_buf.h"
#include "bf_err.h"
#include "directory_cache.h"

void directory_wire_ask(struct bf_buf *into, struct bf_id tenant, const char *number);
// BF_PROTOCOL when it makes no sense. The reference is the caller's.
bf_must_check enum bf_err directory_wire_read(struct bf_str body, struct bf_id tenant, const char *number,
                                              struct directory_entry **ret_entry);

struct directory_name;
void directory_wire_ask_unknown(struct bf_buf *into, const struct directory_name *names, size_t count);
bf_must_check enum bf_err directory_wire_unknown(struct bf_str body, size_t count, bool *ret_unknown);

enum directory_change_kind {
    DIRECTORY_CHANGE_OTHER, // does not touch us
    DIRECTORY_CHANGE_TENANT,
    DIRECTORY_CHANGE_NUMBER,
};

struct directory_change {
    uint64_t seq;
    enum directory_change_kind kind;
    struct bf_id tenant;
    const char *number; // borrowed for the time of the call
};

struct directory_feed {
    uint64_t epoch, head_seq;
};

// Reads a message of the feed: `head` once, then `change` for each in order. BF_PROTOCOL when it makes no
// sense; then neither was called.
bf_must_check enum bf_err
directory_wire_feed(struct bf_str message, void (*head)(void *ctx, struct directory_feed feed),
                    void (*change)(void *ctx, const struct directory_change *change), void *ctx);

#endif
