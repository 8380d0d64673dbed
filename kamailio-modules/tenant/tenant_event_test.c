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
    struct tenant_event_leg leg = {.tag = "abc", .codec = "PCMU/8000", .packets = 10, .mos_x10 = 43};
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

// What rtpengine answers, shortened: one leg that spoke, one that never did, RTCP beside it.
static const char FIGURES[] =
    "{\"tags\":{\"one\":{\"medias\":[{\"codec\":\"opus/48000/2\",\"streams\":["
    "{\"flags\":[\"RTP\",\"filled\"],\"SSRC\":77,\"stats\":{\"packets\":500,\"bytes\":86000}},"
    "{\"flags\":[\"RTCP\"],\"SSRC\":77,\"stats\":{\"packets\":5,\"bytes\":500}}]}]},"
    "\"two\":{\"medias\":[{\"streams\":[{\"flags\":[\"RTP\"],\"stats\":{\"packets\":0,\"bytes\":0}}]}]}},"
    "\"SSRC\":{\"77\":{\"packets\":500,\"average MOS\":{\"MOS\":43,\"jitter\":3,\"packet loss\":2,"
    "\"round-trip time\":1500}}}}";

static void test_legs_of_figures(void **state)
{
    struct tenant_event_leg legs[TENANT_EVENT_LEGS_MAX];

    assert_int_equal(tenant_event_legs(BF_STR(FIGURES), legs), 1);
    assert_string_equal(legs[0].tag, "one");
    assert_string_equal(legs[0].codec, "opus/48000/2");
    assert_int_equal(legs[0].packets, 500);
    assert_int_equal(legs[0].octets, 86000);
    assert_int_equal(legs[0].lost, 10);
    assert_int_equal(legs[0].mos_x10, 43);
    assert_int_equal(legs[0].jitter_us, 3000);
    assert_int_equal(legs[0].round_trip_us, 1500);
}

static void test_nonsense_gives_no_legs(void **state)
{
    const char *cases[] = {"",
                           "[]",
                           "{",
                           "null",
                           "{\"tags\":[]}",
                           "{\"tags\":{\"a\":7}}",
                           "{\"tags\":{\"a\":{\"medias\":[{\"streams\":[{\"flags\":7,\"stats\":[]}]}]}}}"};
    struct tenant_event_leg legs[TENANT_EVENT_LEGS_MAX];

    for (size_t i = 0; i < BF_LEN(cases); i++)
        assert_int_equal(tenant_event_legs(bf_str(cases[i]), legs), 0);
}

static void test_legs_beyond_the_maximum_are_left_out(void **state)
{
    struct tenant_event_leg legs[TENANT_EVENT_LEGS_MAX];
    struct bf_buf json;

    bf_buf_init(&json, 65536);
    bf_buf_str(&json, "{\"tags\":{");
    for (int i = 0; i < 20; i++)
        bf_buf_fmt(
            &json,
            "%s\"%0200d\":{\"medias\":[{\"streams\":[{\"flags\":[\"RTP\"],\"stats\":{\"packets\":1}}]}]}",
            i ? "," : "", i);
    bf_buf_str(&json, "}}");
    assert_int_equal(tenant_event_legs((struct bf_str){json.at, json.len}, legs), TENANT_EVENT_LEGS_MAX);
    assert_int_equal(strlen(legs[0].tag), TENANT_EVENT_TAG_MAX);
    bf_buf_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_is_packed_as_it_is),
        cmocka_unit_test(test_the_kinds_are_those_of_the_wire),
        cmocka_unit_test(test_legs_of_figures),
        cmocka_unit_test(test_nonsense_gives_no_legs),
        cmocka_unit_test(test_legs_beyond_the_maximum_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
