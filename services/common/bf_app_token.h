// App tokens: what an app of one extension shows instead of an API key. The registry makes them, whoever gets
// one verifies it with the registry's public keys (AppKeys of the bus) and asks nobody.
//
// A JWT of one form only: header {"alg":"EdDSA","typ":"JWT","kid"}, signature Ed25519 (RFC 8037), claims iss
// "belfry", aud "belfry-app", sub the number, ext the extension's id (a number that is made again is another
// extension), tenant, iat, exp, jti, nbf if somebody adds it. Nothing in a
// token picks an algorithm or a key type: `kid` picks one of the keys that the registry told, and those are
// Ed25519. Rules only. Any thread.
#ifndef BF_APP_TOKEN_H
#define BF_APP_TOKEN_H

#include "bf_ed25519.h"
#include "bf_err.h"
#include "bf_id.h"

#define BF_APP_TOKEN_BYTES_MAX  1024
#define BF_APP_TOKEN_LIFE_S     3600 // at most
#define BF_APP_TOKEN_SKEW_S     60   // clocks differ: so far ahead of ours may iat and nbf be
#define BF_APP_KEY_ID_BYTES_MAX 32
#define BF_APP_KEYS_MAX         8
#define BF_APP_NUMBER_SIZE      33

// A public key. Unix ms; not_after_ms 0: not known yet, it has no successor.
struct bf_app_key {
    char kid[BF_APP_KEY_ID_BYTES_MAX + 1];
    uint8_t ed25519[BF_ED25519_BYTES];
    uint64_t not_before_ms, not_after_ms;
};

struct bf_app_token {
    struct bf_id tenant, id;
    struct bf_id extension; // nil: it does not say
    char number[BF_APP_NUMBER_SIZE];
    uint64_t issued_s, expires_s; // Unix
};

enum bf_app_verdict {
    BF_APP_GOOD,
    BF_APP_MALFORMED,   // no token of ours
    BF_APP_UNKNOWN_KEY, // maybe a new one: ask the registry
    BF_APP_FORGED,
    BF_APP_EXPIRED,
    BF_APP_EARLY,
    BF_APP_VERDICTS,
};
extern const char *const bf_app_verdicts[BF_APP_VERDICTS]; // for people; "" for good

bool bf_app_kid_ok(struct bf_str kid); // 1..32 of [A-Za-z0-9_-]

// The caller frees it.
char *bf_app_token_sign(const struct bf_app_token *token, const char *kid,
                        const uint8_t private_key[BF_ED25519_BYTES]);
bf_must_check enum bf_app_verdict bf_app_token_check(struct bf_str text, const struct bf_app_key *keys,
                                                     size_t count, uint64_t now_s,
                                                     struct bf_app_token *ret_token);

#endif
