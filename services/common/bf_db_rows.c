// Parameters in, rows out.
#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bf_crypto.h"
#include "bf_db_conn.h"

struct bf_rows {
    PGresult *pg;
};

struct bf_param bf_param_text(const char *text)
{
    return bf_param_str(bf_str(text));
}

struct bf_param bf_param_str(struct bf_str text)
{
    return (struct bf_param){.at = text.at, .len = text.len};
}

struct bf_param bf_param_int(int64_t value)
{
    struct bf_param param = {0};
    snprintf(param.number, sizeof(param.number), "%" PRId64, value);
    return param;
}

struct bf_param bf_param_id(const struct bf_id *id)
{
    return (struct bf_param){.at = id->bytes, .len = sizeof(id->bytes), .binary = true};
}

struct bf_rows *bf_rows_take(PGresult *result)
{
    struct bf_rows *rows = bf_xcalloc(1, sizeof(*rows));
    rows->pg = result;
    return rows;
}

void bf_rows_release(struct bf_rows *rows)
{
    if (!rows)
        return;
    PQclear(rows->pg);
    free(rows);
}

void bf_rows_release_at(struct bf_rows **rows)
{
    bf_rows_release(*rows);
}

size_t bf_rows_count(const struct bf_rows *rows)
{
    return (size_t)PQntuples(rows->pg);
}

long bf_rows_affected(const struct bf_rows *rows)
{
    int64_t affected = 0;
    if (!bf_parse_int(bf_str(PQcmdTuples(rows->pg)), 0, LONG_MAX, &affected))
        return 0; // a statement that touches no rows says nothing
    return (long)affected;
}

static void assert_there(const struct bf_rows *rows, size_t row, int col)
{
    assert(row < (size_t)PQntuples(rows->pg) && col >= 0 && col < PQnfields(rows->pg));
}

bool bf_rows_null(const struct bf_rows *rows, size_t row, int col)
{
    assert_there(rows, row, col);
    return PQgetisnull(rows->pg, (int)row, col);
}

const char *bf_rows_text(const struct bf_rows *rows, size_t row, int col)
{
    assert_there(rows, row, col);
    return PQgetvalue(rows->pg, (int)row, col);
}

int64_t bf_rows_int(const struct bf_rows *rows, size_t row, int col)
{
    int64_t value = 0;
    bool good = bf_parse_int(bf_str(bf_rows_text(rows, row, col)), INT64_MIN, INT64_MAX, &value);
    assert(good || bf_rows_null(rows, row, col));
    return good ? value : 0;
}

bool bf_rows_bool(const struct bf_rows *rows, size_t row, int col)
{
    return bf_rows_text(rows, row, col)[0] == 't';
}

struct bf_id bf_rows_id(const struct bf_rows *rows, size_t row, int col)
{
    struct bf_id id = {{0}};
    bool good = bf_id_parse(bf_str(bf_rows_text(rows, row, col)), &id);
    assert(good || bf_rows_null(rows, row, col));
    return id;
}

// bytea comes as "\x" and hex digits.
size_t bf_rows_bytes(const struct bf_rows *rows, size_t row, int col, void *bytes, size_t room)
{
    struct bf_str text = bf_str(bf_rows_text(rows, row, col));
    if (text.len < 2)
        return 0;
    size_t len = (text.len - 2) / 2;
    len = len < room ? len : room;
    bool good = bf_unhex((struct bf_str){text.at + 2, 2 * len}, bytes, len);
    assert(good);
    return good ? len : 0;
}
