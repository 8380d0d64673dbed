#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_fixture.h"
#include "tenant_hash.h"

// The vector of the SipHash paper's appendix A.
static void test_prf_is_siphash_2_4(void **state)
{
    struct tenant_hash_key key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t bytes[15];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)i;
    assert_true(tenant_prf(&key, bytes, sizeof(bytes)) == 0xa129ca6149be45e5);
}

static void test_hash_depends_on_every_byte_and_the_key(void **state)
{
    struct tenant_hash_key key = {1, 2}, other = {1, 3};
    char text[20] = "belavista.example..";
    uint64_t before = tenant_hash(&key, text, 19);

    for (size_t i = 0; i < 19; i++) {
        text[i] ^= 1;
        assert_true(tenant_hash(&key, text, 19) != before);
        text[i] ^= 1;
    }
    assert_true(tenant_hash(&key, text, 18) != before);
    assert_true(tenant_hash(&other, text, 19) != before);
    assert_true(tenant_hash(&key, text, 19) == before);
}

struct decoy {
    uint8_t md5[TENANT_HA1_MD5_BYTES];
    uint8_t sha256[TENANT_HA1_SHA256_BYTES];
};

static struct decoy decoy_of(const struct tenant_hash_key *key, uint32_t tenant, const char *user)
{
    struct decoy decoy;

    tenant_decoy(key, fixture_id(tenant), bf_str(user), decoy.md5, decoy.sha256);
    return decoy;
}

static void test_decoys_are_constant_and_differ_by_user_tenant_and_start(void **state)
{
    struct tenant_hash_key key, next_start;
    struct decoy first;

    assert_true(tenant_hash_key_random(&key) && tenant_hash_key_random(&next_start));
    first = decoy_of(&key, 1, "100");
    assert_memory_equal(&first, &(struct decoy[]){decoy_of(&key, 1, "100")}, sizeof(first));
    assert_memory_not_equal(&first, &(struct decoy[]){decoy_of(&key, 1, "101")}, sizeof(first));
    assert_memory_not_equal(&first, &(struct decoy[]){decoy_of(&key, 2, "100")}, sizeof(first));
    assert_memory_not_equal(&first, &(struct decoy[]){decoy_of(&next_start, 1, "100")}, sizeof(first));
    assert_memory_not_equal(first.md5, first.sha256, sizeof(first.md5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prf_is_siphash_2_4),
        cmocka_unit_test(test_hash_depends_on_every_byte_and_the_key),
        cmocka_unit_test(test_decoys_are_constant_and_differ_by_user_tenant_and_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
