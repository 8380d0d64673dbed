// Aligned columns.
#include "table.h"

#include <inttypes.h>
#include <string.h>

#define CELL_BYTES_MAX 4096

const json_t *table_field(const json_t *object, const char *field)
{
    for (;;) {
        size_t len = strcspn(field, ".");
        char name[64];

        if (len >= sizeof(name))
            return NULL;
        memcpy(name, field, len);
        name[len] = '\0';
        object = json_object_get(object, name);
        if (!object || field[len] == '\0')
            return object;
        field += len + 1;
    }
}

size_t table_width(struct bf_str text)
{
    size_t width = 0;

    for (size_t at = 0; at < text.len; width++) {
        size_t len = bf_utf8_next((struct bf_str){text.at + at, text.len - at});

        at += len ? len : 1;
    }
    return width;
}

// C0, DEL, and C1, which some terminals obey in UTF-8 too.
static bool is_control(const char *at, size_t len)
{
    unsigned char first = (unsigned char)at[0];

    return (len == 1 && (first < 0x20 || first == 0x7f)) ||
           (len == 2 && first == 0xc2 && (unsigned char)at[1] < 0xa0);
}

void table_write_safe(struct bf_buf *into, struct bf_str text)
{
    for (size_t at = 0; at < text.len;) {
        size_t len = bf_utf8_next((struct bf_str){text.at + at, text.len - at});

        if (len == 0 || is_control(text.at + at, len))
            bf_buf_str(into, "?");
        else
            bf_buf_add(into, text.at + at, len);
        at += len ? len : 1;
    }
}

// "2026-11-20T13:48:47.123Z" as "2026-11-20 13:48:47".
static void write_time(struct bf_buf *cell, const char *text)
{
    size_t date = strcspn(text, "T"), rest = text[date] ? strcspn(text + date + 1, ".Z") : 0;

    table_write_safe(cell, (struct bf_str){text, date});
    if (rest) {
        bf_buf_str(cell, " ");
        table_write_safe(cell, (struct bf_str){text + date + 1, rest});
    }
}

static void write_value(struct bf_buf *cell, const json_t *value, enum column_kind kind)
{
    const json_t *item;
    size_t i;

    if (json_is_array(value)) {
        json_array_foreach(value, i, item)
        {
            bf_buf_str(cell, i ? " " : "");
            write_value(cell, item, COLUMN_TEXT);
        }
    } else if (json_is_string(value) && kind == COLUMN_TIME) {
        write_time(cell, json_string_value(value));
    } else if (json_is_string(value)) {
        table_write_safe(cell, (struct bf_str){json_string_value(value), json_string_length(value)});
    } else if (json_is_integer(value) && kind == COLUMN_MS) {
        bf_buf_fmt(cell, "%.1f", (double)json_integer_value(value) / 1000.0);
    } else if (json_is_boolean(value)) {
        bf_buf_str(cell, json_is_true(value) ? "yes" : kind == COLUMN_BOOL ? "" : "no");
    } else if (value && !json_is_null(value)) {
        bf_autofree char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        table_write_safe(cell, bf_str(text));
    }
}

// The cell's text; bf_buf_release() it.
static struct bf_buf cell_of(const json_t *item, const struct column *column)
{
    struct bf_buf cell;

    bf_buf_init(&cell, CELL_BYTES_MAX);
    write_value(&cell, table_field(item, column->field), column->kind);
    if (cell.len == 0)
        bf_buf_str(&cell, "-");
    return cell;
}

static bool to_the_right(enum column_kind kind)
{
    return kind == COLUMN_NUMBER || kind == COLUMN_MS;
}

static void write_cell(struct bf_buf *into, struct bf_str text, size_t width, bool right, bool last)
{
    size_t pad = width - table_width(text);

    if (right)
        bf_buf_fmt(into, "%*s", (int)pad, "");
    bf_buf_add(into, text.at, text.len);
    if (last)
        bf_buf_str(into, "\n");
    else
        bf_buf_fmt(into, "%*s  ", right ? 0 : (int)pad, "");
}

static size_t column_width(const struct column *column, const json_t *items)
{
    size_t width = table_width(bf_str(column->title)), i;
    const json_t *item;

    json_array_foreach(items, i, item)
    {
        struct bf_buf cell = cell_of(item, column);
        size_t this_width = table_width((struct bf_str){cell.at, cell.len});

        width = this_width > width ? this_width : width;
        bf_buf_release(&cell);
    }
    return width;
}

void table_write(struct bf_buf *into, const struct column *columns, size_t count, const json_t *items)
{
    bf_autofree size_t *widths = bf_xcalloc(count, sizeof(*widths));
    const json_t *item;
    size_t row;

    for (size_t i = 0; i < count; i++) {
        widths[i] = column_width(&columns[i], items);
        write_cell(into, bf_str(columns[i].title), widths[i], to_the_right(columns[i].kind), i + 1 == count);
    }
    json_array_foreach(items, row, item)
    {
        for (size_t i = 0; i < count; i++) {
            struct bf_buf cell = cell_of(item, &columns[i]);

            write_cell(into, (struct bf_str){cell.at, cell.len}, widths[i], to_the_right(columns[i].kind),
                       i + 1 == count);
            bf_buf_release(&cell);
        }
    }
}

static bool has_fields(const json_t *value)
{
    return json_is_object(value) || (json_is_array(value) && json_is_object(json_array_get(value, 0)));
}

// Calls `each` for every field that is no object itself, with its full name ("legs.0.codec").
typedef void field_each(void *ctx, const char *name, const json_t *value);

static void each_field(const json_t *value, const char *name, field_each *each, void *ctx)
{
    const char *key;
    json_t *field;
    size_t i;

    if (!has_fields(value)) {
        each(ctx, name, value);
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, field)
        {
            bf_autofree char *full = bf_xasprintf("%s.%zu", name, i);
            each_field(field, full, each, ctx);
        }
    } else {
        json_object_foreach((json_t *)value, key, field)
        {
            bf_autofree char *full = bf_xasprintf("%s%s%s", name, name[0] ? "." : "", key);
            each_field(field, full, each, ctx);
        }
    }
}

struct lines {
    struct bf_buf *into;
    size_t width;
};

static void measure(void *ctx, const char *name, const json_t *value)
{
    struct lines *lines = ctx;
    size_t width = table_width(bf_str(name));

    lines->width = width > lines->width ? width : lines->width;
}

static void write_line(void *ctx, const char *name, const json_t *value)
{
    struct lines *lines = ctx;
    size_t width = table_width(bf_str(name));

    table_write_safe(lines->into, bf_str(name));
    bf_buf_fmt(lines->into, "%*s  ", (int)(lines->width - width), "");
    size_t before = lines->into->len;
    write_value(lines->into, value, COLUMN_TEXT);
    bf_buf_str(lines->into, lines->into->len == before ? "-\n" : "\n");
}

void table_write_object(struct bf_buf *into, const json_t *object)
{
    struct lines lines = {.into = into};

    each_field(object, "", measure, &lines);
    each_field(object, "", write_line, &lines);
}
