// Paths, queries, bodies.
#include "request.h"

#include <stdio.h>
#include <string.h>

static void add_encoded(struct bf_buf *into, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~";

    for (const char *at = text; *at; at++) {
        // A segment of dots alone would be taken for a way up.
        if (strchr(plain, *at) || (*at == '.' && strspn(text, ".") != strlen(text)))
            bf_buf_add(into, at, 1);
        else
            bf_buf_fmt(into, "%%%02X", (unsigned char)*at);
    }
}

bool request_needs_tenant(const struct command *command)
{
    return command->path && strstr(command->path, "{tenant}") != NULL;
}

void request_query(struct bf_buf *path, const char *name, const char *value)
{
    bf_buf_fmt(path, "%c%s=", path->at && strchr(path->at, '?') ? '&' : '?', name);
    add_encoded(path, value);
}

static const char *parameter(const struct invocation *invocation, const char *tenant, struct bf_str name)
{
    if (bf_str_eq(name, BF_STR("tenant")))
        return tenant;
    for (size_t i = 0; i < command_arg_count(invocation->command); i++)
        if (bf_str_eq(name, bf_str(invocation->command->args[i].name)))
            return invocation->args[i];
    return "";
}

static void write_path(const struct invocation *invocation, const char *tenant, struct bf_buf *path)
{
    for (const char *at = invocation->command->path; *at;) {
        size_t len = strcspn(at, "{");

        bf_buf_add(path, at, len);
        at += len;
        if (*at == '{') {
            len = strcspn(at, "}");
            add_encoded(path, parameter(invocation, tenant, (struct bf_str){at + 1, len - 1}));
            at += len + 1;
        }
    }
}

enum bf_err request_first_line(const char *file, char **ret_line)
{
    char line[REQUEST_FILE_BYTES_MAX];
    bool standard_input = strcmp(file, "-") == 0;
    FILE *from = standard_input ? stdin : fopen(file, "re");

    if (!from)
        return BF_NOT_FOUND;
    bool read = fgets(line, sizeof(line), from) != NULL;
    if (!standard_input)
        fclose(from);
    if (!read)
        return BF_INVALID;
    size_t len = strcspn(line, "\r\n");
    if (len == 0 || len + 1 == sizeof(line))
        return BF_INVALID;
    *ret_line = bf_xstrndup(line, len);
    return BF_OK;
}

// Sets "limits.max_calls" in {"limits": {"max_calls": ...}}. `value` is taken.
static void set_field(json_t *body, const char *field, json_t *value)
{
    const char *dot = strchr(field, '.');

    if (!dot) {
        json_object_set_new(body, field, value);
        return;
    }
    bf_autofree char *name = bf_xstrndup(field, (size_t)(dot - field));
    if (!json_object_get(body, name))
        json_object_set_new(body, name, json_object());
    json_object_set_new(json_object_get(body, name), dot + 1, value);
}

static void append_field(json_t *body, const char *field, const char *value)
{
    if (!json_object_get(body, field))
        json_object_set_new(body, field, json_array());
    // One empty text stands for an empty list: it could not be said otherwise.
    if (value[0])
        json_array_append_new(json_object_get(body, field), json_string(value));
}

static enum bf_err set_from_file(json_t *body, const struct option *option, const char *file,
                                 char fault[INVOCATION_FAULT_SIZE])
{
    bf_autofree char *line = NULL;
    enum bf_err err = request_first_line(file, &line);

    if (err) {
        snprintf(fault, INVOCATION_FAULT_SIZE, "--%s: %s %s", option->name, file,
                 err == BF_NOT_FOUND ? "cannot be read" : "has no first line that could be used");
        return BF_INVALID;
    }
    set_field(body, option->field, json_string(line));
    return BF_OK;
}

static enum bf_err set_option(json_t *body, const struct option *option, const char *value,
                              char fault[INVOCATION_FAULT_SIZE])
{
    int64_t number = 0;

    switch (option->kind) {
    case OPTION_TEXT:
        set_field(body, option->field, json_string(value));
        break;
    case OPTION_TEXT_OR_NULL:
        set_field(body, option->field, value[0] ? json_string(value) : json_null());
        break;
    case OPTION_INT:
        if (bf_parse_int(bf_str(value), INT32_MIN, INT32_MAX, &number))
            set_field(body, option->field, json_integer(number));
        break;
    case OPTION_BOOL:
        set_field(body, option->field, json_boolean(strcmp(value, "on") == 0));
        break;
    case OPTION_TEXTS:
        append_field(body, option->field, value);
        break;
    case OPTION_FILE:
        return set_from_file(body, option, value, fault);
    }
    return BF_OK;
}

static json_t *body_begin(const struct invocation *invocation)
{
    const struct command *command = invocation->command;
    json_t *body = command->body ? json_loads(command->body, 0, NULL) : json_object();

    for (size_t i = 0; i < command_arg_count(command); i++)
        if (command->args[i].field)
            set_field(body, command->args[i].field, json_string(invocation->args[i]));
    return body;
}

static bool has_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PATCH") == 0;
}

enum bf_err request_make(const struct invocation *invocation, const char *tenant, struct request *ret_request,
                         char fault[INVOCATION_FAULT_SIZE])
{
    const struct command *command = invocation->command;
    struct request request = {.method = command->method};
    enum bf_err err = BF_OK;

    bf_buf_init(&request.path, REQUEST_PATH_BYTES_MAX);
    write_path(invocation, tenant, &request.path);
    if (has_body(command->method))
        request.body = body_begin(invocation);
    for (size_t i = 0; i < invocation->given_count && !err; i++) {
        const struct option *option = invocation->given[i].option;

        if (!option->field)
            continue;
        if (request.body)
            err = set_option(request.body, option, invocation->given[i].value, fault);
        else
            request_query(&request.path, option->field, invocation->given[i].value);
    }
    if (!err && !bf_buf_ok(&request.path)) {
        snprintf(fault, INVOCATION_FAULT_SIZE, "the words are longer than a path may be");
        err = BF_INVALID;
    }
    if (err)
        request_release(&request);
    else
        *ret_request = request;
    return err;
}

void request_release(struct request *request)
{
    bf_buf_release(&request->path);
    json_decref(request->body);
    request->body = NULL;
}
