// Which app tokens are taken.
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_app_token.h"
#include "bf_base64.h"
#include "bf_crypto.h"

#define NOW 1800000000u

static const uint8_t secret[BF_ED25519_BYTES] = "an Ed25519 key of our registry.";
static const uint8_t other_secret[BF_ED25519_BYTES] = "an Ed25519 key of somebody else";
static struct bf_app_key keys[2] = {{.kid = "new", .not_before_ms = (NOW + 3600) * 1000ull},
                                    {.kid = "now", .not_before_ms = (NOW - 3600) * 1000ull}};

static int make_keys(void **state)
{
    bf_ed25519_public(other_secret, keys[0].ed25519);
    bf_ed25519_public(secret, keys[1].ed25519);
    return 0;
}

static enum bf_app_verdict check(const char *text, struct bf_app_token *ret_token)
{
    return bf_app_token_check(bf_str(text), keys, BF_LEN(keys), NOW, ret_token);
}

// A token of any header and claims, signed as ours are.
static char *forge(const char *header, const char *claims)
{
    uint8_t signature[BF_ED25519_SIGNATURE_BYTES];
    struct bf_buf text;

    bf_buf_init(&text, 8192);
    bf_base64url(&text, header, strlen(header));
    bf_buf_str(&text, ".");
    bf_base64url(&text, claims, strlen(claims));
    bf_ed25519_sign(secret, text.at, text.len, signature);
    bf_buf_str(&text, ".");
    bf_base64url(&text, signature, sizeof(signature));
    char *made = bf_xstrndup(text.at, text.len);
    bf_buf_release(&text);
    return made;
}

#define HEADER "{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"now\"}"
#define TENANT \
    "\"tenant\":\"0190a5b0-0000-7000-8000-000000000001\",\"jti\":\"0190a5b0-0000-7000-8000-000000000002\""
#define CLAIMS(iss, aud, sub, more) \
    "{\"iss\":\"" iss "\",\"aud\":\"" aud "\",\"sub\":\"" sub "\"," TENANT "," more "}"
#define TIMES "\"iat\":1799999990,\"exp\":1800000100"
#define GOOD  CLAIMS("belfry", "belfry-app", "100", TIMES)

static void what_the_registry_signs_is_good(void **state)
{
    struct bf_app_token token = {.tenant = bf_id_new(),
                                 .id = bf_id_new(),
                                 .extension = bf_id_new(),
                                 .number = "100",
                                 .issued_s = NOW,
                                 .expires_s = NOW + 3600};
    struct bf_app_token got;
    bf_autofree char *text = bf_app_token_sign(&token, "now", secret);

    assert_true(strlen(text) <= BF_APP_TOKEN_BYTES_MAX);
    assert_int_equal(check(text, &got), BF_APP_GOOD);
    assert_true(bf_id_eq(got.tenant, token.tenant) && bf_id_eq(got.id, token.id));
    assert_true(bf_id_eq(got.extension, token.extension));
    assert_string_equal(got.number, "100");
    assert_int_equal(got.expires_s, NOW + 3600);
}

static void another_key_is_unknown_or_forged(void **state)
{
    struct bf_app_token token = {
        .tenant = bf_id_new(), .id = bf_id_new(), .number = "100", .issued_s = NOW, .expires_s = NOW + 60};
    bf_autofree char *unknown = bf_app_token_sign(&token, "old", secret);
    bf_autofree char *forged = bf_app_token_sign(&token, "now", other_secret);
    bf_autofree char *early = bf_app_token_sign(&token, "new", other_secret);
    struct bf_app_token got;

    assert_int_equal(check(unknown, &got), BF_APP_UNKNOWN_KEY);
    assert_int_equal(check(forged, &got), BF_APP_FORGED);
    assert_int_equal(check(early, &got), BF_APP_EARLY); // announced, but it does not sign yet
    keys[1].not_after_ms = (NOW - 1) * 1000ull;
    bf_autofree char *late = bf_app_token_sign(&token, "now", secret);
    assert_int_equal(check(late, &got), BF_APP_EXPIRED);
    keys[1].not_after_ms = 0;
}

static void only_one_form_is_taken(void **state)
{
    static const struct {
        const char *header, *claims;
        enum bf_app_verdict verdict;
    } cases[] = {
        {HEADER, GOOD, BF_APP_GOOD},
        {"{\"alg\":\"none\",\"typ\":\"JWT\",\"kid\":\"now\"}", GOOD, BF_APP_MALFORMED},
        {"{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"now\"}", GOOD, BF_APP_MALFORMED},
        {"{\"alg\":\"eddsa\",\"typ\":\"JWT\",\"kid\":\"now\"}", GOOD, BF_APP_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"kid\":\"now\"}", GOOD, BF_APP_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}", GOOD, BF_APP_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"../now\"}", GOOD, BF_APP_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"now\",\"crit\":[\"x\"]}", GOOD, BF_APP_MALFORMED},
        {"{\"alg\":\"EdDSA\",\"typ\":\"JWT\",\"kid\":\"now\",\"alg\":\"none\"}", GOOD, BF_APP_MALFORMED},
        {"[]", GOOD, BF_APP_MALFORMED},
        {HEADER, "[]", BF_APP_MALFORMED},
        {HEADER, CLAIMS("another", "belfry-app", "100", TIMES), BF_APP_MALFORMED},
        {HEADER, CLAIMS("belfry", "belfry-api", "100", TIMES), BF_APP_MALFORMED},
        {HEADER, CLAIMS("belfry", "belfry-app", "", TIMES), BF_APP_MALFORMED},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", "\"iat\":1800000000"), BF_APP_MALFORMED},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", "\"exp\":1800000100"), BF_APP_MALFORMED},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", "\"iat\":1800000000,\"exp\":1800003601"),
         BF_APP_MALFORMED},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", "\"iat\":1800000000,\"exp\":\"1800000100\""),
         BF_APP_MALFORMED},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", "\"iat\":1799999000,\"exp\":1800000000"),
         BF_APP_EXPIRED},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", "\"iat\":1800000061,\"exp\":1800000100"),
         BF_APP_EARLY},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", TIMES ",\"nbf\":1800000061"), BF_APP_EARLY},
        {HEADER, CLAIMS("belfry", "belfry-app", "100", TIMES ",\"nbf\":1799999999"), BF_APP_GOOD},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        bf_autofree char *text = forge(cases[i].header, cases[i].claims);
        struct bf_app_token got;

        if (check(text, &got) != cases[i].verdict)
            fail_msg("case %zu: %s %s", i, cases[i].header, cases[i].claims);
    }
}

