// App tokens at the edge (bf_app_token.h): the registry's public keys in shared memory, and whom a token
// speaks for here.
//
// The keys stay until the registry tells others, so tokens are good while it is away. No I/O, no Kamailio.
// Any process, any thread.
#ifndef TENANT_TOKEN_H
#define TENANT_TOKEN_H

#include "bf_app_token.h"

struct tenant_keys;

size_t tenant_keys_bytes(void);
struct tenant_keys *tenant_keys_init(void *memory); // `memory`: tenant_keys_bytes(), aligned to 64
void tenant_keys_put(struct tenant_keys *keys, const struct bf_app_key *list, size_t count);
size_t tenant_keys_count(struct tenant_keys *keys);

enum tenant_token_verdict {
    TENANT_TOKEN_GOOD,
    TENANT_TOKEN_REFUSED,
    TENANT_TOKEN_UNKNOWN_KEY, // refused too, and perhaps the registry has new keys
    TENANT_TOKEN_NO_KEYS,     // the registry has not told any yet: nobody can say
};

struct tenant_token_user { // who shows it, as the registry knows it
    struct bf_id tenant;
    struct bf_str number;
    struct bf_id extension; // nil: the registry did not say
    bool known;             // false: there is no such extension
};

struct tenant_token_answer {
    const char *why;  // for people, without quotes; "" when it is good
    uint32_t seconds; // how long it is good from now on
};

// The value of a header: "Bearer <token>" (RFC 8898). False: it is something else.
bool tenant_token_of_header(struct bf_str value, struct bf_str *ret_token);
bf_must_check enum tenant_token_verdict tenant_token_judge(struct tenant_keys *keys, struct bf_str token,
                                                           const struct tenant_token_user *user,
                                                           uint64_t now_s,
                                                           struct tenant_token_answer *ret_answer);

#endif
