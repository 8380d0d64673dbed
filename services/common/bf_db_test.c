// Against a real PostgreSQL of its own (tests/lib/pg-scratch).
#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bf_clock.h"
#include "bf_db_fixture.h"
#include "bf_id.h"

static struct bf_db_fixture server;
static struct bf_db *db;

static const struct bf_id nobody = {{0}};
static const struct bf_id acme = {{1, 2, 3}};
static const struct bf_id other = {{9, 9, 9}};

// Tight limits, so that reaching them takes no time.
static struct bf_db_options options(void)
{
    struct bf_db_options options = bf_db_fixture_options(&server, "postgres", "belfry");

    options.connections_max = 4;
    options.borrow_timeout_ms = 300;
    options.statement_timeout_ms = 700;
    return options;
}

// The pool itself is asked: it tries again when its back-off is over.
static void wait_until_healed(void)
{
    uint64_t until = bf_mono_ms() + BF_DB_FIXTURE_START_MS;

    while (bf_db_ping(db)) {
        assert_true(bf_mono_ms() < until);
        usleep(20000);
    }
}

static enum bf_err run_alone(const char *sql)
{
    struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(db, BF_SCOPE_SYSTEM, nobody, &tx);
    if (!err)
        err = bf_tx_exec(tx, NULL, sql);
    if (!err)
        err = bf_tx_commit(tx);
    bf_tx_release(tx);
    return err;
}

static int start_server(void **state)
{
    if (!bf_db_fixture_open(&server))
        return -1;
    struct bf_db_options o = options();
    assert_int_equal(bf_db_open(&o, &db), BF_OK);
    assert_int_equal(run_alone("create table parent (id uuid primary key)"), BF_OK);
    assert_int_equal(run_alone("create table thing (id uuid primary key, tenant_id uuid, name text unique, "
                               "n bigint constraint thing_n_small check (n < 100), open boolean, raw bytea, "
                               "parent uuid constraint thing_parent references parent)"),
                     BF_OK);
    return 0;
}

static int stop_server(void **state)
{
    bf_db_close(db);
    return bf_db_fixture_stop(&server) ? 0 : -1;
}

static struct bf_tx *begin(void)
{
    struct bf_tx *tx = NULL;
    assert_int_equal(bf_tx_begin(db, BF_SCOPE_SYSTEM, nobody, &tx), BF_OK);
    return tx;
}

static void test_values_travel_both_ways(void **state)
{
    struct bf_tx *tx = begin();
    struct bf_rows *rows = NULL;
    struct bf_id id = bf_id_new();
    const uint8_t raw[] = {0, 1, 255, '\\'};
    assert_int_equal(bf_tx_exec(tx, &rows,
                                "insert into thing (id, name, n, open, raw) values ($1, $2, $3, true, $4) "
                                "returning id, name, n, open, raw, parent",
                                BF_P_ID(id), BF_P_STR(((struct bf_str){"it's €; --xyz", 12})), BF_P_INT(-7),
                                BF_P_BYTES(raw, sizeof(raw))),
                     BF_OK);
    assert_int_equal(bf_rows_count(rows), 1);
    assert_int_equal(bf_rows_affected(rows), 1);
    assert_true(bf_id_eq(bf_rows_id(rows, 0, 0), id));
    assert_string_equal(bf_rows_text(rows, 0, 1), "it's €; --"); // exactly the 12 bytes given
    assert_int_equal(bf_rows_int(rows, 0, 2), -7);
    assert_true(bf_rows_bool(rows, 0, 3));
    uint8_t back[8];
    assert_int_equal(bf_rows_bytes(rows, 0, 4, back, sizeof(back)), 4);
    assert_memory_equal(back, raw, 4);
    assert_int_equal(bf_rows_bytes(rows, 0, 4, back, 2), 2);
    assert_true(bf_rows_null(rows, 0, 5));
    assert_string_equal(bf_rows_text(rows, 0, 5), "");
    assert_true(bf_id_is_nil(bf_rows_id(rows, 0, 5)));
    bf_rows_release(rows);
    bf_tx_release(tx);
}

static int64_t count_things(void)
{
    struct bf_tx *tx = begin();
    struct bf_rows *rows = NULL;
    assert_int_equal(bf_tx_exec(tx, &rows, "select count(*) from thing"), BF_OK);
    int64_t count = bf_rows_int(rows, 0, 0);
    bf_rows_release(rows);
    bf_tx_release(tx);
    return count;
}

