// Protobuf to our structs and back. Everything from the registry is checked here; what is wrong is
// BF_PROTOCOL.
//
// A change of a kind that we do not know (a newer registry) counts as nothing, so that the sequence goes on.
#ifndef TENANT_WIRE_H
#define TENANT_WIRE_H

#include "bf_base.h"
#include "bf_buf.h"
#include "bf_err.h"
#include "tenant_cred.h"
#include "tenant_table.h"

enum tenant_change_kind {
    TENANT_CHANGE_NOTHING,
    TENANT_CHANGE_TENANT,
    TENANT_CHANGE_TENANT_GONE,
    TENANT_CHANGE_DOMAIN,
    TENANT_CHANGE_DOMAIN_GONE,
    TENANT_CHANGE_EXTENSION,
    TENANT_CHANGE_APP_KEYS,
};

struct tenant_change {
    uint64_t seq;
    struct tenant_record record; // TENANT, DOMAIN
    struct bf_id id;             // TENANT_GONE, EXTENSION
    struct bf_str name;          // DOMAIN, DOMAIN_GONE: normal; EXTENSION: the number
    enum tenant_change_kind kind;
    bool gone;              // EXTENSION
    struct bf_id extension; // EXTENSION that is not gone: which one it is; nil: the registry did not say
};

struct tenant_feed {
    uint64_t epoch;
    uint64_t head_seq;
    struct tenant_change *changes;
    size_t count;
    void *message; // the texts live here
};

struct tenant_page_domain {
    struct bf_str name; // normal
    const struct tenant_record *tenant;
};

struct tenant_page {
    uint64_t epoch;
    uint64_t seq;
    struct tenant_record *tenants;
    struct tenant_page_domain *domains;
    size_t count;       // of domains
    struct bf_str next; // empty: this was the last page
    void *message;
};

struct tenant_answer { // of Credential
    struct bf_id tenant;
    struct tenant_credential credential;
};

bf_must_check enum bf_err tenant_wire_feed(struct bf_str bytes, struct tenant_feed *ret_feed);
bf_must_check enum bf_err tenant_wire_changes(struct bf_str bytes,
                                              struct tenant_feed *ret_feed); // a ChangesReply
void tenant_feed_release(struct tenant_feed *feed);
bf_must_check enum bf_err tenant_wire_page(struct bf_str bytes,
                                           struct tenant_page *ret_page); // a SnapshotReply
void tenant_page_release(struct tenant_page *page);
bf_must_check enum bf_err tenant_wire_answer(struct bf_str bytes, struct tenant_answer *ret_answer);

void tenant_wire_ask_page(struct bf_str after, uint32_t limit, struct bf_buf *into);
void tenant_wire_ask_changes(uint64_t epoch, uint64_t after_seq, uint32_t limit, struct bf_buf *into);
void tenant_wire_ask_credential(struct bf_id tenant, struct bf_str user, struct bf_buf *into);

#endif
