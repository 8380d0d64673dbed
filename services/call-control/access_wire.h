// Protobuf of the registry's Authenticate and Tenant <-> our structs.
#ifndef ACCESS_WIRE_H
#define ACCESS_WIRE_H

#include "bf_buf.h"
#include "bf_err.h"
#include "bf_id.h"

#define ACCESS_SLUG_SIZE  64
#define ACCESS_REALM_SIZE 254

enum access_role {
    ACCESS_NOBODY,
    ACCESS_OPERATOR, // every tenant
    ACCESS_ADMIN,    // one tenant, reads and writes
    ACCESS_READER,   // one tenant, reads
};

struct access_key {
    struct bf_id id;
    enum access_role role;
    struct bf_id tenant; // nil of an operator
};

struct access_tenant {
    struct bf_id id;
    char slug[ACCESS_SLUG_SIZE];
    char realm[ACCESS_REALM_SIZE];  // digest realm
    char domain[ACCESS_REALM_SIZE]; // one of its domains; "" when it has none
    bool suspended;
    uint32_t requests_per_minute; // 0: none of its own
};

void access_wire_ask_key(struct bf_buf *into, const char *key);
bf_must_check enum bf_err access_wire_read_key(struct bf_str reply, struct access_key *ret_key);
void access_wire_ask_tenant(struct bf_buf *into, struct bf_id id, const char *slug); // slug "": by id
bf_must_check enum bf_err access_wire_read_tenant(struct bf_str reply, struct access_tenant *ret_tenant);

#endif
