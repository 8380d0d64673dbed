// What tenants are told of a call.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "belfry/event/v1/event.pb-c.h"
#include "tell.h"

static struct call_event event_of(struct bf_id call, int64_t seq, enum call_kind kind, const char *number)
{
    return (struct call_event){.call = call,
                               .tenant = {{7}},
                               .seq = seq,
                               .kind = kind,
                               .at_ms = 1700000000000,
                               .edge = "edge-1",
                               .caller = "100",
                               .callee = "600",
                               .call_id = "abc@phone",
                               .number = number,
                               .reason = "",
                               .device = "",
                               .from_tag = "",
                               .to_tag = "",
                               .relay = "",
                               .user_agent = ""};
}

// The caller frees it; NULL: there is nothing to tell.
static Belfry__Event__V1__Entry *told(const struct call_event *event)
{
    bf_cleanup(bf_buf_release) struct bf_buf packed;
    struct call call = {.state = CALL_STATE_NONE};
    struct call_event began = event_of(event->call, 1, CALL_STARTED, "");

    bf_buf_init(&packed, TELL_ENTRY_BYTES_MAX);
    call.id = event->call;
    call.tenant = event->tenant;
    call_apply(&call, &began);
    call_apply(&call, event);
    if (!tell_entry(event, &call, &packed))
        return NULL;
    return belfry__event__v1__entry__unpack(NULL, packed.len, (const uint8_t *)packed.at);
}

static void an_id_says_when_the_call_was_and_what_happened(void **state)
{
    struct bf_id call = bf_id_new(), id = tell_id(call, "call.ringing", "101");

    assert_memory_equal(id.bytes, call.bytes, 6);
    assert_int_equal(id.bytes[6] >> 4, 8);
    assert_int_equal(id.bytes[8] >> 6, 2);
    assert_true(bf_id_eq(id, tell_id(call, "call.ringing", "101")));
    assert_false(bf_id_eq(id, tell_id(call, "call.ringing", "102")));
    assert_false(bf_id_eq(id, tell_id(call, "call.incoming", "101")));
    assert_false(bf_id_eq(id, tell_id(bf_id_new(), "call.ringing", "101")));
}

static void a_number_on_two_devices_is_told_once(void **state)
{
    struct bf_id call = bf_id_new();
    struct call_event events[] = {event_of(call, 3, CALL_BRANCH, "101"),
                                  event_of(call, 4, CALL_BRANCH, "101"),
                                  event_of(call, 5, CALL_BRANCH, "102")};
    Belfry__Event__V1__Entry *entries[BF_LEN(events)];

    for (size_t i = 0; i < BF_LEN(events); i++) {
        entries[i] = told(&events[i]);
        assert_non_null(entries[i]);
        assert_string_equal(entries[i]->event->type, "call.incoming");
    }
    assert_memory_equal(entries[0]->event->id.data, entries[1]->event->id.data, 16);
    assert_memory_not_equal(entries[0]->event->id.data, entries[2]->event->id.data, 16);
    assert_string_equal(entries[2]->event->data,
                        "{\"caller\":\"100\",\"callee\":\"600\",\"number\":\"102\"}");
    assert_int_equal(entries[2]->event->n_numbers, 3);
    for (size_t i = 0; i < BF_LEN(events); i++)
        belfry__event__v1__entry__free_unpacked(entries[i], NULL);
}

static void the_end_says_how_it_was(void **state)
{
    struct call_event event = event_of(bf_id_new(), 9, CALL_ENDED, "");

    event.code = 486;
    event.reason = "Busy Here";
    Belfry__Event__V1__Entry *entry = told(&event);
    assert_non_null(entry);
    assert_string_equal(
        entry->event->data,
        "{\"caller\":\"100\",\"callee\":\"600\",\"answered_by\":null,\"result\":\"busy\",\"code\":486,"
        "\"reason\":\"Busy Here\",\"hung_up_by\":null,\"ring_ms\":0,\"talk_ms\":0}");
    assert_int_equal(entry->event->seq, 9);
    belfry__event__v1__entry__free_unpacked(entry, NULL);
}

