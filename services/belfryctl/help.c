// Help and the manual page.
#include "help.h"

#include <string.h>

static const char about[] = "looks after tenants, their numbers and their calls by Belfry's REST API";

static const struct {
    int code;
    const char *meaning;
} exit_codes[] = {
    {EXIT_OK, "done"},
    {EXIT_REFUSED, "the API refused; what and why is on standard error"},
    {EXIT_USAGE, "the command line or a setting is wrong; nothing was asked"},
    {EXIT_UNAVAILABLE, "the API could not be reached, is overloaded or broken: trying again may help"},
    {EXIT_NOT_FOUND, "there is no such thing"},
    {EXIT_DRIFT, "drift: there is some"},
};

static const struct {
    const char *name, *meaning;
} environment[] = {
    {"BELFRY_API", "base URL of the REST API"},
    {"BELFRY_KEY, BELFRY_KEY_FILE", "the API key, or the file that has it"},
    {"BELFRY_OPERATOR_KEY, BELFRY_OPERATOR_KEY_FILE", "an operator's key, used when there is no other"},
    {"BELFRY_TENANT", "the tenant that is meant, its id or slug"},
    {"BELFRY_CA_FILE", "certificates to trust, in PEM"},
};

// The options of a command in the order in which they are shown.
struct option_set {
    const struct option *options;
    size_t count;
};

static size_t option_sets(const struct command *command, struct option_set sets[2])
{
    bool list = command->show == SHOW_LIST;

    sets[0] = (struct option_set){command->options, command->option_count};
    sets[1] = (struct option_set){list_options, list ? list_option_count : 0};
    return 2;
}

static void write_usage(struct bf_buf *into, const struct command *command)
{
    struct option_set sets[2];
    size_t optional = 0;

    bf_buf_fmt(into, "belfryctl %s", command->name);
    for (size_t i = 0; i < command_arg_count(command); i++)
        bf_buf_fmt(into, " %s", command->args[i].name);
    for (size_t s = 0; s < option_sets(command, sets); s++)
        for (size_t i = 0; i < sets[s].count; i++) {
            const struct option *option = &sets[s].options[i];
            if (option->required)
                bf_buf_fmt(into, " --%s %s", option->name, option->value);
            optional += !option->required;
        }
    if (optional)
        bf_buf_str(into, " [OPTIONS]");
}

static void write_option(struct bf_buf *into, const struct option *option)
{
    bf_autofree char *left =
        bf_xasprintf("--%s%s%s", option->name, option->value ? " " : "", option->value ? option->value : "");

    bf_buf_fmt(into, "  %-28s %s%s%s%s\n", left, option->meaning, option->words ? ": " : "",
               option->words ? option->words : "", option->required ? " (needed)" : "");
}

static void write_options(struct bf_buf *into, const char *title, const struct option *options, size_t count)
{
    if (count)
        bf_buf_fmt(into, "\n%s\n", title);
    for (size_t i = 0; i < count; i++)
        write_option(into, &options[i]);
}

void help_command(struct bf_buf *into, const struct command *command)
{
    struct option_set sets[2];

    bf_buf_str(into, "usage: ");
    write_usage(into, command);
    bf_buf_fmt(into, "\n\n%s\n", command->summary);
    for (size_t s = 0; s < option_sets(command, sets); s++)
        write_options(into, s == 0 ? "options" : "options of every list", sets[s].options, sets[s].count);
    write_options(into, "options of every command", global_options, global_option_count);
}

static bool of_topic(const struct command *command, const char *topic)
{
    size_t len = topic ? strlen(topic) : 0;

    return !topic || (strncmp(command->name, topic, len) == 0 && command->name[len] == ' ');
}

