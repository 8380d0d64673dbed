// Completion for bash: a script made from the table of commands.
#include "help.h"

#include <string.h>

static void add_option_names(struct bf_buf *into, const struct option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bf_buf_fmt(into, " --%s", options[i].name);
}

// The first words, or the second words behind `first`, each once.
static void add_words(struct bf_buf *into, const char *first)
{
    size_t first_len = first ? strlen(first) : 0;
    const char *last = "";

    for (size_t i = 0; i < command_count; i++) {
        const char *name = commands[i].name;
        size_t len = strcspn(name, " ");

        if (first && len == first_len && strncmp(name, first, len) == 0 && name[len])
            bf_buf_fmt(into, " %s", name + len + 1);
        else if (!first && (strlen(last) < len || strncmp(last, name, len) != 0 || strcspn(last, " ") != len))
            bf_buf_fmt(into, " %.*s", (int)len, name);
        last = name;
    }
}

// An option is the same wherever it is: it is written where it is first.
static bool is_first(size_t command, const struct option *option)
{
    for (size_t i = 0; i < command; i++)
        if (command_option(&commands[i], bf_str(option->name)))
            return false;
    return true;
}

static void add_values(struct bf_buf *into)
{
    bf_buf_str(into, "    case $prev in\n"
                     "    --key-file | --ca-file | --password-file) COMPREPLY=($(compgen -f -- \"$cur\")); "
                     "return ;;\n");
    for (size_t i = 0; i < command_count; i++)
        for (size_t o = 0; o < commands[i].option_count; o++) {
            const struct option *option = &commands[i].options[o];

            if (option->words && is_first(i, option))
                bf_buf_fmt(into, "    --%s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n",
                           option->name, option->words);
        }
    bf_buf_str(into, "    esac\n");
}

static void add_commands(struct bf_buf *into)
{
    bf_buf_str(into, "    case $path in\n    '') words='");
    add_words(into, NULL);
    bf_buf_str(into, "' ;;\n");
    for (size_t i = 0; i < command_count; i++) {
        const char *name = commands[i].name;
        size_t len = strcspn(name, " ");

        if (name[len] && (i == 0 || strncmp(commands[i - 1].name, name, len + 1) != 0)) {
            bf_autofree char *first = bf_xstrndup(name, len);
            bf_buf_fmt(into, "    '%s') words='", first);
            add_words(into, first);
            bf_buf_str(into, "' ;;\n");
        }
        bf_buf_fmt(into, "    '%s' | '%s '*) words='", name, name);
        add_option_names(into, commands[i].options, commands[i].option_count);
        if (commands[i].show == SHOW_LIST)
            add_option_names(into, list_options, list_option_count);
        bf_buf_str(into, "' ;;\n");
    }
    bf_buf_str(into, "    esac\n");
}

void help_bash_completion(struct bf_buf *into)
{
    bf_buf_str(into,
               "# Completion of belfryctl in bash: source <(belfryctl completion bash)\n"
               "_belfryctl() {\n"
               "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= words= i\n"
               "    COMPREPLY=()\n");
    add_values(into);
    bf_buf_str(into, "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                     "        case ${COMP_WORDS[i]} in\n"
                     "        --json | --help) ;;\n"
                     "        -*) ((i++)) ;;\n"
                     "        *) path+=${path:+ }${COMP_WORDS[i]} ;;\n"
                     "        esac\n"
                     "    done\n");
    add_commands(into);
    bf_buf_str(into, "    words+='");
    add_option_names(into, global_options, global_option_count);
    bf_buf_str(into, "'\n"
                     "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                     "}\n"
                     "complete -F _belfryctl belfryctl\n");
}
