#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_cred.h"
#include "tenant_fixture.h"

enum { MAX = TENANT_CREDS_MIN, TTL_MS = 1000 };

static const struct tenant_hash_key KEY = {5, 6};

static struct tenant_creds *creds_new(void)
{
    return tenant_creds_init(aligned_alloc(64, (tenant_creds_bytes(MAX) + 63) & ~63ul), MAX, TTL_MS, &KEY);
}

static struct tenant_credential credential_of(uint8_t fill, bool known)
{
    struct tenant_credential credential = {.max_contacts = fill, .known = known};

    memset(credential.ha1_md5, fill, sizeof(credential.ha1_md5));
    memset(credential.ha1_sha256, fill, sizeof(credential.ha1_sha256));
    return credential;
}

static void put(struct tenant_creds *creds, uint32_t tenant, const char *user, uint64_t now_ms, uint8_t fill,
                bool known)
{
    struct tenant_credential credential = credential_of(fill, known);

    tenant_creds_put(creds, fixture_id(tenant), bf_str(user), now_ms, &credential);
}

static bool has(struct tenant_creds *creds, uint32_t tenant, const char *user, uint64_t now_ms)
{
    struct tenant_credential credential;

    return tenant_creds_get(creds, fixture_id(tenant), bf_str(user), now_ms, &credential);
}

static void test_what_was_put_is_got_by_tenant_and_user(void **state)
{
    struct tenant_creds *creds = creds_new();
    struct tenant_credential got, wanted = credential_of(7, true);

    put(creds, 1, "100", 0, 7, true);
    assert_true(
        tenant_creds_get(creds, fixture_id(1), bf_str("100"), UINT64_MAX, &got)); // known ones never expire
    assert_memory_equal(&got, &wanted, sizeof(got));
    assert_false(has(creds, 2, "100", 0));
    assert_false(has(creds, 1, "10", 0));
    put(creds, 1, "100", 0, 8, true);
    assert_true(tenant_creds_get(creds, fixture_id(1), bf_str("100"), 0, &got));
    assert_int_equal(got.max_contacts, 8);
    assert_int_equal(tenant_creds_count(creds), 1);
    free(creds);
}

static void test_an_unknown_user_is_forgotten_after_the_ttl(void **state)
{
    struct tenant_creds *creds = creds_new();

    put(creds, 1, "999", 5000, 1, false);
    assert_true(has(creds, 1, "999", 5000 + TTL_MS - 1));
    assert_false(has(creds, 1, "999", 5000 + TTL_MS));
    put(creds, 1, "999", 5000, 1, true); // created meanwhile
    assert_true(has(creds, 1, "999", 5000 + TTL_MS));
    free(creds);
}

static void test_a_user_of_64_bytes_is_kept_and_a_longer_one_is_not(void **state)
{
    struct tenant_creds *creds = creds_new();
    char user[TENANT_USER_MAX + 2];

    memset(user, 'x', sizeof(user));
    user[TENANT_USER_MAX + 1] = '\0';
    put(creds, 1, user, 0, 1, true);
    assert_false(has(creds, 1, user, 0));
    assert_false(tenant_creds_forget(creds, fixture_id(1), bf_str(user)));
    user[TENANT_USER_MAX] = '\0';
    put(creds, 1, user, 0, 1, true);
    assert_true(has(creds, 1, user, 0));
    free(creds);
}

static void test_forget_is_for_one_and_forget_all_for_all(void **state)
{
    struct tenant_creds *creds = creds_new();

    put(creds, 1, "100", 0, 1, true);
    put(creds, 1, "101", 0, 1, true);
    assert_true(tenant_creds_forget(creds, fixture_id(1), bf_str("100")));
    assert_false(tenant_creds_forget(creds, fixture_id(1), bf_str("100")));
    assert_false(has(creds, 1, "100", 0));
    assert_true(has(creds, 1, "101", 0));
    tenant_creds_forget_all(creds);
    assert_false(has(creds, 1, "101", 0));
    assert_int_equal(tenant_creds_count(creds), 0);
    put(creds, 1, "101", 0, 1, true);
    assert_true(has(creds, 1, "101", 0));
    free(creds);
}

