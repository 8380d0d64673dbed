// Who is calling by REST: the API key, its role, its tenant, and whether it may go on at this rate.
//
// Runs before every handler. Order: a key must be there and good (401; too many bad ones from one source:
// 429), the tenant's rate (429), a tenant's key sees only its own tenant's paths (404 as for one that does
// not exist), roles (403). Keys and tenants are the registry's: its answers count for ACCESS_FRESH_MS, and
// while it is away for ACCESS_STALE_MS, so that running calls can be looked at just then. Any thread.
#ifndef ACCESS_H
#define ACCESS_H

#include "access_wire.h"
#include "bf_http.h"
#include "control.h"

#define ACCESS_FRESH_MS 5000
#define ACCESS_STALE_MS 300000
#define ACCESS_ASK_MS   2000

// Flags of a route.
enum access_flag {
    ACCESS_ANYBODY = 1 << 0,   // no key needed
    ACCESS_OPERATORS = 1 << 1, // operators only
};

struct access;

struct access_caller {
    struct access_key key;
    struct access_tenant tenant; // of the path's {t}, else of the key
};

struct access *access_new(struct control *control);
void access_free(struct access *access); // NULL is fine

enum bf_err access_check(struct access *access, struct bf_http_call *call);
const struct access_caller *access_caller_of(const struct bf_http_call *call); // NULL on a route for anybody

#endif
