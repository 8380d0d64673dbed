// One PostgreSQL connection: opening with a deadline, prepared statements, SQLSTATE to error. Private to
// bf_db_*.c.
//
// A statement is prepared at its first run on a connection and kept by its text (at most
// BF_CONN_STATEMENTS_MAX; further ones run unprepared). Every wait has a deadline, also against a server that
// has stopped answering: the connection is then broken and must be closed. One thread at a time.
#ifndef BF_DB_CONN_H
#define BF_DB_CONN_H

#include <libpq-fe.h>

#include "bf_db.h"

#define BF_CONN_STATEMENTS_MAX 256
#define BF_CONN_SLOTS          512 // twice as many, so that probing stays short
#define BF_CONN_ERROR_SIZE     256

struct bf_conn {
    PGconn *pg;
    bool broken; // not to be used again
    int64_t answer_timeout_ms;
    char *statements[BF_CONN_SLOTS];
    size_t statement_count;
    char constraint[64]; // of the last failure, "" when it has none
    char error[BF_CONN_ERROR_SIZE];
};

// `error` gets the server's or libpq's words when this fails.
bf_must_check enum bf_err bf_conn_open(const struct bf_db_options *options, struct bf_conn **ret_conn,
                                       char error[BF_CONN_ERROR_SIZE]);
void bf_conn_close(struct bf_conn *conn); // NULL is fine

// BEGIN and the scope in one round trip.
bf_must_check enum bf_err bf_conn_begin(struct bf_conn *conn, enum bf_db_scope scope, struct bf_id tenant,
                                        bool keyed, int64_t answer_ms);
// *ret_result is the caller's (PQclear).
bf_must_check enum bf_err bf_conn_run(struct bf_conn *conn, const char *sql, const struct bf_param *params,
                                      size_t count, PGresult **ret_result);
// A statement without parameters or rows (COMMIT, ROLLBACK, LISTEN). `tag` (may be NULL) must be what the
// server says it did: a COMMIT of a failed transaction answers "ROLLBACK".
bf_must_check enum bf_err bf_conn_command(struct bf_conn *conn, const char *sql, const char *tag);
// Waits for something to read; BF_TIMEOUT when nothing came. Marks the connection broken when it is.
bf_must_check enum bf_err bf_conn_wait(struct bf_conn *conn, uint64_t deadline_mono_ms);

struct bf_rows *bf_rows_take(PGresult *result);

#endif
