// Rules about groups.
#include "group.h"

#include <assert.h>
#include <string.h>

static const char *const strategy_names[] = {
    [GROUP_UNKNOWN] = "",
    [GROUP_ALL] = "all",
    [GROUP_SEQUENCE] = "sequence",
};

const char *group_strategy_name(enum group_strategy strategy)
{
    return strategy_names[strategy];
}

enum group_strategy group_strategy_parse(struct bf_str text)
{
    for (size_t i = GROUP_ALL; i < BF_LEN(strategy_names); i++)
        if (bf_str_eq(text, bf_str(strategy_names[i])))
            return (enum group_strategy)i;
    return GROUP_UNKNOWN;
}

const char *group_strategy_check(struct bf_str text)
{
    return group_strategy_parse(text) == GROUP_UNKNOWN ? "must be all or sequence" : NULL;
}

void group_members_join(const char *const *numbers, size_t count, char members[GROUP_MEMBERS_TEXT_SIZE])
{
    char *at = members;

    assert(count <= GROUP_MEMBERS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(numbers[i]);

        assert(len <= EXTENSION_NUMBER_BYTES_MAX);
        if (i > 0)
            *at++ = ' ';
        memcpy(at, numbers[i], len);
        at += len;
    }
    *at = '\0';
}

bool group_members_next(const char **at, struct bf_str *ret_number)
{
    size_t len = strcspn(*at, " ");

    if (len == 0)
        return false;
    *ret_number = (struct bf_str){*at, len};
    *at += len + ((*at)[len] == ' ');
    return true;
}

size_t group_members_repeated(const char *const *numbers, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(numbers[i], numbers[j]) == 0)
                return i;
    return count;
}