void help_overview(struct bf_buf *into, const char *topic)
{
    bf_buf_fmt(into, "usage: belfryctl COMMAND [OPTIONS]\n\nbelfryctl %s.\n\ncommands\n", about);
    for (size_t i = 0; i < command_count; i++) {
        const struct command *command = &commands[i];
        bf_autofree char *left =
            bf_xasprintf("%s%s%s%s%s", command->name, command->args[0].name ? " " : "",
                         command->args[0].name ? command->args[0].name : "", command->args[1].name ? " " : "",
                         command->args[1].name ? command->args[1].name : "");
        if (of_topic(command, topic))
            bf_buf_fmt(into, "  %-28s %s\n", left, command->summary);
    }
    write_options(into, "options of every command", global_options, global_option_count);
    if (topic)
        return;
    bf_buf_str(into, "\nenvironment\n");
    for (size_t i = 0; i < BF_LEN(environment); i++)
        bf_buf_fmt(into, "  %-28s %s\n", environment[i].name, environment[i].meaning);
    bf_buf_str(into, "\nexit codes\n");
    for (size_t i = 0; i < BF_LEN(exit_codes); i++)
        bf_buf_fmt(into, "  %-28d %s\n", exit_codes[i].code, exit_codes[i].meaning);
}

void help_routes(struct bf_buf *into)
{
    for (size_t i = 0; i < command_count; i++)
        if (commands[i].path)
            bf_buf_fmt(into, "%s\t%s\t%s\n", commands[i].name, commands[i].method, commands[i].path);
}

// ---- the manual page

// Text for roff: hyphens are hyphens, backslashes are none of its own, no line begins with a control
// character.
static void write_roff(struct bf_buf *into, const char *text)
{
    if (*text == '.' || *text == '\'')
        bf_buf_str(into, "\\&");
    for (const char *at = text; *at; at++) {
        if (*at == '\\')
            bf_buf_str(into, "\\e");
        else if (*at == '-')
            bf_buf_str(into, "\\-");
        else
            bf_buf_add(into, at, 1);
    }
}

static void write_roff_item(struct bf_buf *into, const char *term, const char *meaning)
{
    bf_buf_str(into, ".TP\n.B ");
    write_roff(into, term);
    bf_buf_str(into, "\n");
    write_roff(into, meaning);
    bf_buf_str(into, "\n");
}

static void write_roff_options(struct bf_buf *into, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        bf_autofree char *term = bf_xasprintf("--%s%s%s", option->name, option->value ? " " : "",
                                              option->value ? option->value : "");
        bf_autofree char *meaning =
            bf_xasprintf("%s%s%s%s", option->meaning, option->words ? ": " : "",
                         option->words ? option->words : "", option->required ? " (needed)" : "");
        write_roff_item(into, term, meaning);
    }
}

static void write_roff_command(struct bf_buf *into, const struct command *command)
{
    struct bf_buf usage;

    bf_buf_init(&usage, 1024);
    write_usage(&usage, command);
    bf_buf_str(into, ".SS ");
    write_roff(into, usage.at);
    bf_buf_str(into, "\n");
    write_roff(into, command->summary);
    bf_buf_str(into, "\n");
    write_roff_options(into, command->options, command->option_count);
    bf_buf_release(&usage);
}

static void write_roff_codes(struct bf_buf *into)
{
    bf_buf_str(into, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < BF_LEN(exit_codes); i++) {
        bf_autofree char *code = bf_xasprintf("%d", exit_codes[i].code);

        write_roff_item(into, code, exit_codes[i].meaning);
    }
}

void help_man(struct bf_buf *into)
{
    bf_buf_str(into, ".\\\" Made by `belfryctl man`; do not edit.\n.TH BELFRYCTL 1 \"\" Belfry\n.SH NAME\n"
                     "belfryctl \\- ");
    write_roff(into, about);
    bf_buf_str(
        into,
        "\n.SH SYNOPSIS\n.B belfryctl\n.I COMMAND\n.RI [ OPTIONS ]\n.SH DESCRIPTION\n"
        "Words and options may come in any order; \\-\\- ends the options. Tables are for people, \\-\\-json "
        "is for programs.\nAn API key is never given on the command line, where others can see it.\n"
        ".SH COMMANDS\n");
    for (size_t i = 0; i < command_count; i++)
        write_roff_command(into, &commands[i]);
    bf_buf_str(into, ".SH OPTIONS OF EVERY COMMAND\n");
    write_roff_options(into, global_options, global_option_count);
    bf_buf_str(into, ".SH OPTIONS OF EVERY LIST\n");
    write_roff_options(into, list_options, list_option_count);
    bf_buf_str(into, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < BF_LEN(environment); i++)
        write_roff_item(into, environment[i].name, environment[i].meaning);
    write_roff_codes(into);
}
