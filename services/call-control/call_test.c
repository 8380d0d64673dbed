#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "call.h"
#include "call_json.h"

#define T0 UINT64_C(1700000000000)

static const struct bf_leg legs[] = {
    {.tag = "f", .codec = "PCMA", .packets = 500, .lost = 5, .jitter_us = 1500, .mos_x10 = 43},
    {.tag = "t", .codec = "opus", .packets = 490},
};

#define EVENT(seq_, kind_, after_ms, ...)                                                            \
    {                                                                                                \
        .call = {{1, 2}}, .tenant = {{9}}, .seq = (seq_), .kind = (kind_), .at_ms = T0 + (after_ms), \
        .edge = "edge-1", .call_id = "abc@phone", .caller = "100", .callee = "600", __VA_ARGS__      \
    }

// A group call: 101 and 102 ring, 102 answers, the caller hangs up.
static const struct call_event story[] = {
    EVENT(1, CALL_STARTED, 0, .user_agent = "phone", .from_tag = "f"),
    EVENT(2, CALL_STEP, 1, .reason = "group 600"),
    EVENT(3, CALL_BRANCH, 2, .number = "101", .device = "r1"),
    EVENT(4, CALL_BRANCH, 2, .number = "102", .device = "r2"),
    EVENT(5, CALL_RINGING, 40, .number = "101", .device = "r1", .code = 180),
    EVENT(6, CALL_RINGING, 50, .number = "102", .device = "r2", .code = 180),
    EVENT(7, CALL_ANSWERED, 2040, .number = "102", .device = "r2", .code = 200, .to_tag = "t",
          .relay = "udp:127.0.0.1:2223"),
    EVENT(8, CALL_BRANCH_ENDED, 2050, .number = "101", .device = "r1", .code = 487),
    EVENT(9, CALL_ENDED, 12040, .code = 200, .reason = "caller", .legs = legs, .leg_count = 2),
};

static void apply_in(struct call *call, const size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        (void)call_apply(call, &story[order[i]]);
}

static void check_story(const struct call *call)
{
    const struct cdr cdr = call_cdr(call);

    assert_int_equal(call->state, CALL_STATE_ENDED);
    assert_string_equal(call->caller, "100");
    assert_string_equal(call->callee, "600");
    assert_string_equal(call->number, "102");
    assert_string_equal(call->device, "r2");
    assert_string_equal(call->relay, "udp:127.0.0.1:2223");
    assert_int_equal(call->leg_count, 2);
    assert_int_equal(cdr.setup_ms, 40);
    assert_int_equal(cdr.ring_ms, 2000);
    assert_int_equal(cdr.talk_ms, 10000);
    assert_int_equal(cdr.code, 200);
    assert_string_equal(cdr.result, "answered");
    assert_string_equal(cdr.hung_up_by, "caller");
    assert_string_equal(call_leg_party(call, &call->legs[0]), "caller");
    assert_string_equal(call_leg_party(call, &call->legs[1]), "callee");
}

static void test_a_call_in_order(void **state)
{
    static const size_t order[] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    struct call call = {.state = CALL_STATE_NONE};

    apply_in(&call, order, 5);
    assert_int_equal(call.state, CALL_STATE_RINGING);
    assert_string_equal(call.number, "101");
    apply_in(&call, order + 5, 2);
    assert_int_equal(call.state, CALL_STATE_ANSWERED);
    apply_in(&call, order + 7, 2);
    check_story(&call);
}

static void test_order_and_repetition_before_the_end_do_not_matter(void **state)
{
    // Every rotation of the first eight, then all of them again, then the end twice.
    for (size_t turn = 0; turn < 8; turn++) {
        struct call call = {.state = CALL_STATE_NONE};
        for (size_t i = 0; i < 16; i++)
            (void)call_apply(&call, &story[(i + turn) % 8]);
        assert_int_equal(call.state, CALL_STATE_ANSWERED);
        assert_true(call_apply(&call, &story[8]));
        assert_false(call_apply(&call, &story[8]));
        check_story(&call);
    }
}

static void test_the_same_event_again_changes_nothing(void **state)
{
    struct call call = {.state = CALL_STATE_NONE};

    for (size_t i = 0; i < BF_LEN(story); i++) {
        assert_true(call_apply(&call, &story[i]));
        struct call before = call;
        (void)call_apply(&call, &story[i]);
        assert_memory_equal(&call, &before, sizeof(call));
    }
}

static void test_what_comes_after_the_end_changes_nothing(void **state)
{
    struct call call = {.state = CALL_STATE_NONE};
    static const size_t order[] = {0, 8};
    struct call_event again = EVENT(10, CALL_ENDED, 99999, .reason = "callee");

    apply_in(&call, order, 2);
    assert_false(call_apply(&call, &story[6]));
    assert_false(call_apply(&call, &again));
    assert_int_equal(call.ended_ms, T0 + 12040);
    assert_string_equal(call.reason, "caller");
}

