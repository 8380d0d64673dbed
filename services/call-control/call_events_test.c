// Call events against a real PostgreSQL and Redis of the test's own, as the service's role.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>
#include <cmocka.h>

#include "bf_db_fixture.h"
#include "bf_redis_fixture.h"
#include "call_events.h"
#include "call_metrics.h"
#include "call_store.h"
#include "cdr_store.h"
#include "control.h"
#include "edge_store.h"
#include "forget.h"
#include "limit_store.h"
#include "location_store.h"
#include "pushed.h"
#include "reaper.h"
#include "timeline_store.h"

static struct bf_db_fixture database;
static struct bf_redis_fixture redis_server;
static struct control control;
static struct bf_id acme, bela;

#define RACE_CALLS 30
static struct bf_id raced[RACE_CALLS];

static struct bf_redis_script *const scripts[] = {&limit_take_script, &location_put_script,
                                                  &location_gone_script, &call_keep_script};

// ---- fixture

static int start(void **state)
{
    if (!bf_db_fixture_start(&database) || !bf_redis_fixture_start(&redis_server))
        return -1;
    struct bf_db_options db = bf_db_fixture_options(&database, "belfry", "belfry_calls");
    struct bf_redis_options redis = bf_redis_fixture_options(&redis_server);
    redis.scripts = scripts;
    redis.script_count = BF_LEN(scripts);
    acme = bf_id_new();
    bela = bf_id_new();
    return bf_db_open(&db, &control.db) || bf_redis_open(&redis, &control.redis) ||
           !bf_redis_fixture_serves(control.redis);
}

static int stop(void **state)
{
    bf_db_close(control.db);
    bf_redis_close(control.redis);
    bf_redis_fixture_stop(&redis_server);
    return !bf_db_fixture_stop(&database);
}

static struct bf_tx *begin_as(enum bf_db_scope scope, struct bf_id tenant)
{
    struct bf_tx *tx = NULL;

    assert_int_equal(bf_tx_begin(control.db, scope, tenant, &tx), BF_OK);
    return tx;
}

static int64_t number_of(const char *sql)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = begin_as(BF_SCOPE_SYSTEM, (struct bf_id){{0}});
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;

    assert_int_equal(bf_tx_exec(tx, &rows, sql), BF_OK);
    return bf_rows_int(rows, 0, 0);
}

static void redis_empty(void)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control.redis);

    bf_redis_add(batch, (struct bf_redis_arg[]){BF_R_TEXT("FLUSHALL")}, 1);
    assert_int_equal(bf_redis_run(batch), BF_OK);
}

static int begin(void **state)
{
    redis_empty();
    acme = bf_id_new();
    return 0;
}

// When the call began, by its id: so that what is told later does not depend on when it is.
static uint64_t began_ms(struct bf_id call)
{
    uint64_t ms = 0;

    for (size_t i = 0; i < 6; i++)
        ms = ms << 8 | call.bytes[i];
    return ms;
}

static struct call_event event_of(struct bf_id call, int64_t seq, enum call_kind kind)
{
    return (struct call_event){.call = call,
                               .tenant = acme,
                               .seq = seq,
                               .kind = kind,
                               .at_ms = began_ms(call),
                               .edge = "edge-1",
                               .call_id = "abc@phone",
                               .caller = "100",
                               .callee = "600"};
}

// Started, rings, answered: three events.
static void tell(struct bf_id call, struct call_event events[3])
{
    events[0] = event_of(call, 1, CALL_STARTED);
    events[1] = event_of(call, 2, CALL_RINGING);
    events[1].number = "102";
    events[1].at_ms += 10;
    events[2] = event_of(call, 3, CALL_ANSWERED);
    events[2].number = "102";
    events[2].device = "r2";
    events[2].at_ms += 1010;
    events[2].to_tag = "t";
}

static struct bf_id talk(void)
{
    struct bf_id call = bf_id_new();
    struct call_event events[3];

    tell(call, events);
    assert_int_equal(call_events_apply(&control, events, 3), BF_OK);
    return call;
}

static struct call_event end_of(struct bf_id call)
{
    struct call_event end = event_of(call, 4, CALL_ENDED);

    end.at_ms += 5010;
    end.reason = "callee";
    return end;
}

static bool runs(struct bf_id call)
{
    struct call found;

    return call_store_find(&control, acme, call, &found) == BF_OK;
}

static int64_t leases(void)
{
    int64_t count;

    assert_int_equal(limit_store_count(&control, acme, &count), BF_OK);
    return count;
}