static void a_damaged_token_is_refused(void **state)
{
    bf_autofree char *text = forge(HEADER, GOOD);
    struct bf_app_token got;

    for (size_t i = 0; i < strlen(text); i++) {
        char before = text[i];
        text[i] = before == 'A' ? 'B' : 'A';
        assert_int_not_equal(check(text, &got), BF_APP_GOOD);
        text[i] = before;
    }
    for (size_t len = 0; len < strlen(text); len++)
        assert_int_not_equal(bf_app_token_check((struct bf_str){text, len}, keys, BF_LEN(keys), NOW, &got),
                             BF_APP_GOOD);
    bf_autofree char *padded = bf_xasprintf("%s==", text);
    bf_autofree char *four = bf_xasprintf("%s.x", text);
    assert_int_equal(check(padded, &got), BF_APP_MALFORMED);
    assert_int_not_equal(check(four, &got), BF_APP_GOOD);
    assert_int_equal(check("", &got), BF_APP_MALFORMED);
    assert_int_equal(check("..", &got), BF_APP_MALFORMED);
}

static void base64_is_padded(void **state)
{
    static const char *const forms[] = {"",         "Zg==",     "Zm8=",    "Zm9v",
                                        "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"}; // RFC 4648

    for (size_t len = 0; len < BF_LEN(forms); len++) {
        bf_cleanup(bf_buf_release) struct bf_buf text;
        bf_buf_init(&text, 64);
        bf_base64(&text, "foobar", len);
        assert_true(bf_str_eq((struct bf_str){text.at, text.len}, bf_str(forms[len])));
    }
}

static void base64url_has_one_form(void **state)
{
    static const struct {
        const char *plain, *coded;
    } cases[] = {{"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
                 {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}};
    char bytes[16];
    size_t len;

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        bf_cleanup(bf_buf_release) struct bf_buf text;
        bf_buf_init(&text, 64);
        bf_base64url(&text, cases[i].plain, strlen(cases[i].plain));
        assert_true(bf_str_eq((struct bf_str){text.at, text.len}, bf_str(cases[i].coded)));
        assert_true(bf_unbase64url(bf_str(cases[i].coded), bytes, &len));
        assert_true(bf_str_eq((struct bf_str){bytes, len}, bf_str(cases[i].plain)));
    }
    assert_false(bf_unbase64url(bf_str("Zg=="), bytes, &len));
    assert_false(bf_unbase64url(bf_str("Zh"), bytes, &len));
    assert_false(bf_unbase64url(bf_str("Z"), bytes, &len));
    assert_false(bf_unbase64url(bf_str("Zm9+"), bytes, &len));
    assert_false(bf_unbase64url((struct bf_str){"Zm\0v", 4}, bytes, &len));
}

// RFC 8032, 7.1, test 2.
static void signatures_are_those_of_the_standard(void **state)
{
    uint8_t private_key[BF_ED25519_BYTES], public_key[BF_ED25519_BYTES],
        signature[BF_ED25519_SIGNATURE_BYTES];
    char hex[2 * BF_ED25519_SIGNATURE_BYTES + 1];

    assert_true(bf_unhex(BF_STR("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
                         private_key, sizeof(private_key)));
    bf_ed25519_public(private_key, public_key);
    assert_string_equal(bf_hex(public_key, sizeof(public_key), hex),
                        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
    bf_ed25519_sign(private_key, "\x72", 1, signature);
    assert_string_equal(bf_hex(signature, sizeof(signature), hex),
                        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    assert_true(bf_ed25519_good(public_key, "\x72", 1, signature));
    assert_false(bf_ed25519_good(public_key, "\x73", 1, signature));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_registry_signs_is_good),
        cmocka_unit_test(another_key_is_unknown_or_forged),
        cmocka_unit_test(only_one_form_is_taken),
        cmocka_unit_test(a_damaged_token_is_refused),
        cmocka_unit_test(base64_is_padded),
        cmocka_unit_test(base64url_has_one_form),
        cmocka_unit_test(signatures_are_those_of_the_standard),
    };

    return cmocka_run_group_tests(tests, make_keys, NULL);
}
