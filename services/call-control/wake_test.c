// Which waits a binding ends.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "wake.h"

#define KEY "a key of some length"

// Two calls wait for the phone (device 1), the second one for a tablet (device 2) too.
static const struct wake_wait waits[] = {
    {.tenant = {{9}},
     .call = {{1}},
     .sleeper = {.id = {{1}}, .number = "101", .extension = {{5}}, .device_id = "phone"}},
    {.tenant = {{9}},
     .call = {{2}},
     .sleeper = {.id = {{1}}, .number = "101", .extension = {{5}}, .device_id = "phone"}},
    {.tenant = {{9}},
     .call = {{2}},
     .sleeper = {.id = {{2}}, .number = "101", .extension = {{5}}, .device_id = "tablet"}},
};

static void assert_ends(const struct binding *binding, bool fresh, const char *expected)
{
    bool ends[BF_LEN(waits)] = {false};
    char text[BF_LEN(waits) + 1] = "";
    size_t count = wake_match(waits, BF_LEN(waits), binding, fresh, KEY, ends), set = 0;

    for (size_t i = 0; i < BF_LEN(waits); i++) {
        text[i] = ends[i] ? 'x' : '.';
        set += ends[i];
    }
    assert_string_equal(text, expected);
    assert_int_equal(count, set);
}

static void test_a_binding_ends_the_waits_that_it_is_of(void **state)
{
    char token[WAKE_TOKEN_SIZE], other[WAKE_TOKEN_SIZE];

    wake_token(KEY, waits[1].tenant, waits[1].call, waits[1].sleeper.id, token);
    wake_token(KEY, (struct bf_id){{8}}, waits[1].call, waits[1].sleeper.id, other);
    const struct {
        struct binding binding;
        bool fresh;
        const char *ends;
    } cases[] = {
        {{.number = "101", .instance = "", .wake = token}, false, ".x."},
        {{.number = "101", .instance = "<urn:tablet>", .wake = token}, true, ".x."},
        {{.number = "101", .instance = "<urn:phone>"}, false, "xx."},
        {{.number = "101", .instance = "<urn:phone>", .wake = other}, false, "xx."}, // another tenant's
        {{.number = "101", .instance = "<urn:phone>", .wake = "short"}, true, "xx."},
        {{.number = "101", .instance = "<urn:tablet>"}, true, "..x"},
        {{.number = "101", .instance = ""}, true, "xx."}, // one of each call
        {{.number = "101", .instance = ""}, false, "..."},
        {{.number = "101", .instance = "<urn:desk>"}, true, "xx."},
        {{.number = "101", .instance = "<urn:desk>", .wake = other}, false, "..."},
        {{.number = "101", .instance = "<urn:phone>", .extension = {{5}}}, true, "xx."},
        {{.number = "101", .instance = "<urn:phone>", .extension = {{4}}},
         true,
         "..."}, // who had the number before
        {{.number = "101", .instance = "", .extension = {{4}}}, true, "..."},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++)
        assert_ends(&cases[i].binding, cases[i].fresh, cases[i].ends);
}

static void test_a_token_is_of_one_call_one_device_and_our_key(void **state)
{
    char one[WAKE_TOKEN_SIZE], again[WAKE_TOKEN_SIZE], other[WAKE_TOKEN_SIZE];
    struct bf_id tenant = {{9}}, call = {{1}}, device = {{1}}, second = {{2}};

    wake_token(KEY, tenant, call, device, one);
    wake_token(KEY, tenant, call, device, again);
    assert_string_equal(one, again);
    assert_int_equal(strlen(one), WAKE_TOKEN_SIZE - 1);
    wake_token(KEY, tenant, second, device, other);
    assert_string_not_equal(one, other);
    wake_token(KEY, tenant, call, second, other);
    assert_string_not_equal(one, other);
    wake_token("another key of ours", tenant, call, device, other);
    assert_string_not_equal(one, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_binding_ends_the_waits_that_it_is_of),
        cmocka_unit_test(test_a_token_is_of_one_call_one_device_and_our_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