// Calls of this test's tenant in the edge's list.
static size_t listed_of(const char *edge)
{
    struct call_ref refs[500];
    size_t count, ours = 0;

    assert_int_equal(call_store_of_edge(&control, edge, BF_LEN(refs), refs, &count), BF_OK);
    assert_true(count < BF_LEN(refs));
    for (size_t i = 0; i < count; i++)
        ours += bf_id_eq(refs[i].tenant, acme);
    return ours;
}

static void keep_cdr(void *ctx, struct bf_id call, json_t *cdr)
{
    *(json_t **)ctx = json_incref(cdr);
}

static json_t *cdr_of(struct bf_id tenant, struct bf_id call)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, tenant);
    json_t *cdr = NULL;
    enum bf_err err = cdr_store_find(tx, tenant, call, keep_cdr, &cdr);

    assert_true(err == BF_OK || err == BF_NOT_FOUND);
    return cdr;
}

static void assert_cdr(struct bf_id call, const char *result, const char *reason, int64_t talk_ms)
{
    json_t *cdr = cdr_of(acme, call);

    assert_non_null(cdr);
    assert_string_equal(json_string_value(json_object_get(cdr, "result")), result);
    assert_string_equal(json_string_value(json_object_get(cdr, "reason")), reason);
    assert_string_equal(json_string_value(json_object_get(cdr, "caller")), "100");
    assert_string_equal(json_string_value(json_object_get(cdr, "answered_by")), "102");
    if (talk_ms >= 0)
        assert_int_equal(json_integer_value(json_object_get(cdr, "talk_ms")), talk_ms);
    json_decref(cdr);
}

static void a_cdr_tells_who_was_given_away(void **state)
{
    struct bf_id call = talk(), other = talk();
    struct call_event away = event_of(call, 4, CALL_TRANSFER), end = end_of(call), other_end = end_of(other);

    away.number = "103";
    away.reason = "blind by callee";
    end.seq = 5;
    assert_int_equal(call_event_apply(&control, &away), BF_OK);
    assert_true(runs(call));
    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    assert_int_equal(call_event_apply(&control, &other_end), BF_OK);
    json_t *cdr = cdr_of(acme, call), *other_cdr = cdr_of(acme, other);
    const json_t *transfers = json_object_get(cdr, "transfers"), *first = json_array_get(transfers, 0);
    assert_int_equal(json_array_size(transfers), 1);
    assert_string_equal(json_string_value(json_object_get(first, "to")), "103");
    assert_string_equal(json_string_value(json_object_get(first, "how")), "blind by callee");
    assert_string_equal(json_string_value(json_object_get(first, "time")),
                        json_string_value(json_object_get(cdr, "started_at")));
    assert_true(json_is_array(json_object_get(other_cdr, "transfers")));
    assert_int_equal(json_array_size(json_object_get(other_cdr, "transfers")), 0);
    json_decref(cdr);
    json_decref(other_cdr);
}

// ---- partitions

static void months_are_made_ahead_and_old_ones_dropped(void **state)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = begin_as(BF_SCOPE_SYSTEM, (struct bf_id){{0}});
    int64_t made, dropped;

    assert_int_equal(cdr_store_partitions(tx, 0, &made, &dropped), BF_OK);
    assert_int_equal(made, 2 * (CDR_MONTHS_AHEAD + 2));
    assert_int_equal(dropped, 0);
    assert_int_equal(cdr_store_partitions(tx, 1, &made, &dropped), BF_OK);
    assert_int_equal(made, 0);
    assert_int_equal(dropped, 0); // last month is within one
    assert_int_equal(bf_tx_commit(tx), BF_OK);
}

static void what_came_before_its_month_moves_into_it(void **state)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = begin_as(BF_SCOPE_SYSTEM, (struct bf_id){{0}});
    static char drop[] =
        "DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT inhrelid FROM pg_inherits "
        "WHERE inhparent = 'calls.cdr'::regclass AND inhrelid <> 'calls.cdr_default'::regclass "
        "LOOP EXECUTE format('DROP TABLE %s', t); END LOOP; END $$";
    int64_t made, dropped;

    // As if the months had never been made.
    assert_true(bf_db_fixture_run(&database, "belfry", "belfry",
                                  (char *[]){"psql", "-Xqv", "ON_ERROR_STOP=1", "-c", drop, NULL}));
    struct bf_id call = talk();
    struct call_event end = end_of(call);
    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    assert_int_equal(number_of("SELECT count(*) FROM calls.cdr"), 1);
    assert_int_equal(cdr_store_partitions(tx, 0, &made, &dropped), BF_OK);
    assert_int_equal(bf_tx_commit(tx), BF_OK);
    assert_int_equal(number_of("SELECT count(*) FROM calls.cdr WHERE tableoid <> "
                               "(SELECT oid FROM pg_class WHERE relname = 'cdr_default')"),
                     1);
    assert_cdr(call, "answered", "callee", 4000);
}

