// The keys that app tokens are signed with: when each one signs, when the next one is made. Rules only, no
// I/O. Any thread.
//
// A key signs from not_before on, until the next one does. It is told (AppKeys, the feed) APP_KEY_TOLD_MS
// before, so that whoever verifies knows it in time. When the next one signs, its tokens live for one more
// token's life; then it is deleted.
#ifndef APP_KEY_H
#define APP_KEY_H

#include "bf_app_token.h"

#define APP_KEY_SIGNS_MS (30ull * 24 * 3600 * 1000)
#define APP_KEY_TOLD_MS  (3600ull * 1000)

struct app_key {
    struct bf_id id;
    struct bf_app_key public; // what others may know
    uint8_t private_key[BF_ED25519_BYTES];
    bool opened; // private_key is known: its seal is of our BELFRY_SEAL_KEY
};

// All lists are newest first, by not_before.

// The one to sign with; NULL: there is none.
const struct app_key *app_key_signing(const struct app_key *keys, size_t count, uint64_t now_ms);
// Whether another one is to be made now, and from when on it signs.
bool app_key_due(const struct app_key *keys, size_t count, uint64_t now_ms, uint64_t *ret_not_before_ms);
// When the last token of a key has expired whose successor signs from `next_ms` on.
uint64_t app_key_ends_ms(uint64_t next_ms);

void app_key_make(struct app_key *key, uint64_t not_before_ms);

#endif
