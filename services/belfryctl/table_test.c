// Tables, a call's story, drift: what people get to read.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "drift.h"
#include "table.h"
#include "timeline.h"

static const struct column columns[] = {
    {"NAME", "name", COLUMN_TEXT}, {"CALLS", "limits.max_calls", COLUMN_NUMBER},
    {"AT", "at", COLUMN_TIME},     {"TALK", "ms", COLUMN_MS},
    {"ON", "on", COLUMN_BOOL},     {"ALL", "all", COLUMN_LIST},
};

static json_t *read_json(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);

    assert_non_null(json);
    return json;
}

static void expect_table(const char *items, const char *expected)
{
    json_t *json = read_json(items);
    struct bf_buf buf;

    bf_buf_init(&buf, 65536);
    table_write(&buf, columns, BF_LEN(columns), json);
    assert_string_equal(buf.at, expected);
    bf_buf_release(&buf);
    json_decref(json);
}

static void columns_stand_below_each_other(void **state)
{
    expect_table("[]", "NAME  CALLS  AT  TALK  ON  ALL\n");
    expect_table("[{\"name\":\"Jos\u00e9\",\"limits\":{\"max_calls\":12},\"at\":\"2026-11-20T13:48:47.123Z\","
                 "\"ms\":1549,"
                 "\"on\":true,\"all\":[\"1\",\"22\"]},{\"name\":\"longest\",\"on\":false,\"at\":null}]",
                 "NAME     CALLS  AT                   TALK  ON   ALL\n"
                 "Jos\u00e9        12  2026-11-20 13:48:47   1.5  yes  1 22\n"
                 "longest      -  -                       -  -    -\n");
}

static void nothing_from_outside_moves_the_cursor(void **state)
{
    struct bf_buf buf;

    bf_buf_init(&buf, 1024);
    table_write_safe(&buf, BF_STR("a\x1b[31mb\r\n\x7f\xc2\x9b\xff\xc3\xa9"));
    assert_string_equal(buf.at, "a?[31mb?????\xc3\xa9");
    bf_buf_release(&buf);
}

static void an_object_is_shown_field_by_field(void **state)
{
    json_t *json = read_json("{\"id\":\"x\",\"limits\":{\"max_calls\":5},\"name\":\"\",\"ok\":false,"
                             "\"legs\":[{\"codec\":\"PCMA\"},{\"codec\":\"opus\"}],\"names\":[\"a\",\"b\"]}");
    struct bf_buf buf;

    bf_buf_init(&buf, 4096);
    table_write_object(&buf, json);
    assert_string_equal(buf.at, "id                x\n"
                                "limits.max_calls  5\n"
                                "name              -\n"
                                "ok                no\n"
                                "legs.0.codec      PCMA\n"
                                "legs.1.codec      opus\n"
                                "names             a b\n");
    bf_buf_release(&buf);
    json_decref(json);
}

static void a_call_tells_its_story(void **state)
{
    json_t *items = read_json(
        "[{\"time\":\"2026-11-20T13:48:47.000Z\",\"kind\":\"started\",\"edge\":\"edge-1\",\"text\":null},"
        "{\"time\":\"2026-11-20T13:48:47.002Z\",\"kind\":\"step\",\"text\":\"extension 101\"},"
        "{\"time\":\"2026-11-20T13:48:47.003Z\",\"kind\":\"branch\",\"number\":\"101\",\"device\":\"uloc-1\"}"
        ","
        "{\"time\":\"2026-11-20T13:48:47.150Z\",\"kind\":\"ringing\",\"number\":\"101\",\"code\":180},"
        "{\"time\":\"2026-11-20T13:48:49.150Z\",\"kind\":\"branch-ended\",\"number\":\"101\",\"code\":486,"
        "\"text\":\"Busy\\u001b[0m\"},"
        "{\"time\":\"2026-11-20T13:48:49.151Z\",\"kind\":\"new-kind\",\"number\":\"1\",\"text\":\"hm\"},"
        "{\"time\":\"2026-11-20T13:48:49.152Z\",\"kind\":\"push.sent\",\"number\":\"102\",\"device\":\"d\","
        "\"code\":200,"
        "\"text\":\"apns took the wake push: 5F\"},"
        "{\"time\":\"2026-11-20T13:48:49.153Z\",\"kind\":\"push.failed\",\"number\":\"102\",\"device\":\"d\","
        "\"code\":null,"
        "\"text\":\"expo did not get the wake push\"},"
        "{\"kind\":\"ended\",\"code\":486,\"text\":\"callee\"}]");
    struct bf_buf buf;

    bf_buf_init(&buf, 65536);
    timeline_write(&buf, items);
    assert_string_equal(buf.at, "began 2026-11-20T13:48:47.000Z\n"
                                "     0.000 s  the call begins at edge-1\n"
                                "     0.002 s  step: extension 101\n"
                                "     0.003 s  101 (uloc-1) is tried\n"
                                "     0.150 s  101 rings 180\n"
                                "     2.150 s  101 does not take it: 486 Busy?[0m\n"
                                "     2.151 s  new-kind 1 hm\n"
                                "     2.152 s  102 (d) is pushed to: 200 apns took the wake push: 5F\n"
                                "     2.153 s  102 (d) cannot be pushed to: expo did not get the wake push\n"
                                "           -  the call ends: 486 callee\n");
    bf_buf_release(&buf);
    json_decref(items);
}