static void test_only_an_end_is_a_call_too(void **state)
{
    struct call call = {.state = CALL_STATE_NONE};

    assert_true(call_apply(&call, &story[8]));
    assert_string_equal(call.caller, "100");
    assert_int_equal(call.started_ms, T0 + 12040);
    assert_int_equal(call_cdr(&call).talk_ms, 0);
}

static void test_a_180_overtaken_by_its_200(void **state)
{
    static const struct call_event late[] = {
        EVENT(1, CALL_STARTED, 0, ),
        EVENT(2, CALL_ANSWERED, 10, .number = "102"),
        EVENT(3, CALL_RINGING, 12, .number = "102"),
        EVENT(4, CALL_ENDED, 20, .reason = "callee"),
    };
    struct call call = {.state = CALL_STATE_NONE};

    for (size_t i = 0; i < BF_LEN(late); i++)
        (void)call_apply(&call, &late[i]);
    assert_int_equal(call_cdr(&call).setup_ms, 10);
    assert_int_equal(call_cdr(&call).ring_ms, 0);
    assert_int_equal(call_cdr(&call).talk_ms, 10);
}

static void test_results_of_calls_that_nobody_answered(void **state)
{
    static const struct {
        uint32_t code;
        const char *reason, *result, *hung_up_by;
    } rows[] = {
        {486, "Busy Here", "busy", ""},
        {600, "Busy Everywhere", "busy", ""},
        {480, "", "no-answer", ""},
        {408, "timeout", "no-answer", "timeout"},
        {487, "Request Terminated", "cancelled", "caller"},
        {487, "api", "cancelled", "api"},
        {404, "Not Found", "refused", ""},
        {503, "", "failed", ""},
        {999, "", "failed", ""},
    };

    for (size_t i = 0; i < BF_LEN(rows); i++) {
        struct call_event end = EVENT(2, CALL_ENDED, 500, .code = rows[i].code, .reason = rows[i].reason);
        struct call call = {.state = CALL_STATE_NONE};
        (void)call_apply(&call, &story[0]);
        (void)call_apply(&call, &end);
        const struct cdr cdr = call_cdr(&call);
        assert_string_equal(cdr.result, rows[i].result);
        assert_string_equal(cdr.hung_up_by, rows[i].hung_up_by);
        assert_int_equal(cdr.code, rows[i].code);
        assert_int_equal(cdr.setup_ms, 500);
    }
}

static void test_a_call_of_a_dead_edge_is_closed_as_lost(void **state)
{
    static const size_t order[] = {0, 4, 6};
    struct call call = {.state = CALL_STATE_NONE};

    apply_in(&call, order, 3);
    struct call_event close = call_close_event(&call, "edge-lost", T0 + 5040);
    assert_null(call_event_check(&close));
    assert_true(call_apply(&call, &close));
    const struct cdr cdr = call_cdr(&call);
    assert_string_equal(cdr.result, "lost");
    assert_string_equal(call.reason, "edge-lost");
    assert_int_equal(cdr.talk_ms, 3000);
    assert_false(call_apply(&call, &story[8]));
    // A clock that is behind the edge's makes no negative durations.
    struct call early = {.state = CALL_STATE_NONE};
    apply_in(&early, order, 3);
    close = call_close_event(&early, "edge-lost", T0);
    assert_int_equal(close.at_ms, T0 + 2040);
}

static void test_texts_from_outside_become_fit_to_be_kept(void **state)
{
    static const struct {
        const char *from, *clean;
        size_t size;
    } rows[] = {
        {"plain", "plain", 129},
        {"a\xff\xfe"
         "b",
         "a??b", 129},
        {"line\r\nbreak\x7f", "line??break?", 129},
        {"abcdef", "abc", 4},
        {"ab\xc3\xa4", "ab", 4},
        {"a\xc3", "a?", 129},
        {"\xed\xa0\x80", "???", 129},
        {"a\xc2\x9b"
         "b",
         "a?b", 129},
        {NULL, "", 4},
    };
    char into[129];

    for (size_t i = 0; i < BF_LEN(rows); i++) {
        bf_text_clean(rows[i].from, into, rows[i].size);
        assert_string_equal(into, rows[i].clean);
    }
    struct call_event event = EVENT(1, CALL_STARTED, 0, .user_agent = "bad\x80", .reason = NULL);
    struct call_spare spare;
    call_event_clean(&event, &spare);
    assert_string_equal(event.user_agent, "bad?");
    assert_string_equal(event.reason, "");
    assert_string_equal(event.caller, "100");
    call_spare_release(&spare);
}

static void test_events_that_make_no_sense_are_named(void **state)
{
    struct call_event event = story[0];

    assert_null(call_event_check(&event));
    event.call = (struct bf_id){{0}};
    assert_non_null(call_event_check(&event));
    event = story[0];
    event.tenant = (struct bf_id){{0}};
    assert_non_null(call_event_check(&event));
    event = story[0];
    event.kind = CALL_UNKNOWN;
    assert_non_null(call_event_check(&event));
    event.kind = (enum call_kind)77;
    assert_non_null(call_event_check(&event));
    event = story[0];
    event.at_ms = UINT64_MAX;
    assert_non_null(call_event_check(&event));
    event = story[0];
    event.code = 70000;
    assert_non_null(call_event_check(&event));
    event = story[0];
    event.seq = CALL_SEQ_PUSH_MAX + 1;
    assert_non_null(call_event_check(&event));
}

