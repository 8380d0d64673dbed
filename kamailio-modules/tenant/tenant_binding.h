// A device's registration as call-control knows it: to protobuf and back, and what can be told from usrloc's
// texts. No Kamailio in it.
#ifndef TENANT_BINDING_H
#define TENANT_BINDING_H

#include "bf_base.h"
#include "bf_buf.h"
#include "bf_err.h"
#include "bf_id.h"
#include "tenant_contact.h"
#include "tenant_cred.h"
#include "tenant_outbox.h"

struct tenant_binding {
    struct bf_id tenant;
    struct bf_str number;
    struct bf_str ruid;
    struct bf_str contact;
    struct bf_str received;
    struct bf_str path;
    struct bf_str transport;
    struct bf_str user_agent; // only its first 255 bytes travel
    struct bf_str call_id;
    struct bf_str instance;
    struct bf_str socket;
    struct tenant_contact_note note;
    struct tenant_contact_secrets secrets; // of the REGISTER that this is told of; else empty
    uint64_t expires_ms;                   // Unix ms
    uint32_t cseq, flags, q;
};

// An address of record is <number>@<tenant's UUID>. False: this one is not ours.
bf_must_check bool tenant_aor_read(struct bf_str aor, struct bf_id *ret_tenant, struct bf_str *ret_number);
// Returns its length. The number has at most TENANT_USER_MAX bytes.
#define TENANT_AOR_SIZE (TENANT_USER_MAX + 1 + BF_ID_TEXT_SIZE)
size_t tenant_aor_write(struct bf_id tenant, struct bf_str number, char ret_aor[TENANT_AOR_SIZE]);

// udp, tcp, tls, ws or wss: what the received URI says, else what the local socket ("udp:IP:PORT") is.
struct bf_str tenant_binding_transport(struct bf_str received, struct bf_str socket);

// A parameter's value without its escapes; what would be no text stays escaped. `into`: value.len + 1 bytes.
void tenant_binding_unescape(struct bf_str value, char *into);

// Packed entries; 0: it is larger than an entry may be.
struct tenant_entry {
    size_t len;
    uint8_t bytes[TENANT_OUTBOX_ENTRY_BYTES_MAX];
};
void tenant_entry_binding(const struct tenant_binding *binding, uint64_t at_ms, struct tenant_entry *entry);
void tenant_entry_gone(const struct tenant_binding *binding, const char *why, uint64_t at_ms,
                       struct tenant_entry *entry);
void tenant_entry_mark(bool end, uint64_t id, uint64_t at_ms, struct tenant_entry *entry);

// A page of bindings that call-control kept for us. The texts live in `message`.
struct tenant_bindings {
    struct tenant_binding *at;
    size_t count;
    struct bf_str next; // empty: this was the last page
    void *message;
};
bf_must_check enum bf_err tenant_bindings_read(struct bf_str bytes, struct tenant_bindings *ret_bindings);
void tenant_bindings_release(struct tenant_bindings *bindings);

#endif
