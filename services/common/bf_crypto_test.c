#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "bf_crypto.h"

static void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    char text[65];
    assert_string_equal(bf_hex(bytes, len, text), hex);
}

static void test_sha256_of_abc(void **state)
{
    uint8_t digest[BF_SHA256_BYTES];
    bf_sha256("abc", 3, digest);
    assert_hex(digest, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_hmac_sha1_of_rfc_2202_case_2(void **state)
{
    uint8_t mac[BF_SHA1_BYTES];
    char text[2 * BF_SHA1_BYTES + 1];

    bf_hmac_sha1("Jefe", 4, "what do ya want for nothing?", 28, mac);
    assert_string_equal(bf_hex(mac, sizeof(mac), text), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
}

static void test_hmac_of_rfc_4231_case_2(void **state)
{
    uint8_t mac[BF_SHA256_BYTES];
    bf_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
    assert_hex(mac, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_ha1_of_rfc_7616(void **state)
{
    uint8_t md5[BF_MD5_BYTES];
    uint8_t sha[BF_SHA256_BYTES];
    struct bf_str user = BF_STR("Mufasa");
    struct bf_str realm = BF_STR("http-auth@example.org");
    struct bf_str password = BF_STR("Circle of Life");
    bf_ha1_md5(user, realm, password, md5);
    bf_ha1_sha256(user, realm, password, sha);
    assert_hex(md5, 16, "3d78807defe7de2157e2b0b6573a855f");
    assert_hex(sha, 32, "7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232");
}

static void test_hex_wants_exactly_the_digits(void **state)
{
    uint8_t bytes[2] = {9, 9};
    assert_true(bf_unhex(BF_STR("0aFf"), bytes, 2));
    assert_int_equal(bytes[0], 0x0a);
    assert_int_equal(bytes[1], 0xff);
    assert_false(bf_unhex(BF_STR("0aF"), bytes, 2));
    assert_false(bf_unhex(BF_STR("0aFg"), bytes, 2));
    assert_false(bf_unhex(BF_STR("0aFf0"), bytes, 2));
}

static void test_secrets_are_long_enough_and_differ(void **state)
{
    bf_autofree char *a = bf_secret_new("bf_", 32);
    bf_autofree char *b = bf_secret_new("bf_", 32);
    assert_memory_equal(a, "bf_", 3);
    assert_int_equal(strlen(a), 3 + 43); // 43 characters of log2(62) bits hold 256
    assert_string_not_equal(a, b);
    assert_int_equal(strspn(a + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"), 43);
    assert_true(bf_secret_eq("same", "same", 4));
    assert_false(bf_secret_eq("same", "sbme", 4));
}

static void test_sealed_opens_only_untouched_and_by_its_key(void **state)
{
    uint8_t key[32] = {1};
    uint8_t other[32] = {2};
    uint8_t *sealed = NULL;
    uint8_t *plain = NULL;
    size_t sealed_len = 0;
    size_t plain_len = 0;
    assert_int_equal(bf_seal(key, "secret", 6, &sealed, &sealed_len), BF_OK);
    assert_int_equal(sealed_len, 6 + 28);
    assert_int_equal(bf_open(key, sealed, sealed_len, &plain, &plain_len), BF_OK);
    assert_int_equal(plain_len, 6);
    assert_memory_equal(plain, "secret", 6);
    free(BF_TAKE(plain));
    assert_int_equal(bf_open(other, sealed, sealed_len, &plain, &plain_len), BF_INVALID);
    for (size_t i = 0; i < sealed_len; i++) {
        sealed[i] ^= 1;
        assert_int_equal(bf_open(key, sealed, sealed_len, &plain, &plain_len), BF_INVALID);
        sealed[i] ^= 1;
    }
    assert_int_equal(bf_open(key, sealed, 27, &plain, &plain_len), BF_INVALID);
    assert_null(plain);
    free(sealed);
}

static void test_nothing_can_be_sealed_too(void **state)
{
    uint8_t key[32] = {0};
    uint8_t *sealed = NULL;
    uint8_t *plain = NULL;
    size_t sealed_len = 0;
    size_t plain_len = 1;
    assert_int_equal(bf_seal(key, NULL, 0, &sealed, &sealed_len), BF_OK);
    assert_int_equal(bf_open(key, sealed, sealed_len, &plain, &plain_len), BF_OK);
    assert_int_equal(plain_len, 0);
    free(sealed);
    free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256_of_abc),
        cmocka_unit_test(test_hmac_sha1_of_rfc_2202_case_2),
        cmocka_unit_test(test_hmac_of_rfc_4231_case_2),
        cmocka_unit_test(test_ha1_of_rfc_7616),
        cmocka_unit_test(test_hex_wants_exactly_the_digits),
        cmocka_unit_test(test_secrets_are_long_enough_and_differ),
        cmocka_unit_test(test_sealed_opens_only_untouched_and_by_its_key),
        cmocka_unit_test(test_nothing_can_be_sealed_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
