// Who is calling by REST, in a service that has no keys of its own: bf_gate with the keys and tenants as the
// registry knows them.
//
// The registry is asked over the bus (Authenticate, Tenant). Its answers count for BF_ACCESS_FRESH_MS, and
// while it is away for BF_ACCESS_STALE_MS, so that what goes on can be looked at just then. Any thread.
#ifndef BF_ACCESS_H
#define BF_ACCESS_H

#include "bf_access_wire.h"
#include "bf_bus.h"
#include "bf_gate.h"

#define BF_ACCESS_FRESH_MS 5000
#define BF_ACCESS_STALE_MS 300000
#define BF_ACCESS_ASK_MS   2000

struct bf_access;

struct bf_access_caller {
    struct bf_caller who;
    struct bf_access_tenant tenant; // of the path's {t}, else of the key; nil for an operator without {t}
};

// Of `gate`, find and ctx are set here. The registry's client must outlive it.
struct bf_access *bf_access_new(struct bf_bus_client *registry, const struct bf_gate_options *gate);
void bf_access_free(struct bf_access *access); // NULL is fine

// For bf_http_options.before. What it found is kept with the call.
enum bf_err bf_access_check(struct bf_access *access, struct bf_http_call *call);
// Without a REST request: what a key stands for, as the gate would find it. No rate is taken.
// BF_UNAUTHENTICATED: nothing; BF_NOT_FOUND: its tenant is gone.
bf_must_check enum bf_err bf_access_key(struct bf_access *access, const char *request_id, const char *key,
                                        struct bf_caller *ret_caller);
// NULL on a route for anybody.
const struct bf_access_caller *bf_access_caller_of(const struct bf_http_call *call);

#endif
