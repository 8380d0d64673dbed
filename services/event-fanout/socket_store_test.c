// What WebSockets ask PostgreSQL, against a real one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bf_db_fixture.h"
#include "socket_store.h"

#define MAX 100

static struct bf_db_fixture server;
static struct bf_db *db;
static struct bf_id acme, bela;

static int start(void **state)
{
    if (!bf_db_fixture_start(&server))
        return -1;
    struct bf_db_options service = bf_db_fixture_options(&server, "belfry", "belfry_events");
    return bf_db_open(&service, &db) ? -1 : 0;
}

// Tenants of each test's own.
static int tenants(void **state)
{
    acme = bf_id_new();
    bela = bf_id_new();
    return 0;
}

static int stop(void **state)
{
    bf_db_close(db);
    return bf_db_fixture_stop(&server) ? 0 : -1;
}

static struct bf_tx *begin(enum bf_db_scope scope, struct bf_id tenant)
{
    struct bf_tx *tx = NULL;

    assert_int_equal(bf_tx_begin(db, scope, tenant, &tx), BF_OK);
    return tx;
}

static void commit(struct bf_tx *tx)
{
    assert_int_equal(bf_tx_commit(tx), BF_OK);
    bf_tx_release(tx);
}

static struct bf_id add_at(struct bf_tx *tx, struct bf_id tenant, const char *numbers, int64_t age_s)
{
    struct bf_id id = bf_id_new();

    assert_int_equal(
        bf_tx_exec(tx, NULL,
                   "INSERT INTO events.event (id, tenant_id, type, seq, at, numbers, body, stored_at) "
                   "VALUES ($1, $2, 'a.b', 0, now(), $3::text[], '{}', now() - $4 * interval '1 s')",
                   BF_P_ID(id), BF_P_ID(tenant), BF_P_TEXT(numbers), BF_P_INT(age_s)),
        BF_OK);
    return id;
}

static struct bf_id add(struct bf_tx *tx)
{
    return add_at(tx, acme, "{100}", 0);
}

static struct bf_id stored(struct bf_id tenant, const char *numbers, int64_t age_s)
{
    struct bf_tx *tx = begin(BF_SCOPE_SYSTEM, tenant);
    struct bf_id id = add_at(tx, tenant, numbers, age_s);

    commit(tx);
    return id;
}

// ---- since

struct heard {
    struct bf_id ids[MAX];
    size_t count;
};

static void hear(void *ctx, const struct live_event *event)
{
    struct heard *heard = ctx;

    assert_true(heard->count < MAX);
    heard->ids[heard->count++] = event->id;
}

static size_t since(char mark[SOCKET_STORE_MARK_SIZE], size_t max, struct heard *heard, bool *ret_more)
{
    struct bf_tx *tx = begin(BF_SCOPE_SYSTEM, acme);

    heard->count = 0;
    assert_int_equal(
        socket_store_since(tx, mark, max, &(struct socket_store_reader){hear, NULL, heard}, ret_more), BF_OK);
    bf_tx_release(tx);
    return heard->count;
}

static void whoever_commits_later_is_heard_later_and_once(void **state)
{
    char mark[SOCKET_STORE_MARK_SIZE] = "";
    struct heard heard;
    bool more;

    stored(acme, "{}", 0);
    assert_int_equal(since(mark, MAX, &heard, &more), 0); // it begins now
    struct bf_tx *slow = begin(BF_SCOPE_SYSTEM, acme);
    struct bf_id first = add(slow);
    struct bf_id second = stored(acme, "{}", 0);
    assert_int_equal(since(mark, MAX, &heard, &more), 0); // what is behind the slow one waits for it
    commit(slow);
    assert_int_equal(since(mark, MAX, &heard, &more), 2);
    assert_true(bf_id_eq(heard.ids[0], first) && bf_id_eq(heard.ids[1], second));
    assert_int_equal(since(mark, MAX, &heard, &more), 0);
    assert_false(more);
}

