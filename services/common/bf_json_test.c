#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "bf_buf.h"
#include "bf_json.h"

struct thing {
    const char *name;
    int64_t count;
    int64_t open;
    int64_t max_calls;
    struct bf_json_texts tags;
};

static const char *lower_case(struct bf_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.at[i] < 'a' || value.at[i] > 'z')
            return "must be lower case letters";
    return NULL;
}

#define AT(field) offsetof(struct thing, field)

static const struct bf_json_field limits[] = {
    {"max_calls", BF_JSON_INT, true, AT(max_calls), 0, 1000, NULL, NULL, 0},
};
static const struct bf_json_field fields[] = {
    {"name", BF_JSON_TEXT, true, AT(name), 1, 8, lower_case, NULL, 0},
    {"count", BF_JSON_INT, false, AT(count), -5, 5, NULL, NULL, 0},
    {"open", BF_JSON_BOOL, false, AT(open), 0, 0, NULL, NULL, 0},
    {"tags", BF_JSON_TEXTS, false, AT(tags), 1, 3, lower_case, NULL, 0},
    {"limits", BF_JSON_OBJECT, false, 0, 0, 0, NULL, limits, BF_LEN(limits)},
};

static void test_reads_all_kinds(void **state)
{
    struct bf_json_fault fault;
    struct thing thing;
    json_t *json = NULL;
    struct bf_str text = BF_STR(
        "{\"name\":\"acme\",\"count\":-5,\"open\":true,\"tags\":[\"a\",\"b\"],\"limits\":{\"max_calls\":7}}");
    assert_int_equal(bf_json_parse(text, &json, &fault), BF_OK);
    assert_int_equal(bf_json_read(json, fields, BF_LEN(fields), &thing, &fault), BF_OK);
    assert_string_equal(thing.name, "acme");
    assert_int_equal(thing.count, -5);
    assert_int_equal(thing.open, 1);
    assert_int_equal(thing.max_calls, 7);
    assert_int_equal(thing.tags.count, 2);
    assert_string_equal(thing.tags.items[1], "b");
    bf_json_release(fields, BF_LEN(fields), &thing);
    json_decref(json);
}

static void test_null_empties_a_text_that_may_be_null(void **state)
{
    static const struct bf_json_field nullable[] = {
        {"name", BF_JSON_TEXT_OR_NULL, false, AT(name), 0, 8, lower_case, NULL, 0},
    };
    static const struct {
        struct bf_str text;
        enum bf_err err;
        const char *name;
    } cases[] = {
        {BF_STR("{\"name\":null}"), BF_OK, ""},
        {BF_STR("{\"name\":\"\"}"), BF_OK, ""},
        {BF_STR("{\"name\":\"ab\"}"), BF_OK, "ab"},
        {BF_STR("{\"name\":5}"), BF_INVALID, NULL},
        {BF_STR("{}"), BF_OK, NULL},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        struct bf_json_fault fault;
        struct thing thing;
        json_t *json = NULL;

        assert_int_equal(bf_json_parse(cases[i].text, &json, &fault), BF_OK);
        assert_int_equal(bf_json_read(json, nullable, BF_LEN(nullable), &thing, &fault), cases[i].err);
        if (cases[i].err)
            assert_string_equal(fault.detail, "must be a text or null");
        else if (cases[i].name)
            assert_string_equal(thing.name, cases[i].name);
        else
            assert_null(thing.name);
        json_decref(json);
    }
}

static void test_what_is_absent_shows(void **state)
{
    struct bf_json_fault fault;
    struct thing thing;
    json_t *json = NULL;
    assert_int_equal(bf_json_parse(BF_STR(" {\"name\":\"acme\"}\n"), &json, &fault), BF_OK);
    assert_int_equal(bf_json_read(json, fields, BF_LEN(fields), &thing, &fault), BF_OK);
    assert_true(thing.count == BF_JSON_ABSENT);
    assert_true(thing.open == BF_JSON_ABSENT);
    assert_true(thing.max_calls == BF_JSON_ABSENT);
    assert_int_equal(thing.tags.count, 0);
    json_decref(json);
}

