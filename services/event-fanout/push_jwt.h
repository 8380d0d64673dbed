// JSON web tokens that providers want from us, and the private keys they are signed with. Pure. Any thread;
// one key may sign in many.
#ifndef PUSH_JWT_H
#define PUSH_JWT_H

#include "bf_base.h"
#include "bf_err.h"

enum push_jwt_alg {
    PUSH_JWT_ES256, // Apple: EC on P-256
    PUSH_JWT_RS256, // Google: RSA of 2048 bits or more
};

struct push_jwt_key;

// A PEM private key without a passphrase. NULL: it is none that this algorithm signs with.
struct push_jwt_key *push_jwt_key_new(enum push_jwt_alg alg, const char *pem);
void push_jwt_key_free(struct push_jwt_key *key); // NULL is fine

// "<header>.<claims>.<signature>" of two JSON texts. NULL: OpenSSL did not sign. The caller wipes and frees
// it (bf_vault_forget).
char *push_jwt_sign(const struct push_jwt_key *key, const char *header, const char *claims);

#endif
