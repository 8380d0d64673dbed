// Whatever the text is: it is no app token, or one that keeps its promises. Claims are tried signed, too,
// since nobody guesses a signature.
#include <assert.h>
#include <string.h>
#include "bf_app_token.h"
#include "bf_base64.h"

#define NOW 1800000000u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const uint8_t secret[BF_ED25519_BYTES] = "an Ed25519 key of our registry.";

static void check(struct bf_str text, const struct bf_app_key *key)
{
    struct bf_app_token token;

    if (bf_app_token_check(text, key, 1, NOW, &token))
        return;
    assert(!bf_id_is_nil(token.tenant) && strlen(token.number) > 0 &&
           strlen(token.number) < sizeof(token.number));
    assert(token.expires_s > NOW && token.expires_s - token.issued_s <= BF_APP_TOKEN_LIFE_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char header[] = "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"now\"}";
    struct bf_app_key key = {.kid = "now"};
    uint8_t signature[BF_ED25519_SIGNATURE_BYTES];
    struct bf_buf text;

    bf_ed25519_public(secret, key.ed25519);
    check((struct bf_str){(const char *)bytes, len}, &key);
    bf_buf_init(&text, 65536);
    bf_base64url(&text, header, strlen(header));
    bf_buf_str(&text, ".");
    bf_base64url(&text, bytes, len < 1024 ? len : 1024);
    bf_ed25519_sign(secret, text.at, text.len, signature);
    bf_buf_str(&text, ".");
    bf_base64url(&text, signature, sizeof(signature));
    check((struct bf_str){text.at, text.len}, &key);
    bf_buf_release(&text);
    return 0;
}
