// API keys and their expiry.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "key.h"

static void a_made_key_is_well_formed_and_never_the_same(void **state)
{
    char one[KEY_TEXT_BYTES + 1], two[KEY_TEXT_BYTES + 1];

    key_make(one);
    key_make(two);
    assert_int_equal(strlen(one), KEY_TEXT_BYTES);
    assert_memory_equal(one, "bfk_", 4);
    assert_true(key_well_formed(bf_str(one)));
    assert_string_not_equal(one, two);
}

static void a_key_with_one_character_changed_is_not(void **state)
{
    char key[KEY_TEXT_BYTES + 1];

    key_make(key);
    for (size_t i = 0; i < KEY_TEXT_BYTES; i++) {
        char was = key[i];
        key[i] = was == 'x' ? 'y' : 'x';
        assert_false(key_well_formed(bf_str(key)));
        key[i] = was;
    }
    assert_false(key_well_formed((struct bf_str){key, KEY_TEXT_BYTES - 1}));
    assert_false(key_well_formed(BF_STR("")));
}

static void tenants_make_admins_and_readers_only(void **state)
{
    assert_null(key_role_check(BF_STR("admin")));
    assert_null(key_role_check(BF_STR("reader")));
    assert_non_null(key_role_check(BF_STR("operator")));
    assert_non_null(key_role_check(BF_STR("")));
}

static void expiry_is_a_time_in_utc(void **state)
{
    assert_null(key_expiry_check(BF_STR("2028-02-29T12:00:01Z")));
    assert_non_null(key_expiry_check(BF_STR("2027-01-31T23:59:59+01:00")));
    assert_non_null(key_expiry_check(BF_STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_key_is_well_formed_and_never_the_same),
        cmocka_unit_test(a_key_with_one_character_changed_is_not),
        cmocka_unit_test(tenants_make_admins_and_readers_only),
        cmocka_unit_test(expiry_is_a_time_in_utc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
