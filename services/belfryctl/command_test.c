// The table of commands keeps its own promises, and help, man and completion tell of all of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "help.h"

static void every_parameter_of_a_path_is_a_word_of_the_command(void **state)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &commands[i];

        assert_true((command->show == SHOW_LOCAL) == (command->path == NULL));
        for (size_t a = 0; a < command_arg_count(command); a++) {
            char parameter[32];

            snprintf(parameter, sizeof(parameter), "{%s}", command->args[a].name);
            assert_true((strstr(command->path, parameter) == NULL) == (command->args[a].field != NULL));
        }
        for (const char *at = command->path; at && (at = strchr(at, '{')); at++) {
            bool known = strncmp(at, "{tenant}", 8) == 0;

            for (size_t a = 0; a < command_arg_count(command); a++)
                known = known || strncmp(at + 1, command->args[a].name, strlen(command->args[a].name)) == 0;
            assert_true(known);
        }
    }
}

static void no_command_hides_another(void **state)
{
    for (size_t i = 0; i < command_count; i++) {
        char name[64];
        const char *words[2] = {name, NULL};
        size_t count = 1;

        snprintf(name, sizeof(name), "%s", commands[i].name);
        char *blank = strchr(name, ' ');
        if (blank) {
            *blank = '\0';
            words[count++] = blank + 1;
        }
        assert_ptr_equal(command_find(words, count, &count), &commands[i]);
    }
}

static void an_option_takes_a_value_everywhere_or_nowhere(void **state)
{
    for (size_t i = 0; i < command_count; i++)
        for (size_t o = 0; o < commands[i].option_count; o++) {
            assert_non_null(commands[i].options[o].value);
            assert_non_null(commands[i].options[o].field);
        }
}

static void lists_have_columns_and_only_lists(void **state)
{
    for (size_t i = 0; i < command_count; i++)
        assert_true((commands[i].show == SHOW_LIST || commands[i].show == SHOW_TABLE) ==
                    (commands[i].column_count > 0));
}

static void help_man_and_completion_know_every_command_and_option(void **state)
{
    struct bf_buf overview, man, completion;

    bf_buf_init(&overview, 1 << 20);
    bf_buf_init(&man, 1 << 20);
    bf_buf_init(&completion, 1 << 20);
    help_overview(&overview, NULL);
    help_man(&man);
    help_bash_completion(&completion);
    for (size_t i = 0; i < command_count; i++) {
        char quoted[80];
        struct bf_buf help;

        bf_buf_init(&help, 65536);
        help_command(&help, &commands[i]);
        snprintf(quoted, sizeof(quoted), "'%s' | '%s '*)", commands[i].name, commands[i].name);
        assert_non_null(strstr(overview.at, commands[i].name));
        assert_non_null(strstr(man.at, commands[i].name));
        assert_non_null(strstr(completion.at, quoted));
        for (size_t o = 0; o < commands[i].option_count; o++)
            assert_non_null(strstr(help.at, commands[i].options[o].name));
        bf_buf_release(&help);
    }
    bf_buf_release(&overview);
    bf_buf_release(&man);
    bf_buf_release(&completion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_parameter_of_a_path_is_a_word_of_the_command),
        cmocka_unit_test(no_command_hides_another),
        cmocka_unit_test(an_option_takes_a_value_everywhere_or_nowhere),
        cmocka_unit_test(lists_have_columns_and_only_lists),
        cmocka_unit_test(help_man_and_completion_know_every_command_and_option),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
