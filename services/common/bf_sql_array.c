// Columns of many rows as PostgreSQL arrays.
#include "bf_sql_array.h"

#include <arpa/inet.h>
#include <assert.h>
#include <endian.h>
#include <string.h>

// The header of an array of one dimension, in network order: dimensions, whether there are nulls, the type of
// the elements, how many, the index of the first. Each element comes with its length in front.
#define HEADER_WORDS 5

static const uint32_t types[] = {
    [BF_SQL_IDS] = 2950, [BF_SQL_INTS] = 20, [BF_SQL_TEXTS] = 25, [BF_SQL_BYTES] = 17};

void bf_sql_array_init_as(struct bf_sql_array *array, enum bf_sql_form form)
{
    static const uint32_t header[HEADER_WORDS];

    *array = (struct bf_sql_array){.form = form};
    bf_buf_init(&array->text, BF_SQL_ARRAY_BYTES_MAX);
    if (form != BF_SQL_LITERALS)
        bf_buf_add(&array->text, header, sizeof(header)); // filled in at the end
}

void bf_sql_array_init(struct bf_sql_array *array)
{
    bf_sql_array_init_as(array, BF_SQL_LITERALS);
}

void bf_sql_array_release(struct bf_sql_array *array)
{
    bf_buf_release(&array->text);
}

static void binary_add(struct bf_sql_array *array, const void *bytes, size_t len)
{
    uint32_t length = htonl((uint32_t)len);

    array->count++;
    bf_buf_add(&array->text, &length, sizeof(length));
    bf_buf_add(&array->text, bytes, len);
}

static void literal_next(struct bf_sql_array *array)
{
    bf_buf_add(&array->text, array->text.len ? "," : "{", 1);
}

void bf_sql_array_null(struct bf_sql_array *array)
{
    const uint32_t none = UINT32_MAX;

    if (array->form == BF_SQL_LITERALS) {
        literal_next(array);
        bf_buf_str(&array->text, "NULL");
        return;
    }
    array->count++;
    array->nulls = true;
    bf_buf_add(&array->text, &none, sizeof(none));
}

static void literal_text(struct bf_sql_array *array, const char *value)
{
    literal_next(array);
    bf_buf_add(&array->text, "\"", 1);
    while (*value) {
        size_t plain = strcspn(value, "\"\\");
        bf_buf_add(&array->text, value, plain);
        value += plain;
        if (*value) {
            bf_buf_add(&array->text, "\\", 1);
            bf_buf_add(&array->text, value++, 1);
        }
    }
    bf_buf_add(&array->text, "\"", 1);
}

void bf_sql_array_text(struct bf_sql_array *array, const char *value)
{
    if (!value) {
        bf_sql_array_null(array);
    } else if (array->form == BF_SQL_LITERALS) {
        literal_text(array, value);
    } else {
        assert(array->form == BF_SQL_TEXTS);
        binary_add(array, value, strlen(value));
    }
}

void bf_sql_array_int(struct bf_sql_array *array, int64_t value)
{
    if (array->form == BF_SQL_LITERALS) {
        literal_next(array);
        bf_buf_int(&array->text, value);
        return;
    }
    assert(array->form == BF_SQL_INTS);
    uint64_t big = htobe64((uint64_t)value);
    binary_add(array, &big, sizeof(big));
}

void bf_sql_array_id(struct bf_sql_array *array, struct bf_id id)
{
    char text[BF_ID_TEXT_SIZE];

    if (array->form == BF_SQL_LITERALS) {
        literal_next(array);
        bf_buf_str(&array->text, bf_id_text(id, text));
        return;
    }
    assert(array->form == BF_SQL_IDS);
    binary_add(array, id.bytes, sizeof(id.bytes));
}

void bf_sql_array_bytes(struct bf_sql_array *array, const void *bytes, size_t len)
{
    assert(array->form == BF_SQL_BYTES);
    binary_add(array, bytes, len);
}

void bf_sql_array_time(struct bf_sql_array *array, uint64_t unix_ms)
{
    if (unix_ms)
        bf_sql_array_int(array, (int64_t)unix_ms);
    else
        bf_sql_array_null(array);
}

// An array without elements has no dimension.
static struct bf_param binary_param(struct bf_sql_array *array)
{
    const uint32_t header[HEADER_WORDS] = {htonl(array->count > 0), htonl(array->nulls),
                                           htonl(types[array->form]), htonl(array->count), htonl(1)};

    memcpy(array->text.at, header, sizeof(header));
    return BF_P_BYTES(array->text.at, array->count > 0 ? array->text.len : 3 * sizeof(header[0]));
}

struct bf_param bf_sql_array_param(struct bf_sql_array *array)
{
    if (array->form == BF_SQL_LITERALS)
        bf_buf_str(&array->text, array->text.len ? "}" : "{}");
    if (!bf_buf_ok(&array->text))
        return BF_P_NULL;
    return array->form == BF_SQL_LITERALS ? BF_P_TEXT(array->text.at) : binary_param(array);
}

void bf_sql_columns_init(struct bf_sql_array *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bf_sql_array_init(&columns[i]);
}

void bf_sql_columns_init_as(struct bf_sql_array *columns, const enum bf_sql_form *forms, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bf_sql_array_init_as(&columns[i], forms[i]);
}

void bf_sql_columns_release(struct bf_sql_array *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bf_sql_array_release(&columns[i]);
}

enum bf_err bf_sql_columns_ask(struct bf_tx *tx, const char *sql, struct bf_sql_array *columns, size_t count,
                               const struct bf_param *more, size_t more_count, struct bf_rows **ret_rows)
{
    struct bf_param params[BF_SQL_COLUMNS_MAX] = {{.at = NULL}};
    bool fits = true;

    assert(count + more_count <= BF_SQL_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        params[i] = bf_sql_array_param(&columns[i]);
        fits = fits && params[i].at;
    }
    for (size_t i = 0; i < more_count; i++)
        params[count + i] = more[i];
    enum bf_err err = fits ? bf_tx_run(tx, sql, params, count + more_count, ret_rows) : BF_TOO_LARGE;
    bf_sql_columns_release(columns, count);
    return err;
}

enum bf_err bf_sql_columns_run(struct bf_tx *tx, const char *sql, struct bf_sql_array *columns, size_t count,
                               size_t *ret_rows)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_sql_columns_ask(tx, sql, columns, count, NULL, 0, &rows);

    if (!err)
        *ret_rows = (size_t)bf_rows_affected(rows);
    return err;
}
