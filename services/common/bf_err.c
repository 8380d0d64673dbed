// The error table, one row per BF_ERR_MAP entry.
#include "bf_err.h"

#include <stddef.h>

struct row {
    const char *name;
    const char *type;
    const char *text;
    int http;
};

static const struct row rows[] = {
#define X(name_, number, http_, type_, text_) [number] = {#name_, type_, text_, http_},
    BF_ERR_MAP(X)
#undef X
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

// A number outside the table can only be a mistake of ours: it shows as INTERNAL instead of reading past the
// end.
static const struct row *row_of(enum bf_err err)
{
    size_t number = (size_t)err;
    return &rows[number < ROWS && rows[number].name ? number : BF_INTERNAL];
}

const char *bf_err_name(enum bf_err err)
{
    return row_of(err)->name;
}

const char *bf_err_text(enum bf_err err)
{
    return row_of(err)->text;
}

const char *bf_err_type(enum bf_err err)
{
    return row_of(err)->type;
}

int bf_err_http(enum bf_err err)
{
    return row_of(err)->http;
}

enum bf_err bf_err_from_bus(unsigned number)
{
    return number < ROWS && rows[number].name ? (enum bf_err)number : BF_PROTOCOL;
}
