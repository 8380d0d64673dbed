// Columns of many rows as PostgreSQL arrays, for `INSERT ... SELECT FROM unnest($1::uuid[], $2::text[],
// ...)`: one statement for a whole batch, parameters only. One thread at a time.
#ifndef SQL_ARRAY_H
#define SQL_ARRAY_H

#include "bf_buf.h"
#include "bf_db.h"

struct sql_array {
    struct bf_buf text; // "{1,2,NULL" until it is closed
};

void sql_array_init(struct sql_array *array);
void sql_array_release(struct sql_array *array);
void sql_array_text(struct sql_array *array, const char *value); // NULL: SQL NULL
void sql_array_int(struct sql_array *array, int64_t value);
void sql_array_id(struct sql_array *array, struct bf_id id);
void sql_array_time(struct sql_array *array, uint64_t unix_ms); // for to_timestamp(x / 1000.0); 0: SQL NULL

// The parameter: borrows from the array, which takes no further values. What did not fit
// (SQL_ARRAY_BYTES_MAX) is SQL NULL as a whole; bf_buf_ok(&array->text) says so.
struct bf_param sql_array_param(struct sql_array *array);

#define SQL_ARRAY_BYTES_MAX (8u << 20)

// A whole batch: a statement whose parameters are the columns, one array each. Releases them, whatever comes.
// BF_TOO_LARGE: one did not fit. *ret_rows: how many were written.
#define SQL_COLUMNS_MAX 32
void sql_columns_init(struct sql_array *columns, size_t count);
bf_must_check enum bf_err sql_columns_run(struct bf_tx *tx, const char *sql, struct sql_array *columns,
                                          size_t count, size_t *ret_rows);

#endif