// ---- isolation

static void every_table_has_forced_row_level_security(void **state)
{
    assert_true(number_of("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') "
                          "AND relnamespace = 'calls'::regnamespace") >= 10);
    assert_int_equal(number_of("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') "
                               "AND relnamespace = 'calls'::regnamespace "
                               "AND NOT (relrowsecurity AND relforcerowsecurity)"),
                     0);
}

static void count_line(void *ctx, const struct call_event *event)
{
    ++*(size_t *)ctx;
}

static size_t lines_seen_by(struct bf_id tenant, struct bf_id call)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, tenant);
    const struct timeline_position first = {0, INT64_MIN};
    size_t count = 0;
    bool more;

    // Asked under the owner's name: row-level security alone decides.
    assert_int_equal(timeline_store_list(tx, acme, call, first, 100, count_line, &count, &more), BF_OK);
    return count;
}

static void a_tenant_sees_only_its_own_calls(void **state)
{
    struct bf_id call = talk();
    struct call_event end = end_of(call);
    struct call found;

    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    assert_int_equal(lines_seen_by(acme, call), 4);
    assert_int_equal(lines_seen_by(bela, call), 0);
    json_t *own = cdr_of(acme, call);
    assert_non_null(own);
    json_decref(own);
    assert_null(cdr_of(bela, call));
    struct bf_id running = talk();
    assert_int_equal(call_store_find(&control, bela, running, &found), BF_NOT_FOUND);
}

static void the_service_may_not_rewrite_what_happened(void **state)
{
    static const char *const forbidden[] = {
        "UPDATE calls.cdr SET caller = 'x'",    "DELETE FROM calls.cdr", "DELETE FROM calls.timeline",
        "UPDATE calls.timeline SET text = 'x'", "TRUNCATE calls.cdr",    "SELECT * FROM calls.cdr_default"};

    for (size_t i = 0; i < BF_LEN(forbidden); i++) {
        bf_cleanup(bf_tx_release_at) struct bf_tx *tx = begin_as(BF_SCOPE_SYSTEM, (struct bf_id){{0}});
        assert_int_equal(bf_tx_exec(tx, NULL, forbidden[i]), BF_FORBIDDEN);
    }
}

// ---- a call's way

static void a_call_is_live_then_a_cdr(void **state)
{
    struct bf_id call = talk();
    struct call_event end = end_of(call);
    struct call found;

    assert_int_equal(call_store_find(&control, acme, call, &found), BF_OK);
    assert_int_equal(found.state, CALL_STATE_ANSWERED);
    assert_string_equal(found.number, "102");
    assert_string_equal(found.call_id, "abc@phone");
    assert_string_equal(found.to_tag, "t");
    assert_int_equal(leases(), 1);
    assert_null(cdr_of(acme, call));
    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    assert_false(runs(call));
    assert_int_equal(leases(), 0);
    assert_cdr(call, "answered", "callee", 4000);
}

static void everything_twice_is_there_once(void **state)
{
    struct bf_id call = bf_id_new();
    struct call_event events[4];
    int64_t before = number_of("SELECT count(*) FROM calls.cdr");
    size_t lines = 0;

    tell(call, events);
    events[3] = end_of(call);
    for (int i = 0; i < 3; i++)
        assert_int_equal(call_events_apply(&control, events, 4), BF_OK);
    redis_empty(); // and once more with nothing remembered
    assert_int_equal(call_events_apply(&control, events, 4), BF_OK);
    assert_int_equal(call_event_apply(&control, &events[1]), BF_OK);
    lines = lines_seen_by(acme, call);
    assert_int_equal(lines, 4);
    assert_int_equal(number_of("SELECT count(*) FROM calls.cdr") - before, 1);
    assert_false(runs(call));
    assert_int_equal(leases(), 0);
    assert_cdr(call, "answered", "callee", 4000);
}

static void the_end_first_within_a_batch_is_still_the_end(void **state)
{
    struct bf_id call = bf_id_new();
    struct call_event events[4];

    tell(call, events + 1);
    events[0] = end_of(call);
    assert_int_equal(call_events_apply(&control, events, 4), BF_OK);
    assert_cdr(call, "answered", "callee", 4000);
}

