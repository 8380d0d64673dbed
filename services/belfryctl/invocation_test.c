// The command line: what it means, and what is wrong with it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "invocation.h"

#define PARSE(into, ...)                                                             \
    invocation_parse((int)BF_LEN(((const char *const[]){"belfryctl", __VA_ARGS__})), \
                     (const char *const[]){"belfryctl", __VA_ARGS__}, (into), fault)

static char fault[INVOCATION_FAULT_SIZE];

static void words_and_options_come_in_any_order(void **state)
{
    struct invocation one, other;

    assert_int_equal(PARSE(&one, "extension", "create", "100", "--kind", "app", "--tenant=acme"), BF_OK);
    assert_int_equal(PARSE(&other, "--tenant", "acme", "extension", "--kind=app", "create", "--json", "100"),
                     BF_OK);
    assert_string_equal(one.command->name, "extension create");
    assert_ptr_equal(other.command, one.command);
    assert_string_equal(one.args[0], "100");
    assert_string_equal(other.args[0], "100");
    assert_string_equal(invocation_value(&one, "tenant"), "acme");
    assert_string_equal(invocation_value(&other, "kind"), "app");
    assert_false(one.json);
    assert_true(other.json);
}

static void commands_of_one_and_of_two_words_are_told_apart(void **state)
{
    struct invocation invocation;

    assert_int_equal(PARSE(&invocation, "call", "100", "101"), BF_OK);
    assert_string_equal(invocation.command->name, "call");
    assert_string_equal(invocation.args[1], "101");
    assert_int_equal(PARSE(&invocation, "calls"), BF_OK);
    assert_string_equal(invocation.command->name, "calls");
}

static void behind_two_dashes_all_are_words(void **state)
{
    struct invocation invocation;

    assert_int_equal(PARSE(&invocation, "extension", "show", "--", "--json"), BF_OK);
    assert_string_equal(invocation.args[0], "--json");
    assert_false(invocation.json);
}

static void the_last_value_counts(void **state)
{
    struct invocation invocation;

    assert_int_equal(PARSE(&invocation, "calls", "--tenant", "a", "--tenant", "b"), BF_OK);
    assert_string_equal(invocation_value(&invocation, "tenant"), "b");
    assert_null(invocation_value(&invocation, "api"));
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *words[7];
        const char *said;
    } cases[] = {
        {{"tenat"}, "tenat"},
        {{"tenant", "lst"}, "tenant lst"},
        {{"tenant", "show"}, "TENANT"},
        {{"tenant", "show", ""}, "TENANT"},
        {{"tenant", "show", "a", "b"}, "\"b\""},
        {{"calls", "1", "2", "3", "4", "5"}, "too many words"},
        {{"extension", "create", "100"}, "--kind"},
        {{"extension", "create", "100", "--kind", "fax"}, "softphone"},
        {{"extension", "create", "100", "--kind"}, "KIND"},
        {{"extension", "change", "100", "--ring-seconds", "x"}, "--ring-seconds"},
        {{"extension", "change", "100", "--colour", "red"}, "--colour"},
        {{"calls", "--json=yes"}, "--json"},
        {{"calls", "-x"}, "-x"},
        {{"tenant", "show", "a\xff"}, "UTF-8"},
        {{"hangup", "1", "--limit", "5"}, "--limit"},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        const char *argv[8] = {"belfryctl"};
        struct invocation invocation;
        int argc = 1;

        for (; argc < 8 && cases[i].words[argc - 1]; argc++)
            argv[argc] = cases[i].words[argc - 1];
        if (invocation_parse(argc, argv, &invocation, fault) != BF_INVALID)
            fail_msg("case %zu was taken", i);
        if (!strstr(fault, cases[i].said))
            fail_msg("case %zu: \"%s\" does not say %s", i, fault, cases[i].said);
    }
}

static void help_needs_nothing_else(void **state)
{
    struct invocation invocation;

    assert_int_equal(PARSE(&invocation, "--help"), BF_OK);
    assert_true(invocation.help);
    assert_null(invocation.topic);
    assert_int_equal(PARSE(&invocation, "extension"), BF_OK);
    assert_true(invocation.help);
    assert_string_equal(invocation.topic, "extension");
    assert_int_equal(PARSE(&invocation, "extension", "create", "-h"), BF_OK);
    assert_true(invocation.help);
    assert_string_equal(invocation.command->name, "extension create");
}

static void options_have_an_end(void **state)
{
    const char *argv[INVOCATION_OPTIONS_MAX + 3] = {"belfryctl", "calls"};
    struct invocation invocation;

    for (size_t i = 2; i < BF_LEN(argv); i++)
        argv[i] = "--json";
    assert_int_equal(invocation_parse(BF_LEN(argv) - 1, argv, &invocation, fault), BF_OK);
    assert_int_equal(invocation_parse(BF_LEN(argv), argv, &invocation, fault), BF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_options_come_in_any_order),
        cmocka_unit_test(commands_of_one_and_of_two_words_are_told_apart),
        cmocka_unit_test(behind_two_dashes_all_are_words),
        cmocka_unit_test(the_last_value_counts),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(options_have_an_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
