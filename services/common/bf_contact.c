// Parameters of a Contact's URI.
#include "bf_contact.h"

#include <string.h>

struct params { // what is left of ";name=value;name", up to the headers
    const char *at, *end;
};

// A ';' before the '@' belongs to the user.
static struct params params_of(struct bf_str uri)
{
    const char *headers = uri.len ? memchr(uri.at, '?', uri.len) : NULL;
    const char *end = headers ? headers : uri.at + uri.len;
    const char *user = uri.len ? memchr(uri.at, '@', (size_t)(end - uri.at)) : NULL;
    const char *from = user ? user : uri.at;
    const char *at = from < end ? memchr(from, ';', (size_t)(end - from)) : NULL;

    return (struct params){at ? at : end, end};
}

// The next one, without its ';'. False: there is none.
static bool params_next(struct params *params, struct bf_str *ret_param)
{
    if (params->at == params->end)
        return false;
    const char *at = params->at + 1;
    const char *next = memchr(at, ';', (size_t)(params->end - at));
    params->at = next ? next : params->end;
    *ret_param = (struct bf_str){at, (size_t)(params->at - at)};
    return true;
}

static struct bf_str name_of(struct bf_str param)
{
    const char *equals = param.len ? memchr(param.at, '=', param.len) : NULL;

    return (struct bf_str){param.at, equals ? (size_t)(equals - param.at) : param.len};
}

struct bf_str bf_contact_param(struct bf_str uri, struct bf_str name)
{
    struct params params = params_of(uri);
    struct bf_str param;

    while (params_next(&params, &param)) {
        size_t len = name_of(param).len;
        if (len < param.len && bf_str_case_eq((struct bf_str){param.at, len}, name))
            return (struct bf_str){param.at + len + 1, param.len - len - 1};
    }
    return BF_STR("");
}

static bool is_private(struct bf_str param)
{
    static const char *const names[] = {"pn-provider", "pn-prid", "pn-param", "pn-purr", "belfry-wake"};

    for (size_t i = 0; i < BF_LEN(names); i++)
        if (bf_str_case_eq(name_of(param), bf_str(names[i])))
            return true;
    return false;
}

struct bf_str bf_contact_public(struct bf_str uri, char *into)
{
    struct params params = params_of(uri);
    struct bf_str param;
    size_t len = (size_t)(params.at - uri.at), rest = (size_t)(uri.at + uri.len - params.end);

    memmove(into, uri.at, len);
    while (params_next(&params, &param)) {
        if (is_private(param))
            continue;
        into[len] = ';';
        memmove(into + len + 1, param.at, param.len);
        len += 1 + param.len;
    }
    memmove(into + len, params.end, rest);
    return (struct bf_str){into, len + rest};
}