static void test_only_a_commit_keeps(void **state)
{
    int64_t before = count_things();
    struct bf_tx *tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "insert into thing (id) values ($1)", BF_P_ID(acme)), BF_OK);
    bf_tx_release(tx);
    assert_int_equal(count_things(), before);
    tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "insert into thing (id) values ($1)", BF_P_ID(acme)), BF_OK);
    assert_int_equal(bf_tx_commit(tx), BF_OK);
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1"), BF_INTERNAL); // it is over
    bf_tx_release(tx);
    assert_int_equal(count_things(), before + 1);
}

static struct bf_tx *begin_read(struct bf_db *pool, enum bf_db_scope scope, struct bf_id tenant)
{
    struct bf_tx *tx = NULL;
    assert_int_equal(bf_tx_begin_read(pool, scope, tenant, &tx), BF_OK);
    return tx;
}

static void test_a_read_is_one_statement_in_its_scope(void **state)
{
    struct bf_db_options o = options();
    struct bf_db *pool = NULL;
    struct bf_rows *rows = NULL;
    o.connections_max = 1;
    assert_int_equal(bf_db_open(&o, &pool), BF_OK);
    struct bf_tx *tx = begin_read(pool, BF_SCOPE_TENANT, acme);
    assert_int_equal(
        bf_tx_exec(tx, &rows,
                   "select current_setting('belfry.tenant_id'), current_setting('belfry.scope'), "
                   "txid_current_if_assigned() is null"),
        BF_OK);
    assert_true(bf_id_eq(bf_rows_id(rows, 0, 0), acme));
    assert_string_equal(bf_rows_text(rows, 0, 1), "tenant");
    bf_rows_release(rows);
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1"), BF_INTERNAL); // it is over
    assert_int_equal(bf_tx_commit(tx), BF_INTERNAL);
    bf_tx_release(tx);

    tx = begin_read(pool, BF_SCOPE_SYSTEM, nobody);
    assert_int_equal(bf_tx_exec(tx, NULL, "insert into thing (id) values ($1)", BF_P_ID(acme)), BF_INTERNAL);
    assert_non_null(strstr(bf_tx_error(tx), "read-only"));
    bf_tx_release(tx);

    // The next one on that connection has nothing of it.
    assert_int_equal(bf_tx_begin(pool, BF_SCOPE_SYSTEM, nobody, &tx), BF_OK);
    assert_int_equal(bf_tx_exec(tx, &rows,
                                "select current_setting('transaction_read_only'), "
                                "current_setting('belfry.scope')"),
                     BF_OK);
    assert_string_equal(bf_rows_text(rows, 0, 0), "off");
    assert_string_equal(bf_rows_text(rows, 0, 1), "system");
    bf_rows_release(rows);
    bf_tx_release(tx);
    bf_db_close(pool);
}

static void test_a_failed_transaction_cannot_be_committed(void **state)
{
    struct bf_tx *tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1 / $1::int", BF_P_INT(0)), BF_INVALID);
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1"), BF_INTERNAL);
    assert_true(bf_tx_commit(tx) != BF_OK);
    bf_tx_release(tx);
}

static void assert_fails(enum bf_err expected, const char *constraint, const char *sql)
{
    struct bf_tx *tx = begin();
    enum bf_err err = bf_tx_exec(tx, NULL, sql);
    if (err != expected)
        fail_msg("%s: %s instead of %s (%s)", sql, bf_err_name(err), bf_err_name(expected), bf_tx_error(tx));
    assert_string_equal(bf_tx_constraint(tx), constraint);
    assert_true(strlen(bf_tx_error(tx)) > 0);
    bf_tx_release(tx);
}

static void test_sqlstates_become_errors(void **state)
{
    assert_int_equal(run_alone("insert into thing (id, name) values (gen_random_uuid(), 'taken')"), BF_OK);
    assert_fails(BF_CONFLICT, "thing_name_key",
                 "insert into thing (id, name) values (gen_random_uuid(), 'taken')");
    assert_fails(BF_NOT_FOUND, "thing_parent",
                 "insert into thing (id, parent) values (gen_random_uuid(), gen_random_uuid())");
    assert_fails(BF_INVALID, "thing_n_small", "insert into thing (id, n) values (gen_random_uuid(), 100)");
    assert_fails(BF_INVALID, "", "select 'x'::int");
    assert_fails(BF_INTERNAL, "", "select nonsense");
    assert_fails(BF_TIMEOUT, "", "select pg_sleep(30)");
}

