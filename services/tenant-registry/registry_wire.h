// Protobuf <-> our structs. Generated names appear in registry_wire.c only.
//
// Replies with lists are written part by part: protobuf messages that stand one behind the other are one
// message with the lists joined, so a page needs no tree of objects in memory. What does not fit its buffer
// shows by bf_buf_ok(). Any thread.
#ifndef REGISTRY_WIRE_H
#define REGISTRY_WIRE_H

#include "app_key.h"
#include "bf_buf.h"
#include "bf_err.h"
#include "change_store.h"
#include "directory_store.h"
#include "extension_store.h"
#include "key_store.h"

struct wire_credential_request {
    struct bf_id tenant;
    char user[EXTENSION_NUMBER_BYTES_MAX + 1];
};
struct wire_owner_request {
    char domain[DOMAIN_BYTES_MAX + 1]; // in lower case
    char user[EXTENSION_NUMBER_BYTES_MAX + 1];
};
struct wire_directory_request {
    struct bf_id tenant;
    char number[EXTENSION_NUMBER_BYTES_MAX + 1];
};
struct wire_unknown_request {
    struct bf_buf tenants, numbers, ids; // as directory_store_unknown() takes them
};
struct wire_snapshot_request {
    char after[DOMAIN_BYTES_MAX + 1];
    int64_t limit; // 1..20000
};
struct wire_changes_request {
    uint64_t epoch, after_seq;
    int64_t limit; // 1..5000
};

// BF_INVALID for what is no such message or out of range.
bf_must_check enum bf_err wire_read_authenticate(struct bf_str body, uint8_t hash[BF_SHA256_BYTES]);
// BF_NOT_FOUND for names that no domain or number can have.
bf_must_check enum bf_err wire_read_credential(struct bf_str body,
                                               struct wire_credential_request *ret_request);
bf_must_check enum bf_err wire_read_owner(struct bf_str body, struct wire_owner_request *ret_request);
bf_must_check enum bf_err wire_read_directory(struct bf_str body, struct wire_directory_request *ret_request);
bf_must_check enum bf_err wire_read_unknown(struct bf_str body, struct wire_unknown_request *ret_request);
void wire_release_unknown(struct wire_unknown_request *request);
// An id or a slug into `name`.
bf_must_check enum bf_err wire_read_tenant(struct bf_str body, char name[TENANT_SLUG_BYTES_MAX + 1]);
bf_must_check enum bf_err wire_read_snapshot(struct bf_str body, struct wire_snapshot_request *ret_request);
bf_must_check enum bf_err wire_read_changes(struct bf_str body, struct wire_changes_request *ret_request);

void wire_write_authenticate(struct bf_buf *into, const struct key_owner *owner);
void wire_write_credential(struct bf_buf *into, const struct extension_credential *credential);
void wire_write_owner(struct bf_buf *into, struct bf_id tenant, struct bf_id extension);
void wire_write_directory(struct bf_buf *into, const struct directory_entry *entry);
void wire_write_unknown(struct bf_buf *into, uint32_t at);                // one of them
void wire_write_tenant(struct bf_buf *into, const struct tenant *tenant); // with its domains

void wire_write_app_keys(struct bf_buf *into, const struct app_key *keys, size_t count);

void wire_write_snapshot(struct bf_buf *into, struct change_head head);
void wire_write_snapshot_tenant(struct bf_buf *into, const struct tenant *tenant);
void wire_write_snapshot_domain(struct bf_buf *into, const char *name, struct bf_id tenant);
void wire_write_snapshot_next(struct bf_buf *into, const char *next);

void wire_write_feed(struct bf_buf *into, struct change_head head);
void wire_write_feed_change(struct bf_buf *into, const struct change *change);
void wire_write_changes(struct bf_buf *into, struct bf_str feed); // a finished feed in a ChangesReply

#endif
