// libsodium keeps a private key with its public key behind it.
#include "bf_ed25519.h"

#include <sodium.h>
#include <string.h>

// It must be called before all else, and may be called again.
static void ready(void)
{
    if (sodium_init() < 0)
        abort();
}

static void pair(const uint8_t private_key[BF_ED25519_BYTES], uint8_t public_key[BF_ED25519_BYTES],
                 uint8_t both[crypto_sign_ed25519_SECRETKEYBYTES])
{
    ready();
    crypto_sign_ed25519_seed_keypair(public_key, both, private_key);
}

void bf_ed25519_public(const uint8_t private_key[BF_ED25519_BYTES], uint8_t public_key[BF_ED25519_BYTES])
{
    uint8_t both[crypto_sign_ed25519_SECRETKEYBYTES];

    pair(private_key, public_key, both);
    explicit_bzero(both, sizeof(both));
}

void bf_ed25519_sign(const uint8_t private_key[BF_ED25519_BYTES], const void *bytes, size_t len,
                     uint8_t signature[BF_ED25519_SIGNATURE_BYTES])
{
    uint8_t public_key[BF_ED25519_BYTES], both[crypto_sign_ed25519_SECRETKEYBYTES];

    pair(private_key, public_key, both);
    crypto_sign_ed25519_detached(signature, NULL, bytes, len, both);
    explicit_bzero(both, sizeof(both));
}

bool bf_ed25519_good(const uint8_t public_key[BF_ED25519_BYTES], const void *bytes, size_t len,
                     const uint8_t signature[BF_ED25519_SIGNATURE_BYTES])
{
    ready();
    return crypto_sign_ed25519_verify_detached(signature, bytes, len, public_key) == 0;
}