static void test_a_text_with_nul_is_refused(void **state)
{
    struct bf_tx *tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "select $1::text", BF_P_STR(BF_STR("a\0b"))), BF_INVALID);
    bf_tx_release(tx);
}

static void assert_scope(struct bf_tx *tx, const char *tenant, const char *scope)
{
    struct bf_rows *rows = NULL;
    assert_int_equal(
        bf_tx_exec(tx, &rows, "select current_setting('belfry.tenant_id'), current_setting('belfry.scope')"),
        BF_OK);
    assert_string_equal(bf_rows_text(rows, 0, 0), tenant);
    assert_string_equal(bf_rows_text(rows, 0, 1), scope);
    bf_rows_release(rows);
}

static void test_the_scope_ends_with_its_transaction(void **state)
{
    char text[BF_ID_TEXT_SIZE];
    const struct bf_id tenants[] = {acme, other};
    for (size_t i = 0; i < BF_LEN(tenants); i++) { // both run on the same connection
        struct bf_tx *tx = NULL;
        assert_int_equal(bf_tx_begin(db, BF_SCOPE_TENANT, tenants[i], &tx), BF_OK);
        assert_scope(tx, bf_id_text(tenants[i], text), "tenant");
        bf_tx_release(tx);
    }
    struct bf_tx *tx = begin();
    assert_scope(tx, "00000000-0000-0000-0000-000000000000", "system");
    bf_tx_release(tx);
    assert_int_equal(bf_tx_begin(db, BF_SCOPE_TENANT, nobody, &tx), BF_INTERNAL); // whose request is that?
}

static void test_more_statements_than_are_kept_prepared(void **state)
{
    struct bf_tx *tx = begin();
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 300; i++) {
            bf_autofree char *sql = bf_xasprintf("select %d + $1::int", i);
            struct bf_rows *rows = NULL;
            assert_int_equal(bf_tx_exec(tx, &rows, sql, BF_P_INT(round)), BF_OK);
            assert_int_equal(bf_rows_int(rows, 0, 0), i + round);
            bf_rows_release(rows);
        }
    }
    bf_tx_release(tx);
}

static void test_a_migration_under_a_kept_plan_heals(void **state)
{
    struct bf_db *shared = db;
    struct bf_db_options o = options();
    assert_int_equal(bf_db_open(&o, &db), BF_OK); // its connections have nothing prepared yet
    struct bf_tx *tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "select * from parent"), BF_OK);
    bf_tx_release(tx);
    assert_int_equal(run_alone("alter table parent add column more text"), BF_OK);
    tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "select * from parent"), BF_OK); // by a new connection
    bf_tx_release(tx);
    tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1"), BF_OK);
    assert_int_equal(run_alone("alter table parent add column even_more text"), BF_OK);
    assert_int_equal(bf_tx_exec(tx, NULL, "select * from parent"), BF_UNAVAILABLE); // what it did is lost
    bf_tx_release(tx);
    bf_db_close(db);
    db = shared;
}

static void test_an_empty_pool_refuses_in_time(void **state)
{
    struct bf_tx *held[4];
    for (size_t i = 0; i < BF_LEN(held); i++)
        held[i] = begin();
    struct bf_tx *tx = NULL;
    uint64_t began = bf_mono_ms();
    assert_int_equal(bf_tx_begin(db, BF_SCOPE_SYSTEM, nobody, &tx), BF_UNAVAILABLE);
    assert_true(bf_mono_ms() - began >= 290);
    bf_tx_release(held[0]);
    held[0] = begin();
    for (size_t i = 0; i < BF_LEN(held); i++)
        bf_tx_release(held[i]);
}

#define WORKERS 8

static void *work(void *at)
{
    enum bf_err *result = at;
    for (int i = 0; i < 50 && !*result; i++) {
        struct bf_tx *tx = NULL;
        *result = bf_tx_begin(db, BF_SCOPE_SYSTEM, nobody, &tx);
        if (!*result)
            *result = bf_tx_exec(tx, NULL, "select $1::int", BF_P_INT(i));
        bf_tx_release(tx);
    }
    return NULL;
}