static void drift_is_found_and_named(void **state)
{
    json_t *good =
        read_json("[{\"id\":\"a\",\"alive\":true,\"bindings\":5,\"indexed_bindings\":5,\"calls\":1,"
                  "\"indexed_calls\":1,\"table_seq\":7,\"registry_seq\":7},"
                  "{\"id\":\"ahead\",\"alive\":true,\"bindings\":0,\"indexed_bindings\":0,\"calls\":0,"
                  "\"indexed_calls\":0,\"table_seq\":8,\"registry_seq\":7}]");
    json_t *behind =
        read_json("[{\"id\":\"a\",\"alive\":true,\"bindings\":0,\"indexed_bindings\":0,\"calls\":0,"
                  "\"indexed_calls\":0,\"table_seq\":5,\"registry_seq\":7},"
                  "{\"id\":\"b\",\"alive\":true,\"bindings\":0,\"indexed_bindings\":0,\"calls\":0,"
                  "\"indexed_calls\":0,\"table_seq\":null,\"registry_seq\":7},"
                  "{\"id\":\"c\",\"alive\":true,\"bindings\":0,\"indexed_bindings\":0,\"calls\":0,"
                  "\"indexed_calls\":0,\"table_seq\":5,\"registry_seq\":null}]");
    json_t *bad = read_json("[{\"id\":\"a\",\"alive\":true,\"bindings\":5,\"indexed_bindings\":3,\"calls\":0,"
                            "\"indexed_calls\":0,\"table_seq\":7,\"registry_seq\":7},{\"id\":\"b\",\"alive\":"
                            "false,\"bindings\":0,"
                            "\"indexed_bindings\":1,\"calls\":7,\"indexed_calls\":6,"
                            "\"table_seq\":1,\"registry_seq\":7}]");
    json_t *unclear = read_json("[{\"id\":\"a\",\"alive\":true,\"bindings\":5,\"indexed_bindings\":5}]");
    struct bf_buf buf;
    bool any = true;

    assert_int_equal(drift_judge(good, &any), BF_OK);
    assert_false(any);
    assert_int_equal(drift_judge(bad, &any), BF_OK);
    assert_true(any);
    bf_buf_init(&buf, 65536);
    drift_write(&buf, bad);
    assert_non_null(strstr(buf.at, " bindings: the index has 2 fewer;\n"));
    assert_non_null(
        strstr(buf.at, " no heartbeat; bindings: the index has 1 more; calls: the index has 1 fewer;\n"));
    assert_int_equal(drift_judge(behind, &any), BF_OK);
    assert_true(any);
    bf_buf_clear(&buf);
    drift_write(&buf, behind);
    assert_non_null(strstr(buf.at, " domains: 2 changes behind the registry;\n"));
    assert_non_null(strstr(buf.at, " domains: it has no table of this registry;\n"));
    assert_non_null(strstr(buf.at, " registry: not heard by call-control;\n"));
    assert_int_equal(drift_judge(unclear, &any), BF_PROTOCOL);
    bf_buf_release(&buf);
    json_decref(good);
    json_decref(behind);
    json_decref(bad);
    json_decref(unclear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_stand_below_each_other),
        cmocka_unit_test(nothing_from_outside_moves_the_cursor),
        cmocka_unit_test(an_object_is_shown_field_by_field),
        cmocka_unit_test(a_call_tells_its_story),
        cmocka_unit_test(drift_is_found_and_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
