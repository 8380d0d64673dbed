// Lines for timelines.
#include "push_line.h"

#include "belfry/call/v1/call.pb-c.h"
#include "bf_crypto.h"
#include "bf_sql_array.h"

enum column { COL_TENANT, COL_CALL, COL_LINE, COLS };

static ProtobufCBinaryData bytes_of(const struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), (uint8_t *)id->bytes};
}

// Texts have limits that fit (push.h).
static size_t pack(const struct push_line *line, uint8_t bytes[PUSH_LINE_BYTES_MAX])
{
    const struct push *push = line->settled->push;
    const struct push_outcome *outcome = line->settled->outcome;
    Belfry__Call__V1__PushLine message = BELFRY__CALL__V1__PUSH_LINE__INIT;

    message.id = bytes_of(&line->id);
    message.tenant_id = bytes_of(&push->tenant);
    message.call = bytes_of(&push->call);
    message.device = bytes_of(&push->device);
    message.number = push->number;
    message.at_ms = outcome->at_ms;
    message.failed = outcome->verdict != PUSH_SENT;
    message.kind = (char *)push_kind_name(push->kind);
    message.provider = (char *)push_provider_name(push->provider);
    message.code = (uint32_t)outcome->code;
    message.answer = (char *)outcome->detail;
    message.push_id = (char *)outcome->ref;
    message.attempts = (uint32_t)push->attempts + 1;
    return belfry__call__v1__push_line__get_packed_size(&message) <= PUSH_LINE_BYTES_MAX
               ? belfry__call__v1__push_line__pack(&message, bytes)
               : 0;
}

enum bf_err push_line_add(struct bf_tx *tx, const struct push_line *lines, size_t count)
{
    char hex[2 * PUSH_LINE_BYTES_MAX + 1];
    uint8_t bytes[PUSH_LINE_BYTES_MAX];
    struct bf_sql_array columns[COLS];
    size_t rows;

    bf_sql_columns_init(columns, COLS);
    for (size_t i = 0; i < count; i++) {
        bf_sql_array_id(&columns[COL_TENANT], lines[i].settled->push->tenant);
        bf_sql_array_id(&columns[COL_CALL], lines[i].settled->push->call);
        bf_sql_array_text(&columns[COL_LINE], bf_hex(bytes, pack(&lines[i], bytes), hex));
    }
    return bf_sql_columns_run(tx,
                              "INSERT INTO events.push_line (tenant_id, call, line) "
                              "SELECT tenant, call, decode(line, 'hex') FROM unnest($1::uuid[], $2::uuid[], "
                              "$3::text[]) WITH ORDINALITY AS given (tenant, call, line, n) ORDER BY n",
                              columns, COLS, &rows);
}

static const char take_sql[] =
    "WITH first AS (SELECT position FROM events.push_line "
    "WHERE (SELECT pg_try_advisory_xact_lock(hashtextextended('events.push_line', 0))) "
    "ORDER BY position LIMIT $1), "
    "gone AS (DELETE FROM events.push_line l USING first WHERE l.position = first.position "
    "RETURNING l.position, l.line) SELECT line FROM gone ORDER BY position";

static void request_pack(struct bf_buf *into, Belfry__Call__V1__PushLine **lines, size_t count)
{
    Belfry__Call__V1__PushedRequest request = BELFRY__CALL__V1__PUSHED_REQUEST__INIT;

    request.lines = lines;
    request.n_lines = count;
    bf_autofree uint8_t *bytes =
        bf_xcalloc(belfry__call__v1__pushed_request__get_packed_size(&request) + 1, 1);
    bf_buf_add(into, bytes, belfry__call__v1__pushed_request__pack(&request, bytes));
}

enum bf_err push_line_take(struct bf_tx *tx, struct bf_buf *ret_request, size_t *ret_count)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    Belfry__Call__V1__PushLine *lines[PUSH_LINES_MAX];
    uint8_t bytes[PUSH_LINE_BYTES_MAX];
    size_t count = 0;
    enum bf_err err = bf_tx_exec(tx, &rows, take_sql, BF_P_INT(PUSH_LINES_MAX));

    if (err)
        return err;
    for (size_t row = 0; row < bf_rows_count(rows); row++) {
        size_t len = bf_rows_bytes(rows, row, 0, bytes, sizeof(bytes));
        lines[count] = belfry__call__v1__push_line__unpack(NULL, len, bytes);
        count += lines[count] != NULL; // what cannot be read has no place in a timeline
    }
    if (count)
        request_pack(ret_request, lines, count);
    for (size_t i = 0; i < count; i++)
        belfry__call__v1__push_line__free_unpacked(lines[i], NULL);
    *ret_count = count;
    return bf_buf_ok(ret_request) ? BF_OK : BF_TOO_LARGE;
}

enum bf_err push_line_age(struct bf_tx *tx, int64_t *ret_seconds)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows,
                                 "SELECT coalesce((SELECT extract(epoch FROM now() - at)::bigint "
                                 "FROM events.push_line ORDER BY position LIMIT 1), 0)");

    if (!err)
        *ret_seconds = bf_rows_int(rows, 0, 0);
    return err;
}
