// What belfryctl says about itself: help, bash completion and the manual page, all from the table of
// commands. Any thread.
#ifndef HELP_H
#define HELP_H

#include "bf_buf.h"
#include "command.h"

#define EXIT_OK          0
#define EXIT_REFUSED     1
#define EXIT_USAGE       2
#define EXIT_UNAVAILABLE 3
#define EXIT_NOT_FOUND   4
#define EXIT_DRIFT       5

void help_overview(struct bf_buf *into, const char *topic); // topic NULL: all commands
void help_command(struct bf_buf *into, const struct command *command);
void help_routes(struct bf_buf *into); // what each command asks: name, method, path; for the docs check
void help_man(struct bf_buf *into);    // docs/belfryctl.1 is this
void help_bash_completion(struct bf_buf *into);

#endif
