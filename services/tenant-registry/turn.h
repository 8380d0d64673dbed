// Where browsers find STUN and TURN, and the credentials that open TURN for a while, as coturn's
// `use-auth-secret` takes them: the username is "<Unix time of the end>:<tenant's slug>/<number>", the
// credential base64(HMAC-SHA1(secret, username)). coturn counts a user's allocations by what stands behind
// the colon, so a fresh credential opens no fresh quota. Rules only. Any thread.
#ifndef TURN_H
#define TURN_H

#include "bf_base.h"
#include "bf_crypto.h"

#define TURN_URLS_MAX         16
#define TURN_URL_BYTES_MAX    300 // the longest name, a port, ?transport=
#define TURN_SECRET_BYTES_MIN 16
#define TURN_USERNAME_SIZE    128
#define TURN_CREDENTIAL_SIZE  29 // 20 bytes in base64

struct turn_urls {
    char list[TURN_URLS_MAX][TURN_URL_BYTES_MAX + 1]; // stun:, stuns:, turn: or turns: (RFC 7064, 7065)
    size_t count;
};

// `text`: URLs separated by spaces; none is good too. NULL: good; else what is wrong with it.
const char *turn_urls_read(const char *text, struct turn_urls *ret_urls);

bool turn_url_wants_credential(const char *url); // of TURN, not of STUN
bool turn_urls_want_secret(const struct turn_urls *urls);

void turn_username(uint64_t ends_s, const char *slug, const char *number, char username[TURN_USERNAME_SIZE]);
void turn_credential(const char *secret, const char *username, char credential[TURN_CREDENTIAL_SIZE]);

#endif
