#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "belfry/call/v1/call.pb-c.h"
#include "tenant_fixture.h"
#include "tenant_report.h"

#define OUTBOX_MAX 16384

static struct { // what the reporter asked for
    uint32_t sent, restores, resyncs, restored;
    uint32_t serial;
    bool restore;
    struct bf_buf body;
} world;

static void hook_send(void *ctx, uint32_t serial, bool restore, struct bf_str body)
{
    world.sent++;
    world.restores += restore;
    world.serial = serial;
    world.restore = restore;
    bf_buf_clear(&world.body);
    bf_buf_add(&world.body, body.at, body.len);
}

static void hook_restore(void *ctx, const struct tenant_binding *binding)
{
    world.restored++;
}

static void hook_resync(void *ctx)
{
    world.resyncs++;
}

static const struct tenant_report_hooks HOOKS = {hook_send, hook_restore, hook_resync};
static struct tenant_outbox *outbox;
static struct tenant_report *report;
static uint64_t now_ms;

static int setup(void **state)
{
    const struct tenant_report_edge edge = {"edge-1", 77, "tcp://127.0.0.1:1", "127.0.0.1:2"};

    memset(&world, 0, sizeof(world));
    bf_buf_init(&world.body, (size_t)2 * TENANT_REPORT_BYTES_MAX);
    now_ms = 1000000;
    outbox =
        tenant_outbox_init(aligned_alloc(64, (tenant_outbox_bytes(OUTBOX_MAX) + 63) & ~63ul), OUTBOX_MAX);
    report = tenant_report_new(TENANT_STREAM_BINDINGS, outbox, &edge, now_ms, &HOOKS, NULL);
    return 0;
}

static int teardown(void **state)
{
    tenant_report_free(report);
    bf_buf_release(&world.body);
    free(outbox);
    return 0;
}

// True: it sent something.
static bool tick(uint64_t after_ms)
{
    uint32_t before = world.sent;

    now_ms += after_ms;
    tenant_report_tick(report, now_ms, true, &(struct tenant_report_state){3, 4, 5, 6});
    return world.sent > before;
}

static void answer_page(const char *next)
{
    struct bf_id tenant = fixture_id(1);
    Belfry__Call__V1__Binding binding = BELFRY__CALL__V1__BINDING__INIT, *list = &binding;
    Belfry__Call__V1__RestoreReply reply = BELFRY__CALL__V1__RESTORE_REPLY__INIT;
    uint8_t bytes[512];

    binding.tenant_id = (ProtobufCBinaryData){sizeof(tenant.bytes), tenant.bytes};
    binding.number = binding.ruid = binding.contact = binding.call_id = (char *)"x";
    reply.bindings = &list;
    reply.n_bindings = 1;
    reply.next = (char *)next;
    tenant_report_answer(
        report, now_ms, world.serial, BF_OK,
        (struct bf_str){(char *)bytes, belfry__call__v1__restore_reply__pack(&reply, bytes)});
}

static void answer(uint64_t taken, bool resync)
{
    Belfry__Call__V1__ReportReply reply = BELFRY__CALL__V1__REPORT_REPLY__INIT;
    uint8_t bytes[64];

    reply.taken_seq = taken;
    reply.resync = resync;
    tenant_report_answer(report, now_ms, world.serial, BF_OK,
                         (struct bf_str){(char *)bytes, belfry__call__v1__report_reply__pack(&reply, bytes)});
}

static void fails(enum bf_err err)
{
    tenant_report_answer(report, now_ms, world.serial, err, BF_STR(""));
}

static void restored(void)
{
    assert_true(tick(0));
    answer_page("");
}

static void put(uint32_t count)
{
    struct tenant_entry entry;

    tenant_entry_mark(false, 5, 6, &entry);
    for (uint32_t i = 0; i < count; i++)
        assert_true(tenant_outbox_add(outbox, entry.bytes, entry.len));
}

static Belfry__Call__V1__ReportRequest *sent_report(void)
{
    assert_false(world.restore);
    return belfry__call__v1__report_request__unpack(NULL, world.body.len, (const uint8_t *)world.body.at);
}

static void assert_sent(uint64_t first_seq, size_t count)
{
    Belfry__Call__V1__ReportRequest *request = sent_report();

    assert_non_null(request);
    assert_int_equal(request->first_seq, first_seq);
    assert_int_equal(request->n_entries, count);
    belfry__call__v1__report_request__free_unpacked(request, NULL);
}

// ---- restore

