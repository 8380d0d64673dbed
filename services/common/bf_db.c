// The pool of connections and the transactions on them.
#include "bf_db.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_db_conn.h"
#include "bf_metrics.h"
#include "bf_wait.h"

#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 500
#define PING_MS        500 // for a connection, and for its answer

struct bf_db {
    struct bf_db_options options; // its texts are ours
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct bf_conn **idle; // a stack: the warmest connection is used first
    size_t idle_count;
    size_t open_count; // idle, borrowed and being opened
    int64_t backoff_ms;
    uint64_t retry_at_ms;
    char error[BF_CONN_ERROR_SIZE];
};

struct bf_tx {
    struct bf_db *db;
    struct bf_conn *conn; // NULL: it died, and there is no other one
    bool unsure; // no statement has run, and the connection has been idle: it may have died meanwhile
    bool over;
};

enum { CONNECTIONS, CONNECTS, CONNECT_ERRORS, BORROW_TIMEOUTS, STATEMENTS, STATEMENT_ERRORS };

static struct bf_metric metrics[] = {
    [CONNECTIONS] = {.name = "belfry_db_connections", .kind = BF_GAUGE, .help = "Open database connections"},
    [CONNECTS] = {.name = "belfry_db_connects_total", .help = "Database connections opened"},
    [CONNECT_ERRORS] = {.name = "belfry_db_connect_errors_total",
                        .help = "Database connections that failed to open"},
    [BORROW_TIMEOUTS] = {.name = "belfry_db_borrow_timeouts_total",
                         .help = "Requests that found no free database connection in time"},
    [STATEMENTS] = {.name = "belfry_db_statement_seconds",
                    .kind = BF_HISTOGRAM,
                    .help = "Time of one statement"},
    [STATEMENT_ERRORS] = {.name = "belfry_db_statement_errors_total", .help = "Statements that failed"},
};

enum bf_err bf_db_open(const struct bf_db_options *options, struct bf_db **ret_db)
{
    if (!options->host || !options->dbname || !options->user || options->connections_max < 1 ||
        options->connect_timeout_ms < 1 || options->borrow_timeout_ms < 0 ||
        options->statement_timeout_ms < 1)
        return BF_INVALID;
    bf_metrics_register(metrics, BF_LEN(metrics));
    struct bf_db *db = bf_xcalloc(1, sizeof(*db));
    db->options = *options;
    const char **texts[] = {&db->options.host, &db->options.dbname, &db->options.user, &db->options.password,
                            &db->options.application};
    for (size_t i = 0; i < BF_LEN(texts); i++)
        *texts[i] = bf_xstrdup(*texts[i] ? *texts[i] : "");
    db->idle = bf_xcalloc((size_t)options->connections_max, sizeof(struct bf_conn *));
    pthread_mutex_init(&db->lock, NULL);
    bf_wait_init(&db->returned);
    *ret_db = db;
    return BF_OK;
}

static void free_secret(const char *text)
{
    explicit_bzero((char *)text, strlen(text));
    free((char *)text);
}

void bf_db_close(struct bf_db *db)
{
    if (!db)
        return;
    assert(db->idle_count == db->open_count); // a transaction was never released
    for (size_t i = 0; i < db->idle_count; i++) {
        bf_conn_close(db->idle[i]);
        bf_metric_add(&metrics[CONNECTIONS], -1);
    }
    free(db->idle);
    pthread_cond_destroy(&db->returned);
    pthread_mutex_destroy(&db->lock);
    free((char *)db->options.host);
    free((char *)db->options.dbname);
    free((char *)db->options.user);
    free((char *)db->options.application);
    free_secret(db->options.password);
    free(db);
}

void bf_db_error(struct bf_db *db, char *text, size_t size)
{
    pthread_mutex_lock(&db->lock);
    snprintf(text, size, "%s", db->error);
    pthread_mutex_unlock(&db->lock);
}

// ---- the pool

