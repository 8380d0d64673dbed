// API keys: `bfk_`, 32 random characters (190 bits) and 6 check characters. Rules only, no I/O. Any thread.
//
// Only a key's SHA-256 is kept: with that much randomness a salt or a slow hash would add nothing. The check
// characters let garbage be refused without asking the database.
#ifndef KEY_H
#define KEY_H

#include "bf_base.h"
#include "bf_caller.h"
#include "bf_crypto.h"

#define KEY_TEXT_BYTES     42
#define KEY_NAME_BYTES_MAX 64

struct key {
    struct bf_id id;
    enum bf_role role;
    char name[KEY_NAME_BYTES_MAX + 1];
    uint64_t created_ms, expires_ms, last_used_ms; // Unix; 0: never
};

void key_make(char text[KEY_TEXT_BYTES + 1]);
bool key_well_formed(struct bf_str text);
void key_hash(struct bf_str text, uint8_t hash[BF_SHA256_BYTES]);

const char *key_role_name(enum bf_role role);
enum bf_role key_role_parse(struct bf_str text);

// Checks for bodies: NULL when good, else what would be.
const char *key_role_check(struct bf_str text); // what a tenant may have: admin or reader
const char *key_name_check(struct bf_str text);
const char *key_expiry_check(struct bf_str text);

#endif
