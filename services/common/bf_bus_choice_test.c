// Turns, leaving out, credit.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_bus_choice.h"

#define ALL 7u // of three

static struct bf_bus_choice three(void)
{
    struct bf_bus_choice choice;
    bf_bus_choice_init(&choice, 3);
    return choice;
}

static void test_addresses_take_turns(void **state)
{
    struct bf_bus_choice choice = three();
    int times[3] = {0};
    for (int i = 0; i < 9; i++)
        times[bf_bus_choice_next(&choice, ALL)]++;
    for (int i = 0; i < 3; i++)
        assert_int_equal(times[i], 3);
}

static void test_only_the_usable_are_chosen(void **state)
{
    struct bf_bus_choice choice = three();
    for (int i = 0; i < 5; i++)
        assert_int_equal(bf_bus_choice_next(&choice, 1u << 1), 1);
    assert_int_equal(bf_bus_choice_next(&choice, 0), BF_BUS_NO_CHOICE);
}

static void test_who_does_not_answer_is_left_out_until_it_answers(void **state)
{
    struct bf_bus_choice choice = three();
    assert_true(bf_bus_choice_overdue(&choice, 1, 1000, 1150));
    assert_false(bf_bus_choice_overdue(&choice, 1, 1100, 1250)); // it is already
    for (int i = 0; i < 6; i++)
        assert_int_not_equal(bf_bus_choice_next(&choice, ALL), 1);
    assert_true(bf_bus_choice_answered(&choice, 1, 1300));
    int times = 0;
    for (int i = 0; i < 6; i++)
        times += bf_bus_choice_next(&choice, ALL) == 1;
    assert_int_equal(times, 2);
}

// A method that takes long does not say that the process hangs.
static void test_who_answered_something_else_meanwhile_stays(void **state)
{
    struct bf_bus_choice choice = three();
    assert_false(bf_bus_choice_answered(&choice, 0, 1100));
    assert_false(bf_bus_choice_overdue(&choice, 0, 1000, 1150));
    assert_true(bf_bus_choice_overdue(&choice, 0, 1101, 1251));
}

static void test_all_left_out_is_as_good_as_none(void **state)
{
    struct bf_bus_choice choice = three();
    int times[3] = {0};
    for (int i = 0; i < 3; i++)
        assert_true(bf_bus_choice_overdue(&choice, i, 1000, 1150));
    for (int i = 0; i < 9; i++)
        times[bf_bus_choice_next(&choice, ALL)]++;
    for (int i = 0; i < 3; i++)
        assert_int_equal(times[i], 3);
}

static void test_what_is_left_out_is_tried_once_in_a_while(void **state)
{
    struct bf_bus_choice choice = three();
    assert_int_equal(bf_bus_choice_probe(&choice, ALL, 5000), BF_BUS_NO_CHOICE);
    assert_true(bf_bus_choice_overdue(&choice, 2, 1000, 1150));
    assert_int_equal(bf_bus_choice_probe(&choice, ALL, 1149 + BF_BUS_PROBE_MS), BF_BUS_NO_CHOICE);
    assert_int_equal(bf_bus_choice_probe(&choice, 3u, 1150 + BF_BUS_PROBE_MS), BF_BUS_NO_CHOICE);
    assert_int_equal(bf_bus_choice_probe(&choice, ALL, 1150 + BF_BUS_PROBE_MS), 2);
    assert_int_equal(bf_bus_choice_probe(&choice, ALL, 1151 + BF_BUS_PROBE_MS), BF_BUS_NO_CHOICE);
    assert_int_equal(bf_bus_choice_probe(&choice, ALL, 1150 + 2 * BF_BUS_PROBE_MS), 2);
}

static void test_ten_calls_earn_one_second_sending(void **state)
{
    struct bf_bus_choice choice = three();
    int sent = 0;
    while (bf_bus_choice_spend(&choice))
        sent++;
    assert_int_equal(sent, BF_BUS_CREDIT_MAX / BF_BUS_CREDIT_COST);
    for (int i = 0; i < BF_BUS_CREDIT_COST - 1; i++)
        bf_bus_choice_earn(&choice);
    assert_false(bf_bus_choice_spend(&choice));
    bf_bus_choice_earn(&choice);
    assert_true(bf_bus_choice_spend(&choice));
    for (int i = 0; i < 3 * BF_BUS_CREDIT_MAX; i++)
        bf_bus_choice_earn(&choice);
    assert_int_equal(choice.credit, BF_BUS_CREDIT_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_take_turns),
        cmocka_unit_test(test_only_the_usable_are_chosen),
        cmocka_unit_test(test_who_does_not_answer_is_left_out_until_it_answers),
        cmocka_unit_test(test_who_answered_something_else_meanwhile_stays),
        cmocka_unit_test(test_all_left_out_is_as_good_as_none),
        cmocka_unit_test(test_what_is_left_out_is_tried_once_in_a_while),
        cmocka_unit_test(test_ten_calls_earn_one_second_sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