static void test_what_it_had_comes_back_before_anything_is_reported(void **state)
{
    put(1);
    assert_true(tick(0));
    assert_true(world.restore);
    assert_false(tick(5000)); // one at a time
    answer_page("a");
    assert_true(tick(0));
    assert_true(world.restore);
    assert_int_equal(world.resyncs, 0);
    assert_false(tenant_report_figures(report, now_ms).reporting);
    answer_page("");
    assert_int_equal(world.restored, 2);
    assert_int_equal(world.resyncs, 1);
    assert_true(tick(0));
    assert_sent(1, 1);
}

static void test_ready_when_restored_or_waited_for_long_enough(void **state)
{
    assert_false(tenant_report_figures(report, now_ms).ready);
    assert_false(tenant_report_figures(report, now_ms + TENANT_REPORT_READY_MS - 1).ready);
    assert_true(tenant_report_figures(report, now_ms + TENANT_REPORT_READY_MS).ready);
    restored();
    assert_true(tenant_report_figures(report, now_ms).ready);
}

static void test_restore_waits_for_call_control_as_long_as_it_takes(void **state)
{
    for (int i = 0; i < 100; i++) {
        assert_true(tick(TENANT_REPORT_RETRY_MS));
        assert_true(world.restore);
        fails(i % 2 ? BF_UNAVAILABLE : BF_TIMEOUT);
        assert_false(tick(TENANT_REPORT_RETRY_MS - 1));
        now_ms++;
    }
    assert_int_equal(tenant_report_figures(report, now_ms).faults, 0);
}

static void test_restore_that_makes_no_sense_is_given_up(void **state)
{
    for (int i = 0; i < TENANT_REPORT_RESTORE_TRIES; i++) {
        assert_true(tick(TENANT_REPORT_RETRY_MS));
        assert_true(world.restore);
        fails(BF_METHOD);
    }
    assert_int_equal(world.resyncs, 1);
    assert_true(tick(TENANT_REPORT_RETRY_MS));
    assert_false(world.restore);
    assert_int_equal(tenant_report_figures(report, now_ms).faults, TENANT_REPORT_RESTORE_TRIES);
}

static void test_a_page_that_leads_to_itself_makes_no_sense(void **state)
{
    assert_true(tick(0));
    answer_page("a");
    assert_true(tick(0));
    answer_page("a");
    assert_int_equal(tenant_report_figures(report, now_ms).faults, 1);
    assert_int_equal(world.restored, 1);
}

static void test_call_events_have_nothing_to_wait_for(void **state)
{
    const struct tenant_report_edge edge = {"edge-1", 77, "tcp://127.0.0.1:1", "127.0.0.1:2"};
    Belfry__Call__V1__ReportRequest *request;

    tenant_report_free(report);
    report = tenant_report_new(TENANT_STREAM_CALLS, outbox, &edge, now_ms, &HOOKS, NULL);
    put(1);
    assert_true(tick(0));
    assert_sent(1, 1);
    request = sent_report();
    assert_int_equal(request->stream, BELFRY__CALL__V1__REPORT_REQUEST__STREAM__CALLS);
    belfry__call__v1__report_request__free_unpacked(request, NULL);
    answer(1, false);
    assert_int_equal(tenant_outbox_figures(outbox).waiting, 0);
    assert_int_equal(world.restores, 0);
}

// ---- reports

static void test_the_edge_says_who_it_is_and_beats_once_a_second(void **state)
{
    Belfry__Call__V1__ReportRequest *request;

    restored();
    assert_true(tick(0));
    request = sent_report();
    assert_string_equal(request->edge->id, "edge-1");
    assert_int_equal(request->edge->boot, 77);
    assert_string_equal(request->edge->bus, "tcp://127.0.0.1:1");
    assert_string_equal(request->edge->internal, "127.0.0.1:2");
    assert_int_equal(request->edge->calls, 3);
    assert_int_equal(request->edge->bindings, 4);
    assert_int_equal(request->edge->table_epoch, 5);
    assert_int_equal(request->edge->table_seq, 6);
    assert_int_equal(request->first_seq, 1);
    assert_int_equal(request->n_entries, 0);
    belfry__call__v1__report_request__free_unpacked(request, NULL);
    answer(0, false);
    assert_false(tick(TENANT_REPORT_HEARTBEAT_MS - 1));
    assert_true(tick(1));
}

static void test_batches_are_full_and_come_at_once_one_after_the_other(void **state)
{
    const uint32_t full = TENANT_REPORT_ENTRIES_MAX, twice = 2 * full;

    restored();
    put(twice + 500);
    assert_true(tick(0));
    assert_sent(1, full);
    answer(full, false);
    assert_true(tick(0));
    assert_sent(full + 1, full);
    answer(twice, false);
    assert_true(tick(TENANT_REPORT_SPACING_MS));
    assert_sent(twice + 1, 500);
    answer(twice + 500, false);
    assert_int_equal(tenant_outbox_figures(outbox).waiting, 0);
}

