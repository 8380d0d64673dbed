#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_calls.h"
#include "tenant_fixture.h"

enum { MAX = TENANT_CALLS_MIN };

static const struct tenant_hash_key KEY = {5, 6};

static struct tenant_calls *calls_new(void)
{
    return tenant_calls_init(aligned_alloc(64, (tenant_calls_bytes(MAX) + 63) & ~63ul), MAX, &KEY);
}

static bool put(struct tenant_calls *calls, uint32_t call, uint32_t dialog)
{
    struct tenant_call_place place = {1, 2, 3, dialog};

    return tenant_calls_put(calls, fixture_id(call), &place);
}

// The dialog's id; 0: the call is unknown.
static uint32_t dialog_of(struct tenant_calls *calls, uint32_t call)
{
    struct tenant_call_place place = {.dialog_id = 0};

    return tenant_calls_get(calls, fixture_id(call), &place) ? place.dialog_id : 0;
}

static void test_a_call_is_found_changed_and_removed(void **state)
{
    struct tenant_calls *calls = calls_new();

    assert_int_equal(dialog_of(calls, 1), 0);
    assert_true(put(calls, 1, 7));
    assert_true(put(calls, 1, 8));
    assert_int_equal(dialog_of(calls, 1), 8);
    assert_int_equal(tenant_calls_count(calls), 1);
    assert_true(tenant_calls_remove(calls, fixture_id(1)));
    assert_false(tenant_calls_remove(calls, fixture_id(1)));
    assert_int_equal(dialog_of(calls, 1), 0);
    assert_int_equal(tenant_calls_count(calls), 0);
    free(calls);
}

static void test_a_full_table_refuses_new_calls_only(void **state)
{
    struct tenant_calls *calls = calls_new();

    for (uint32_t i = 1; i <= MAX; i++)
        assert_true(put(calls, i, i));
    assert_false(put(calls, MAX + 1, 1));
    assert_true(put(calls, 1, 99));
    for (uint32_t i = 2; i <= MAX; i++)
        assert_int_equal(dialog_of(calls, i), i);
    assert_true(tenant_calls_remove(calls, fixture_id(2)));
    assert_true(put(calls, MAX + 1, 5));
    assert_int_equal(dialog_of(calls, MAX + 1), 5);
    free(calls);
}

static void test_many_come_and_go(void **state)
{
    struct tenant_calls *calls = calls_new();

    for (uint32_t i = 1; i < 5000; i++) {
        assert_true(put(calls, i, i));
        if (i <= MAX / 2)
            continue;
        assert_int_equal(dialog_of(calls, i - MAX / 2), i - MAX / 2);
        assert_true(tenant_calls_remove(calls, fixture_id(i - MAX / 2)));
    }
    assert_int_equal(tenant_calls_count(calls), MAX / 2);
    free(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_is_found_changed_and_removed),
        cmocka_unit_test(test_a_full_table_refuses_new_calls_only),
        cmocka_unit_test(test_many_come_and_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
