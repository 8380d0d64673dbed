// Strategies and lists of members.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "group.h"

static void a_strategy_is_all_or_sequence(void **state)
{
    assert_null(group_strategy_check(BF_STR("all")));
    assert_null(group_strategy_check(BF_STR("sequence")));
    assert_non_null(group_strategy_check(BF_STR("")));
    assert_non_null(group_strategy_check(BF_STR("ALL")));
    assert_string_equal(group_strategy_name(group_strategy_parse(BF_STR("sequence"))), "sequence");
}

static void members_come_back_in_order(void **state)
{
    static const char *const numbers[] = {"102", "+55119", "front-door"};
    char members[GROUP_MEMBERS_TEXT_SIZE];
    struct bf_str number;

    group_members_join(numbers, BF_LEN(numbers), members);
    assert_string_equal(members, "102 +55119 front-door");
    const char *at = members;
    for (size_t i = 0; i < BF_LEN(numbers); i++) {
        assert_true(group_members_next(&at, &number));
        assert_true(bf_str_eq(number, bf_str(numbers[i])));
    }
    assert_false(group_members_next(&at, &number));
    group_members_join(numbers, 0, members);
    const char *none = members;
    assert_false(group_members_next(&none, &number));
}

static void the_most_and_longest_members_fit(void **state)
{
    char longest[EXTENSION_NUMBER_BYTES_MAX + 1] = "";
    const char *numbers[GROUP_MEMBERS_MAX];
    char members[GROUP_MEMBERS_TEXT_SIZE];

    memset(longest, '1', EXTENSION_NUMBER_BYTES_MAX);
    for (size_t i = 0; i < GROUP_MEMBERS_MAX; i++)
        numbers[i] = longest;
    group_members_join(numbers, GROUP_MEMBERS_MAX, members);
    assert_int_equal(strlen(members), GROUP_MEMBERS_TEXT_SIZE - 1);
}

static void a_member_that_is_there_twice_is_found(void **state)
{
    static const char *const numbers[] = {"1", "2", "11", "2", "1"};

    assert_int_equal(group_members_repeated(numbers, BF_LEN(numbers)), 3);
    assert_int_equal(group_members_repeated(numbers, 3), 3);
    assert_int_equal(group_members_repeated(NULL, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strategy_is_all_or_sequence),
        cmocka_unit_test(members_come_back_in_order),
        cmocka_unit_test(the_most_and_longest_members_fit),
        cmocka_unit_test(a_member_that_is_there_twice_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
