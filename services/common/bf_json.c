// The strict reader from JSON into structs.
#include "bf_json.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"

// The name of what is being read, "limits.max_calls": grows on the way down, shrinks on the way up.
struct path {
    char text[BF_JSON_FIELD_MAX];
};

static enum bf_err blame(struct bf_json_fault *fault, const char *field, const char *fmt, ...)
    bf_printf(3, 4);

static enum bf_err blame(struct bf_json_fault *fault, const char *field, const char *fmt, ...)
{
    snprintf(fault->field, sizeof(fault->field), "%s", field);
    va_list args;
    va_start(args, fmt);
    vsnprintf(fault->detail, sizeof(fault->detail), fmt, args);
    va_end(args);
    return BF_INVALID;
}

static struct path path_join(const struct path *parent, const char *name)
{
    struct path path;
    size_t room = sizeof(path.text);
    int len = snprintf(path.text, room, "%s%s%s", parent->text, parent->text[0] ? "." : "", name);
    assert(len >= 0);
    // A cut in the middle of a character would make the answer itself bad UTF-8.
    if ((size_t)len >= room)
        for (size_t end = room - 1; end > 0 && !bf_utf8_valid(bf_str(path.text)); end--)
            path.text[end - 1] = '\0';
    return path;
}

// Depth is checked before jansson builds anything: its own limit is 2048 levels of recursion.
static bool too_deep(struct bf_str text)
{
    int depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']'))
            depth--;
        if (depth > BF_JSON_DEPTH_MAX)
            return true;
    }
    return false;
}

static enum bf_err blame_syntax(struct bf_json_fault *fault, const json_error_t *error)
{
    if (json_error_code(error) == json_error_duplicate_key)
        return blame(fault, "", "line %d, column %d: a field is there twice", error->line, error->column);
    const char *what = bf_utf8_valid(bf_str(error->text)) ? error->text : "not JSON";
    return blame(fault, "", "this is not JSON: line %d, column %d: %s", error->line, error->column, what);
}

enum bf_err bf_json_parse(struct bf_str text, json_t **ret_json, struct bf_json_fault *fault)
{
    size_t good = bf_utf8_good(text);
    if (good < text.len)
        return blame(fault, "", "byte %zu is not valid UTF-8", good + 1);
    if (too_deep(text))
        return blame(fault, "", "this is nested deeper than %d levels", BF_JSON_DEPTH_MAX);
    json_error_t error;
    json_t *json =
        json_loadb(text.at ? text.at : "", text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!json)
        return blame_syntax(fault, &error);
    if (!json_is_object(json)) {
        json_decref(json);
        return blame(fault, "", "this must be a JSON object: {...}");
    }
    *ret_json = json;
    return BF_OK;
}

static void *place(void *into, const struct bf_json_field *field)
{
    return (char *)into + field->offset;
}

void bf_json_clear(const struct bf_json_field *fields, size_t count, void *into)
{
    for (size_t i = 0; i < count; i++) {
        const struct bf_json_field *f = &fields[i];
        switch (f->kind) {
        case BF_JSON_TEXT:
        case BF_JSON_TEXT_OR_NULL:
            *(const char **)place(into, f) = NULL;
            break;
        case BF_JSON_INT:
        case BF_JSON_BOOL:
            *(int64_t *)place(into, f) = BF_JSON_ABSENT;
            break;
        case BF_JSON_TEXTS:
            *(struct bf_json_texts *)place(into, f) = (struct bf_json_texts){0};
            break;
        case BF_JSON_OBJECT:
            bf_json_clear(f->fields, f->field_count, into);
            break;
        }
    }
}

static struct bf_str text_of(const json_t *json)
{
    return (struct bf_str){json_string_value(json), json_string_length(json)};
}

static enum bf_err check_text(const struct bf_json_field *f, struct bf_str value, const char *at,
                              struct bf_json_fault *fault)
{
    const char *wrong = f->check ? f->check(value) : NULL;
    return wrong ? blame(fault, at, "%s", wrong) : BF_OK;
}

static enum bf_err read_text(json_t *json, const struct bf_json_field *f, void *into, const char *at,
                             struct bf_json_fault *fault)
{
    bool nullable = f->kind == BF_JSON_TEXT_OR_NULL;
    bool empty = nullable && json_is_null(json);
    if (!json_is_string(json) && !empty)
        return blame(fault, at, "must be a text%s", nullable ? " or null" : "");
    struct bf_str value = empty ? BF_STR("") : text_of(json);
    if ((int64_t)value.len < f->min || (int64_t)value.len > f->max)
        return blame(fault, at, "must have %" PRId64 " to %" PRId64 " bytes, has %zu", f->min, f->max,
                     value.len);
    enum bf_err err = check_text(f, value, at, fault);
    if (!err)
        *(const char **)place(into, f) = value.at;
    return err;
}

