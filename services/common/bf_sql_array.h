// Columns of many rows as PostgreSQL arrays, for `INSERT ... SELECT FROM unnest($1::uuid[], $2::text[],
// ...)`: one statement for a whole batch, parameters only. One thread at a time.
#ifndef BF_SQL_ARRAY_H
#define BF_SQL_ARRAY_H

#include "bf_buf.h"
#include "bf_db.h"

// As literals an array fits any type whose values are written so. The binary forms cost the server a third
// and are of one type each, which the statement has to name.
enum bf_sql_form {
    BF_SQL_LITERALS,
    BF_SQL_IDS,   // uuid[]
    BF_SQL_INTS,  // bigint[]
    BF_SQL_TEXTS, // text[]
    BF_SQL_BYTES, // bytea[]
};

struct bf_sql_array {
    enum bf_sql_form form;
    struct bf_buf text; // literals: "{1,2,NULL" until it is closed
    uint32_t count;     // binary only
    bool nulls;         // binary only
};

void bf_sql_array_init(struct bf_sql_array *array); // of literals
void bf_sql_array_init_as(struct bf_sql_array *array, enum bf_sql_form form);
void bf_sql_array_release(struct bf_sql_array *array);
void bf_sql_array_text(struct bf_sql_array *array, const char *value); // NULL: SQL NULL
void bf_sql_array_int(struct bf_sql_array *array, int64_t value);
void bf_sql_array_id(struct bf_sql_array *array, struct bf_id id);
void bf_sql_array_time(struct bf_sql_array *array,
                       uint64_t unix_ms); // for to_timestamp(x / 1000.0); 0: SQL NULL
void bf_sql_array_bytes(struct bf_sql_array *array, const void *bytes, size_t len); // BF_SQL_BYTES only
void bf_sql_array_null(struct bf_sql_array *array);

// The parameter: borrows from the array, which takes no further values. What did not fit
// (BF_SQL_ARRAY_BYTES_MAX) is SQL NULL as a whole; bf_buf_ok(&array->text) says so.
struct bf_param bf_sql_array_param(struct bf_sql_array *array);

#define BF_SQL_ARRAY_BYTES_MAX (8u << 20)

// A whole batch: a statement whose parameters are the columns, one array each. Releases them, whatever comes.
// BF_TOO_LARGE: one did not fit. *ret_rows: how many were written.
#define BF_SQL_COLUMNS_MAX 32
void bf_sql_columns_init(struct bf_sql_array *columns, size_t count);
void bf_sql_columns_init_as(struct bf_sql_array *columns, const enum bf_sql_form *forms, size_t count);
void bf_sql_columns_release(struct bf_sql_array *columns, size_t count); // when they are not sent after all
bf_must_check enum bf_err bf_sql_columns_run(struct bf_tx *tx, const char *sql, struct bf_sql_array *columns,
                                             size_t count, size_t *ret_rows);
// The same with further parameters behind the columns, and the rows that it returns.
bf_must_check enum bf_err bf_sql_columns_ask(struct bf_tx *tx, const char *sql, struct bf_sql_array *columns,
                                             size_t count, const struct bf_param *more, size_t more_count,
                                             struct bf_rows **ret_rows);

#endif
