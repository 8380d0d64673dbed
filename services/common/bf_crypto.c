// Randomness, hashes and sealing by OpenSSL's EVP.
#include "bf_crypto.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#define NONCE_BYTES 12
#define TAG_BYTES   16

// What OpenSSL can only refuse when it is out of memory or broken: nothing sensible goes on without it.
static void must(bool good)
{
    if (!good)
        abort();
}

void bf_random(void *bytes, size_t len)
{
    uint8_t *at = bytes;
    while (len) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        must(got > 0);
        at += got;
        len -= (size_t)got;
    }
}

void bf_sha256(const void *bytes, size_t len, uint8_t digest[BF_SHA256_BYTES])
{
    must(EVP_Digest(bytes, len, digest, NULL, EVP_sha256(), NULL));
}

// Looking the algorithm up each time costs twice as much as the sum itself.
static struct {
    pthread_once_t once;
    EVP_MAC_CTX *sha256; // without a key; lives as long as the program
} hmac = {.once = PTHREAD_ONCE_INIT};

static void hmac_make(void)
{
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string("digest", (char *)"SHA256", 0),
                           OSSL_PARAM_construct_end()};
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);

    hmac.sha256 = mac ? EVP_MAC_CTX_new(mac) : NULL;
    must(hmac.sha256 && EVP_MAC_CTX_set_params(hmac.sha256, params));
    EVP_MAC_free(mac); // the context has it
}

void bf_hmac_sha256(const void *key, size_t key_len, const void *bytes, size_t len,
                    uint8_t mac[BF_SHA256_BYTES])
{
    size_t mac_len;

    pthread_once(&hmac.once, hmac_make);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(hmac.sha256);
    must(ctx && EVP_MAC_init(ctx, (const unsigned char *)(key_len ? key : ""), key_len, NULL) &&
         EVP_MAC_update(ctx, bytes, len) && EVP_MAC_final(ctx, mac, &mac_len, BF_SHA256_BYTES));
    EVP_MAC_CTX_free(ctx);
}

void bf_hmac_sha1(const void *key, size_t key_len, const void *bytes, size_t len, uint8_t mac[BF_SHA1_BYTES])
{
    assert(key_len <= INT_MAX);
    must(HMAC(EVP_sha1(), key_len ? key : "", (int)key_len, bytes, len, mac, NULL));
}

bool bf_secret_eq(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}

static void ha1(const EVP_MD *md, struct bf_str user, struct bf_str realm, struct bf_str password,
                uint8_t *digest)
{
    const struct bf_str parts[] = {user, BF_STR(":"), realm, BF_STR(":"), password};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    must(ctx && EVP_DigestInit_ex(ctx, md, NULL));
    for (size_t i = 0; i < BF_LEN(parts); i++)
        must(EVP_DigestUpdate(ctx, parts[i].at, parts[i].len));
    must(EVP_DigestFinal_ex(ctx, digest, NULL));
    EVP_MD_CTX_free(ctx);
}

void bf_ha1_md5(struct bf_str user, struct bf_str realm, struct bf_str password, uint8_t digest[BF_MD5_BYTES])
{
    ha1(EVP_md5(), user, realm, password, digest);
}

void bf_ha1_sha256(struct bf_str user, struct bf_str realm, struct bf_str password,
                   uint8_t digest[BF_SHA256_BYTES])
{
    ha1(EVP_sha256(), user, realm, password, digest);
}

char *bf_hex(const void *bytes, size_t len, char *text)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        text[2 * i] = digits[at[i] >> 4];
        text[2 * i + 1] = digits[at[i] & 15];
    }
    text[2 * len] = '\0';
    return text;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool bf_unhex(struct bf_str text, void *bytes, size_t len)
{
    if (text.len != 2 * len)
        return false;
    uint8_t *at = bytes;
    for (size_t i = 0; i < len; i++) {
        int high = hex_value(text.at[2 * i]);
        int low = hex_value(text.at[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        at[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

// One of 62 characters, each as likely: a byte above the last whole multiple of 62 is thrown again.
static char base62_char(void)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint8_t byte;
    do {
        bf_random(&byte, 1);
    } while (byte >= 4 * 62);
    return alphabet[byte % 62];
}

char *bf_secret_new(const char *prefix, size_t random_bytes)
{
    size_t prefix_len = strlen(prefix);
    size_t chars = (random_bytes * 8 * 1000 + 5953) / 5954; // log2(62) = 5.954 bits each
    char *secret = bf_xcalloc(prefix_len + chars + 1, 1);
    memcpy(secret, prefix, prefix_len + 1);
    for (size_t i = 0; i < chars; i++)
        secret[prefix_len + i] = base62_char();
    return secret;
}

enum bf_err bf_seal(const uint8_t key[32], const void *plain, size_t len, uint8_t **ret_sealed,
                    size_t *ret_len)
{
    if (len > INT_MAX - NONCE_BYTES - TAG_BYTES)
        return BF_TOO_LARGE;
    uint8_t *sealed = bf_xcalloc(NONCE_BYTES + len + TAG_BYTES, 1);
    bf_random(sealed, NONCE_BYTES);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int out = 0;
    must(ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, sealed));
    if (len)
        must(EVP_EncryptUpdate(ctx, sealed + NONCE_BYTES, &out, plain, (int)len));
    must(EVP_EncryptFinal_ex(ctx, sealed + NONCE_BYTES + len, &out));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, TAG_BYTES, sealed + NONCE_BYTES + len));
    EVP_CIPHER_CTX_free(ctx);
    *ret_sealed = sealed;
    *ret_len = NONCE_BYTES + len + TAG_BYTES;
    return BF_OK;
}

enum bf_err bf_open(const uint8_t key[32], const void *sealed, size_t len, uint8_t **ret_plain,
                    size_t *ret_len)
{
    if (len < NONCE_BYTES + TAG_BYTES || len > INT_MAX)
        return BF_INVALID;
    const uint8_t *nonce = sealed;
    size_t plain_len = len - NONCE_BYTES - TAG_BYTES;
    uint8_t tag[TAG_BYTES];
    memcpy(tag, nonce + NONCE_BYTES + plain_len, sizeof(tag)); // EVP wants it writable
    uint8_t *plain = bf_xcalloc(plain_len + 1, 1);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int out = 0;
    must(ctx && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce));
    if (plain_len)
        must(EVP_DecryptUpdate(ctx, plain, &out, nonce + NONCE_BYTES, (int)plain_len));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, TAG_BYTES, tag));
    bool good = EVP_DecryptFinal_ex(ctx, plain + plain_len, &out) > 0;
    EVP_CIPHER_CTX_free(ctx);
    if (!good) {
        OPENSSL_cleanse(plain, plain_len);
        free(plain);
        return BF_INVALID;
    }
    *ret_plain = plain;
    *ret_len = plain_len;
    return BF_OK;
}