static void test_faults_name_the_field_and_the_cure(void **state)
{
    static const struct {
        const char *text, *field, *detail;
    } cases[] = {
        {"{}", "name", "is required"},
        {"{\"name\":null}", "name", "must be a text"},
        {"{\"name\":7}", "name", "must be a text"},
        {"{\"name\":\"\"}", "name", "must have 1 to 8 bytes, has 0"},
        {"{\"name\":\"abcdefghi\"}", "name", "must have 1 to 8 bytes, has 9"},
        {"{\"name\":\"Acme\"}", "name", "must be lower case letters"},
        {"{\"name\":\"a\",\"nmae\":1}", "nmae", "there is no such field here"},
        {"{\"name\":\"a\",\"count\":6}", "count", "must be a whole number from -5 to 5"},
        {"{\"name\":\"a\",\"count\":1.0}", "count", "must be a whole number from -5 to 5"},
        {"{\"name\":\"a\",\"count\":\"1\"}", "count", "must be a whole number from -5 to 5"},
        {"{\"name\":\"a\",\"open\":1}", "open", "must be true or false"},
        {"{\"name\":\"a\",\"tags\":\"a\"}", "tags", "must be a list of texts"},
        {"{\"name\":\"a\",\"tags\":[]}", "tags", "must have 1 to 3 items, has 0"},
        {"{\"name\":\"a\",\"tags\":[\"a\",\"B\"]}", "tags[1]", "must be lower case letters"},
        {"{\"name\":\"a\",\"tags\":[\"a\",{}]}", "tags[1]", "must be a text"},
        {"{\"name\":\"a\",\"limits\":[]}", "limits", "must be an object"},
        {"{\"name\":\"a\",\"limits\":{}}", "limits.max_calls", "is required"},
        {"{\"name\":\"a\",\"limits\":{\"max_calls\":1,\"x\":2}}", "limits.x", "there is no such field here"},
    };
    for (size_t i = 0; i < BF_LEN(cases); i++) {
        struct bf_json_fault fault = {"", ""};
        struct thing thing;
        json_t *json = NULL;
        assert_int_equal(bf_json_parse(bf_str(cases[i].text), &json, &fault), BF_OK);
        assert_int_equal(bf_json_read(json, fields, BF_LEN(fields), &thing, &fault), BF_INVALID);
        assert_string_equal(fault.field, cases[i].field);
        assert_string_equal(fault.detail, cases[i].detail);
        bf_json_release(fields, BF_LEN(fields), &thing); // harmless after a failed read
        json_decref(json);
    }
}

static void test_a_long_unknown_name_is_cut_between_characters(void **state)
{
    struct bf_json_fault fault;
    struct thing thing;
    json_t *json = NULL;
    struct bf_buf text;
    bf_buf_init(&text, 256);
    bf_buf_str(&text, "{\"");
    for (int i = 0; i < 40; i++)
        bf_buf_str(&text, "€");
    bf_buf_str(&text, "\":1}");
    assert_int_equal(bf_json_parse(bf_str(text.at), &json, &fault), BF_OK);
    assert_int_equal(bf_json_read(json, fields, BF_LEN(fields), &thing, &fault), BF_INVALID);
    assert_true(strlen(fault.field) >= 60);
    assert_true(bf_utf8_valid(bf_str(fault.field)));
    json_decref(json);
    bf_buf_release(&text);
}

static void test_bad_texts_are_refused_with_a_place(void **state)
{
    static const struct {
        struct bf_str text;
        const char *detail;
    } cases[] = {
        {BF_STR(""), "not JSON"},
        {BF_STR("{\"a\":1"), "line 1"},
        {BF_STR("{\"a\":\n1,}"), "line 2"},
        {BF_STR("{} {}"), "not JSON"},
        {BF_STR("[]"), "must be a JSON object"},
        {BF_STR("\"a\""), "must be a JSON object"},
        {BF_STR("null"), "must be a JSON object"},
        {BF_STR("{\"a\":1,\"a\":2}"), "twice"},
        {BF_STR("{\"a\":\"\xff\"}"), "byte 7 is not valid UTF-8"},
        {BF_STR("{\"a\":\"\\ud800\"}"), "not JSON"},
        {BF_STR("{\"a\":\"\\u0000\"}"), "not JSON"},
        {BF_STR("{\"a\":\0}"), "byte 6 is not valid UTF-8"},
        {BF_STR("{\"a\":99999999999999999999}"), "not JSON"},
        {BF_STR("{\"a\":[[[[[[[[]]]]]]]]}"), "nested deeper than 8"},
    };
    for (size_t i = 0; i < BF_LEN(cases); i++) {
        struct bf_json_fault fault = {"x", ""};
        json_t *json = NULL;
        assert_int_equal(bf_json_parse(cases[i].text, &json, &fault), BF_INVALID);
        assert_null(json);
        assert_string_equal(fault.field, "");
        if (!strstr(fault.detail, cases[i].detail))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, fault.detail, cases[i].detail);
    }
}

static void test_brackets_in_texts_are_no_depth(void **state)
{
    struct bf_json_fault fault;
    json_t *json = NULL;
    assert_int_equal(bf_json_parse(BF_STR("{\"a\":\"[[[[[[[[[[\\\"[[[[\"}"), &json, &fault), BF_OK);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads_all_kinds),
        cmocka_unit_test(test_null_empties_a_text_that_may_be_null),
        cmocka_unit_test(test_what_is_absent_shows),
        cmocka_unit_test(test_faults_name_the_field_and_the_cure),
        cmocka_unit_test(test_a_long_unknown_name_is_cut_between_characters),
        cmocka_unit_test(test_bad_texts_are_refused_with_a_place),
        cmocka_unit_test(test_brackets_in_texts_are_no_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