// Opens a connection in a place already counted in open_count; gives the place up when that fails.
static enum bf_err open_in_place(struct bf_db *db, struct bf_conn **ret_conn)
{
    char error[BF_CONN_ERROR_SIZE] = "";
    enum bf_err err = bf_conn_open(&db->options, ret_conn, error);
    pthread_mutex_lock(&db->lock);
    if (err) {
        db->backoff_ms = db->backoff_ms ? db->backoff_ms * 2 : BACKOFF_MIN_MS;
        db->backoff_ms = db->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : db->backoff_ms;
        db->retry_at_ms = bf_mono_ms() + (uint64_t)db->backoff_ms;
        db->open_count--;
        pthread_cond_signal(&db->returned);
    } else {
        db->backoff_ms = 0;
        db->retry_at_ms = 0;
    }
    memcpy(db->error, error, sizeof(error));
    pthread_mutex_unlock(&db->lock);
    bf_metric_add(&metrics[err ? CONNECT_ERRORS : CONNECTS], 1);
    bf_metric_add(&metrics[CONNECTIONS], err ? 0 : 1);
    return err;
}

// A free connection, or (with *ret_conn NULL) a place for a new one. Under the lock.
static enum bf_err wait_for_place(struct bf_db *db, int64_t timeout_ms, struct bf_conn **ret_conn)
{
    struct timespec until = bf_wait_until(timeout_ms);
    while (db->idle_count == 0 && db->open_count == (size_t)db->options.connections_max)
        if (pthread_cond_timedwait(&db->returned, &db->lock, &until))
            return BF_TIMEOUT;
    if (db->idle_count > 0) {
        *ret_conn = db->idle[--db->idle_count];
        return BF_OK;
    }
    if (bf_mono_ms() < db->retry_at_ms)
        return BF_UNAVAILABLE;
    db->open_count++;
    *ret_conn = NULL;
    return BF_OK;
}

// *ret_used: the connection has been idle and may have died meanwhile.
static enum bf_err borrow(struct bf_db *db, int64_t timeout_ms, struct bf_conn **ret_conn, bool *ret_used)
{
    struct bf_conn *conn = NULL;
    pthread_mutex_lock(&db->lock);
    enum bf_err err = wait_for_place(db, timeout_ms, &conn);
    pthread_mutex_unlock(&db->lock);
    if (err) {
        bf_metric_add(&metrics[BORROW_TIMEOUTS], err == BF_TIMEOUT);
        return BF_UNAVAILABLE;
    }
    *ret_used = conn != NULL;
    if (!conn)
        return open_in_place(db, ret_conn);
    *ret_conn = conn;
    return BF_OK;
}

static void give_back(struct bf_db *db, struct bf_conn *conn)
{
    bool dead = conn->broken;
    if (dead) {
        bf_conn_close(conn);
        bf_metric_add(&metrics[CONNECTIONS], -1);
    }
    pthread_mutex_lock(&db->lock);
    if (dead)
        db->open_count--;
    else
        db->idle[db->idle_count++] = conn;
    pthread_cond_signal(&db->returned);
    pthread_mutex_unlock(&db->lock);
}

// ---- transactions

static enum bf_err begin(struct bf_db *db, enum bf_db_scope scope, struct bf_id tenant, enum bf_conn_tx kind,
                         struct bf_tx **ret_tx)
{
    struct bf_conn *conn = NULL;
    bool used = false;
    if (scope == BF_SCOPE_TENANT && bf_id_is_nil(tenant))
        return BF_INTERNAL; // a caller that forgot whose request this is
    enum bf_err err = borrow(db, db->options.borrow_timeout_ms, &conn, &used);
    if (err)
        return err;
    bf_conn_begin(conn, scope, tenant, kind);
    struct bf_tx *tx = bf_xcalloc(1, sizeof(*tx));
    *tx = (struct bf_tx){.db = db, .conn = conn, .unsure = used};
    *ret_tx = tx;
    return BF_OK;
}

enum bf_err bf_tx_begin(struct bf_db *db, enum bf_db_scope scope, struct bf_id tenant, struct bf_tx **ret_tx)
{
    return begin(db, scope, tenant, BF_CONN_PLAIN, ret_tx);
}