static enum bf_err read_int(json_t *json, const struct bf_json_field *f, void *into, const char *at,
                            struct bf_json_fault *fault)
{
    int64_t value = json_integer_value(json);
    if (!json_is_integer(json) || value < f->min || value > f->max)
        return blame(fault, at, "must be a whole number from %" PRId64 " to %" PRId64, f->min, f->max);
    *(int64_t *)place(into, f) = value;
    return BF_OK;
}

static enum bf_err read_bool(json_t *json, const struct bf_json_field *f, void *into, const char *at,
                             struct bf_json_fault *fault)
{
    if (!json_is_boolean(json))
        return blame(fault, at, "must be true or false");
    *(int64_t *)place(into, f) = json_is_true(json) ? 1 : 0;
    return BF_OK;
}

static enum bf_err read_texts(json_t *json, const struct bf_json_field *f, void *into, const char *at,
                              struct bf_json_fault *fault)
{
    if (!json_is_array(json))
        return blame(fault, at, "must be a list of texts");
    size_t count = json_array_size(json);
    if ((int64_t)count < f->min || (int64_t)count > f->max)
        return blame(fault, at, "must have %" PRId64 " to %" PRId64 " items, has %zu", f->min, f->max, count);
    struct bf_json_texts *texts = place(into, f);
    *texts = (struct bf_json_texts){bf_xcalloc(count, sizeof(*texts->items)), count};
    for (size_t i = 0; i < count; i++) {
        char item[BF_JSON_FIELD_MAX];
        snprintf(item, sizeof(item), "%.40s[%zu]", at, i);
        json_t *value = json_array_get(json, i);
        if (!json_is_string(value))
            return blame(fault, item, "must be a text");
        enum bf_err err = check_text(f, text_of(value), item, fault);
        if (err)
            return err;
        texts->items[i] = json_string_value(value);
    }
    return BF_OK;
}

static enum bf_err read_object(json_t *json, const struct bf_json_field *fields, size_t count, void *into,
                               const struct path *path, struct bf_json_fault *fault);

static enum bf_err read_field(json_t *json, const struct bf_json_field *f, void *into,
                              const struct path *parent, struct bf_json_fault *fault)
{
    struct path path = path_join(parent, f->name);
    switch (f->kind) {
    case BF_JSON_TEXT:
    case BF_JSON_TEXT_OR_NULL:
        return read_text(json, f, into, path.text, fault);
    case BF_JSON_INT:
        return read_int(json, f, into, path.text, fault);
    case BF_JSON_BOOL:
        return read_bool(json, f, into, path.text, fault);
    case BF_JSON_TEXTS:
        return read_texts(json, f, into, path.text, fault);
    case BF_JSON_OBJECT:
        return read_object(json, f->fields, f->field_count, into, &path, fault);
    }
    abort();
}

static bool known(const char *name, const struct bf_json_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(name, fields[i].name) == 0)
            return true;
    return false;
}

static enum bf_err refuse_unknown(json_t *json, const struct bf_json_field *fields, size_t count,
                                  const struct path *path, struct bf_json_fault *fault)
{
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value) if (!known(name, fields, count)) return blame(
        fault, path_join(path, name).text, "there is no such field here");
    return BF_OK;
}

static enum bf_err read_object(json_t *json, const struct bf_json_field *fields, size_t count, void *into,
                               const struct path *path, struct bf_json_fault *fault)
{
    if (!json_is_object(json))
        return blame(fault, path->text, "must be an object");
    enum bf_err err = refuse_unknown(json, fields, count, path, fault);
    for (size_t i = 0; i < count && !err; i++) {
        json_t *value = json_object_get(json, fields[i].name);
        if (value)
            err = read_field(value, &fields[i], into, path, fault);
        else if (fields[i].required)
            err = blame(fault, path_join(path, fields[i].name).text, "is required");
    }
    return err;
}

enum bf_err bf_json_read(json_t *json, const struct bf_json_field *fields, size_t count, void *into,
                         struct bf_json_fault *fault)
{
    bf_json_clear(fields, count, into);
    enum bf_err err = read_object(json, fields, count, into, &(struct path){""}, fault);
    if (err)
        bf_json_release(fields, count, into);
    return err;
}

void bf_json_release(const struct bf_json_field *fields, size_t count, void *into)
{
    for (size_t i = 0; i < count; i++) {
        const struct bf_json_field *f = &fields[i];
        if (f->kind == BF_JSON_OBJECT) {
            bf_json_release(f->fields, f->field_count, into);
        } else if (f->kind == BF_JSON_TEXTS) {
            struct bf_json_texts *texts = place(into, f);
            free(BF_TAKE(texts->items));
            texts->count = 0;
        }
    }
}

json_t *bf_json_text(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

json_t *bf_json_time(uint64_t unix_ms)
{
    char text[BF_RFC3339_SIZE];

    return unix_ms ? json_string(bf_rfc3339(unix_ms, text)) : json_null();
}

json_t *bf_json_id(struct bf_id id)
{
    char text[BF_ID_TEXT_SIZE];

    return json_string(bf_id_text(id, text));
}