static void a_call_that_redis_lost_is_made_again(void **state)
{
    struct bf_id call = talk();
    struct call_event end = end_of(call);

    redis_empty();
    assert_false(runs(call));
    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    assert_cdr(call, "answered", "callee", 4000);
}

static void all_calls_that_redis_lost_come_back(void **state)
{
    struct bf_id calls[3] = {talk(), talk(), talk()};
    struct call_event end = end_of(calls[1]);
    size_t count = 0;

    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    redis_empty();
    assert_int_equal(call_events_rebuild(&control, &count), BF_OK);
    assert_true(runs(calls[0]) && !runs(calls[1]) && runs(calls[2]));
    assert_int_equal(leases(), 2);
    assert_int_equal(call_events_rebuild(&control, &count), BF_OK);
    assert_int_equal(count, 0); // they are there
}

// As a rebuild and an edge's Report at the same time leave it, whichever of the two is the last: the rebuild
// has read the timeline before the end was told, and writes behind it.
static void a_call_that_ends_while_it_is_brought_back_stays_over(void **state)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control.redis);
    struct bf_id id = talk();
    struct call_event end = end_of(id);
    struct call call;
    size_t closed;

    assert_int_equal(call_store_find(&control, acme, id, &call), BF_OK);
    redis_empty();
    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    call_store_keep(batch, &call, (struct call_keep){.listed = true, .hold_ms = LIMIT_HOLD_MS});
    size_t again =
        call_store_keep(batch, &call, (struct call_keep){.only_new = true, .hold_ms = LIMIT_HOLD_MS});
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(call_store_kept(bf_redis_reply(batch, again)), CALL_KEPT_OVER);
    assert_false(runs(id));
    assert_int_equal(leases(), 0);
    // It is in the edge's list, by our own doing; what looks for calls that nobody ends takes it away.
    assert_int_equal(call_events_close_stale(&control, "edge-1", &closed), BF_OK);
    assert_int_equal(closed, 0);
    assert_int_equal(listed_of("edge-1"), 0);
}

// Two replicas at once: the lock on its edge's stream was too long for one.
static void *tell_again(void *ctx)
{
    struct call_event events[3];
    enum bf_err *err = ctx;

    for (size_t i = 0; i < RACE_CALLS && !*err; i++) {
        tell(raced[i], events);
        *err = call_events_apply(&control, events, 3);
    }
    return NULL;
}

static void a_call_that_two_tell_at_once_is_one_call(void **state)
{
    enum bf_err mine = BF_OK, other = BF_OK;
    pthread_t thread;

    for (size_t i = 0; i < RACE_CALLS; i++)
        raced[i] = bf_id_new();
    assert_int_equal(pthread_create(&thread, NULL, tell_again, &other), 0);
    tell_again(&mine);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(mine, BF_OK);
    assert_int_equal(other, BF_OK);
    assert_int_equal(leases(), RACE_CALLS);
    assert_int_equal(listed_of("edge-1"), RACE_CALLS);
    for (size_t i = 0; i < RACE_CALLS; i++)
        assert_true(runs(raced[i]));
}

static void a_call_is_kept_once_without_a_look_at_it(void **state)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control.redis);
    const struct call call = {
        .id = bf_id_new(), .tenant = acme, .edge = "edge-1", .state = CALL_STATE_RINGING};
    struct call_keep how = {.hold_ms = LIMIT_HOLD_MS};
    size_t first = call_store_keep(batch, &call, how), second = call_store_keep(batch, &call, how);

    how.listed = true;
    size_t again = call_store_keep(batch, &call, how);
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(call_store_kept(bf_redis_reply(batch, first)), CALL_KEPT);
    assert_int_equal(call_store_kept(bf_redis_reply(batch, second)), CALL_KEPT_NOT);
    assert_int_equal(call_store_kept(bf_redis_reply(batch, again)), CALL_KEPT);
}

// As a replica leaves it that is killed behind the end that a reaper told: its edge tells everything again.
static void what_is_told_again_of_a_call_that_is_over_frees_its_place(void **state)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control.redis);
    struct bf_id id = talk();
    struct call_event end = end_of(id), events[3];
    struct call call;

    assert_int_equal(call_store_find(&control, acme, id, &call), BF_OK);
    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    call_store_keep(batch, &call, (struct call_keep){.hold_ms = LIMIT_HOLD_MS});
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(leases(), 1);
    tell(id, events);
    assert_int_equal(call_events_apply(&control, events, 3), BF_OK);
    assert_int_equal(leases(), 0);
    assert_int_equal(listed_of("edge-1"), 0);
    assert_false(runs(id));
}

