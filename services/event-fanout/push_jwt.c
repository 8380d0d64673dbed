// Signing JSON web tokens.
#include "push_jwt.h"

#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "bf_buf.h"

#define JWT_BYTES_MAX  8192
#define P256_BYTES     32
#define RSA_BITS_LEAST 2048

struct push_jwt_key {
    enum push_jwt_alg alg;
    EVP_PKEY *pkey;
};

// ---- keys

static int no_passphrase(char *buf, int size, int rwflag, void *ctx)
{
    return -1; // and no question on the terminal
}

static bool key_fits(enum push_jwt_alg alg, const EVP_PKEY *pkey)
{
    char group[32] = "";

    if (alg == PUSH_JWT_RS256)
        return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA && EVP_PKEY_get_bits(pkey) >= RSA_BITS_LEAST;
    return EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) == 1 && strcmp(group, "prime256v1") == 0;
}

struct push_jwt_key *push_jwt_key_new(enum push_jwt_alg alg, const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;

    BIO_free(bio);
    if (!pkey || !key_fits(alg, pkey)) {
        EVP_PKEY_free(pkey);
        return NULL;
    }
    struct push_jwt_key *key = bf_xcalloc(1, sizeof(*key));
    *key = (struct push_jwt_key){alg, pkey};
    return key;
}

void push_jwt_key_free(struct push_jwt_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    free(key);
}

// ---- tokens

// Base64 for URLs, without padding (RFC 7515).
static void add_base64url(struct bf_buf *into, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t three = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (left > 2 ? bytes[i + 2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63], digits[three >> 6 & 63],
                        digits[three & 63]};
        bf_buf_add(into, four, left > 2 ? 4 : left + 1);
    }
}

// OpenSSL signs in DER; a JWT has the two numbers side by side (RFC 7518, 3.4).
static bool add_es256(struct bf_buf *into, const uint8_t *der, size_t len)
{
    uint8_t raw[2 * P256_BYTES];
    const BIGNUM *r, *s;
    ECDSA_SIG *signature = d2i_ECDSA_SIG(NULL, &der, (long)len);

    if (!signature)
        return false;
    ECDSA_SIG_get0(signature, &r, &s);
    bool fits = BN_bn2binpad(r, raw, P256_BYTES) == P256_BYTES &&
                BN_bn2binpad(s, raw + P256_BYTES, P256_BYTES) == P256_BYTES;
    ECDSA_SIG_free(signature);
    if (fits)
        add_base64url(into, raw, sizeof(raw));
    return fits;
}

static bool add_signature(struct bf_buf *into, const struct push_jwt_key *key, struct bf_str text)
{
    uint8_t signature[1024];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
              EVP_DigestSign(ctx, signature, &len, (const uint8_t *)text.at, text.len) == 1;

    EVP_MD_CTX_free(ctx);
    if (!ok)
        return false;
    if (key->alg == PUSH_JWT_ES256)
        return add_es256(into, signature, len);
    add_base64url(into, signature, len);
    return true;
}

char *push_jwt_sign(const struct push_jwt_key *key, const char *header, const char *claims)
{
    bf_cleanup(bf_buf_release) struct bf_buf token, signature;

    bf_buf_init(&token, JWT_BYTES_MAX);
    bf_buf_init(&signature, JWT_BYTES_MAX);
    add_base64url(&token, (const uint8_t *)header, strlen(header));
    bf_buf_str(&token, ".");
    add_base64url(&token, (const uint8_t *)claims, strlen(claims));
    if (!add_signature(&signature, key, (struct bf_str){token.at, token.len}))
        return NULL;
    bf_buf_str(&token, ".");
    bf_buf_add(&token, signature.at, signature.len);
    return bf_buf_ok(&token) ? bf_xstrdup(token.at) : NULL;
}
