// One PostgreSQL connection.
#include "bf_db_conn.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"

#define PARAMS_MAX         64
#define ANSWER_EXTRA_MS    2000 // the server ends a long statement itself; this much later it is taken for dead
#define BEGIN_ANSWER_MS    2000 // beginning is no work, a read little: a server that takes longer has stopped
#define CLOSE_MS           100
#define OUT_OF_STEP        "the server's answers are out of step"
#define BEGIN_STATEMENT    "bf_begin"
#define COMMIT_STATEMENT   "bf_commit"
#define ROLLBACK_STATEMENT "bf_rollback"
#define SCOPE_STATEMENT    "bf_scope"
#define SCOPE_SQL          "select set_config('belfry.tenant_id', $1, true), set_config('belfry.scope', $2, true)"
#define READ_STATEMENT     "bf_read"
#define READ_SQL           SCOPE_SQL ", set_config('transaction_read_only', 'on', true)"
#define KEYED_STATEMENT    "bf_keyed"
#define KEYED_SQL                                                        \
    "select set_config('plan_cache_mode', 'force_generic_plan', true), " \
    "set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"

// Longest prefix first: the first row that fits wins.
static const struct {
    const char *prefix;
    enum bf_err err;
} sqlstates[] = {
    {"23505", BF_CONFLICT},    {"23P01", BF_CONFLICT},    {"23503", BF_NOT_FOUND},
    {"23514", BF_INVALID},     {"23502", BF_INVALID},     {"22", BF_INVALID},
    {"40001", BF_UNAVAILABLE}, {"40P01", BF_UNAVAILABLE}, {"08", BF_UNAVAILABLE},
    {"57P0", BF_UNAVAILABLE},  {"53", BF_UNAVAILABLE},    {"25P03", BF_UNAVAILABLE},
    {"0A000", BF_UNAVAILABLE}, {"55P03", BF_UNAVAILABLE}, {"57014", BF_TIMEOUT},
    {"42501", BF_FORBIDDEN},
};

static enum bf_err err_of_sqlstate(const char *sqlstate)
{
    for (size_t i = 0; i < BF_LEN(sqlstates); i++)
        if (strncmp(sqlstate, sqlstates[i].prefix, strlen(sqlstates[i].prefix)) == 0)
            return sqlstates[i].err;
    return BF_INTERNAL;
}

static void copy_text(char *to, size_t room, const char *from)
{
    size_t len = from ? strcspn(from, "\n") : 0;
    len = len < room ? len : room - 1;
    memcpy(to, from ? from : "", len);
    to[len] = '\0';
}

static enum bf_err lost(struct bf_conn *conn, const char *why)
{
    conn->broken = true;
    copy_text(conn->error, sizeof(conn->error), why);
    return BF_UNAVAILABLE;
}

static enum bf_err poll_fd(int fd, short events, uint64_t deadline)
{
    for (;;) {
        uint64_t now = bf_mono_ms();
        int left = now >= deadline ? 0 : (int)(deadline - now > 60000 ? 60000 : deadline - now);
        struct pollfd waiting = {.fd = fd, .events = events};
        int ready = poll(&waiting, 1, left);
        if (ready > 0)
            return BF_OK;
        if (ready < 0 && errno != EINTR)
            return BF_INTERNAL;
        if (ready == 0 && bf_mono_ms() >= deadline)
            return BF_TIMEOUT;
    }
}

enum bf_err bf_conn_wait(struct bf_conn *conn, uint64_t deadline_mono_ms)
{
    enum bf_err err = poll_fd(PQsocket(conn->pg), POLLIN, deadline_mono_ms);
    if (err)
        return err;
    return PQconsumeInput(conn->pg) ? BF_OK : lost(conn, PQerrorMessage(conn->pg));
}

// The next result of what was sent; NULL at its end, or when the connection broke.
static PGresult *next_result(struct bf_conn *conn, uint64_t deadline)
{
    while (!conn->broken && PQisBusy(conn->pg)) {
        enum bf_err err = bf_conn_wait(conn, deadline);
        if (err == BF_TIMEOUT)
            (void)lost(conn, "the server has stopped answering");
    }
    return conn->broken ? NULL : PQgetResult(conn->pg);
}

static enum bf_err judge(struct bf_conn *conn, const PGresult *result)
{
    switch (PQresultStatus(result)) {
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
    case PGRES_PIPELINE_SYNC:
        return BF_OK;
    default:
        break;
    }
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    copy_text(conn->error, sizeof(conn->error), message ? message : PQresultErrorMessage(result));
    copy_text(conn->constraint, sizeof(conn->constraint),
              PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    enum bf_err err = sqlstate ? err_of_sqlstate(sqlstate) : BF_UNAVAILABLE;
    // 0A000 is a kept plan that a migration made wrong: a new connection prepares anew.
    if (PQstatus(conn->pg) == CONNECTION_BAD || !sqlstate || strncmp(sqlstate, "0A000", 5) == 0)
        conn->broken = true;
    return err;
}

// The answer to one command. BF_INTERNAL without words of its own: it was passed over after another's error.
static enum bf_err take_answer(struct bf_conn *conn, uint64_t deadline, PGresult **ret_result)
{
    PGresult *result = next_result(conn, deadline);

