// One PostgreSQL connection: opening with a deadline, prepared statements, SQLSTATE to error. Private to
// bf_db_*.c.
//
// A statement is prepared at its first run on a connection and kept by its text (at most
// BF_CONN_STATEMENTS_MAX; further ones run unprepared). Every wait has a deadline, also against a server that
// has stopped answering: the connection is then broken and must be closed. One thread at a time.
//
// The connection is in libpq's pipeline mode: a transaction begins with its first statement, in the same
// packet, and nobody waits for the answer to a ROLLBACK; the next transaction reads it. A read is one
// statement and its Sync, which the server itself makes a transaction of.
#ifndef BF_DB_CONN_H
#define BF_DB_CONN_H

#include <libpq-fe.h>

#include "bf_db.h"

#define BF_CONN_STATEMENTS_MAX 256
#define BF_CONN_SLOTS          512 // twice as many, so that probing stays short
#define BF_CONN_ERROR_SIZE     256

enum bf_conn_tx {
    BF_CONN_PLAIN,
    BF_CONN_KEYED,
    BF_CONN_READ,
};

struct bf_conn {
    PGconn *pg;
    bool broken; // not to be used again
    bool begins; // the next statement is the first of a transaction: of this one
    enum bf_db_scope scope;
    struct bf_id tenant;
    enum bf_conn_tx kind;
    bool rolling_back; // the answer to a ROLLBACK is still to be read
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

// BEGIN and the scope go with the first statement.
void bf_conn_begin(struct bf_conn *conn, enum bf_db_scope scope, struct bf_id tenant, enum bf_conn_tx kind);
void bf_conn_roll_back(struct bf_conn *conn);
// *ret_result is the caller's (PQclear).
bf_must_check enum bf_err bf_conn_run(struct bf_conn *conn, const char *sql, const struct bf_param *params,
                                      size_t count, PGresult **ret_result);
// BF_INTERNAL: the transaction had failed and was rolled back instead.
bf_must_check enum bf_err bf_conn_commit(struct bf_conn *conn);
bf_must_check enum bf_err bf_conn_listen(struct bf_conn *conn, const char *channel); // a plain name
bf_must_check enum bf_err bf_conn_ping(struct bf_conn *conn, int64_t answer_ms);
// Waits for something to read; BF_TIMEOUT when nothing came. Marks the connection broken when it is.
bf_must_check enum bf_err bf_conn_wait(struct bf_conn *conn, uint64_t deadline_mono_ms);

struct bf_rows *bf_rows_take(PGresult *result);

#endif