static void test_more_threads_than_connections(void **state)
{
    pthread_t threads[WORKERS];
    enum bf_err results[WORKERS] = {BF_OK};
    struct bf_db *shared = db;
    struct bf_db_options o = options();
    o.borrow_timeout_ms = 60000; // the machine may be slow
    o.statement_timeout_ms = 60000;
    assert_int_equal(bf_db_open(&o, &db), BF_OK);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &results[i]), 0);
    for (size_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < WORKERS; i++)
        assert_int_equal(results[i], BF_OK);
    bf_db_close(db);
    db = shared;
}

// Whatever a transaction before on the same connection was: each statement gets its own answer.
static bool answers_itself(struct bf_tx *tx, int number)
{
    struct bf_rows *rows = NULL;
    enum bf_err err = bf_tx_exec(tx, &rows, "select $1::int", BF_P_INT(number));
    bool own = !err && bf_rows_count(rows) == 1 && bf_rows_int(rows, 0, 0) == number;
    bf_rows_release(rows);
    return own;
}

static bool reads_itself(int number)
{
    struct bf_tx *tx = NULL;
    bool own = bf_tx_begin_read(db, BF_SCOPE_SYSTEM, nobody, &tx) == BF_OK && answers_itself(tx, number);
    bf_tx_release(tx);
    return own;
}

static void *end_in_all_ways(void *at)
{
    unsigned *seed = at;
    for (int i = 0; i < 400; i++) {
        struct bf_tx *tx = NULL;
        int way = rand_r(seed) % 8;
        if ((way & 1 ? bf_tx_begin : bf_tx_begin_keyed)(db, BF_SCOPE_SYSTEM, nobody, &tx))
            return "no transaction";
        bf_autofree char *fresh = bf_xasprintf("select %d, $1::int", rand_r(seed) % 100);
        bool good = way == 7 || answers_itself(tx, i);
        if (way == 2)
            good = good && bf_tx_exec(tx, NULL, "select 1 / $1::int", BF_P_INT(0)) == BF_INVALID;
        if (way == 3)
            good = good && bf_tx_exec(tx, NULL, fresh, BF_P_TEXT("x")) == BF_INVALID;
        if (way == 4)
            good = good && bf_tx_exec(tx, NULL, "select nonsense") == BF_INTERNAL;
        if (way == 5)
            good = good && bf_tx_exec(tx, NULL, "select $1::text", BF_P_STR(BF_STR("a\0b"))) == BF_INVALID;
        if (way == 6)
            good = good && bf_tx_exec(tx, NULL, fresh, BF_P_INT(1)) == BF_OK && bf_tx_commit(tx) == BF_OK;
        bf_tx_release(tx);
        if (!good || !reads_itself(i))
            return "a statement got another's answer";
    }
    return NULL;
}

static void test_no_answer_is_taken_for_another(void **state)
{
    pthread_t threads[WORKERS];
    unsigned seeds[WORKERS];
    struct bf_db *shared = db;
    struct bf_db_options o = options();
    void *wrong;
    o.borrow_timeout_ms = 60000;
    o.statement_timeout_ms = 60000;
    assert_int_equal(bf_db_open(&o, &db), BF_OK);
    for (unsigned i = 0; i < WORKERS; i++) {
        seeds[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, end_in_all_ways, &seeds[i]), 0);
    }
    for (size_t i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], &wrong);
        if (wrong)
            fail_msg("%s", (const char *)wrong);
    }
    bf_db_close(db);
    db = shared;
}

static void notify_until(struct bf_db_listener *listener, bool expected)
{
    bool notified = !expected;
    for (int i = 0; i < 600 && notified != expected; i++)
        assert_int_equal(bf_db_listener_wait(listener, 100, &notified), BF_OK);
    assert_int_equal(notified, expected);
}