    *ret_result = NULL;
    if (!result)
        return conn->broken ? BF_UNAVAILABLE : lost(conn, OUT_OF_STEP);
    bool passed_over = PQresultStatus(result) == PGRES_PIPELINE_ABORTED;
    enum bf_err err = passed_over ? BF_INTERNAL : judge(conn, result);
    PGresult *end = next_result(conn, deadline);
    if (!err && (end || conn->broken))
        err = lost(conn, end ? OUT_OF_STEP : PQerrorMessage(conn->pg));
    PQclear(end);
    if (err)
        PQclear(result);
    else
        *ret_result = result;
    return err;
}

static enum bf_err pass_answers(struct bf_conn *conn, size_t count, uint64_t deadline)
{
    enum bf_err err = BF_OK;
    PGresult *result;

    for (size_t i = 0; i < count && !conn->broken; i++) {
        enum bf_err each = take_answer(conn, deadline, &result);
        PQclear(result);
        err = err ? err : each;
    }
    return err;
}

static enum bf_err take_sync(struct bf_conn *conn, uint64_t deadline)
{
    PGresult *result = conn->broken ? NULL : next_result(conn, deadline);
    bool sync = result && PQresultStatus(result) == PGRES_PIPELINE_SYNC;

    PQclear(result);
    if (!sync && !conn->broken)
        return lost(conn, OUT_OF_STEP);
    return sync ? BF_OK : BF_UNAVAILABLE;
}

static enum bf_err take_rollback(struct bf_conn *conn, uint64_t deadline)
{
    if (!conn->rolling_back)
        return BF_OK;
    conn->rolling_back = false;
    enum bf_err err = pass_answers(conn, 1, deadline);
    enum bf_err sync = take_sync(conn, deadline);
    return err ? err : sync;
}

// A block of commands up to a Sync: the server passes over what comes after an error, so nothing is done
// outside of a transaction whose BEGIN failed.
struct block {
    bool sent;     // libpq took all of it
    size_t before; // commands that come before the statement: BEGIN and the scope
    bool reads;    // and no BEGIN: the Sync ends the transaction
    bool prepares; // its statement comes behind its own preparation
    enum bf_err prepared;
};

// The first error wins.
static enum bf_err finish(struct bf_conn *conn, struct block *block, PGresult **ret_result)
{
    PGresult *result = NULL;

    conn->error[0] = conn->constraint[0] = '\0';
    if (!block->sent || !PQpipelineSync(conn->pg))
        return lost(conn, PQerrorMessage(conn->pg));
    uint64_t begin_deadline = bf_mono_ms() + BEGIN_ANSWER_MS;
    uint64_t deadline = block->reads ? begin_deadline : bf_mono_ms() + (uint64_t)conn->answer_timeout_ms;
    enum bf_err err = take_rollback(conn, begin_deadline);
    if (!err)
        err = pass_answers(conn, block->before, begin_deadline);
    if (err) // whatever state it is in, nobody should meet it
        conn->broken = true;
    block->prepared = block->prepares && !err ? pass_answers(conn, 1, deadline) : err;
    err = block->prepared;
    if (!conn->broken) {
        enum bf_err each = take_answer(conn, deadline, &result);
        err = err ? err : each;
    }
    enum bf_err sync = take_sync(conn, deadline);
    err = err ? err : sync;
    if (err || !ret_result)
        PQclear(result);
    else
        *ret_result = result;
    return err;
}

// ---- opening

static const char *const own[][2] = {
    {BEGIN_STATEMENT, "begin"},   {SCOPE_STATEMENT, SCOPE_SQL},     {KEYED_STATEMENT, KEYED_SQL},
    {COMMIT_STATEMENT, "commit"}, {ROLLBACK_STATEMENT, "rollback"}, {READ_STATEMENT, READ_SQL},
};

static enum bf_err prepare(struct bf_conn *conn, const char *name, const char *sql)
{
    struct block block = {.sent = PQsendPrepare(conn->pg, name, sql, 0, NULL)};

