// From argv to a command.
#include "invocation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WORDS_MAX (2 + COMMAND_ARGS_MAX)

struct parse {
    int argc;
    const char *const *argv;
    int at;
    const char *words[WORDS_MAX + 1];
    size_t word_count;
    bool words_only; // behind --
    struct invocation *into;
    char *fault;
};

static enum bf_err blame(struct parse *parse, const char *fmt, ...) bf_printf(2, 3);

static enum bf_err blame(struct parse *parse, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vsnprintf(parse->fault, INVOCATION_FAULT_SIZE, fmt, args);
    va_end(args);
    return BF_INVALID;
}

const char *invocation_value(const struct invocation *invocation, const char *name)
{
    for (size_t i = invocation->given_count; i > 0; i--)
        if (strcmp(invocation->given[i - 1].option->name, name) == 0)
            return invocation->given[i - 1].value;
    return NULL;
}

static bool is_option(const struct parse *parse, const char *word)
{
    return !parse->words_only && word[0] == '-' && word[1] != '\0';
}

// The first pass collects the words alone: which options there are depends on the command. An option's value
// is no word; of one that no command knows none is taken, the second pass complains about it.
static bool takes_value(struct bf_str name)
{
    for (size_t i = 0; i < command_count; i++) {
        const struct option *option = command_option(&commands[i], name);

        if (option)
            return option->value != NULL;
    }
    return false;
}

static struct bf_str option_name(const char *word)
{
    const char *name = word + strspn(word, "-");

    return (struct bf_str){name, strcspn(name, "=")};
}

static enum bf_err collect_words(struct parse *parse)
{
    for (int i = 1; i < parse->argc; i++) {
        const char *word = parse->argv[i];

        if (!bf_utf8_valid(bf_str(word)))
            return blame(parse, "word %d is not valid UTF-8", i);
        if (!parse->words_only && strcmp(word, "--") == 0) {
            parse->words_only = true;
        } else if (is_option(parse, word)) {
            struct bf_str name = option_name(word);
            if (!name.at[name.len] && takes_value(name))
                i++;
        } else if (parse->word_count > WORDS_MAX) {
            return blame(parse, "there are too many words, beginning with \"%s\"", word);
        } else {
            parse->words[parse->word_count++] = word;
        }
    }
    parse->words_only = false;
    return BF_OK;
}

static enum bf_err find_command(struct parse *parse, size_t *ret_words)
{
    *ret_words = 0;
    parse->into->command = command_find(parse->words, parse->word_count, ret_words);
    if (parse->into->command || parse->word_count == 0)
        return BF_OK;
    const char *first = parse->words[0];
    if (!command_is_group(first))
        return blame(parse, "there is no command \"%s\"; belfryctl --help lists them", first);
    parse->into->topic = first;
    if (parse->word_count > 1)
        return blame(parse, "there is no command \"%s %s\"; belfryctl %s --help lists them", first,
                     parse->words[1], first);
    return BF_OK;
}

static bool in_list(const char *words, const char *value)
{
    size_t len = strlen(value);

    for (const char *at = words; *at; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");

        if (word == len && memcmp(at, value, len) == 0)
            return true;
        at += word;
    }
    return false;
}

static enum bf_err check_value(struct parse *parse, const struct option *option, const char *value)
{
    int64_t number;

    if (option->kind == OPTION_INT && !bf_parse_int(bf_str(value), INT32_MIN, INT32_MAX, &number))
        return blame(parse, "--%s: must be a whole number", option->name);
    if (option->words && !in_list(option->words, value))
        return blame(parse, "--%s: must be one of: %s", option->name, option->words);
    return BF_OK;
}

static enum bf_err read_option(struct parse *parse, const char *word)
{
    struct bf_str name = option_name(word);
    const struct option *option = command_option(parse->into->command, name);
    const char *value = name.at[name.len] ? name.at + name.len + 1 : NULL;

    if (strcmp(word, "-h") == 0)
        option = command_option(NULL, BF_STR("help"));
    else if (strncmp(word, "--", 2) != 0 || !option)
        return blame(parse, "there is no option %s here", word);
    if (!option->value && value)
        return blame(parse, "--%s takes no value", option->name);
    if (option->value && !value && ++parse->at < parse->argc)
        value = parse->argv[parse->at];
    if (option->value && !value)
        return blame(parse, "--%s needs a value: %s", option->name, option->value);
    if (parse->into->given_count == INVOCATION_OPTIONS_MAX)
        return blame(parse, "there are more than %d options", INVOCATION_OPTIONS_MAX);
    parse->into->given[parse->into->given_count].option = option;
    parse->into->given[parse->into->given_count++].value = value;
    parse->into->help |= strcmp(option->name, "help") == 0;
    parse->into->json |= strcmp(option->name, "json") == 0;
    return value ? check_value(parse, option, value) : BF_OK;
}

static enum bf_err read_options(struct parse *parse)
{
    enum bf_err err = BF_OK;

    for (parse->at = 1; parse->at < parse->argc && !err; parse->at++) {
        const char *word = parse->argv[parse->at];

        if (!parse->words_only && strcmp(word, "--") == 0)
            parse->words_only = true;
        else if (is_option(parse, word))
            err = read_option(parse, word);
    }
    return err;
}

static enum bf_err read_args(struct parse *parse, size_t words)
{
    const struct command *command = parse->into->command;
    size_t wanted = command_arg_count(command), given = parse->word_count - words;

    if (given < wanted)
        return blame(parse, "%s needs %s; belfryctl %s --help says more", command->name,
                     command->args[given].name, command->name);
    if (given > wanted)
        return blame(parse, "%s does not know what to do with \"%s\"", command->name,
                     parse->words[words + wanted]);
    for (size_t i = 0; i < wanted; i++) {
        if (parse->words[words + i][0] == '\0')
            return blame(parse, "%s must not be empty", command->args[i].name);
        parse->into->args[i] = parse->words[words + i];
    }
    for (size_t i = 0; i < command->option_count; i++)
        if (command->options[i].required && !invocation_value(parse->into, command->options[i].name))
            return blame(parse, "%s needs --%s %s: %s", command->name, command->options[i].name,
                         command->options[i].value, command->options[i].meaning);
    return BF_OK;
}

enum bf_err invocation_parse(int argc, const char *const *argv, struct invocation *ret_invocation,
                             char fault[INVOCATION_FAULT_SIZE])
{
    struct invocation invocation = {.command = NULL};
    struct parse parse = {.argc = argc, .argv = argv, .into = &invocation};
    size_t words;

    parse.fault = fault;
    enum bf_err err = collect_words(&parse);

    if (!err)
        err = find_command(&parse, &words);
    if (!err)
        err = read_options(&parse);
    if (!err && !invocation.command)
        invocation.help = true;
    if (!err && !invocation.help)
        err = read_args(&parse, words);
    if (!err)
        *ret_invocation = invocation;
    return err;
}
