// An edge's stream against a real Redis: exactly once and in order, whatever comes.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "edge_fixture.h"
#include "forget.h"
#include "report.h"

#define TENANT_TEXT "01020304-0506-0708-090a-0b0c0d0e0f10"

static struct fixture fixture;
static struct edge_fixture edge;

static int start(void **state)
{
    struct bf_db_options nowhere = {.host = "/nonexistent",
                                    .port = 5432,
                                    .dbname = "none",
                                    .user = "none",
                                    .connections_max = 1,
                                    .connect_timeout_ms = 100,
                                    .borrow_timeout_ms = 100,
                                    .statement_timeout_ms = 100};

    fixture.numbers[0].number = "101";
    return fixture_start(&fixture) || bf_db_open(&nowhere, &fixture.control.db);
}

static int stop(void **state)
{
    fixture_stop(&fixture);
    bf_db_close(fixture.control.db);
    return 0;
}

static int begin(void **state)
{
    edge = edge_fixture(&fixture, "edge-1", bf_unix_ms() << 8);
    return fixture_flush(&fixture);
}

// How many bindings a number has, asked as the REST API asks.
static size_t bindings_of(const char *number)
{
    struct bindings bindings;

    bindings_init(&bindings);
    assert_int_equal(location_store_number(&fixture.control, FIXTURE_TENANT, number, &bindings), BF_OK);
    size_t count = bindings.count;
    location_store_release(&bindings);
    return count;
}

static void assert_answered(uint64_t taken_seq, bool resync)
{
    assert_int_equal(edge.err, BF_OK);
    assert_int_equal(edge.taken_seq, taken_seq);
    assert_int_equal(edge.resync, resync);
}

static void synced(void)
{
    edge_sync(&edge, false, 1);
    edge_sync(&edge, true, 1);
    edge_send(&edge);
    assert_int_equal(edge.err, BF_OK);
    assert_false(edge.resync);
}

// ---- what is chosen: pure

static void test_which_entries_are_taken(void **state)
{
    static const struct {
        struct edge_stream stream;
        uint64_t first_seq;
        size_t count;
        struct report_choice expected;
    } cases[] = {
        {{.known = true, .seq = 10}, 11, 3, {.seq = 13}},
        {{.known = true, .seq = 10}, 11, 0, {.seq = 10}},
        {{.known = true, .seq = 10}, 9, 5, {.skip = 2, .seq = 13}},
        {{.known = true, .seq = 10}, 5, 3, {.skip = 3, .seq = 10}},
        {{.known = true, .seq = 10}, 5, 0, {.seq = 10}},
        {{.known = true, .seq = 10}, 13, 2, {.refuse = true, .seq = 10}},
        {{.known = true, .seq = 10, .gap = 12}, 13, 2, {.refuse = true, .seq = 10}},
        {{.known = true, .seq = 10, .gap = 13}, 13, 2, {.lost = true, .seq = 14}},
        {{.known = true, .seq = 10, .gap = 13}, 13, 0, {.lost = true, .seq = 12}},
        {{.known = false}, 500, 2, {.seq = 501}},
        {{.known = false}, 1, 0, {.seq = 0}},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        struct report_choice got = report_choose(&cases[i].stream, cases[i].first_seq, cases[i].count);
        assert_int_equal(got.skip, cases[i].expected.skip);
        assert_int_equal(got.refuse, cases[i].expected.refuse);
        assert_int_equal(got.lost, cases[i].expected.lost);
        assert_int_equal(got.seq, cases[i].expected.seq);
    }
}

// ---- the stream

static void test_a_binding_comes_and_goes(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2");
    edge_binding(&edge, "102", "r3", "sip:102@192.0.2.3");
    edge_send(&edge);
    assert_answered(3, true); // it is new: everything it has is wanted
    assert_int_equal(bindings_of("101"), 2);
    edge_binding_gone(&edge, "101", "r1");
    edge_binding_gone(&edge, "102", "r3");
    edge_send(&edge);
    assert_answered(5, true);
    assert_int_equal(bindings_of("101"), 1);
    assert_int_equal(bindings_of("102"), 0);
    assert_int_equal(fixture_redis_int(&fixture, "SCARD", BF_R_TEXT("n:{" TENANT_TEXT "}")), 1);
    assert_int_equal(fixture_redis_int(&fixture, "SCARD", BF_R_TEXT("eb:edge-1")), 1);
}

