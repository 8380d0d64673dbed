#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "belfry/call/v1/call.pb-c.h"
#include "tenant_event.h"

static Belfry__Call__V1__Entry *packed(const struct tenant_event *event)
{
    Belfry__Call__V1__Entry *entry;
    struct bf_buf bytes;

    bf_buf_init(&bytes, 8192);
    tenant_event_pack(event, &bytes);
    assert_true(bf_buf_ok(&bytes));
    entry = belfry__call__v1__entry__unpack(NULL, bytes.len, (uint8_t *)bytes.at);
    bf_buf_release(&bytes);
    assert_non_null(entry);
    assert_int_equal(entry->what_case, BELFRY__CALL__V1__ENTRY__WHAT_CALL);
    return entry;
}

static void test_an_event_is_packed_as_it_is(void **state)
{
    struct bf_leg leg = {.tag = "abc", .codec = "PCMU/8000", .packets = 10, .mos_x10 = 43};
    struct tenant_event event = {.call = bf_id_new(),
                                 .tenant = bf_id_new(),
                                 .seq = 7,
                                 .kind = TENANT_EVENT_ENDED,
                                 .at_ms = 1234,
                                 .caller = BF_STR("100"),
                                 .reason = BF_STR("caller"),
                                 .code = 200,
                                 .local_plan = true,
                                 .legs = &leg,
                                 .leg_count = 1};
    Belfry__Call__V1__Entry *entry = packed(&event);

    assert_int_equal(entry->at_ms, 1234);
    assert_memory_equal(entry->call->call.data, event.call.bytes, 16);
    assert_int_equal(entry->call->seq, 7);
    assert_int_equal(entry->call->kind, BELFRY__CALL__V1__CALL_EVENT__KIND__ENDED);
    assert_string_equal(entry->call->caller, "100");
    assert_string_equal(entry->call->reason, "caller");
    assert_string_equal(entry->call->number, "");
    assert_true(entry->call->local_plan);
    assert_int_equal(entry->call->n_media, 1);
    assert_string_equal(entry->call->media[0]->codec, "PCMU/8000");
    assert_int_equal(entry->call->media[0]->mos_x10, 43);
    belfry__call__v1__entry__free_unpacked(entry, NULL);
}

static void test_the_kinds_are_those_of_the_wire(void **state)
{
    assert_int_equal(TENANT_EVENT_STARTED, BELFRY__CALL__V1__CALL_EVENT__KIND__STARTED);
    assert_int_equal(TENANT_EVENT_STEP, BELFRY__CALL__V1__CALL_EVENT__KIND__STEP);
    assert_int_equal(TENANT_EVENT_BRANCH, BELFRY__CALL__V1__CALL_EVENT__KIND__BRANCH);
    assert_int_equal(TENANT_EVENT_RINGING, BELFRY__CALL__V1__CALL_EVENT__KIND__RINGING);
    assert_int_equal(TENANT_EVENT_BRANCH_ENDED, BELFRY__CALL__V1__CALL_EVENT__KIND__BRANCH_ENDED);
    assert_int_equal(TENANT_EVENT_ANSWERED, BELFRY__CALL__V1__CALL_EVENT__KIND__ANSWERED);
    assert_int_equal(TENANT_EVENT_ENDED, BELFRY__CALL__V1__CALL_EVENT__KIND__ENDED);
    assert_int_equal(TENANT_EVENT_TRANSFER, BELFRY__CALL__V1__CALL_EVENT__KIND__TRANSFER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_is_packed_as_it_is),
        cmocka_unit_test(test_the_kinds_are_those_of_the_wire),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