struct ending { // tells the ends of calls while the other thread brings them back
    struct call_event events[RACE_CALLS];
    enum bf_err err;
};

static void *end_all(void *ctx)
{
    struct ending *ending = ctx;

    for (size_t i = 0; i < RACE_CALLS && !ending->err; i++)
        ending->err = call_event_apply(&control, &ending->events[i]);
    return NULL;
}

static void calls_that_end_during_a_rebuild_leave_no_lease(void **state)
{
    for (int round = 0; round < 5; round++) {
        struct ending ending = {.err = BF_OK};
        size_t count;
        pthread_t thread;
        for (size_t i = 0; i < RACE_CALLS; i++)
            ending.events[i] = end_of(talk());
        redis_empty();
        assert_int_equal(pthread_create(&thread, NULL, end_all, &ending), 0);
        for (int i = 0; i < 20; i++)
            assert_int_equal(call_events_rebuild(&control, &count), BF_OK);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(ending.err, BF_OK);
        assert_int_equal(leases(), 0);
        assert_int_equal(listed_of("edge-1"), 0);
    }
}

static void nonsense_is_left_out_and_the_rest_is_taken(void **state)
{
    struct bf_id call = bf_id_new();
    struct call_event events[5];
    int64_t refused = call_metrics[CALLS_EVENTS_REFUSED].value;

    tell(call, events);
    events[3] = event_of(call, 4, CALL_UNKNOWN);
    events[4] = end_of(call);
    events[4].seq = 5;
    events[0].user_agent = "\xff\x01 phone";
    assert_int_equal(call_events_apply(&control, events, 5), BF_OK);
    assert_int_equal(call_metrics[CALLS_EVENTS_REFUSED].value - refused, 1);
    assert_int_equal(lines_seen_by(acme, call), 4);
    assert_cdr(call, "answered", "callee", 4000);
}

static void many_calls_in_one_batch(void **state)
{
    const size_t calls = 700;
    struct call_event *events = bf_xcalloc(calls * 4, sizeof(*events));
    int64_t before = number_of("SELECT count(*) FROM calls.cdr");

    for (size_t i = 0; i < calls; i++) {
        struct bf_id call = bf_id_new();
        tell(call, &events[i * 4]);
        events[i * 4 + 3] = end_of(call);
    }
    assert_int_equal(call_events_apply(&control, events, calls * 4), BF_OK);
    assert_int_equal(number_of("SELECT count(*) FROM calls.cdr") - before, calls);
    free(events);
}

struct seen {
    size_t count;
    struct bf_id last;
    bool sorted;
};

static void see(void *ctx, const struct call *call)
{
    struct seen *seen = ctx;

    seen->sorted = seen->sorted &&
                   (seen->count == 0 || memcmp(call->id.bytes, seen->last.bytes, sizeof(call->id.bytes)) < 0);
    seen->count++;
    seen->last = call->id;
}

static void running_calls_come_in_pages_newest_first(void **state)
{
    struct seen seen = {.sorted = true};
    bool more = true;

    for (int i = 0; i < 7; i++)
        (void)talk();
    for (int pages = 0; more && pages < 10; pages++)
        assert_int_equal(call_store_list(&control, acme, seen.last, 2, see, &seen, &more), BF_OK);
    assert_int_equal(seen.count, 7);
    assert_true(seen.sorted);
}

// ---- CDRs

struct cdrs {
    size_t count;
    struct bf_id last;
};

static void cdr_seen(void *ctx, struct bf_id call, json_t *cdr)
{
    struct cdrs *cdrs = ctx;

    cdrs->count++;
    cdrs->last = call;
}

static size_t cdrs_found(struct cdr_query query, bool *ret_more, struct bf_id *ret_last)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, acme);
    struct cdrs cdrs = {.count = 0};

    query.tenant = acme;
    assert_int_equal(cdr_store_list(tx, &query, cdr_seen, &cdrs, ret_more), BF_OK);
    *ret_last = cdrs.last;
    return cdrs.count;
}