static void test_names_and_their_parsers_agree(void **state)
{
    for (int kind = CALL_STARTED; kind <= CALL_NOTE; kind++)
        assert_int_equal(call_kind_parse(bf_str(call_kind_name((enum call_kind)kind))), kind);
    for (int at = CALL_STATE_PLANNING; at <= CALL_STATE_ENDED; at++)
        assert_int_equal(call_state_parse(bf_str(call_state_name((enum call_state)at))), at);
    assert_int_equal(call_kind_parse(bf_str("no such")), CALL_UNKNOWN);
    assert_int_equal(call_kind_parse(bf_str("")), CALL_UNKNOWN);
}

// What is kept of the events beside the columns is enough to make the call again.
static void test_details_come_back(void **state)
{
    struct call direct = {.state = CALL_STATE_NONE}, kept = {.state = CALL_STATE_NONE};

    for (size_t i = 0; i < BF_LEN(story); i++) {
        bf_autofree char *text = call_json_details(&story[i]);
        struct call_event back = story[i];
        struct call_details details;
        back.call_id = back.caller = back.callee = back.from_tag = back.to_tag = back.relay = NULL;
        call_json_details_read(text ? text : "", &details, &back);
        (void)call_apply(&direct, &story[i]);
        (void)call_apply(&kept, &back);
        call_json_details_release(&details);
    }
    assert_memory_equal(&direct, &kept, sizeof(direct));
    check_story(&kept);
}

static void test_details_of_a_hostile_leg(void **state)
{
    const struct bf_leg bad = {.tag = "\xff", .codec = "\x01", .packets = UINT64_MAX};
    struct call_event event = EVENT(3, CALL_ENDED, 5, .legs = &bad, .leg_count = 1), back = {.seq = 0};
    bf_autofree char *text = call_json_details(&event);
    struct call_details details;

    call_json_details_read(text, &details, &back);
    assert_int_equal(back.leg_count, 1);
    assert_string_equal(back.legs[0].tag, "?");
    assert_int_equal(back.legs[0].packets, 0);
    call_json_details_release(&details);
    call_json_details_read("[1, {}]", &details, &back);
    assert_int_equal(back.leg_count, 0);
    call_json_details_release(&details);
    call_json_details_read("{nonsense", &details, &back);
    assert_string_equal(back.caller, "");
    call_json_details_release(&details);
}

static void test_a_leg_nobody_reported_on_has_no_quality(void **state)
{
    static const char *const unknown[] = {"lost_packets", "loss_percent", "jitter_ms", "mos",
                                          "round_trip_ms"};
    struct bf_leg leg = {.packets = 10, .octets = 1720, .tag = "a", .codec = "PCMU/8000"};
    json_t *json = call_json_leg(&leg, "callee");

    assert_non_null(json);
    assert_int_equal(json_integer_value(json_object_get(json, "packets")), 10);
    for (size_t i = 0; i < BF_LEN(unknown); i++)
        assert_true(json_is_null(json_object_get(json, unknown[i])));
    json_decref(json);
}

static void test_a_leg_for_people(void **state)
{
    json_t *json = call_json_leg(&legs[0], "caller");

    assert_non_null(json);
    assert_float_equal(json_real_value(json_object_get(json, "mos")), 4.3, 0.001);
    assert_float_equal(json_real_value(json_object_get(json, "jitter_ms")), 1.5, 0.001);
    assert_float_equal(json_real_value(json_object_get(json, "loss_percent")), 0.990, 0.001);
    assert_true(json_is_null(json_object_get(json, "round_trip_ms")));
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_in_order),
        cmocka_unit_test(test_order_and_repetition_before_the_end_do_not_matter),
        cmocka_unit_test(test_the_same_event_again_changes_nothing),
        cmocka_unit_test(test_what_comes_after_the_end_changes_nothing),
        cmocka_unit_test(test_only_an_end_is_a_call_too),
        cmocka_unit_test(test_a_180_overtaken_by_its_200),
        cmocka_unit_test(test_results_of_calls_that_nobody_answered),
        cmocka_unit_test(test_a_call_of_a_dead_edge_is_closed_as_lost),
        cmocka_unit_test(test_texts_from_outside_become_fit_to_be_kept),
        cmocka_unit_test(test_events_that_make_no_sense_are_named),
        cmocka_unit_test(test_names_and_their_parsers_agree),
        cmocka_unit_test(test_details_come_back),
        cmocka_unit_test(test_details_of_a_hostile_leg),
        cmocka_unit_test(test_a_leg_nobody_reported_on_has_no_quality),
        cmocka_unit_test(test_a_leg_for_people),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