static void test_a_listener_hears_what_was_committed(void **state)
{
    struct bf_db_options o = options();
    struct bf_db_listener *listener = NULL;
    assert_int_equal(bf_db_listener_open(&o, "bad;name", &listener), BF_INVALID);
    assert_int_equal(bf_db_listener_open(&o, "unit_change", &listener), BF_OK);
    bool notified = false;
    assert_int_equal(bf_db_listener_wait(listener, 5000, &notified), BF_OK);
    assert_true(notified); // connected: whatever was before may have been missed
    notify_until(listener, false);
    assert_int_equal(run_alone("notify unit_change"), BF_OK);
    notify_until(listener, true);
    notify_until(listener, false);
    bf_db_listener_close(listener);
}

static void test_a_lost_server_fails_fast_and_heals(void **state)
{
    struct bf_db_options o = options();
    struct bf_db_listener *listener = NULL;
    bool notified = false;
    assert_int_equal(bf_db_listener_open(&o, "unit_change", &listener), BF_OK);
    assert_int_equal(bf_db_listener_wait(listener, 5000, &notified), BF_OK);
    struct bf_tx *tx = begin();
    bf_db_fixture_end(&server, SIGQUIT);

    assert_int_equal(bf_tx_exec(tx, NULL, "select 1"), BF_UNAVAILABLE);
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1"), BF_UNAVAILABLE);
    assert_int_equal(bf_tx_commit(tx), BF_UNAVAILABLE);
    bf_tx_release(tx);
    uint64_t began = bf_mono_ms();
    for (int i = 0; i < 100; i++)
        assert_int_equal(run_alone("select 1"), BF_UNAVAILABLE);
    assert_true(bf_mono_ms() - began < 2000); // the back-off answers, not a hundred connects
    char why[256];
    bf_db_error(db, why, sizeof(why));
    assert_true(strlen(why) > 0);
    assert_int_equal(bf_db_listener_wait(listener, 5000, &notified), BF_UNAVAILABLE);
    assert_int_equal(bf_db_listener_wait(listener, 5000, &notified), BF_UNAVAILABLE);

    bf_db_fixture_spawn(&server);
    wait_until_healed();
    assert_int_equal(run_alone("select 1"), BF_OK);
    notified = false;
    assert_int_equal(bf_db_listener_wait(listener, 5000, &notified), BF_OK);
    assert_true(notified);
    bf_db_listener_close(listener);
}

static void test_connections_that_died_idle_are_replaced_unseen(void **state)
{
    struct bf_tx *held[4];
    for (size_t i = 0; i < BF_LEN(held); i++)
        held[i] = begin();
    for (size_t i = 0; i < BF_LEN(held); i++)
        bf_tx_release(held[i]);
    bf_db_fixture_end(&server, SIGQUIT);
    bf_db_fixture_spawn(&server);
    // It asks by a pool of its own, so that this one's connections are still the dead ones.
    assert_true(bf_db_fixture_serves(&server));
    for (size_t i = 0; i < BF_LEN(held); i++) {
        held[i] = begin();
        assert_int_equal(bf_tx_exec(held[i], NULL, "select 1"), BF_OK);
    }
    for (size_t i = 0; i < BF_LEN(held); i++)
        bf_tx_release(held[i]);
}

// Nobody waits for a ROLLBACK, and yet what was locked is free, and the next one on that connection is clean.
static void test_what_was_rolled_back_is_gone(void **state)
{
    struct bf_db_options o = options();
    struct bf_db *pool = NULL, *shared = db;
    o.connections_max = 1;
    assert_int_equal(bf_db_open(&o, &pool), BF_OK);
    db = pool;
    bf_tx_release(begin()); // no statement at all
    struct bf_tx *tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "select pg_advisory_xact_lock(1)"), BF_OK);
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1 / $1::int", BF_P_INT(0)), BF_INVALID);
    bf_tx_release(tx);
    tx = begin();
    assert_int_equal(bf_tx_exec(tx, NULL, "select 1"), BF_OK);
    assert_string_equal(bf_tx_error(tx), "");
    db = shared;
    assert_int_equal(run_alone("select pg_advisory_xact_lock(1)"), BF_OK);
    bf_tx_release(tx);
    bf_db_close(pool);
}