static void test_what_was_not_taken_is_sent_again(void **state)
{
    restored();
    put(10);
    assert_true(tick(0));
    fails(BF_TIMEOUT);
    assert_false(tick(TENANT_REPORT_RETRY_MS - 1));
    put(1);
    assert_true(tick(1));
    assert_sent(1, 11);
    answer(4, false);
    assert_true(tick(TENANT_REPORT_SPACING_MS));
    assert_sent(5, 7);
}

static void test_an_answer_without_progress_is_no_hot_loop(void **state)
{
    restored();
    put(10);
    assert_true(tick(0));
    answer(0, false);
    assert_false(tick(TENANT_REPORT_RETRY_MS - 1));
    assert_true(tick(1));
    assert_sent(1, 10);
}

static void test_answers_that_make_no_sense_take_nothing(void **state)
{
    restored();
    put(10);
    assert_true(tick(0));
    answer(11, false);
    assert_int_equal(tenant_outbox_figures(outbox).waiting, 10);
    assert_true(tick(TENANT_REPORT_RETRY_MS));
    tenant_report_answer(report, now_ms, world.serial, BF_OK, BF_STR("\xff\xff"));
    assert_int_equal(tenant_report_figures(report, now_ms).faults, 2);
    assert_true(tick(TENANT_REPORT_RETRY_MS));
    assert_sent(1, 10);
}

static void test_a_late_answer_is_nobodys(void **state)
{
    uint32_t old;

    restored();
    put(10);
    assert_true(tick(0));
    old = world.serial;
    fails(BF_TIMEOUT);
    assert_true(tick(TENANT_REPORT_RETRY_MS));
    world.serial = old;
    answer(10, true);
    assert_int_equal(tenant_outbox_figures(outbox).waiting, 10);
    assert_int_equal(world.resyncs, 1); // the one after Restore
}

static void test_call_control_asks_for_all_bindings(void **state)
{
    restored();
    assert_true(tick(0));
    answer(0, true);
    assert_int_equal(world.resyncs, 2);
}

static void test_what_was_dropped_is_told(void **state)
{
    Belfry__Call__V1__ReportRequest *request;

    restored();
    put(OUTBOX_MAX);
    assert_false(tenant_outbox_add(outbox, "x", 1));
    assert_true(tick(0));
    request = sent_report();
    assert_int_equal(request->lost, 1);
    belfry__call__v1__report_request__free_unpacked(request, NULL);
}

static void test_nothing_is_sent_while_nobody_is_there(void **state)
{
    tenant_report_tick(report, now_ms, false, &(struct tenant_report_state){0});
    assert_int_equal(world.sent, 0);
}

static void test_it_says_how_long_it_may_sleep(void **state)
{
    restored();
    assert_true(tick(0));
    assert_false(tenant_report_listens(report)); // the answer comes first
    answer(0, false);
    assert_int_equal(tenant_report_wait_ms(report, now_ms), TENANT_REPORT_HEARTBEAT_MS);
    assert_true(tenant_report_listens(report));
    put(1);
    assert_false(tenant_report_listens(report));
    assert_int_equal(tenant_report_wait_ms(report, now_ms), TENANT_REPORT_SPACING_MS);
    assert_int_equal(tenant_report_wait_ms(report, now_ms + TENANT_REPORT_SPACING_MS), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_it_had_comes_back_before_anything_is_reported),
        TEST(test_ready_when_restored_or_waited_for_long_enough),
        TEST(test_restore_waits_for_call_control_as_long_as_it_takes),
        TEST(test_restore_that_makes_no_sense_is_given_up),
        TEST(test_a_page_that_leads_to_itself_makes_no_sense),
        TEST(test_call_events_have_nothing_to_wait_for),
        TEST(test_the_edge_says_who_it_is_and_beats_once_a_second),
        TEST(test_batches_are_full_and_come_at_once_one_after_the_other),
        TEST(test_what_was_not_taken_is_sent_again),
        TEST(test_an_answer_without_progress_is_no_hot_loop),
        TEST(test_answers_that_make_no_sense_take_nothing),
        TEST(test_a_late_answer_is_nobodys),
        TEST(test_call_control_asks_for_all_bindings),
        TEST(test_what_was_dropped_is_told),
        TEST(test_nothing_is_sent_while_nobody_is_there),
        TEST(test_it_says_how_long_it_may_sleep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