// An edge's names are written many at once, but in front of what takes one of them away.
static void test_a_binding_that_goes_with_the_report_it_came_with_is_not_listed(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2");
    edge_sync(&edge, false, 1);
    edge_binding(&edge, "102", "r3", "sip:102@192.0.2.3");
    edge_binding_gone(&edge, "101", "r1");
    edge_binding_gone(&edge, "102", "r3");
    edge_binding(&edge, "102", "r3", "sip:102@192.0.2.3");
    edge_send(&edge);
    assert_answered(7, false);
    assert_int_equal(bindings_of("101"), 1);
    assert_int_equal(bindings_of("102"), 1);
    assert_int_equal(fixture_redis_int(&fixture, "SCARD", BF_R_TEXT("eb:edge-1")), 2);
    assert_int_equal(fixture_redis_int(&fixture, "SCARD", BF_R_TEXT("eo:edge-1")), 1); // r2 has not come yet
}

static int64_t kept_until(const char *key)
{
    return fixture_redis_int(&fixture, "PEXPIRETIME", BF_R_TEXT(key));
}

static void test_a_number_is_kept_until_its_last_binding_runs_out(void **state)
{
    static const char number[] = "b:{" TENANT_TEXT "}:101", tenant[] = "r:{" TENANT_TEXT "}:edge-1";
    uint64_t now_ms = bf_unix_ms();

    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->expires_ms = now_ms + 60000;
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2")->expires_ms = now_ms + 30000;
    edge_send(&edge);
    assert_int_equal(kept_until(number), now_ms + 60000);
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->expires_ms = now_ms + 60000; // told again
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2")->expires_ms = now_ms + 90000;
    edge_send(&edge);
    assert_int_equal(bindings_of("101"), 2);
    assert_int_equal(kept_until(number), now_ms + 90000);
    assert_in_range(kept_until(tenant), now_ms + 90000, now_ms + 150000);
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2")->expires_ms =
        now_ms + 40000; // what it will have now
    edge_send(&edge);
    assert_int_equal(fixture_redis_int(&fixture, "ZSCORE", BF_R_TEXT(tenant), BF_R_TEXT("101/r2")),
                     now_ms + 40000);
}

