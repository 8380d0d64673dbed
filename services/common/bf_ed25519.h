// Ed25519 (RFC 8032), by libsodium: edges check signatures in Kamailio's own processes, where OpenSSL is not
// to be touched (docs/adr/0023). A private key is any 32 random bytes. Nothing is allocated. Any thread, any
// process.
#ifndef BF_ED25519_H
#define BF_ED25519_H

#include "bf_base.h"

#define BF_ED25519_BYTES           32
#define BF_ED25519_SIGNATURE_BYTES 64

void bf_ed25519_public(const uint8_t private_key[BF_ED25519_BYTES], uint8_t public_key[BF_ED25519_BYTES]);
void bf_ed25519_sign(const uint8_t private_key[BF_ED25519_BYTES], const void *bytes, size_t len,
                     uint8_t signature[BF_ED25519_SIGNATURE_BYTES]);
bf_must_check bool bf_ed25519_good(const uint8_t public_key[BF_ED25519_BYTES], const void *bytes, size_t len,
                                   const uint8_t signature[BF_ED25519_SIGNATURE_BYTES]);

#endif
