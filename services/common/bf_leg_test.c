// What rtpengine 10.5 answers to `query`, shortened.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_buf.h"
#include "bf_leg.h"

// Leg f is reported on, t is silent though it should be sending, u sends without reports, x has no RTP.
static const char answer[] =
    "{\"result\":\"ok\",\"SSRC\":{\"11\":{\"cumulative loss\":2,\"average MOS\":{\"MOS\":43,\"jitter\":3,"
    "\"packet loss\":1,\"round-trip time\":20500,\"round-trip time leg\":20000,\"samples\":7}}},"
    "\"tags\":{\"f\":{\"medias\":[{\"codec\":\"PCMA/8000\",\"streams\":[{\"flags\":[\"RTP\",\"filled\"],"
    "\"SSRC\":11,\"stats\":{\"packets\":200,\"bytes\":34400}},{\"flags\":[\"RTCP\"],\"SSRC\":11,"
    "\"stats\":{\"packets\":9,\"bytes\":900}}]}]},"
    "\"t\":{\"medias\":[{\"codec\":\"opus/48000/2\",\"streams\":[{\"flags\":[\"RTP\"],"
    "\"stats\":{\"packets\":0,\"bytes\":0}}]}]},"
    "\"u\":{\"medias\":[{\"streams\":[{\"flags\":[\"RTP\"],\"SSRC\":12,\"stats\":{\"packets\":5,\"bytes\":"
    "900}}]}]},"
    "\"x\":{\"medias\":[]}}}";

static void test_a_leg_is_what_came_from_its_tag(void **state)
{
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count = 77;

    assert_int_equal(bf_leg_read(BF_STR(answer), legs, &count), BF_OK);
    assert_int_equal(count, 3);
    assert_string_equal(legs[0].tag, "f");
    assert_string_equal(legs[0].codec, "PCMA/8000");
    assert_int_equal(legs[0].packets, 200);
    assert_int_equal(legs[0].octets, 34400);
    assert_string_equal(legs[1].tag, "t");
    assert_string_equal(legs[1].codec, "opus/48000/2");
    assert_int_equal(legs[1].packets, 0);
    assert_string_equal(legs[2].tag, "u");
    assert_int_equal(legs[2].packets, 5);
}

static void test_quality_is_what_was_reported_or_nothing(void **state)
{
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count;

    assert_int_equal(bf_leg_read(BF_STR(answer), legs, &count), BF_OK);
    assert_true(bf_leg_reported(&legs[0]));
    assert_int_equal(legs[0].lost, 2);
    assert_int_equal(legs[0].jitter_us, 3000);
    assert_int_equal(legs[0].mos_x10, 43);
    assert_int_equal(legs[0].round_trip_us, 20500);
    for (size_t i = 1; i < count; i++) {
        assert_false(bf_leg_reported(&legs[i]));
        assert_int_equal(legs[i].lost, 0);
    }
}

#define STREAM(ssrc) \
    "{\"streams\":[{\"flags\":[\"RTP\"],\"SSRC\":" ssrc ",\"stats\":{\"packets\":10,\"bytes\":1}}]}"
#define REPORT(loss, mos) "{\"cumulative loss\":" loss ",\"average MOS\":{\"MOS\":" mos ",\"jitter\":1}}"

static void test_several_media_are_one_leg(void **state)
{
    static const struct {
        const char *json;
        uint64_t lost;
        uint32_t mos_x10;
    } cases[] = {
        {"{\"tags\":{\"a\":{\"medias\":[" STREAM("1") "," STREAM(
             "2") "]}},"
                  "\"SSRC\":{\"1\":" REPORT("3", "40") ",\"2\":" REPORT("4", "20") "}}",
         7, 40},
        {"{\"tags\":{\"a\":{\"medias\":[" STREAM("1") "," STREAM("2") "]}},\"SSRC\":{\"1\":" REPORT(
             "3", "40") "}}",
         3, 40},
        {"{\"tags\":{\"a\":{\"medias\":[" STREAM("1") "," STREAM("2") "]}},\"SSRC\":{\"2\":" REPORT(
             "3", "40") "}}",
         3, 40},
        // more came than was sent: a negative number of 24 bits
        {"{\"tags\":{\"a\":{\"medias\":[" STREAM("1") "]}},\"SSRC\":{\"1\":" REPORT("16777215", "40") "}}", 0,
         40},
    };
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count;

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        assert_int_equal(bf_leg_read(bf_str(cases[i].json), legs, &count), BF_OK);
        assert_int_equal(count, 1);
        assert_int_equal(legs[0].lost, cases[i].lost);
        assert_int_equal(legs[0].mos_x10, cases[i].mos_x10);
    }
}

static void test_nonsense_gives_no_legs(void **state)
{
    static const struct {
        const char *json;
        enum bf_err err;
    } cases[] = {
        {"", BF_PROTOCOL},
        {"[]", BF_PROTOCOL},
        {"{", BF_PROTOCOL},
        {"null", BF_PROTOCOL},
        {"{\"tags\":[]}", BF_PROTOCOL},
        {"{\"result\":\"error\"}", BF_NOT_FOUND},
        {"{\"result\":\"ok\",\"tags\":[1]}", BF_OK},
        {"{\"tags\":{\"a\":7}}", BF_OK},
        {"{\"tags\":{\"a\":{\"medias\":[{\"streams\":[{\"flags\":7,\"stats\":[]}]}]}}}", BF_OK},
    };
    struct bf_leg legs[BF_LEGS_MAX];

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        size_t count = 0;
        assert_int_equal(bf_leg_read(bf_str(cases[i].json), legs, &count), cases[i].err);
        assert_int_equal(count, 0);
    }
}

static void test_what_is_too_much_is_left_out(void **state)
{
    struct bf_leg legs[BF_LEGS_MAX];
    struct bf_buf json;
    size_t count;

    bf_buf_init(&json, 65536);
    bf_buf_str(&json, "{\"tags\":{");
    for (int i = 0; i < 20; i++)
        bf_buf_fmt(&json, "%s\"\\u0007%0200d\":{\"medias\":[" STREAM("1") "]}", i ? "," : "", i);
    bf_buf_str(&json, "}}");
    assert_int_equal(bf_leg_read((struct bf_str){json.at, json.len}, legs, &count), BF_OK);
    assert_int_equal(count, BF_LEGS_MAX);
    assert_int_equal(strlen(legs[0].tag), BF_LEG_TAG_SIZE - 1);
    assert_int_equal(legs[0].tag[0], '?');
    bf_buf_release(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_leg_is_what_came_from_its_tag),
        cmocka_unit_test(test_quality_is_what_was_reported_or_nothing),
        cmocka_unit_test(test_several_media_are_one_leg),
        cmocka_unit_test(test_nonsense_gives_no_legs),
        cmocka_unit_test(test_what_is_too_much_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
