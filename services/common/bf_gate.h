// The gate before every REST handler: which API key is calling, and whether it may go on at this rate, on
// this path, with this method.
//
// Order: a key must be there and good (401; too many bad ones from one source: 429), the tenant's rate (429),
// a tenant's key sees only its own tenant's paths (404 as for one that does not exist), roles (403: routes of
// operators; a reader only reads; a suspended tenant only reads). Where keys are looked up is the program's
// affair: `find`. Memory is bounded whoever asks. Any thread.
#ifndef BF_GATE_H
#define BF_GATE_H

#include "bf_caller.h"
#include "bf_crypto.h"
#include "bf_http.h"
#include "bf_metrics.h"

struct bf_gate;

// Flags of a route.
enum bf_gate_flag {
    BF_GATE_ANYBODY = 1 << 0,   // no key needed
    BF_GATE_OPERATORS = 1 << 1, // operators only
    BF_GATE_APPS = 1 << 2,      // an app token does too: find verifies it, and takes it on no other route
};

// What this key stands for. BF_UNAUTHENTICATED: nothing, and that counts as a failure of its source. Other
// errors are answered as they are, with the problem that was set or without one.
typedef enum bf_err bf_gate_find(void *ctx, struct bf_http_call *call, const char *bearer,
                                 const uint8_t hash[BF_SHA256_BYTES], struct bf_caller *ret_caller);

struct bf_gate_options {
    int64_t requests_per_minute;      // of a tenant that has no limit of its own
    int64_t auth_failures_per_minute; // by source: an IPv4 address, an IPv6 /64
    bf_gate_find *find;
    void *ctx; // of find
    // Counters, each may be NULL: bad keys; answers 429 by a tenant's rate and by a source's failures.
    struct bf_metric *auth_failures, *refused_tenant, *refused_source;
};

struct bf_gate *bf_gate_new(const struct bf_gate_options *options);
void bf_gate_free(struct bf_gate *gate); // NULL is fine

// On a route for anybody nobody is asked for: the role is BF_ROLE_NONE.
bf_must_check enum bf_err bf_gate_check(struct bf_gate *gate, struct bf_http_call *call,
                                        struct bf_caller *ret_caller);

bool bf_gate_names_tenant(const struct bf_http_call *call);    // the route's pattern has {t}
enum bf_err bf_gate_no_such_tenant(struct bf_http_call *call); // 404

#endif
