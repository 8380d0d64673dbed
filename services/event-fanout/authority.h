// Who may have a WebSocket, as the registry knows it: the keys of app tokens, kept here; API keys and
// numbers, asked for; and the registry's feed, so that what ends there ends here at once. Any thread; what is
// said to ask may block.
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "fanout.h"
#include "socket.h"

#define AUTHORITY_KEYS_MS \
    (10 * 60 * 1000) // so old are the keys of app tokens at most, while the registry is there

struct authority;

// What ends, told on one of nng's threads: must not block. number "": all of the tenant.
struct authority_ends {
    void (*ends)(void *ctx, struct bf_id tenant, const char *number);
    void (*unsure)(void *ctx); // something may have ended unheard: look at all again
    void *ctx;
};

bf_must_check enum bf_err authority_start(struct fanout *fanout, const struct authority_ends *ends,
                                          struct authority **ret_authority);
void authority_stop(struct authority *authority); // NULL is fine

// By the keys that are known here.
bf_must_check enum bf_app_verdict authority_token(struct authority *authority, struct bf_str text,
                                                  struct bf_app_token *ret_token);
// Asks for the keys, at most once in two seconds: somebody met one that is not known.
void authority_refresh(struct authority *authority);

// Asks whether this one may have a socket (`key`: the API key, NULL for a token) and fills in a key's tenant.
// SOCKET_STAYS: it may, as far as can be known; a token was verified before, and holds while the registry is
// away.
bf_must_check enum socket_close authority_judge(struct authority *authority, const char *key,
                                                struct socket_who *who, const char **ret_reason);

#endif
