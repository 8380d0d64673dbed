// Columns of many rows as PostgreSQL arrays.
#include "bf_sql_array.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void bf_sql_array_init(struct bf_sql_array *array)
{
    bf_buf_init(&array->text, BF_SQL_ARRAY_BYTES_MAX);
}

void bf_sql_array_release(struct bf_sql_array *array)
{
    bf_buf_release(&array->text);
}

static void array_next(struct bf_sql_array *array)
{
    bf_buf_add(&array->text, array->text.len ? "," : "{", 1);
}

void bf_sql_array_text(struct bf_sql_array *array, const char *value)
{
    array_next(array);
    if (!value) {
        bf_buf_str(&array->text, "NULL");
        return;
    }
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

void bf_sql_array_int(struct bf_sql_array *array, int64_t value)
{
    array_next(array);
    bf_buf_fmt(&array->text, "%" PRId64, value);
}

void bf_sql_array_id(struct bf_sql_array *array, struct bf_id id)
{
    char text[BF_ID_TEXT_SIZE];

    array_next(array);
    bf_buf_str(&array->text, bf_id_text(id, text));
}

void bf_sql_array_time(struct bf_sql_array *array, uint64_t unix_ms)
{
    if (unix_ms)
        bf_sql_array_int(array, (int64_t)unix_ms);
    else
        bf_sql_array_text(array, NULL);
}

struct bf_param bf_sql_array_param(struct bf_sql_array *array)
{
    bf_buf_str(&array->text, array->text.len ? "}" : "{}");
    return bf_buf_ok(&array->text) ? BF_P_TEXT(array->text.at) : BF_P_NULL;
}

void bf_sql_columns_init(struct bf_sql_array *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bf_sql_array_init(&columns[i]);
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
    for (size_t i = 0; i < count; i++)
        bf_sql_array_release(&columns[i]);
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
