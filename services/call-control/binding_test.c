// A device's registration: whose it is, and copies of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "binding.h"

static void test_who_had_the_number_before_is_told_from_who_has_it(void **state)
{
    struct binding binding = {.extension = {{5}}};

    assert_true(binding_is_of(&binding, (struct bf_id){{5}}));
    assert_false(binding_is_of(&binding, (struct bf_id){{6}}));
    assert_true(
        binding_is_of(&binding, (struct bf_id){{4}})); // what we know of the number is older than the phone
    assert_true(binding_is_of(&binding, (struct bf_id){{0}}));
    binding.extension = (struct bf_id){{0}};
    assert_true(binding_is_of(&binding, (struct bf_id){{6}}));
}

static void test_a_copy_has_its_own_texts(void **state)
{
    char number[] = "101";
    struct binding binding = {.number = number, .contact = "sip:101@a", .expires_ms = 7};
    struct binding *copy = binding_dup(&binding);

    memset(number, 'x', 3);
    assert_string_equal(copy->number, "101");
    assert_string_equal(copy->contact, "sip:101@a");
    assert_string_equal(copy->wake, "");
    assert_int_equal(copy->expires_ms, 7);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_had_the_number_before_is_told_from_who_has_it),
        cmocka_unit_test(test_a_copy_has_its_own_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