static int64_t changes(void)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(fixture.control.redis);
    static const char name[] = "rdb_changes_since_last_save:";

    bf_redis_cmd(batch, "INFO", BF_R_TEXT("persistence"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    struct bf_str info = bf_redis_str(bf_redis_reply(batch, 0));
    const char *at = memmem(info.at, info.len, name, sizeof(name) - 1);
    assert_non_null(at);
    return strtol(at + sizeof(name) - 1, NULL, 10);
}

// A sync of 100,000 bindings must not write all of them into Redis' log once more.
static void test_what_is_told_again_and_stands_there_is_not_written(void **state)
{
    uint64_t until_ms = bf_unix_ms() + 60000;

    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->expires_ms = until_ms;
    edge_send(&edge);
    int64_t began = changes();
    edge_send(&edge);
    int64_t heartbeat = changes() - began;
    for (size_t i = 0; i < 3; i++)
        edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->expires_ms = until_ms;
    edge_send(&edge);
    assert_int_equal(changes() - began, 2 * heartbeat);
    assert_int_equal(bindings_of("101"), 1);
}

// What only the device and we may know goes no further: neither to Redis nor, from there, to anybody.
static void test_the_secrets_of_a_device_are_not_kept(void **state)
{
    struct bf_id owner = {{7}};
    uint8_t pn_id[BINDING_PN_ID_BYTES] = {9};
    struct bindings bindings;
    char contact[] = "sip:101@192.0.2.1;pn-provider=apns;pn-prid=SECRET;ob"; // of an edge that leaves it in
    Belfry__Call__V1__Binding *binding = edge_binding(&edge, "101", "r1", contact);

    binding->pn_provider = (char *)"apns";
    binding->pn_prid = binding->pn_param = binding->wake = (char *)"SECRET";
    binding->pn_id = (ProtobufCBinaryData){sizeof(pn_id), pn_id};
    binding->extension = (ProtobufCBinaryData){sizeof(owner.bytes), owner.bytes};
    edge_send(&edge);
    bindings_init(&bindings);
    assert_int_equal(location_store_number(&fixture.control, FIXTURE_TENANT, "101", &bindings), BF_OK);
    assert_int_equal(bindings.count, 1);
    assert_string_equal(bindings.at[0].contact, "sip:101@192.0.2.1;ob");
    assert_string_equal(bindings.at[0].pn_prid, "");
    assert_memory_equal(bindings.at[0].pn_id, pn_id, sizeof(pn_id));
    assert_true(bf_id_eq(bindings.at[0].extension, owner));
    location_store_release(&bindings);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(fixture.control.redis);
    bf_redis_cmd(batch, "HVALS", BF_R_TEXT("b:{" TENANT_TEXT "}:101"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    struct bf_str kept = bf_redis_str(bf_redis_item(bf_redis_reply(batch, 0), 0));
    assert_true(kept.len > 0);
    assert_null(memmem(kept.at, kept.len, "SECRET", 6));
}

static void test_a_binding_ends_by_itself(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->expires_ms = bf_unix_ms() + 50;
    edge_send(&edge);
    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS;
    while (bindings_of("101") > 0) {
        assert_true(bf_mono_ms() < until);
        usleep(10000);
    }
}

static void test_a_repeated_report_does_nothing(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_binding_gone(&edge, "101", "r1");
    edge_send_at(&edge, 1);
    edge_send_at(&edge, 1);
    assert_answered(2, true);
    edge.count = 1; // only its beginning, late
    edge_send_at(&edge, 1);
    assert_answered(2, true);
    assert_int_equal(bindings_of("101"), 0);
}

static void test_a_report_that_overtook_another_waits(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_send_at(&edge, 1);
    edge.count = 0;
    edge_binding_gone(&edge, "101", "r1");
    edge_send_at(&edge, 3); // 2 has not come yet
    assert_answered(1, true);
    assert_int_equal(bindings_of("101"), 1);
    edge.count = 0;
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.7");
    edge_send_at(&edge, 2);
    assert_answered(2, true);
    edge.count = 0;
    edge_binding_gone(&edge, "101", "r1");
    edge_send_at(&edge, 3);
    assert_answered(3, true);
    assert_int_equal(bindings_of("101"), 0);
}

static void test_what_an_edge_no_longer_has_is_synced(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_send(&edge);
    synced();
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2");
    edge_send_at(&edge, 10);
    assert_answered(3, false);
    edge_send_at(&edge, 10);
    assert_answered(10, true);
    assert_int_equal(bindings_of("101"), 1); // the sync before had left r1 out
}

static void test_lost_entries_are_synced(void **state)
{
    synced();
    edge.lost = 7;
    edge_send(&edge);
    assert_answered(2, true);
    edge_sync(&edge, false, 2);
    edge_send(&edge);
    assert_answered(3, false); // it has begun
    edge.lost = 9;             // and lost more meanwhile
    edge_send(&edge);
    assert_answered(3, true);
}

static void test_a_sync_leaves_out_what_is_gone(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2");
    edge_binding(&edge, "102", "r3", "sip:102@192.0.2.3");
    edge_send(&edge);
    edge_sync(&edge, false, 77);
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2");
    edge_send(&edge);
    assert_answered(5, false);
    assert_int_equal(bindings_of("101"), 2); // nothing is gone before the end
    edge_sync(&edge, true, 76);              // another one's
    edge_send(&edge);
    assert_int_equal(bindings_of("101"), 2);
    edge_sync(&edge, true, 77);
    edge_send(&edge);
    assert_answered(7, false);
    assert_int_equal(bindings_of("101"), 1);
    assert_int_equal(bindings_of("102"), 0);
    assert_int_equal(fixture_redis_int(&fixture, "EXISTS", BF_R_TEXT("eo:edge-1")), 0);
}

static void test_a_sync_that_begins_again_forgets_nothing_too_early(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_sync(&edge, false, 1);
    edge_send(&edge);
    edge_sync(&edge, false, 2);
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2");
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_sync(&edge, true, 2);
    edge_send(&edge);
    assert_answered(6, false);
    assert_int_equal(bindings_of("101"), 2);
}

static void test_other_edges_bindings_stay(void **state)
{
    struct edge_fixture other = edge_fixture(&fixture, "edge-2", 5);

    edge_binding(&other, "101", "r1", "sip:101@192.0.2.9");
    assert_int_equal(edge_send(&other), BF_OK);
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_send(&edge);
    assert_int_equal(bindings_of("101"), 2); // the same ruid, on another edge
    synced();
    assert_int_equal(bindings_of("101"), 1);
}

static void test_an_emptied_redis_is_filled_again(void **state)
{
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_send(&edge);
    synced();
    bf_redis_fixture_kill(&fixture.server);
    assert_int_equal(edge_send(&edge), BF_UNAVAILABLE);
    bf_redis_fixture_spawn(&fixture.server);
    assert_true(bf_redis_fixture_serves(fixture.control.redis));
    edge_send(&edge);
    assert_answered(3, true);
    edge_sync(&edge, false, 3);
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_sync(&edge, true, 3);
    edge_send(&edge);
    assert_answered(6, false);
    assert_int_equal(bindings_of("101"), 1);
    assert_int_equal(fixture_redis_int(&fixture, "DEL", BF_R_TEXT("epoch")), 1); // by hand
    edge_send(&edge);
    assert_answered(6, true);
}

static void test_two_processes_of_one_id_do_not_mix(void **state)
{
    struct edge_fixture former = edge;

    assert_int_equal(edge_send(&former), BF_OK);
    edge.boot++;
    edge_call(&edge, &(struct bf_id){{1}}, 1); // PostgreSQL is away: not taken, but the boot is known now
    assert_int_equal(edge_send(&edge), BF_UNAVAILABLE);
    assert_int_equal(edge_send(&former), BF_CONFLICT);
}

static void test_only_one_replica_is_at_an_edges_stream(void **state)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(fixture.control.redis);
    struct edge who = {.id = "edge-1", .boot = edge.boot};
    struct edge_stream stream, another;

    assert_int_equal(edge_store_begin(&fixture.control, &who, EDGE_STREAM_BINDINGS, &stream), BF_OK);
    assert_int_equal(edge_send(&edge), BF_UNAVAILABLE);
    another = stream;
    another.token[0] ^= 1;
    stream.seq = 41;
    another.seq = 99;
    edge_store_commit(batch, "edge-1", &another); // had the lock once
    edge_store_commit(batch, "edge-1", &stream);
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 0)), 0);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 1)), 1);
    edge_send_at(&edge, 42);
    assert_answered(41, true);
}