static void cdrs_are_found_by_time_and_any_number_in_pages(void **state)
{
    uint64_t from_ms = bf_unix_ms();
    struct bf_id last;
    bool more;

    for (int i = 0; i < 5; i++) {
        struct bf_id call = bf_id_new();
        struct call_event events[4];
        tell(call, events);
        for (int e = 0; e < 3; e++)
            events[e].caller = i % 2 ? "100" : "777";
        events[3] = end_of(call);
        assert_int_equal(call_events_apply(&control, events, 4), BF_OK);
    }
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 50}, &more, &last), 5);
    assert_false(more);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 3}, &more, &last), 3);
    assert_true(more);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 3, .before = last}, &more, &last), 2);
    assert_false(more);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 50, .number = "777"}, &more, &last), 3);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 50, .number = "600"}, &more, &last), 5);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 50, .number = "102"}, &more, &last), 5);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 2, .number = "102"}, &more, &last), 2);
    assert_true(more);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 50, .number = "9"}, &more, &last), 0);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 50, .from_ms = from_ms}, &more, &last), 5);
    assert_int_equal(cdrs_found((struct cdr_query){.limit = 50, .to_ms = from_ms}, &more, &last), 0);
    assert_int_equal(
        cdrs_found((struct cdr_query){.limit = 50, .from_ms = bf_unix_ms() + 60000}, &more, &last), 0);
}

// ---- edges that die

static void heartbeat(const char *edge, uint64_t seen_ms)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control.redis);
    char key[EDGE_KEY_SIZE];

    bf_redis_cmd(batch, "SADD", BF_R_TEXT("edges"), BF_R_TEXT(edge));
    bf_redis_cmd(batch, "HSET", BF_R_TEXT(edge_key("e", edge, key)), BF_R_TEXT("seen_ms"), BF_R_INT(seen_ms));
    assert_int_equal(bf_redis_run(batch), BF_OK);
}

static bool is_listed(const char *edge)
{
    bf_autofree struct edge *list = NULL;
    size_t count;

    assert_int_equal(edge_store_list(&control, &list, &count), BF_OK);
    return edge_in_list(list, count, edge);
}

static void the_calls_of_a_dead_edge_are_closed(void **state)
{
    struct bf_id calls[2] = {talk(), talk()};
    struct call_event late = end_of(calls[0]);
    size_t closed;

    assert_int_equal(call_events_close_edge(&control, "edge-1", "edge-lost", &closed), BF_OK);
    assert_int_equal(closed, 2);
    assert_false(runs(calls[0]) || runs(calls[1]));
    assert_int_equal(leases(), 0);
    assert_cdr(calls[0], "lost", "edge-lost", -1);
    // The edge comes back and tells what it still had: it is in the story, the CDR stays.
    assert_int_equal(call_event_apply(&control, &late), BF_OK);
    assert_int_equal(lines_seen_by(acme, calls[0]), 5);
    assert_cdr(calls[0], "lost", "edge-lost", -1);
    assert_int_equal(call_events_close_edge(&control, "edge-1", "edge-lost", &closed), BF_OK);
    assert_int_equal(closed, 0);
}

static void a_call_whose_end_was_never_told_is_closed_when_its_time_is_over(void **state)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control.redis);
    char key[CALL_KEY_SIZE];
    struct bf_id running = talk(), stale = talk();
    size_t closed;

    bf_redis_cmd(batch, "DEL", BF_R_TEXT(call_key(acme, stale, key))); // as its time to live does
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(call_events_close_stale(&control, "edge-1", &closed), BF_OK);
    assert_int_equal(closed, 1);
    assert_true(runs(running));
    assert_cdr(stale, "lost", "end-not-told", -1);
    assert_int_equal(call_events_close_stale(&control, "edge-1", &closed), BF_OK);
    assert_int_equal(closed, 0);
}

static void a_forgotten_edge_leaves_no_call_behind(void **state)
{
    struct bf_id call = talk();
    struct forgotten forgotten;

    heartbeat("edge-1", bf_unix_ms());
    assert_int_equal(forget_edge(&control, "edge-1", &forgotten), BF_CONFLICT);
    assert_true(runs(call));
    heartbeat("edge-1", bf_unix_ms() - 60000);
    assert_int_equal(forget_edge(&control, "edge-1", &forgotten), BF_OK);
    assert_int_equal(forgotten.calls, 1);
    assert_false(runs(call) || is_listed("edge-1"));
    assert_int_equal(leases(), 0);
    assert_cdr(call, "lost", "edge-lost", -1);
}

static void turn_until(struct reaper *reaper, struct bf_id call, bool closed, uint64_t for_ms)
{
    uint64_t until = bf_mono_ms() + for_ms;

    while (bf_mono_ms() < until && runs(call) != !closed) {
        assert_int_equal(reaper_turn(reaper), BF_OK);
        usleep(50000);
    }
    assert_int_equal(!runs(call), closed);
}

