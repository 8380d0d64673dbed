#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "belfry/call/v1/call.pb-c.h"
#include "tenant_admit_wire.h"

static struct tenant_admit_ask an_ask(void)
{
    return (struct tenant_admit_ask){.edge = BF_STR("edge-1"),
                                     .number = BF_STR("101"),
                                     .tenant = {{7}},
                                     .devices = {{BF_STR("sip:101@10.0.0.1"), BF_STR("<urn:uuid:1>")},
                                                 {BF_STR("sip:101@10.0.0.2"), {NULL, 0}}},
                                     .device_count = 2,
                                     .max_registrations = 9};
}

static void test_the_question(void **state)
{
    struct tenant_admit_ask ask = an_ask();
    struct bf_buf packed;

    bf_buf_init(&packed, TENANT_ADMIT_ASK_BYTES_MAX);
    tenant_admit_wire_ask(&ask, &packed);
    Belfry__Call__V1__AdmitRequest *message =
        belfry__call__v1__admit_request__unpack(NULL, packed.len, (const uint8_t *)packed.at);
    assert_non_null(message);
    assert_string_equal(message->edge_id, "edge-1");
    assert_string_equal(message->number, "101");
    assert_int_equal(message->tenant_id.len, 16);
    assert_memory_equal(message->tenant_id.data, ask.tenant.bytes, 16);
    assert_int_equal(message->max_registrations, 9);
    assert_int_equal(message->n_devices, 2);
    assert_string_equal(message->devices[0]->contact, "sip:101@10.0.0.1");
    assert_string_equal(message->devices[0]->instance, "<urn:uuid:1>");
    assert_string_equal(message->devices[1]->instance, "");
    belfry__call__v1__admit_request__free_unpacked(message, NULL);
    bf_buf_release(&packed);
}

static void test_a_question_that_is_too_long_is_none(void **state)
{
    static char text[TENANT_ADMIT_ASK_BYTES_MAX];
    struct tenant_admit_ask ask = an_ask();
    struct bf_buf packed;

    memset(text, 'x', sizeof(text));
    ask.devices[1].contact = (struct bf_str){text, sizeof(text)};
    bf_buf_init(&packed, TENANT_ADMIT_ASK_BYTES_MAX);
    tenant_admit_wire_ask(&ask, &packed);
    assert_false(bf_buf_ok(&packed));
    bf_buf_release(&packed);
}

static void test_the_answer(void **state)
{
    bool refused = false;

    assert_int_equal(tenant_admit_wire_read((struct bf_str){"\x08\x01\x10\x05", 4}, &refused), BF_OK);
    assert_true(refused);
    assert_int_equal(tenant_admit_wire_read(BF_STR(""), &refused), BF_OK);
    assert_false(refused);
    assert_int_equal(tenant_admit_wire_read(BF_STR("\xff\xff"), &refused), BF_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_question),
        cmocka_unit_test(test_a_question_that_is_too_long_is_none),
        cmocka_unit_test(test_the_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