static void what_concerns_nobody_is_not_told(void **state)
{
    struct bf_id call = bf_id_new();
    struct call_event step = event_of(call, 2, CALL_STEP, ""), nobody = event_of(call, 3, CALL_RINGING, "");

    assert_null(told(&step));
    assert_null(told(&nobody));
    assert_null(tell_type(CALL_NOTE));
}

static Belfry__Event__V1__Entry *told_to_wakers(const struct call_event *event, bool waited)
{
    bf_cleanup(bf_buf_release) struct bf_buf packed;
    struct call call = {.caller = "100", .callee = "600", .call_id = "abc@phone", .waited = waited};
    struct tell_wake wake = {"Alice", "token"};

    bf_buf_init(&packed, TELL_ENTRY_BYTES_MAX);
    if (!tell_wake_entry(event, &call, &wake, &packed))
        return NULL;
    return belfry__event__v1__entry__unpack(NULL, packed.len, (const uint8_t *)packed.at);
}

static void a_wait_is_told_with_all_that_a_push_needs(void **state)
{
    struct call_event waking = event_of(bf_id_new(), 3, CALL_WAKING, "101");

    waking.push = bf_id_new();
    waking.until_ms = 1700000020000;
    Belfry__Event__V1__Entry *entry = told_to_wakers(&waking, true);
    assert_non_null(entry);
    assert_memory_equal(entry->wake->device.data, waking.push.bytes, 16);
    assert_memory_equal(entry->wake->call.data, waking.call.bytes, 16);
    assert_string_equal(entry->wake->number, "101");
    assert_string_equal(entry->wake->caller, "100");
    assert_string_equal(entry->wake->caller_name, "Alice");
    assert_string_equal(entry->wake->sip_call_id, "abc@phone");
    assert_string_equal(entry->wake->token, "token");
    assert_int_equal(entry->wake->until_ms, waking.until_ms);
    belfry__event__v1__entry__free_unpacked(entry, NULL);
}

static void the_end_of_a_wait_says_why(void **state)
{
    static const struct {
        const char *reason;
        enum call_kind kind;
        Belfry__Event__V1__WakeEnd__Why why;
    } cases[] = {
        {"", CALL_WOKEN, BELFRY__EVENT__V1__WAKE_END__WHY__REGISTERED},
        {"timeout", CALL_WAKE_ENDED, BELFRY__EVENT__V1__WAKE_END__WHY__TIMED_OUT},
        {"answered", CALL_WAKE_ENDED, BELFRY__EVENT__V1__WAKE_END__WHY__ANSWERED},
        {"cancelled", CALL_WAKE_ENDED, BELFRY__EVENT__V1__WAKE_END__WHY__CANCELLED},
        {"?", CALL_WAKE_ENDED, BELFRY__EVENT__V1__WAKE_END__WHY__CANCELLED},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        struct call_event event = event_of(bf_id_new(), 4, cases[i].kind, "101");
        event.push = bf_id_new();
        event.reason = cases[i].reason;
        Belfry__Event__V1__Entry *entry = told_to_wakers(&event, true);
        assert_int_equal(entry->wake_end->why, cases[i].why);
        assert_int_equal(entry->wake_end->device.len, 16);
        belfry__event__v1__entry__free_unpacked(entry, NULL);
    }
}

static void a_call_that_was_closed_ends_all_its_waits(void **state)
{
    struct call_event end = event_of(bf_id_new(), CALL_SEQ_CLOSED, CALL_ENDED, "");
    Belfry__Event__V1__Entry *entry = told_to_wakers(&end, true);

    assert_int_equal(entry->wake_end->device.len, 0);
    belfry__event__v1__entry__free_unpacked(entry, NULL);
    assert_null(told_to_wakers(&end, false)); // it waited for nobody
    end.seq = 9;                              // the edge has told each end
    assert_null(told_to_wakers(&end, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_says_when_the_call_was_and_what_happened),
        cmocka_unit_test(a_number_on_two_devices_is_told_once),
        cmocka_unit_test(the_end_says_how_it_was),
        cmocka_unit_test(what_concerns_nobody_is_not_told),
        cmocka_unit_test(a_wait_is_told_with_all_that_a_push_needs),
        cmocka_unit_test(the_end_of_a_wait_says_why),
        cmocka_unit_test(a_call_that_was_closed_ends_all_its_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
