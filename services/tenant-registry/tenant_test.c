// Slugs, names, states.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tenant.h"

static void slugs_are_short_lower_case_names(void **state)
{
    static const char *const good[] = {"a", "acme", "acme-2", "2b", "a--b"};
    static const char *const bad[] = {
        "", "-a", "a-", "-", "Acme", "a.b", "a b", "\xc3\xa1", "a/b", "01a1f958-8737-7edc-aa41-500a5cd2c1d2"};
    char longest[TENANT_SLUG_BYTES_MAX + 1];

    for (size_t i = 0; i < BF_LEN(good); i++)
        assert_null(tenant_slug_check(bf_str(good[i])));
    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (!tenant_slug_check(bf_str(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    memset(longest, 'a', sizeof(longest));
    assert_null(tenant_slug_check((struct bf_str){longest, TENANT_SLUG_BYTES_MAX}));
    assert_non_null(tenant_slug_check((struct bf_str){longest, TENANT_SLUG_BYTES_MAX + 1}));
}

static void names_are_any_text_without_control_characters(void **state)
{
    assert_null(tenant_name_check(BF_STR("Bela Vista & Jos\xc3\xa9")));
    assert_non_null(tenant_name_check(BF_STR("")));
    assert_non_null(tenant_name_check(BF_STR("a\nb")));
    assert_non_null(tenant_name_check(BF_STR("a\x7f")));
    assert_non_null(tenant_name_check(BF_STR("a\xc2\x85"))); // NEL, a C1 control
}

static void states_are_a_closed_set(void **state)
{
    assert_int_equal(tenant_status_parse(BF_STR("active")), TENANT_ACTIVE);
    assert_int_equal(tenant_status_parse(BF_STR("suspended")), TENANT_SUSPENDED);
    assert_int_equal(tenant_status_parse(BF_STR("")), TENANT_UNKNOWN);
    assert_non_null(tenant_status_check(BF_STR("Active")));
    assert_string_equal(tenant_status_name(TENANT_SUSPENDED), "suspended");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slugs_are_short_lower_case_names),
        cmocka_unit_test(names_are_any_text_without_control_characters),
        cmocka_unit_test(states_are_a_closed_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
