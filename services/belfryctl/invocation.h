// What the command line says: a command of the table, its words, its options.
//
// Texts borrow from argv. Nothing is read or asked yet.
#ifndef INVOCATION_H
#define INVOCATION_H

#include "bf_err.h"
#include "command.h"

#define INVOCATION_OPTIONS_MAX 128
#define INVOCATION_FAULT_SIZE  256

struct invocation {
    const struct command *command;      // NULL: only help is asked for
    const char *topic;                  // help: of the commands that begin with this word; NULL: of all
    const char *args[COMMAND_ARGS_MAX]; // as many as the command has, unless help is asked for
    struct {
        const struct option *option;
        const char *value;
    } given[INVOCATION_OPTIONS_MAX];
    size_t given_count;
    bool help, json;
};

// Words and options may come in any order; -- ends the options; --name=value is --name value. On BF_INVALID
// `fault` says what is wrong and what would be right.
bf_must_check enum bf_err invocation_parse(int argc, const char *const *argv,
                                           struct invocation *ret_invocation,
                                           char fault[INVOCATION_FAULT_SIZE]);
// The last value of an option; NULL: not given.
const char *invocation_value(const struct invocation *invocation, const char *name);

#endif
