// Where a call is in Kamailio: from our id of the call to its INVITE's transaction and its dialog, for what
// call-control asks to be done with it (EndCall, TransferCall).
//
// In shared memory of a fixed size. Numbers only, never pointers: what they name may be gone when it is
// looked up there. Any process.
#ifndef TENANT_CALLS_H
#define TENANT_CALLS_H

#include "bf_base.h"
#include "bf_id.h"
#include "tenant_hash.h"

#define TENANT_CALLS_MIN 64
#define TENANT_CALLS_MAX 1000000

struct tenant_call_place {
    uint32_t transaction_index, transaction_label; // of the caller's INVITE
    uint32_t dialog_entry, dialog_id;              // h_entry and h_id; id 0: no dialog yet
};

struct tenant_calls;

size_t tenant_calls_bytes(uint32_t max);
// `memory`: tenant_calls_bytes(max), aligned to 64.
struct tenant_calls *tenant_calls_init(void *memory, uint32_t max, const struct tenant_hash_key *key);

// New, or changed when the call is known. False: the table is full.
bool tenant_calls_put(struct tenant_calls *calls, struct bf_id call, const struct tenant_call_place *place);
bf_must_check bool tenant_calls_get(struct tenant_calls *calls, struct bf_id call,
                                    struct tenant_call_place *ret_place);
bool tenant_calls_remove(struct tenant_calls *calls, struct bf_id call); // true: it was there
uint32_t tenant_calls_count(const struct tenant_calls *calls);

#endif
