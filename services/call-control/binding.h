// A device's registration: where a number is to be reached. Rules only, no I/O. Any thread.
#ifndef BINDING_H
#define BINDING_H

#include "bf_base.h"
#include "bf_id.h"

#define BINDING_URI_BYTES_MAX  1024
#define BINDING_TEXT_BYTES_MAX 512
#define BINDING_PN_ID_BYTES    16

struct binding { // texts are borrowed and never NULL
    struct bf_id tenant;
    const char *edge; // that has the connection
    const char *number;
    const char *ruid; // usrloc's record id: unique on its edge
    const char *contact, *received, *path, *transport, *user_agent, *call_id, *instance, *socket;
    // RFC 8599's parameters of its contact, and the wake token that came with it: told with its REGISTER,
    // kept nowhere. May be NULL.
    const char *pn_provider, *pn_prid, *pn_param, *wake;
    uint8_t pn_id[BINDING_PN_ID_BYTES]; // of its pn-prid (call.v1); zeroes: it gave none
    struct bf_id extension;             // that authenticated; nil: not known
    uint64_t expires_ms;                // Unix
    uint32_t cseq, flags;
    uint32_t q; // 0..1000
};

// A list that owns what its bindings' texts point into.
struct bindings {
    struct binding *at;
    size_t count, room;
    void **owned;
};

// NULL when it can be kept, else what is wrong with it. What is refused never becomes a key or a header.
const char *binding_check(const struct binding *binding);
const char *binding_key_check(const char *number, const char *ruid); // the part that names one

// The same device: by its +sip.instance, else by where it is to be reached.
bool binding_same_device(const struct binding *a, const struct binding *b);
bool binding_is_at(const struct binding *binding, const char *source); // source: "udp:IP:PORT"

// Registered by this extension, and not by one that had its number before. True as long as one of the two is
// not known; a binding of a newer one than `extension` is not the stale one of the two.
bool binding_is_of(const struct binding *binding, struct bf_id extension);

// A copy with its texts, one block to free.
struct binding *binding_dup(const struct binding *binding);

void bindings_init(struct bindings *bindings);
// Appends; `owned` (may be NULL) is freed with the list by `free_owned`.
struct binding *bindings_add(struct bindings *bindings, void *owned);
// Its place is the last one's afterwards.
void bindings_remove(struct bindings *bindings, size_t at, void (*free_owned)(void *owned));
void bindings_release(struct bindings *bindings, void (*free_owned)(void *owned));

#endif
