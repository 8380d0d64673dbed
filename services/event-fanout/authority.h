// What the registry knows of extensions and who speaks for them: the keys of app tokens, kept here; API keys
// and numbers, asked for; and the registry's feed, so that what ends there ends here at once. Any thread;
// what is said to ask may block.
#ifndef AUTHORITY_H
#define AUTHORITY_H

#include "authority_wire.h"
#include "fanout.h"
#include "socket.h"

#define AUTHORITY_KEYS_MS \
    (10 * 60 * 1000) // so old are the keys of app tokens at most, while the registry is there
#define AUTHORITY_EARS_MAX 2

struct authority;

// Who hears the feed, told on one of nng's threads: must not block.
struct authority_ear {
    void (*changed)(void *ctx, const struct authority_change *change);
    void (*unsure)(void *ctx); // something may have changed unheard: look at all again
    void *ctx;
};

bf_must_check enum bf_err authority_start(struct fanout *fanout, struct authority **ret_authority);
// At most AUTHORITY_EARS_MAX. Hears first of all that anything may have changed.
void authority_listen(struct authority *authority, const struct authority_ear *ear);
void authority_deafen(struct authority *authority); // nobody hears anything more. NULL is fine
void authority_stop(struct authority *authority);   // NULL is fine

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

// Asks what a number is now. BF_NOT_FOUND: no extension; other errors: nobody knows now.
bf_must_check enum bf_err authority_extension(struct authority *authority, struct bf_id tenant,
                                              const char *number, struct authority_number *ret_number);

// Asks which of these are no extension any more, or another one: sets ret_gone[i]. At most
// AUTHORITY_OWNERS_MAX.
#define AUTHORITY_OWNERS_MAX 5000
bf_must_check enum bf_err authority_gone(struct authority *authority, const struct authority_owner *owners,
                                         size_t count, bool *ret_gone);

#endif