    return finish(conn, &block, NULL);
}

static enum bf_err connect_poll(PGconn *pg, uint64_t deadline)
{
    PostgresPollingStatusType want = PGRES_POLLING_WRITING;
    while (want != PGRES_POLLING_OK) {
        if (want == PGRES_POLLING_FAILED || PQstatus(pg) == CONNECTION_BAD)
            return BF_UNAVAILABLE;
        short events = want == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        if (poll_fd(PQsocket(pg), events, deadline))
            return BF_UNAVAILABLE;
        want = PQconnectPoll(pg);
    }
    return BF_OK;
}

static PGconn *connect_start(const struct bf_db_options *o)
{
    char port[24];
    char settings[128];
    snprintf(port, sizeof(port), "%" PRId64, o->port);
    snprintf(settings, sizeof(settings), "-c statement_timeout=%" PRId64 " -c client_encoding=UTF8",
             o->statement_timeout_ms);
    const char *const pairs[][2] = {
        {"host", o->host},
        {"port", port},
        {"dbname", o->dbname},
        {"user", o->user},
        {"password", o->password},
        {"application_name", o->application},
        {"options", settings},
        {"keepalives_idle", "5"}, // a machine that vanished is noticed within 11 s
        {"keepalives_interval", "2"},
        {"keepalives_count", "3"},
        {"tcp_user_timeout", "10000"},
        {NULL, NULL},
    };
    const char *names[BF_LEN(pairs)];
    const char *values[BF_LEN(pairs)];
    for (size_t i = 0; i < BF_LEN(pairs); i++) {
        names[i] = pairs[i][0];
        values[i] = pairs[i][1];
    }
    return PQconnectStartParams(names, values, 0);
}

static void ignore_notice(void *ctx, const PGresult *notice)
{
}

void bf_conn_close(struct bf_conn *conn)
{
    if (!conn)
        return;
    if (!conn->broken)
        (void)!take_rollback(conn, bf_mono_ms() + CLOSE_MS); // or the server's log has a client that was lost
    PQfinish(conn->pg);
    for (size_t i = 0; i < BF_CONN_SLOTS; i++)
        free(conn->statements[i]);
    free(conn);
}

enum bf_err bf_conn_open(const struct bf_db_options *options, struct bf_conn **ret_conn,
                         char error[BF_CONN_ERROR_SIZE])
{
    uint64_t deadline = bf_mono_ms() + (uint64_t)options->connect_timeout_ms;
    struct bf_conn *conn = bf_xcalloc(1, sizeof(*conn));
    conn->answer_timeout_ms = options->statement_timeout_ms + ANSWER_EXTRA_MS;
    conn->pg = connect_start(options);
    if (!conn->pg)
        abort();
    PQsetNoticeReceiver(conn->pg, ignore_notice, NULL);
    enum bf_err err = connect_poll(conn->pg, deadline);
    if (err)
        copy_text(conn->error, sizeof(conn->error),
                  PQstatus(conn->pg) == CONNECTION_BAD ? PQerrorMessage(conn->pg)
                                                       : "connecting took too long");
    if (!err && !PQenterPipelineMode(conn->pg))
        err = lost(conn, PQerrorMessage(conn->pg));
    for (size_t i = 0; !err && i < BF_LEN(own); i++)
        err = prepare(conn, own[i][0], own[i][1]);
    if (err) {
        copy_text(error, BF_CONN_ERROR_SIZE, conn->error);
        bf_conn_close(conn);
        return BF_UNAVAILABLE;
    }
    *ret_conn = conn;
    return BF_OK;
}

// ---- running

static int send_own(struct bf_conn *conn, const char *name)
{
    return PQsendQueryPrepared(conn->pg, name, 0, NULL, NULL, NULL, 0);
}

void bf_conn_begin(struct bf_conn *conn, enum bf_db_scope scope, struct bf_id tenant, enum bf_conn_tx kind)
{
    conn->error[0] = conn->constraint[0] = '\0';
    conn->begins = true;
    conn->scope = scope;
    conn->tenant = tenant;
    conn->kind = kind;
}

// What comes before the first statement. Before one that may take long, the server is asked to answer at
// once: this may not.
static struct block send_begin(struct bf_conn *conn)
{
    char tenant[BF_ID_TEXT_SIZE];
    const char *const values[] = {
        bf_id_text(conn->tenant, tenant),
        conn->scope == BF_SCOPE_SYSTEM ? "system" : "tenant",
    };