static void test_without_postgresql_bindings_are_taken_and_call_events_wait(void **state)
{
    struct edge_fixture calls = edge;
    struct bf_id call = bf_id_new();

    calls.stream = BELFRY__CALL__V1__REPORT_REQUEST__STREAM__CALLS;
    edge_call(&calls, &call, 1);
    assert_int_equal(edge_send_at(&calls, 1), BF_UNAVAILABLE);
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_send(&edge);
    assert_answered(1, true);
    assert_int_equal(bindings_of("101"), 1);
    assert_int_equal(edge_send_at(&calls, 1), BF_UNAVAILABLE); // at once: the lock was given up
    calls.count = 0;
    assert_int_equal(edge_send_at(&calls, 1), BF_OK);
    assert_int_equal(calls.taken_seq, 0);
    assert_false(calls.resync); // that is the other stream's
}

static void test_the_streams_of_an_edge_have_their_own_numbers(void **state)
{
    struct edge_fixture calls = edge;

    calls.stream = BELFRY__CALL__V1__REPORT_REQUEST__STREAM__CALLS;
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_binding(&edge, "101", "r2", "sip:101@192.0.2.2");
    edge_send(&edge);
    assert_answered(2, true);
    assert_int_equal(edge_send_at(&calls, 9), BF_OK); // where it is, nothing being known of it
    assert_int_equal(calls.taken_seq, 8);
    edge_send(&edge);
    assert_answered(2, true);
}

