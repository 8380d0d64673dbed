// Rules about domain names.
#include "domain.h"

#include <string.h>

#include "text.h"

static const char *label_check(struct bf_str label)
{
    if (label.len < 1 || label.len > DOMAIN_LABEL_MAX)
        return "must be a host name: labels of 1 to 63 characters between single dots, no dot at the end";
    if (!text_only(label, TEXT_ALNUM "-"))
        return "must be a host name of letters, digits, - and dots (other letters in their xn-- form)";
    if (label.at[0] == '-' || label.at[label.len - 1] == '-')
        return "must be a host name: no label starts or ends with -";
    if (label.len >= 4 && label.at[2] == '-' && label.at[3] == '-' &&
        !bf_str_case_eq((struct bf_str){label.at, 4}, BF_STR("xn--")))
        return "must be a host name: only xn-- labels may have -- as third and fourth character";
    return NULL;
}

const char *domain_check(struct bf_str text)
{
    struct bf_str label = {text.at, 0};

    if (text.len < 1 || text.len > DOMAIN_BYTES_MAX)
        return "must be a host name of 1 to 253 characters";
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.at[i] != '.')
            continue;
        label.len = (size_t)(text.at + i - label.at);
        const char *wrong = label_check(label);
        if (wrong)
            return wrong;
        if (i < text.len)
            label = (struct bf_str){text.at + i + 1, 0};
    }
    if (text_only(label, TEXT_DIGITS))
        return "must be a host name, not an address: its last label is not a number";
    return NULL;
}

void domain_normalise(struct bf_str text, char *name)
{
    for (size_t i = 0; i < text.len; i++)
        name[i] = (char)(text.at[i] >= 'A' && text.at[i] <= 'Z' ? text.at[i] + ('a' - 'A') : text.at[i]);
    name[text.len] = '\0';
}