    if (!conn->begins)
        return (struct block){.sent = true};
    conn->begins = false;
    if (conn->kind == BF_CONN_READ)
        return (struct block){
            .before = 1,
            .reads = true,
            .sent = PQsendQueryPrepared(conn->pg, READ_STATEMENT, 2, values, NULL, NULL, 0),
        };
    bool keyed = conn->kind == BF_CONN_KEYED;
    return (struct block){
        .before = keyed ? 3 : 2,
        .sent = send_own(conn, BEGIN_STATEMENT) &&
                PQsendQueryPrepared(conn->pg, SCOPE_STATEMENT, 2, values, NULL, NULL, 0) &&
                (!keyed || send_own(conn, KEYED_STATEMENT)) && PQsendFlushRequest(conn->pg),
    };
}

static size_t slot_of(const struct bf_conn *conn, const char *sql)
{
    uint64_t hash = 0xcbf29ce484222325; // FNV-1a
    for (const char *at = sql; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
    size_t slot = hash % BF_CONN_SLOTS;
    while (conn->statements[slot] && strcmp(conn->statements[slot], sql) != 0)
        slot = (slot + 1) % BF_CONN_SLOTS;
    return slot;
}

struct packed {
    const char *values[PARAMS_MAX];
    int lengths[PARAMS_MAX];
    int formats[PARAMS_MAX];
    char *copies; // libpq wants texts terminated, ours need not be
};

static enum bf_err pack_params(struct packed *packed, const struct bf_param *params, size_t count)
{
    if (count > PARAMS_MAX)
        return BF_INTERNAL;
    size_t room = 1;
    for (size_t i = 0; i < count; i++)
        room += params[i].at && !params[i].binary ? params[i].len + 1 : 0;
    char *copy = packed->copies = bf_xcalloc(room, 1);
    for (size_t i = 0; i < count; i++) {
        const struct bf_param *p = &params[i];
        packed->formats[i] = p->binary;
        packed->lengths[i] = (int)p->len;
        packed->values[i] = p->at;
        if (!p->at && p->number[0])
            packed->values[i] = p->number;
        if (!p->at || p->binary)
            continue;
        if (memchr(p->at, 0, p->len))
            return BF_INVALID;
        memcpy(copy, p->at, p->len);
        packed->values[i] = copy;
        copy += p->len + 1;
    }
    return BF_OK;
}

// Prepares a statement that this connection has not seen, as long as there is room for one more.
static struct block send_statement(struct bf_conn *conn, const char *sql, size_t slot,
                                   const struct packed *packed, int count)
{
    char name[16];
    struct block block = send_begin(conn);
    bool kept = conn->statements[slot] || conn->statement_count < BF_CONN_STATEMENTS_MAX;

    snprintf(name, sizeof(name), "s%zu", slot);
    block.prepares = kept && !conn->statements[slot];
    if (block.sent && block.prepares)
        block.sent = PQsendPrepare(conn->pg, name, sql, 0, NULL);
    if (block.sent && kept)
        block.sent =
            PQsendQueryPrepared(conn->pg, name, count, packed->values, packed->lengths, packed->formats, 0);
    else if (block.sent)
        block.sent = PQsendQueryParams(conn->pg, sql, count, NULL, packed->values, packed->lengths,
                                       packed->formats, 0);
    return block;
}

enum bf_err bf_conn_run(struct bf_conn *conn, const char *sql, const struct bf_param *params, size_t count,
                        PGresult **ret_result)
{
    struct packed packed = {.copies = NULL};
    size_t slot = slot_of(conn, sql);
    enum bf_err err = pack_params(&packed, params, count);

    if (!err) {
        struct block block = send_statement(conn, sql, slot, &packed, (int)count);
        err = finish(conn, &block, ret_result);
        if (block.prepares && !block.prepared) {
            conn->statements[slot] = bf_xstrdup(sql);
            conn->statement_count++;
        }
    }
    free(packed.copies);
    return err;
}

enum bf_err bf_conn_commit(struct bf_conn *conn)
{
    PGresult *result = NULL;

    if (conn->begins) // it ran no statement
        return BF_OK;
    struct block block = {.sent = send_own(conn, COMMIT_STATEMENT)};
    enum bf_err err = finish(conn, &block, &result);

    if (!err && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        err = BF_INTERNAL;
    PQclear(result);
    return err;
}

void bf_conn_roll_back(struct bf_conn *conn)
{
    if (conn->broken || conn->begins || conn->kind == BF_CONN_READ) // nothing was begun, or is over
        return;
    conn->rolling_back = true;
    if (!send_own(conn, ROLLBACK_STATEMENT) || !PQpipelineSync(conn->pg))
        (void)lost(conn, PQerrorMessage(conn->pg));
}

enum bf_err bf_conn_listen(struct bf_conn *conn, const char *channel)
{
    bf_autofree char *sql = bf_xasprintf("listen %s", channel);
    struct block block = {.sent = PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0)};

    return finish(conn, &block, NULL);
}

enum bf_err bf_conn_ping(struct bf_conn *conn, int64_t answer_ms)
{
    uint64_t deadline = bf_mono_ms() + (uint64_t)answer_ms;

    if (!PQpipelineSync(conn->pg))
        return lost(conn, PQerrorMessage(conn->pg));
    enum bf_err err = take_rollback(conn, deadline);
    return err ? err : take_sync(conn, deadline);
}