static void test_a_server_that_hangs_is_given_up(void **state)
{
    struct bf_db_options o = options();
    o.connect_timeout_ms = 200;
    struct bf_db *hanging = NULL;
    assert_int_equal(bf_db_open(&o, &hanging), BF_OK);
    kill(server.pid, SIGSTOP); // accepts by its backlog, never answers
    uint64_t began = bf_mono_ms();
    struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(hanging, BF_SCOPE_SYSTEM, nobody, &tx);
    uint64_t took = bf_mono_ms() - began;
    kill(server.pid, SIGCONT);
    assert_int_equal(err, BF_UNAVAILABLE);
    assert_true(took >= 190);
    bf_db_close(hanging);
}

static enum bf_err read_one(struct bf_db *pool)
{
    struct bf_tx *tx = begin_read(pool, BF_SCOPE_SYSTEM, nobody);
    enum bf_err err = bf_tx_exec(tx, NULL, "select 1");
    bf_tx_release(tx);
    return err;
}

// An open connection whose server process stands still: neither may wait as long as a statement may take.
static void test_a_server_that_stands_still_is_left_soon(void **state)
{
    static const struct {
        enum bf_err (*run)(struct bf_db *pool);
        enum bf_err err;
    } ways[] = {{bf_db_ping, BF_UNAVAILABLE}, {read_one, BF_OK}}; // a read goes to a new connection by itself
    struct bf_db_options o = options();
    o.connections_max = 1;
    o.statement_timeout_ms = 60000;
    struct bf_db *pool = NULL;
    assert_int_equal(bf_db_open(&o, &pool), BF_OK);
    for (size_t i = 0; i < BF_LEN(ways); i++) {
        struct bf_tx *tx = begin_read(pool, BF_SCOPE_SYSTEM, nobody);
        struct bf_rows *rows = NULL;
        assert_int_equal(bf_tx_exec(tx, &rows, "select pg_backend_pid()"), BF_OK);
        pid_t backend = (pid_t)bf_rows_int(rows, 0, 0);
        bf_rows_release(rows);
        bf_tx_release(tx);
        assert_int_equal(ways[i].run(pool), BF_OK);

        kill(backend, SIGSTOP);
        uint64_t began = bf_mono_ms();
        enum bf_err err = ways[i].run(pool);
        uint64_t took = bf_mono_ms() - began;
        kill(backend, SIGCONT);
        assert_int_equal(err, ways[i].err);
        assert_in_range(took, 400, 30000);
        assert_int_equal(ways[i].run(pool), BF_OK); // by a new connection
    }
    bf_db_close(pool);
}

static void test_a_bad_login_is_unavailable_and_says_why(void **state)
{
    struct bf_db_options o = options();
    o.user = "stranger";
    struct bf_db *strange = NULL;
    struct bf_tx *tx = NULL;
    assert_int_equal(bf_db_open(&o, &strange), BF_OK);
    assert_int_equal(bf_tx_begin(strange, BF_SCOPE_SYSTEM, nobody, &tx), BF_UNAVAILABLE);
    char why[256];
    bf_db_error(strange, why, sizeof(why));
    assert_non_null(strstr(why, "stranger"));
    bf_db_close(strange);
    bf_db_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_travel_both_ways),
        cmocka_unit_test(test_only_a_commit_keeps),
        cmocka_unit_test(test_a_read_is_one_statement_in_its_scope),
        cmocka_unit_test(test_a_failed_transaction_cannot_be_committed),
        cmocka_unit_test(test_sqlstates_become_errors),
        cmocka_unit_test(test_a_text_with_nul_is_refused),
        cmocka_unit_test(test_the_scope_ends_with_its_transaction),
        cmocka_unit_test(test_more_statements_than_are_kept_prepared),
        cmocka_unit_test(test_a_migration_under_a_kept_plan_heals),
        cmocka_unit_test(test_an_empty_pool_refuses_in_time),
        cmocka_unit_test(test_more_threads_than_connections),
        cmocka_unit_test(test_no_answer_is_taken_for_another),
        cmocka_unit_test(test_a_listener_hears_what_was_committed),
        cmocka_unit_test(test_a_lost_server_fails_fast_and_heals),
        cmocka_unit_test(test_connections_that_died_idle_are_replaced_unseen),
        cmocka_unit_test(test_what_was_rolled_back_is_gone),
        cmocka_unit_test(test_a_server_that_hangs_is_given_up),
        cmocka_unit_test(test_a_server_that_stands_still_is_left_soon),
        cmocka_unit_test(test_a_bad_login_is_unavailable_and_says_why),
    };
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