static void what_was_rolled_back_is_not_heard(void **state)
{
    char mark[SOCKET_STORE_MARK_SIZE] = "";
    struct heard heard;
    bool more;

    assert_int_equal(since(mark, MAX, &heard, &more), 0);
    struct bf_tx *tx = begin(BF_SCOPE_SYSTEM, acme);
    add(tx);
    bf_tx_release(tx);
    struct bf_id kept = stored(bela, "{}", 0);
    assert_int_equal(since(mark, MAX, &heard, &more), 1);
    assert_true(bf_id_eq(heard.ids[0], kept));
}

static void much_comes_in_pages(void **state)
{
    char mark[SOCKET_STORE_MARK_SIZE] = "";
    struct heard heard;
    size_t seen = 0;
    bool more;

    assert_int_equal(since(mark, MAX, &heard, &more), 0);
    for (size_t i = 0; i < 10; i++)
        stored(acme, "{}", 0);
    struct bf_id last = {{0}};
    do {
        size_t count = since(mark, 4, &heard, &more);
        for (size_t i = 0; i < count; i++) // the begin of a page is the end of the one before
            seen += !bf_id_eq(heard.ids[i], last) || i > 0;
        last = heard.ids[count - 1];
    } while (more);
    assert_int_equal(seen, 10);
}

// ---- missed

static enum bf_err missed(const char *number, struct bf_id after, size_t max, struct heard *heard)
{
    struct live *lives[MAX] = {NULL};
    struct bf_tx *tx = begin(BF_SCOPE_TENANT, acme);
    size_t count = 0;
    enum bf_err err = socket_store_missed(tx, acme, number, after, 600, max, lives, &count);

    heard->count = 0;
    for (size_t i = 0; i < count; i++) {
        heard->ids[heard->count++] = lives[i]->id;
        live_unref(lives[i]);
    }
    bf_tx_release(tx);
    return err;
}

static void what_came_behind_is_replayed_to_whom_it_names(void **state)
{
    struct bf_id old = stored(acme, "{100}", 60), after = stored(acme, "{100}", 30);
    struct bf_id first = stored(acme, "{100,101}", 0), second = stored(acme, "{101}", 0);
    struct bf_id foreign = stored(bela, "{100}", 0);
    struct heard heard;

    assert_int_equal(missed("", after, MAX, &heard), BF_OK);
    assert_int_equal(heard.count, 2);
    assert_true(bf_id_eq(heard.ids[0], first) && bf_id_eq(heard.ids[1], second));
    assert_int_equal(missed("100", after, MAX, &heard), BF_OK);
    assert_int_equal(heard.count, 1);
    assert_true(bf_id_eq(heard.ids[0], first));
    assert_int_equal(missed("", old, MAX, &heard), BF_OK);
    assert_int_equal(heard.count, 3);
    assert_int_equal(missed("", old, 3, &heard), BF_OK);
    assert_int_equal(missed("", old, 2, &heard), BF_TOO_LARGE);
    assert_int_equal(missed("", foreign, MAX, &heard), BF_NOT_FOUND);
    assert_int_equal(missed("", bf_id_new(), MAX, &heard), BF_NOT_FOUND);
}

static void too_long_ago_is_a_gap(void **state)
{
    struct bf_id after = stored(acme, "{}", 601);
    struct heard heard;

    assert_int_equal(missed("", after, MAX, &heard), BF_NOT_FOUND);
}

// Its position was drawn before that of an event that was told before it.
static void the_seconds_before_come_again(void **state)
{
    struct bf_tx *slow = begin(BF_SCOPE_SYSTEM, acme);
    struct bf_id late = add(slow);
    struct bf_id told = stored(acme, "{100}", 0);
    struct heard heard;
    bool there = false;

    commit(slow);
    assert_int_equal(missed("100", told, MAX, &heard), BF_OK);
    for (size_t i = 0; i < heard.count; i++)
        there = there || bf_id_eq(heard.ids[i], late);
    assert_true(there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whoever_commits_later_is_heard_later_and_once, tenants),
        cmocka_unit_test_setup(what_was_rolled_back_is_not_heard, tenants),
        cmocka_unit_test_setup(much_comes_in_pages, tenants),
        cmocka_unit_test_setup(what_came_behind_is_replayed_to_whom_it_names, tenants),
        cmocka_unit_test_setup(too_long_ago_is_a_gap, tenants),
        cmocka_unit_test_setup(the_seconds_before_come_again, tenants),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
