// The commands of belfryctl: one table that parsing, requests, help, completion and the man page come from.
//
// Static data, any thread.
#ifndef COMMAND_H
#define COMMAND_H

#include "bf_base.h"
#include "table.h"

#define COMMAND_ARGS_MAX 2

enum option_kind {
    OPTION_TEXT,
    OPTION_TEXT_OR_NULL, // "" is sent as null
    OPTION_INT,
    OPTION_BOOL,  // on or off
    OPTION_TEXTS, // may be given several times
    OPTION_FILE,  // the first line of a file, - is standard input: for what must not be on a command line
};

struct option {
    const char *name; // without the two dashes
    enum option_kind kind;
    bool required;
    const char *value; // what help calls it; NULL: it takes none
    const char *field; // of the body, or of the query of a GET; "limits.max_calls" is one level down
    const char *words; // what it may be, separated by spaces; NULL: anything
    const char *meaning;
};

// A word that must be there. It goes into {NAME} of the path, or with `field` into the body.
struct argument {
    const char *name; // NULL: no further one
    const char *field;
};

enum show {
    SHOW_LIST,     // all pages as one table
    SHOW_TABLE,    // one table that has no pages
    SHOW_OBJECT,   // one thing, a field a line
    SHOW_DONE,     // no body to show: what was done
    SHOW_TIMELINE, // a call's story
    SHOW_DRIFT,    // edges and what they lack
    SHOW_LOCAL,    // asks nobody: completion, routes, man
};

struct command {
    const char *name; // "extension create"
    struct argument args[COMMAND_ARGS_MAX];
    const char *summary;
    const char *method, *path; // {tenant} is the tenant that is meant
    const char *body;          // what is always in the body, as JSON; NULL: nothing
    const struct option *options;
    size_t option_count;
    enum show show;
    const struct column *columns; // of SHOW_LIST and SHOW_TABLE
    size_t column_count;
};

extern const struct command commands[];
extern const size_t command_count;

// Options that every command takes, and those of every list.
extern const struct option global_options[];
extern const size_t global_option_count;
extern const struct option list_options[];
extern const size_t list_option_count;

// The command whose name the words begin with; *ret_words says how many they are. NULL: there is none.
const struct command *command_find(const char *const *words, size_t count, size_t *ret_words);
// Whether commands begin with this word and have a second one ("tenant").
bool command_is_group(const char *word);
// An option of the command by name: its own, a list's, or a global one. NULL: none.
const struct option *command_option(const struct command *command, struct bf_str name);
size_t command_arg_count(const struct command *command);

#endif