static void test_what_could_break_a_header_or_a_key_is_left_out(void **state)
{
    edge_binding(&edge, "101/r9", "r1", "sip:101@192.0.2.1");
    edge_binding(&edge, "101", "a/b", "sip:101@192.0.2.1");
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1>\r\nX: y");
    edge_binding(&edge, "101", "r1", "http://192.0.2.1");
    edge_binding(&edge, "101", "r1", ""); // the same on the wire as none at all
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->path = (char *)"<sip:a>\r\nX: y";
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->received = (char *)"nonsense";
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1")->tenant_id.len = 3;
    edge_binding(&edge, "101", "good", "sip:101@192.0.2.1");
    edge_send(&edge);
    assert_answered(9, true); // they do not stop the stream
    assert_int_equal(bindings_of("101"), 1);
}

static void test_nonsense_is_refused(void **state)
{
    edge.id = "edge 1";
    assert_int_equal(edge_send(&edge), BF_INVALID);
    edge.id = "";
    assert_int_equal(edge_send(&edge), BF_INVALID);
    edge.id = "edge-1";
    assert_int_equal(edge_send_at(&edge, 0), BF_INVALID);
    assert_int_equal(edge_send_at(&edge, UINT64_MAX), BF_INVALID);
}

// ---- Restore and lists

static void test_a_restarted_edge_gets_its_bindings_back(void **state)
{
    Belfry__Call__V1__RestoreRequest request = BELFRY__CALL__V1__RESTORE_REQUEST__INIT;
    char ruid[EDGE_FIXTURE_ENTRIES][8], after[32] = "";
    bool seen[EDGE_FIXTURE_ENTRIES] = {false};
    size_t pages = 0;

    for (size_t i = 0; i < EDGE_FIXTURE_ENTRIES; i++) {
        snprintf(ruid[i], sizeof(ruid[i]), "%zu", i);
        edge_binding(&edge, "101", ruid[i], "sip:101@192.0.2.1")->cseq = 7;
    }
    edge_send(&edge);
    edge_sync(&edge, false, 1); // a sync under way takes nothing away
    edge_binding(&edge, "101", "0", "sip:101@192.0.2.1")->cseq = 7;
    edge_send(&edge);
    request.edge_id = (char *)"edge-1";
    request.limit = 5;
    do {
        struct bf_buf reply;
        bf_buf_init(&reply, 65536);
        request.after = after;
        assert_int_equal(edge_ask(&fixture, "Restore", &request.base, bf_unix_ms() + 1000, &reply), BF_OK);
        Belfry__Call__V1__RestoreReply *page =
            belfry__call__v1__restore_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
        for (size_t i = 0; i < page->n_bindings; i++) {
            assert_int_equal(page->bindings[i]->cseq, 7);
            seen[strtoul(page->bindings[i]->ruid, NULL, 10)] = true;
        }
        snprintf(after, sizeof(after), "%s", page->next);
        belfry__call__v1__restore_reply__free_unpacked(page, NULL);
        bf_buf_release(&reply);
        assert_true(++pages < 20);
    } while (after[0]);
    for (size_t i = 0; i < EDGE_FIXTURE_ENTRIES; i++)
        assert_true(seen[i]);
    request.after = (char *)"x1";
    struct bf_buf none;
    bf_buf_init(&none, 64);
    assert_int_equal(edge_ask(&fixture, "Restore", &request.base, 0, &none), BF_INVALID);
    bf_buf_release(&none);
}

static void heard_ago(const char *key, uint64_t ago_ms)
{
    assert_true(fixture_redis_int(&fixture, "HSET", BF_R_TEXT(key), BF_R_TEXT("seen_ms"),
                                  BF_R_INT(bf_unix_ms() - ago_ms)) >= 0);
}

