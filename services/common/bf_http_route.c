// From the request line to a route: percent-decoding, path segments, the query.
#include <ctype.h>
#include <string.h>

#include "bf_crypto.h"
#include "bf_http_call.h"

static void refuse(struct bf_http_call *call, enum bf_err err, const char *field, const char *detail)
{
    if (!call->refused)
        call->refused = bf_http_problem(call, err, field, "%s", detail);
}

// Decodes in place. Bad escapes, control characters and what is not UTF-8 are refused; the text stays
// terminated.
static bool decode(char *text, bool plus_is_space)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        unsigned char c = (unsigned char)*from;
        if (c == '+' && plus_is_space) {
            c = ' ';
        } else if (c == '%') {
            if (!from[1] || !bf_unhex((struct bf_str){from + 1, 2}, &c, 1))
                return false;
            from += 2;
        }
        if (c < 0x20 || c == 0x7f)
            return false;
        *to++ = (char)c;
    }
    *to = '\0';
    return bf_utf8_valid(bf_str(text));
}

static void add_segment(struct bf_http_call *call, char *segment)
{
    if (call->segment_count == BF_HTTP_SEGMENTS_MAX) {
        refuse(call, BF_NOT_FOUND, NULL, "there is nothing at this path");
        return;
    }
    if (!decode(segment, false) || strchr(segment, '/')) {
        refuse(call, BF_INVALID, NULL,
               "the path is not valid: escapes must be %XX of well-formed UTF-8, without control characters "
               "and %2F");
        return;
    }
    call->segments[call->segment_count++] = segment;
}

static void split_path(struct bf_http_call *call, char *path)
{
    if (*path != '/') {
        refuse(call, BF_INVALID, NULL, "the path must start with /");
        return;
    }
    for (char *segment = path + 1; segment && !call->refused;) {
        char *end = strchr(segment, '/');
        if (end)
            *end++ = '\0';
        add_segment(call, segment);
        segment = end;
    }
}

static void add_query(struct bf_http_call *call, char *pair)
{
    if (!*pair)
        return;
    char *value = strchr(pair, '=');
    if (value)
        *value++ = '\0';
    else
        value = pair + strlen(pair);
    if (!decode(pair, true) || !decode(value, true))
        refuse(call, BF_INVALID, NULL,
               "the query is not valid: escapes must be %XX of well-formed UTF-8 text");
    else if (bf_http_query(call, pair))
        refuse(call, BF_INVALID, pair, "is in the query twice");
    else if (call->query_count == BF_HTTP_QUERIES_MAX)
        refuse(call, BF_INVALID, NULL, "the query has too many parameters");
    else
        call->queries[call->query_count++] = (struct bf_http_pair){pair, value};
}

static void split_query(struct bf_http_call *call, char *query)
{
    for (char *pair = query; pair && !call->refused;) {
        char *end = strchr(pair, '&');
        if (end)
            *end++ = '\0';
        add_query(call, pair);
        pair = end;
    }
}

void bf_http_split_uri(struct bf_http_call *call, const char *uri)
{
    size_t len = strlen(uri);
    if (len > BF_HTTP_URI_BYTES_MAX) {
        call->path = bf_xstrdup("/");
        call->text = bf_xstrdup("");
        refuse(call, BF_TOO_LARGE, NULL, "the path and query are longer than 2 KiB");
        return;
    }
    call->path = bf_xstrndup(uri, strcspn(uri, "?"));
    call->text = bf_xstrdup(uri);
    char *query = strchr(call->text, '?');
    if (query)
        *query++ = '\0';
    split_path(call, call->text);
    split_query(call, query);
}

static bool is_param(struct bf_str part)
{
    return part.len > 2 && part.at[0] == '{' && part.at[part.len - 1] == '}';
}

// The pattern's next segment; `*pattern` moves behind it, NULL at the end.
static struct bf_str next_part(const char **pattern)
{
    const char *at = *pattern + 1; // behind the slash
    size_t len = strcspn(at, "/");
    *pattern = at[len] ? at + len : NULL;
    return (struct bf_str){at, len};
}

static bool matches(const struct bf_http_call *call, const char *pattern)
{
    size_t i = 0;
    for (; pattern && i < call->segment_count; i++) {
        struct bf_str part = next_part(&pattern);
        struct bf_str segment = bf_str(call->segments[i]);
        if (is_param(part) ? segment.len == 0 : !bf_str_eq(part, segment))
            return false;
    }
    return !pattern && i == call->segment_count;
}

static void take_params(struct bf_http_call *call)
{
    const char *pattern = call->route->pattern;
    for (size_t i = 0; pattern; i++) {
        struct bf_str part = next_part(&pattern);
        if (!is_param(part) || call->param_count == BF_HTTP_PARAMS_MAX)
            continue;
        call->params[call->param_count++] = (struct bf_http_pair){
            .name = bf_xstrndup(part.at + 1, part.len - 2),
            .value = call->segments[i],
        };
    }
}

static bool method_is(const char *asked, const char *ours)
{
    return strcmp(asked, ours) == 0 || (strcmp(asked, "HEAD") == 0 && strcmp(ours, "GET") == 0);
}

void bf_http_find_route(struct bf_http_call *call, const struct bf_http_route *routes, size_t count)
{
    struct bf_buf allow;
    bf_buf_init(&allow, 256);
    for (size_t i = 0; i < count && !call->route; i++) {
        if (!matches(call, routes[i].pattern))
            continue;
        if (method_is(call->method, routes[i].method)) {
            call->route = &routes[i];
            take_params(call);
        }
        bf_buf_fmt(&allow, "%s%s", allow.len ? ", " : "", routes[i].method);
        if (strcmp(routes[i].method, "GET") == 0)
            bf_buf_str(&allow, ", HEAD");
    }
    if (!call->route && allow.len) {
        bf_http_answer_header(call, "Allow", allow.at);
        call->refused = bf_http_problem(call, BF_METHOD, NULL, "allowed here: %s", allow.at);
    } else if (!call->route) {
        refuse(call, BF_NOT_FOUND, NULL, "there is nothing at this path");
    }
    bf_buf_release(&allow);
}

const char *bf_http_query(const struct bf_http_call *call, const char *name)
{
    for (size_t i = 0; i < call->query_count; i++)
        if (strcmp(call->queries[i].name, name) == 0)
            return call->queries[i].value;
    return NULL;
}

const char *bf_http_param(const struct bf_http_call *call, const char *name)
{
    for (size_t i = 0; i < call->param_count; i++)
        if (strcmp(call->params[i].name, name) == 0)
            return call->params[i].value;
    return NULL;
}

enum bf_err bf_http_query_only(struct bf_http_call *call, const char *const *names)
{
    for (size_t i = 0; i < call->query_count; i++) {
        const char *const *name = names;
        while (*name && strcmp(*name, call->queries[i].name) != 0)
            name++;
        if (!*name)
            return bf_http_problem(call, BF_INVALID, call->queries[i].name,
                                   "there is no such query parameter here");
    }
    return BF_OK;
}
