// Protobuf of the registry's Authenticate and Tenant <-> our structs.
#ifndef BF_ACCESS_WIRE_H
#define BF_ACCESS_WIRE_H

#include "bf_buf.h"
#include "bf_caller.h"
#include "bf_err.h"

#define BF_REALM_SIZE 254

// What the registry says about a tenant.
struct bf_access_tenant {
    struct bf_id id;
    char slug[BF_SLUG_SIZE];
    char realm[BF_REALM_SIZE];  // digest realm
    char domain[BF_REALM_SIZE]; // one of its domains; "" when it has none
    bool suspended;
    uint32_t requests_per_minute; // 0: none of its own
};

void bf_access_wire_ask_key(struct bf_buf *into, const char *key);
// Key, role and the id of the tenant.
bf_must_check enum bf_err bf_access_wire_read_key(struct bf_str reply, struct bf_caller *ret_caller);
void bf_access_wire_ask_tenant(struct bf_buf *into, struct bf_id id, const char *slug); // slug "": by id
bf_must_check enum bf_err bf_access_wire_read_tenant(struct bf_str reply,
                                                     struct bf_access_tenant *ret_tenant);

#endif