static void test_a_heartbeat_tells_how_far_the_edges_table_is(void **state)
{
    bf_autofree struct edge *list = NULL;
    size_t count;

    assert_int_equal(edge_send(&edge), BF_OK);
    assert_int_equal(edge_store_list(&fixture.control, &list, &count), BF_OK);
    const struct edge *found = edge_in_list(list, count, "edge-1");
    assert_non_null(found);
    assert_true(found->alive);
    assert_int_equal(found->table_epoch, UINT64_MAX - 5);
    assert_int_equal(found->table_seq, 77);
}

static void test_an_edge_is_forgotten_with_all_it_had(void **state)
{
    struct edge_fixture other = edge_fixture(&fixture, "edge-2", 5);
    struct forgotten forgotten;

    edge_binding(&other, "101", "r1", "sip:101@192.0.2.9");
    assert_int_equal(edge_send(&other), BF_OK);
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_binding(&edge, "102", "r2", "sip:102@192.0.2.1");
    edge_send(&edge);
    heard_ago("e:edge-1", FORGET_SILENT_MS + 1000);
    assert_int_equal(forget_edge(&fixture.control, "edge-1", &forgotten), BF_OK);
    assert_int_equal(forgotten.bindings, 2);
    assert_int_equal(bindings_of("101"), 1); // the other edge's
    assert_int_equal(bindings_of("102"), 0);
    for (size_t i = 0; i < 4; i++) {
        static const char *const keys[] = {"e:edge-1", "eb:edge-1", "eo:edge-1", "ec:edge-1"};
        assert_int_equal(fixture_redis_int(&fixture, "EXISTS", BF_R_TEXT(keys[i])), 0);
    }
    assert_int_equal(fixture_redis_int(&fixture, "SISMEMBER", BF_R_TEXT("edges"), BF_R_TEXT("edge-1")), 0);
    assert_int_equal(forget_edge(&fixture.control, "edge-1", &forgotten), BF_NOT_FOUND);
    edge_send(&edge); // it lived after all: all it has is asked for
    assert_answered(2, true);
}

static void test_an_edge_that_is_heard_is_not_forgotten(void **state)
{
    struct forgotten forgotten;

    synced();
    edge_binding(&edge, "101", "r1", "sip:101@192.0.2.1");
    edge_send(&edge);
    assert_int_equal(forget_edge(&fixture.control, "edge-1", &forgotten), BF_CONFLICT);
    heard_ago("e:edge-1", FORGET_SILENT_MS - 1000);
    assert_int_equal(forget_edge(&fixture.control, "edge-1", &forgotten), BF_CONFLICT);
    assert_true(forgotten.age_ms >= FORGET_SILENT_MS - 1000);
    assert_int_equal(bindings_of("101"), 1);
    // It came back while it was being forgotten.
    assert_int_equal(edge_store_remove(&fixture.control, "edge-1", FORGET_SILENT_MS), BF_CONFLICT);
    edge_send(&edge);
    assert_answered(3, true);
}

static size_t restored(void)
{
    Belfry__Call__V1__RestoreRequest request = BELFRY__CALL__V1__RESTORE_REQUEST__INIT;
    struct bf_buf reply;

    request.edge_id = (char *)"edge-1";
    bf_buf_init(&reply, 65536);
    assert_int_equal(edge_ask(&fixture, "Restore", &request.base, bf_unix_ms() + 1000, &reply), BF_OK);
    Belfry__Call__V1__RestoreReply *page =
        belfry__call__v1__restore_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
    size_t count = page->n_bindings;
    for (size_t i = 0; i < count; i++)
        assert_true(fixture.failing || strcmp(page->bindings[i]->number, "101") == 0);
    belfry__call__v1__restore_reply__free_unpacked(page, NULL);
    bf_buf_release(&reply);
    return count;
}

static void test_devices_of_a_deleted_extension_do_not_come_back(void **state)
{
    edge_binding(&edge, "999", "a", "sip:999@192.0.2.1"); // nobody has this number
    edge_binding(&edge, "101", "b", "sip:101@192.0.2.2");
    edge_binding(&edge, "998", "c", "sip:998@192.0.2.3");
    edge_send(&edge);
    assert_int_equal(restored(), 1);
    fixture.failing = BF_UNAVAILABLE; // nobody can tell: all of them
    assert_int_equal(restored(), 3);
    fixture.failing = BF_OK;
}