static void the_reaper_closes_the_silent_and_leaves_the_living(void **state)
{
    struct bf_id dead = talk(), living = bf_id_new();
    struct call_event event = event_of(living, 1, CALL_STARTED);
    struct reaper *reaper = reaper_new(&control), *other = reaper_new(&control);

    event.edge = "edge-2";
    assert_int_equal(call_event_apply(&control, &event), BF_OK);
    heartbeat("edge-1", bf_unix_ms() - 60000);
    heartbeat("edge-2", bf_unix_ms() + 3600000); // heard all the time
    heartbeat("edge-old", 0);                    // as when its heartbeat ran out
    assert_int_equal(reaper_turn(reaper), BF_OK);
    assert_int_equal(reaper_turn(other), BF_OK); // the other one leads
    assert_true(runs(dead));                     // it might only not have been heard yet
    turn_until(reaper, dead, true, 20000 + REAPER_GRACE_MS);
    assert_true(runs(living));
    assert_cdr(dead, "lost", "edge-lost", -1);
    assert_int_equal(reaper_turn(reaper), BF_OK);
    assert_false(is_listed("edge-old"));
    assert_true(is_listed("edge-1") && is_listed("edge-2"));
    reaper_free(reaper);
    assert_int_equal(reaper_turn(other), BF_OK);
    assert_int_equal(call_metrics[CALLS_REAPER_LEADS].value, 1);
    reaper_free(other);
}

// ---- PostgreSQL away: the last test

static void without_postgresql_nothing_is_taken_and_what_runs_is_seen(void **state)
{
    struct bf_id call = talk(), missed = bf_id_new();
    struct call_event events[3], end = end_of(call);

    bf_db_fixture_end(&database, SIGQUIT);
    tell(missed, events);
    assert_int_equal(call_events_apply(&control, events, 3), BF_UNAVAILABLE);
    assert_int_equal(call_event_apply(&control, &end), BF_UNAVAILABLE);
    assert_true(runs(call));
    assert_false(runs(missed));
    bf_db_fixture_spawn(&database);
    assert_true(bf_db_fixture_serves(&database));
    uint64_t until = bf_mono_ms() + 20000;
    while (call_events_apply(&control, events, 3) && bf_mono_ms() < until)
        usleep(50000);
    assert_true(runs(missed));
    assert_int_equal(call_event_apply(&control, &end), BF_OK);
    assert_cdr(call, "answered", "callee", 4000);
}

// ---- pushes

struct read_line {
    int64_t seq;
    uint64_t at_ms;
    enum call_kind kind;
    uint32_t code;
    char device[BF_ID_TEXT_SIZE], number[16], text[CALL_TEXT_SIZE];
};

struct read_lines {
    struct read_line at[16];
    size_t count;
};

static void read_line(void *ctx, const struct call_event *event)
{
    struct read_lines *lines = ctx;
    struct read_line *line = &lines->at[lines->count++];

    *line = (struct read_line){event->seq, event->at_ms, event->kind, event->code, "", "", ""};
    snprintf(line->device, sizeof(line->device), "%s", event->device);
    snprintf(line->number, sizeof(line->number), "%s", event->number);
    snprintf(line->text, sizeof(line->text), "%s", event->reason);
}

static struct read_lines lines_of(struct bf_id call)
{
    struct read_lines lines = {.count = 0};
    bool more;
    struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, acme);

    assert_int_equal(timeline_store_list(tx, acme, call, (struct timeline_position){0, INT64_MIN}, 16,
                                         read_line, &lines, &more),
                     BF_OK);
    bf_tx_release(tx);
    return lines;
}

static struct pushed pushed_of(struct bf_id call, struct bf_id device, uint64_t at_ms)
{
    return (struct pushed){.id = bf_id_new(),
                           .tenant = acme,
                           .call = call,
                           .device = device,
                           .number = "102",
                           .kind = "wake",
                           .provider = "apns",
                           .answer = "",
                           .push_id = "5F3A",
                           .at_ms = at_ms,
                           .code = 200,
                           .attempts = 1};
}