static bool keep_tenant_1(void *ctx, struct bf_id tenant)
{
    return bf_id_eq(tenant, fixture_id(1));
}

static void test_a_sweep_keeps_what_it_is_told_to(void **state)
{
    struct tenant_creds *creds = creds_new();

    put(creds, 1, "100", 0, 1, true);
    put(creds, 1, "999", 0, 1, false);
    put(creds, 2, "100", 0, 1, true);
    tenant_creds_sweep(creds, keep_tenant_1, NULL);
    assert_true(has(creds, 1, "100", 0));
    assert_true(has(creds, 1, "999", 0));
    assert_false(has(creds, 2, "100", 0));
    free(creds);
}

static void test_the_least_recently_used_goes_and_the_number_is_bounded(void **state)
{
    struct tenant_creds *creds = creds_new();
    char user[16];

    put(creds, 1, "favourite", 0, 1, true);
    for (int i = 0; i < 20 * MAX; i++) {
        snprintf(user, sizeof(user), "%d", i);
        put(creds, 1, user, 0, 1, true);
        assert_true(has(creds, 1, "favourite", 0));
        assert_true(has(creds, 1, user, 0));
    }
    assert_int_equal(tenant_creds_count(creds), MAX);
    assert_int_equal(tenant_creds_evicted(creds), 20 * MAX + 1 - MAX);
    assert_false(has(creds, 1, "0", 0));
    free(creds);
}

static bool same(const struct tenant_credential *a, const struct tenant_credential *b)
{
    return memcmp(a->ha1_md5, b->ha1_md5, sizeof(a->ha1_md5)) == 0 &&
           memcmp(a->ha1_sha256, b->ha1_sha256, sizeof(a->ha1_sha256)) == 0 &&
           a->max_contacts == b->max_contacts && a->known == b->known;
}

// ---- threads ----------------------------------------------------------------------------------------------

enum { THREADS = 4, USERS = 3000, STEPS = 30000 };

struct race {
    struct tenant_creds *creds;
    _Atomic unsigned seed;
    _Atomic uint64_t wrong, got;
};

// Every user has one possible content: whatever else comes out is a torn or misplaced entry.
static void *race_run(void *ctx)
{
    struct race *race = ctx;
    unsigned seed = race->seed++;

    for (int i = 0; i < STEPS; i++) {
        uint32_t number = (uint32_t)rand_r(&seed) % USERS;
        struct tenant_credential wanted = credential_of((uint8_t)(number % 251), true), got;
        char user[16];
        snprintf(user, sizeof(user), "%u", number);
        switch (rand_r(&seed) % 8) {
        case 0:
        case 1:
            tenant_creds_put(race->creds, fixture_id(1), bf_str(user), 0, &wanted);
            break;
        case 2:
            tenant_creds_forget(race->creds, fixture_id(1), bf_str(user));
            break;
        default:
            if (!tenant_creds_get(race->creds, fixture_id(1), bf_str(user), 0, &got))
                break;
            race->got++;
            race->wrong += !same(&got, &wanted);
        }
        if (rand_r(&seed) % 5000 == 0)
            tenant_creds_forget_all(race->creds);
    }
    return NULL;
}

static void test_threads_get_whole_entries(void **state)
{
    struct race race = {.creds = creds_new(), .seed = 1};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_run, &race), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.wrong, 0);
    assert_true(race.got > 0);
    assert_true(tenant_creds_count(race.creds) <= MAX);
    free(race.creds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_put_is_got_by_tenant_and_user),
        cmocka_unit_test(test_an_unknown_user_is_forgotten_after_the_ttl),
        cmocka_unit_test(test_a_user_of_64_bytes_is_kept_and_a_longer_one_is_not),
        cmocka_unit_test(test_forget_is_for_one_and_forget_all_for_all),
        cmocka_unit_test(test_a_sweep_keeps_what_it_is_told_to),
        cmocka_unit_test(test_the_least_recently_used_goes_and_the_number_is_bounded),
        cmocka_unit_test(test_threads_get_whole_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