static void test_a_tenants_bindings_come_in_pages_by_number(void **state)
{
    char last[LOCATION_LAST_SIZE];
    struct bindings bindings;
    bool more = false;

    edge_binding(&edge, "103", "c", "sip:103@192.0.2.3");
    edge_binding(&edge, "101", "a", "sip:101@192.0.2.1");
    edge_binding(&edge, "102", "b", "sip:102@192.0.2.2");
    edge_send(&edge);
    // One whose bindings ran out unheard.
    assert_int_equal(fixture_redis_int(&fixture, "SADD", BF_R_TEXT("n:{" TENANT_TEXT "}"), BF_R_TEXT("100")),
                     1);
    bindings_init(&bindings);
    assert_int_equal(location_store_tenant(&fixture.control, FIXTURE_TENANT, "", 3, &bindings, last, &more),
                     BF_OK);
    assert_int_equal(bindings.count, 2);
    assert_string_equal(bindings.at[0].number, "101");
    assert_string_equal(last, "102");
    assert_true(more);
    location_store_release(&bindings);
    assert_int_equal(location_store_tenant(&fixture.control, FIXTURE_TENANT, last, 3, &bindings, last, &more),
                     BF_OK);
    assert_int_equal(bindings.count, 1);
    assert_false(more);
    location_store_release(&bindings);
    assert_int_equal(fixture_redis_int(&fixture, "SCARD", BF_R_TEXT("n:{" TENANT_TEXT "}")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_entries_are_taken),
        cmocka_unit_test_setup(test_a_binding_comes_and_goes, begin),
        cmocka_unit_test_setup(test_a_binding_that_goes_with_the_report_it_came_with_is_not_listed, begin),
        cmocka_unit_test_setup(test_a_number_is_kept_until_its_last_binding_runs_out, begin),
        cmocka_unit_test_setup(test_what_is_told_again_and_stands_there_is_not_written, begin),
        cmocka_unit_test_setup(test_the_secrets_of_a_device_are_not_kept, begin),
        cmocka_unit_test_setup(test_a_binding_ends_by_itself, begin),
        cmocka_unit_test_setup(test_a_repeated_report_does_nothing, begin),
        cmocka_unit_test_setup(test_a_report_that_overtook_another_waits, begin),
        cmocka_unit_test_setup(test_what_an_edge_no_longer_has_is_synced, begin),
        cmocka_unit_test_setup(test_lost_entries_are_synced, begin),
        cmocka_unit_test_setup(test_a_sync_leaves_out_what_is_gone, begin),
        cmocka_unit_test_setup(test_a_sync_that_begins_again_forgets_nothing_too_early, begin),
        cmocka_unit_test_setup(test_other_edges_bindings_stay, begin),
        cmocka_unit_test_setup(test_an_emptied_redis_is_filled_again, begin),
        cmocka_unit_test_setup(test_two_processes_of_one_id_do_not_mix, begin),
        cmocka_unit_test_setup(test_only_one_replica_is_at_an_edges_stream, begin),
        cmocka_unit_test_setup(test_without_postgresql_bindings_are_taken_and_call_events_wait, begin),
        cmocka_unit_test_setup(test_the_streams_of_an_edge_have_their_own_numbers, begin),
        cmocka_unit_test_setup(test_what_could_break_a_header_or_a_key_is_left_out, begin),
        cmocka_unit_test_setup(test_nonsense_is_refused, begin),
        cmocka_unit_test_setup(test_a_restarted_edge_gets_its_bindings_back, begin),
        cmocka_unit_test_setup(test_devices_of_a_deleted_extension_do_not_come_back, begin),
        cmocka_unit_test_setup(test_a_heartbeat_tells_how_far_the_edges_table_is, begin),
        cmocka_unit_test_setup(test_an_edge_is_forgotten_with_all_it_had, begin),
        cmocka_unit_test_setup(test_an_edge_that_is_heard_is_not_forgotten, begin),
        cmocka_unit_test_setup(test_a_tenants_bindings_come_in_pages_by_number, begin),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