// However often it is told, and whatever event-fanout's clock says.
static void what_a_provider_answered_stands_once_behind_the_wait(void **state)
{
    struct bf_id call = bf_id_new(), device = bf_id_new();
    struct call_event events[2] = {event_of(call, 1, CALL_STARTED), event_of(call, 2, CALL_WAKING)};
    char text[BF_ID_TEXT_SIZE];

    events[1].number = "102";
    events[1].push = device;
    events[1].at_ms += 50;
    events[1].until_ms = 1; // over: Redis is told nothing
    assert_int_equal(call_events_apply(&control, events, 2), BF_OK);
    struct pushed pushed[3] = {pushed_of(call, device, began_ms(call) + 10), // before it was waited for
                               pushed_of(call, device, began_ms(call) + 90), pushed_of(call, device, 0)};
    pushed[1].kind = "cancel";
    pushed[1].failed = true;
    pushed[1].code = 410;
    pushed[1].answer = "Unregistered";
    pushed[1].attempts = 3;
    assert_int_equal(pushed_take(&control, pushed, 3), BF_OK); // the third has no time: left out
    assert_int_equal(pushed_take(&control, pushed, 2), BF_OK);
    struct read_lines lines = lines_of(call);
    assert_int_equal(lines.count, 4);
    assert_int_equal(lines.at[1].kind, CALL_WAKING);
    assert_int_equal(lines.at[2].kind, CALL_PUSH_SENT);
    assert_int_equal(lines.at[2].at_ms, lines.at[1].at_ms);
    assert_int_equal(lines.at[2].code, 200);
    assert_string_equal(lines.at[2].device, bf_id_text(device, text));
    assert_string_equal(lines.at[2].number, "102");
    assert_string_equal(lines.at[2].text, "apns took the wake push: 5F3A");
    assert_int_equal(lines.at[3].kind, CALL_PUSH_FAILED);
    assert_string_equal(lines.at[3].text, "apns refused the cancel push, attempt 3: Unregistered");
    assert_true(lines.at[2].seq > CALL_SEQ_CLOSED && lines.at[3].seq <= CALL_SEQ_PUSH_MAX);
    // The call is as its edge told it, also when it is made again from its lines.
    redis_empty();
    struct call_event end = end_of(call);
    assert_int_equal(call_events_apply(&control, &end, 1), BF_OK);
    assert_int_equal(number_of("SELECT count(*) FROM calls.cdr WHERE result = 'lost'"), 0);
}

// What providers say may be anything.
static void a_hostile_answer_is_one_line(void **state)
{
    static char words[1000];
    struct bf_id call = bf_id_new(), device = bf_id_new();
    struct pushed pushed = pushed_of(call, device, began_ms(call));

    memset(words, '\n', sizeof(words) - 1);
    pushed.failed = true;
    pushed.answer = words;
    pushed.provider = "\xff\xfe";
    assert_int_equal(pushed_take(&control, &pushed, 1), BF_OK);
    struct read_lines lines = lines_of(call);
    assert_int_equal(lines.count, 1);
    assert_null(strchr(lines.at[0].text, '\n'));
    pushed.call = (struct bf_id){{0}};
    assert_int_equal(pushed_take(&control, &pushed, 1), BF_OK);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(months_are_made_ahead_and_old_ones_dropped),
        TEST(what_came_before_its_month_moves_into_it),
        TEST(every_table_has_forced_row_level_security),
        TEST(a_tenant_sees_only_its_own_calls),
        TEST(the_service_may_not_rewrite_what_happened),
        TEST(a_call_is_live_then_a_cdr),
        TEST(everything_twice_is_there_once),
        TEST(the_end_first_within_a_batch_is_still_the_end),
        TEST(a_call_that_redis_lost_is_made_again),
        TEST(all_calls_that_redis_lost_come_back),
        TEST(a_call_that_ends_while_it_is_brought_back_stays_over),
        TEST(calls_that_end_during_a_rebuild_leave_no_lease),
        TEST(what_is_told_again_of_a_call_that_is_over_frees_its_place),
        TEST(a_call_that_two_tell_at_once_is_one_call),
        TEST(a_call_is_kept_once_without_a_look_at_it),
        TEST(what_a_provider_answered_stands_once_behind_the_wait),
        TEST(a_hostile_answer_is_one_line),
        TEST(nonsense_is_left_out_and_the_rest_is_taken),
        TEST(many_calls_in_one_batch),
        TEST(running_calls_come_in_pages_newest_first),
        TEST(cdrs_are_found_by_time_and_any_number_in_pages),
        TEST(the_calls_of_a_dead_edge_are_closed),
        TEST(a_call_whose_end_was_never_told_is_closed_when_its_time_is_over),
        TEST(a_cdr_tells_who_was_given_away),
        TEST(a_forgotten_edge_leaves_no_call_behind),
        TEST(the_reaper_closes_the_silent_and_leaves_the_living),
        TEST(without_postgresql_nothing_is_taken_and_what_runs_is_seen),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
