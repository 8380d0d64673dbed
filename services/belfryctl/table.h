// Tables for people: columns of JSON fields, aligned, safe to print.
//
// What devices say about themselves (a User-Agent) ends up on an operator's terminal: control characters are
// shown as ?, so no answer can move the cursor or change the colours. Any thread.
#ifndef TABLE_H
#define TABLE_H

#include <jansson.h>

#include "bf_buf.h"

enum column_kind {
    COLUMN_TEXT,
    COLUMN_NUMBER, // to the right
    COLUMN_MS,     // milliseconds, shown as seconds; to the right
    COLUMN_TIME,   // RFC 3339, shown to the second
    COLUMN_BOOL,   // yes, or nothing
    COLUMN_LIST,   // texts, separated by spaces
};

struct column {
    const char *title;
    const char *field; // "limits.max_calls" is one level down
    enum column_kind kind;
};

// `items` is an array of objects. What is absent, null or "" is shown as -.
void table_write(struct bf_buf *into, const struct column *columns, size_t count, const json_t *items);
// One object, a field a line: what is in it, in its own order.
void table_write_object(struct bf_buf *into, const json_t *object);

// The field of an object by its dotted name; NULL when it is not there.
const json_t *table_field(const json_t *object, const char *field);
// A text without control characters.
void table_write_safe(struct bf_buf *into, struct bf_str text);
size_t table_width(struct bf_str text); // characters of well-formed UTF-8, bytes of anything else

#endif