enum bf_err bf_tx_begin_keyed(struct bf_db *db, enum bf_db_scope scope, struct bf_id tenant,
                              struct bf_tx **ret_tx)
{
    return begin(db, scope, tenant, BF_CONN_KEYED, ret_tx);
}

enum bf_err bf_tx_begin_read(struct bf_db *db, enum bf_db_scope scope, struct bf_id tenant,
                             struct bf_tx **ret_tx)
{
    return begin(db, scope, tenant, BF_CONN_READ, ret_tx);
}

enum bf_err bf_tx_plan_anew(struct bf_tx *tx)
{
    return bf_tx_exec(tx, NULL,
                      "SELECT set_config('plan_cache_mode', 'auto', true), "
                      "set_config('enable_seqscan', 'on', true)");
}

enum bf_err bf_tx_commit(struct bf_tx *tx)
{
    if (tx->over)
        return BF_INTERNAL;
    if (!tx->conn || tx->conn->broken)
        return BF_UNAVAILABLE;
    tx->over = true;
    enum bf_err err = bf_conn_commit(tx->conn);
    bf_metric_add(&metrics[STATEMENT_ERRORS], err != BF_OK);
    return err;
}

void bf_tx_release(struct bf_tx *tx)
{
    if (!tx)
        return;
    if (tx->conn) {
        if (!tx->over)
            bf_conn_roll_back(tx->conn);
        give_back(tx->db, tx->conn);
    }
    free(tx);
}

void bf_tx_release_at(struct bf_tx **tx)
{
    bf_tx_release(*tx);
}

// The server was restarted while the connection was idle. Nothing of the transaction can have been kept, so a
// new one may take over.
static enum bf_err begin_again(struct bf_tx *tx)
{
    struct bf_conn *dead = BF_TAKE(tx->conn);
    enum bf_err err = open_in_place(tx->db, &tx->conn);
    if (!err)
        bf_conn_begin(tx->conn, dead->scope, dead->tenant, dead->kind);
    bf_conn_close(dead);
    bf_metric_add(&metrics[CONNECTIONS], -1);
    return err;
}

enum bf_err bf_tx_run(struct bf_tx *tx, const char *sql, const struct bf_param *params, size_t count,
                      struct bf_rows **ret_rows)
{
    if (tx->over)
        return BF_INTERNAL;
    if (!tx->conn || tx->conn->broken)
        return BF_UNAVAILABLE;
    uint64_t began_us = bf_mono_us();
    PGresult *result = NULL;
    enum bf_err err = bf_conn_run(tx->conn, sql, params, count, &result);
    if (tx->unsure && tx->conn->broken) {
        err = begin_again(tx);
        if (!err)
            err = bf_conn_run(tx->conn, sql, params, count, &result);
    }
    tx->unsure = false;
    tx->over = tx->conn && tx->conn->kind == BF_CONN_READ;
    bf_metric_observe_us(&metrics[STATEMENTS], bf_mono_us() - began_us);
    bf_metric_add(&metrics[STATEMENT_ERRORS], err != BF_OK);
    if (!err && ret_rows)
        *ret_rows = bf_rows_take(result);
    else
        PQclear(result);
    return err;
}

const char *bf_tx_constraint(const struct bf_tx *tx)
{
    return tx->conn ? tx->conn->constraint : "";
}

const char *bf_tx_error(const struct bf_tx *tx)
{
    return tx->conn ? tx->conn->error : "";
}

// Not by a transaction: that would give a server that has stopped a second chance, and a ping has to end
// soon.
enum bf_err bf_db_ping(struct bf_db *db)
{
    struct bf_conn *conn = NULL;
    bool used = false;
    enum bf_err err = borrow(db, PING_MS, &conn, &used);
    if (err)
        return err;
    err = bf_conn_ping(conn, PING_MS);
    if (err)
        conn->broken = true;
    give_back(db, conn);
    return err;
}
