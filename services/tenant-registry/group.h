// Groups: a number of a tenant that rings extensions, all at once or one after the other. Rules only, no I/O.
// Any thread.
//
// A member is an extension. One that is deleted leaves its groups; a group that nobody is left in stays, and
// a call to it finds nobody to ring.
#ifndef GROUP_H
#define GROUP_H

#include "extension.h"

#define GROUP_MEMBERS_MAX       100
#define GROUP_MEMBERS_TEXT_SIZE (GROUP_MEMBERS_MAX * (EXTENSION_NUMBER_BYTES_MAX + 1))

enum group_strategy {
    GROUP_UNKNOWN,
    GROUP_ALL,
    GROUP_SEQUENCE,
};

struct group {
    char number[EXTENSION_NUMBER_BYTES_MAX + 1];
    char display_name[EXTENSION_DISPLAY_BYTES_MAX + 1];
    enum group_strategy strategy;
    int64_t ring_seconds;                  // all: in total; sequence: each member
    char members[GROUP_MEMBERS_TEXT_SIZE]; // numbers in order, one space between them
    uint64_t created_ms, updated_ms;       // Unix
};

const char *group_strategy_name(enum group_strategy strategy);
enum group_strategy group_strategy_parse(struct bf_str text);
const char *group_strategy_check(struct bf_str text); // NULL when good, else what would be

// Joins numbers that have passed extension_number_check. `count` is at most GROUP_MEMBERS_MAX.
void group_members_join(const char *const *numbers, size_t count, char members[GROUP_MEMBERS_TEXT_SIZE]);
// The first member, or the one behind the last that was given; false at the end. Begin with *at = members.
bool group_members_next(const char **at, struct bf_str *ret_number);
// The index of the first number that stands there for the second time; `count` when there is none.
size_t group_members_repeated(const char *const *numbers, size_t count);

#endif
