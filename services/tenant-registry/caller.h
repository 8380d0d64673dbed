// Who is calling by REST: the API key, its role, and whether it may go on at this rate.
//
// Runs before every handler. Order: a key must be there and good (401; too many bad ones from one source:
// 429), the tenant's rate (429), a tenant's key sees only its own tenant's paths (404 as for one that does
// not exist), roles (403).
#ifndef CALLER_H
#define CALLER_H

#include "bf_http.h"
#include "key_store.h"
#include "registry.h"

// Flags of a route.
enum caller_flag {
    CALLER_ANYBODY = 1 << 0,  // no key needed
    CALLER_OPERATOR = 1 << 1, // operators only
};

struct caller {
    struct key_owner owner;
};

enum bf_err caller_check(struct bf_http_call *call, void *ctx);  // ctx: the registry; a bf_http_handler
const struct caller *caller_of(const struct bf_http_call *call); // NULL on a route for anybody
bool caller_is_operator(const struct caller *caller);

// What a tenant may ask a minute: its own limit or the platform's.
int64_t caller_requests_per_minute(const struct registry *registry, const struct tenant_limits *limits);

#endif
