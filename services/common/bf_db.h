// PostgreSQL by libpq: a pool of connections, transactions, parameters only.
//
// A worker borrows a transaction, runs statements top to bottom and commits; releasing one that was not
// committed rolls it back. The scope travels with the transaction (SET LOCAL belfry.tenant_id /
// belfry.scope), which is what row-level security looks at: no statement runs outside a scope. It begins
// for the server with its first statement (docs/adr/0026). A lost connection is opened anew, with a back-off
// shared by all; while the server is away a borrow or the first statement fails with BF_UNAVAILABLE within
// `connect_timeout_ms`. The pool is for any thread; a transaction belongs to the thread that began it.
#ifndef BF_DB_H
#define BF_DB_H

#include "bf_base.h"
#include "bf_err.h"
#include "bf_id.h"

struct bf_db; // the pool
struct bf_tx;
struct bf_rows;

struct bf_db_options {
    const char *host; // a directory: unix socket
    int64_t port;
    const char *dbname, *user, *password;
    const char *application;
    int64_t connections_max;
    int64_t connect_timeout_ms;
    int64_t borrow_timeout_ms;    // waiting for a free connection; then BF_UNAVAILABLE
    int64_t statement_timeout_ms; // the server ends a longer statement: BF_TIMEOUT
};

enum bf_db_scope {
    BF_SCOPE_TENANT, // sees one tenant's rows
    BF_SCOPE_SYSTEM, // sees all: operators, bus methods, the feed
};

// One $n parameter. Build with BF_P_*.
struct bf_param {
    const void *at; // NULL: SQL NULL
    size_t len;
    bool binary;
    char number[24];
};

#define BF_P_TEXT(cstring)    bf_param_text(cstring)
#define BF_P_STR(str)         bf_param_str(str)
#define BF_P_INT(value)       bf_param_int(value)
#define BF_P_ID(id)           bf_param_id(&(id)) // must outlive the call
#define BF_P_BYTES(ptr, size) ((struct bf_param){.at = (ptr), .len = (size), .binary = true})
#define BF_P_NULL             ((struct bf_param){0})

bf_must_check enum bf_err bf_db_open(const struct bf_db_options *options,
                                     struct bf_db **ret_db); // connects lazily
void bf_db_close(struct bf_db *db);
bf_must_check enum bf_err bf_db_ping(struct bf_db *db); // for /ready
// Why the last connect failed, in the server's words, for the log; "" when it did not.
void bf_db_error(struct bf_db *db, char *text, size_t size);

bf_must_check enum bf_err bf_tx_begin(struct bf_db *db, enum bf_db_scope scope, struct bf_id tenant,
                                      struct bf_tx **ret_tx);
// The same for statements that find few rows by keys: each is planned once for any parameters, because
// planning takes longer than it does when tables have many partitions. Tables may be empty at that moment:
// what has an index is not read as a whole, and each look-up in a join should be a LATERAL, or the plan is
// one for tables that stay empty. bf_tx_plan_anew: statements from here to the end are planned as after
// bf_tx_begin.
bf_must_check enum bf_err bf_tx_begin_keyed(struct bf_db *db, enum bf_db_scope scope, struct bf_id tenant,
                                            struct bf_tx **ret_tx);
bf_must_check enum bf_err bf_tx_plan_anew(struct bf_tx *tx);
// The same for one statement that only reads, within 2 s: it is the whole transaction, and for the server
// less work. A further statement and a commit are BF_INTERNAL.
bf_must_check enum bf_err bf_tx_begin_read(struct bf_db *db, enum bf_db_scope scope, struct bf_id tenant,
                                           struct bf_tx **ret_tx);
bf_must_check enum bf_err
bf_tx_commit(struct bf_tx *tx);           // the transaction is over either way; release it still
void bf_tx_release(struct bf_tx *tx);     // NULL is fine
void bf_tx_release_at(struct bf_tx **tx); // for bf_cleanup

// Runs one statement with parameters. ret_rows may be NULL. Errors by SQLSTATE: 23505 CONFLICT, 23503
// NOT_FOUND, 22xxx and 23514 INVALID, 40001/40P01/08xxx/57P0x UNAVAILABLE, 57014 TIMEOUT, 42501 FORBIDDEN,
// else INTERNAL. For CONFLICT, NOT_FOUND and INVALID bf_tx_constraint() names the constraint that said no (""
// when there is none).
bf_must_check enum bf_err bf_tx_run(struct bf_tx *tx, const char *sql, const struct bf_param *params,
                                    size_t count, struct bf_rows **ret_rows);
#define bf_tx_exec(tx, ret_rows, sql, ...)                                                  \
    bf_tx_run((tx), (sql), (const struct bf_param[]){__VA_ARGS__ __VA_OPT__(, ) BF_P_NULL}, \
              sizeof((const struct bf_param[]){__VA_ARGS__ __VA_OPT__(, ) BF_P_NULL}) /     \
                      sizeof(struct bf_param) -                                             \
                  1,                                                                        \
              (ret_rows))
const char *bf_tx_constraint(const struct bf_tx *tx);
const char *bf_tx_error(const struct bf_tx *tx); // the server's message, for the log

void bf_rows_release(struct bf_rows *rows);
void bf_rows_release_at(struct bf_rows **rows);
size_t bf_rows_count(const struct bf_rows *rows);
long bf_rows_affected(const struct bf_rows *rows);
bool bf_rows_null(const struct bf_rows *rows, size_t row, int col);
const char *bf_rows_text(const struct bf_rows *rows, size_t row,
                         int col);                                    // "" for NULL; lives as long as rows
int64_t bf_rows_int(const struct bf_rows *rows, size_t row, int col); // 0 for NULL
bool bf_rows_bool(const struct bf_rows *rows, size_t row, int col);
struct bf_id bf_rows_id(const struct bf_rows *rows, size_t row, int col);
// bytea into `bytes`, at most `room`; returns how many.
size_t bf_rows_bytes(const struct bf_rows *rows, size_t row, int col, void *bytes, size_t room);

struct bf_param bf_param_text(const char *text);
struct bf_param bf_param_str(struct bf_str text);
struct bf_param bf_param_int(int64_t value);
struct bf_param bf_param_id(const struct bf_id *id);

// A connection of its own that LISTENs: waits up to timeout_ms for a notification (*ret_notified) and
// reconnects by itself; BF_UNAVAILABLE while the server is away (the caller waits and calls again). After
// each connect, also the first, it says *ret_notified once without a notification, because anything may have
// been missed before.
struct bf_db_listener;
bf_must_check enum bf_err bf_db_listener_open(const struct bf_db_options *options, const char *channel,
                                              struct bf_db_listener **ret_listener);
void bf_db_listener_close(struct bf_db_listener *listener);
bf_must_check enum bf_err bf_db_listener_wait(struct bf_db_listener *listener, int64_t timeout_ms,
                                              bool *ret_notified);

#endif
