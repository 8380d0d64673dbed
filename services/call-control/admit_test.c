// max_registrations: two edges, a Redis of the test's own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_clock.h"
#include "control_metrics.h"
#include "edge_fixture.h"

static struct fixture fixture;
static struct edge_fixture one, two;

static int setup(void **state)
{
    return fixture_start(&fixture);
}

static int teardown(void **state)
{
    fixture_stop(&fixture);
    return 0;
}

static int begin(void **state)
{
    static uint64_t boot = 1;

    one = edge_fixture(&fixture, "edge-1", ++boot);
    two = edge_fixture(&fixture, "edge-2", ++boot);
    return fixture_flush(&fixture) || edge_send(&one) || edge_send(&two);
}

// ---- the question

struct answer {
    enum bf_err err;
    bool refused;
    uint32_t registrations;
};

static struct answer ask(const struct edge_fixture *edge, uint32_t max, const char *number,
                         const char *contact, const char *instance)
{
    Belfry__Call__V1__AdmitRequest request = BELFRY__CALL__V1__ADMIT_REQUEST__INIT;
    Belfry__Call__V1__AdmitRequest__Device device = BELFRY__CALL__V1__ADMIT_REQUEST__DEVICE__INIT;
    Belfry__Call__V1__AdmitRequest__Device *devices[] = {&device};
    struct answer answer = {.refused = true};
    struct bf_buf reply;

    request.edge_id = (char *)edge->id;
    request.tenant_id = (ProtobufCBinaryData){sizeof(edge->tenant.bytes), (uint8_t *)edge->tenant.bytes};
    request.number = (char *)number;
    request.max_registrations = max;
    request.devices = devices;
    request.n_devices = 1;
    device.contact = (char *)contact;
    device.instance = (char *)instance;
    bf_buf_init(&reply, 1024);
    answer.err = edge_ask(&fixture, "Admit", &request.base, bf_unix_ms() + 5000, &reply);
    if (!answer.err) {
        Belfry__Call__V1__AdmitReply *got =
            belfry__call__v1__admit_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
        answer.refused = got->refused;
        answer.registrations = got->registrations;
        belfry__call__v1__admit_reply__free_unpacked(got, NULL);
    }
    bf_buf_release(&reply);
    return answer;
}

#define assert_admitted(edge, max, number, contact, had)                  \
    do {                                                                  \
        struct answer got_ = ask((edge), (max), (number), (contact), ""); \
        assert_int_equal(got_.err, BF_OK);                                \
        assert_false(got_.refused);                                       \
        assert_int_equal(got_.registrations, (had));                      \
    } while (0)
#define assert_refused(edge, max, number, contact) \
    assert_true(ask((edge), (max), (number), (contact), "").refused)

static void registers(struct edge_fixture *edge, const char *number, const char *ruid, const char *contact)
{
    edge_binding(edge, number, ruid, contact);
    assert_int_equal(edge_send(edge), BF_OK);
}

// ---- tests

static void a_burst_takes_as_many_places_as_there_are(void **state)
{
    int admitted = 0;

    for (int i = 0; i < 50; i++) {
        char contact[32];
        snprintf(contact, sizeof(contact), "sip:%d@10.0.0.1", i);
        admitted += !ask(i % 2 ? &one : &two, 7, "101", contact, "").refused;
    }
    assert_int_equal(admitted, 7);
}

static void a_device_that_asks_again_has_one_place(void **state)
{
    for (int i = 0; i < 3; i++)
        assert_admitted(&one, 1, "101", "sip:101@10.0.0.1", 0);
    assert_refused(&one, 1, "102", "sip:102@10.0.0.1");
    assert_refused(&two, 1, "101", "sip:101@10.0.0.2");
}

static void its_binding_takes_its_place(void **state)
{
    assert_admitted(&one, 2, "101", "sip:101@10.0.0.1", 0);
    registers(&one, "101", "r1", "sip:101@10.0.0.1");
    assert_admitted(&two, 2, "102", "sip:102@10.0.0.1", 1);
    registers(&one, "101", "r1", "sip:101@10.0.0.1"); // a refresh
    registers(&two, "102", "r1", "sip:102@10.0.0.1");
    assert_refused(&one, 2, "103", "sip:103@10.0.0.1");
    edge_binding_gone(&two, "102", "r1");
    assert_int_equal(edge_send(&two), BF_OK);
    assert_admitted(&one, 2, "103", "sip:103@10.0.0.1", 1);
}

static void what_has_run_out_does_not_count(void **state)
{
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1")->expires_ms = bf_unix_ms() - 1000;
    edge_binding(&one, "102", "r2", "sip:102@10.0.0.1");
    assert_int_equal(edge_send(&one), BF_OK);
    assert_admitted(&one, 2, "103", "sip:103@10.0.0.1", 1);
}

static void a_device_that_moves_is_none_more(void **state)
{
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1")->instance = (char *)"<urn:uuid:1>";
    edge_binding(&one, "102", "r2", "sip:102@10.0.0.1");
    assert_int_equal(edge_send(&one), BF_OK);
    assert_refused(&two, 2, "103", "sip:103@10.0.0.1");
    assert_false(ask(&two, 2, "101", "sip:101@10.9.9.9", "<urn:uuid:1>").refused);
    assert_false(ask(&two, 2, "102", "sip:102@10.0.0.1", "").refused);
    assert_true(ask(&two, 2, "101", "sip:101@10.9.9.9", "<urn:uuid:2>").refused);
}

// edge-3 has never been heard.
static void what_dead_edges_had_does_not_count(void **state)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(fixture.control.redis);
    struct binding binding = {.tenant = FIXTURE_TENANT,
                              .edge = "edge-3",
                              .number = "101",
                              .ruid = "r1",
                              .contact = "sip:101@10.0.0.1",
                              .expires_ms = bf_unix_ms() + 60000};

    location_store_put(batch, &binding, BF_STR("packed"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_admitted(&one, 1, "102", "sip:102@10.0.0.1", 0);
}

static void what_a_sync_leaves_out_does_not_count_and_what_redis_lost_is_told_again(void **state)
{
    registers(&one, "101", "r1", "sip:101@10.0.0.1");
    registers(&one, "102", "r2", "sip:102@10.0.0.1");
    for (int flushed = 0; flushed < 2; flushed++) {
        if (flushed)
            assert_int_equal(fixture_flush(&fixture), BF_OK);
        edge_sync(&one, false, 5);
        edge_binding(&one, "102", "r2", "sip:102@10.0.0.1");
        edge_sync(&one, true, 5);
        assert_int_equal(edge_send(&one), BF_OK);
        assert_refused(&two, 1, "103", "sip:103@10.0.0.1");
        struct answer answer = ask(&two, 5, "103", "sip:103@10.0.0.1", "");
        assert_int_equal(answer.registrations, 1);
    }
}

static void another_tenant_has_its_own_count(void **state)
{
    struct edge_fixture other = one;

    other.tenant.bytes[0] ^= 1;
    registers(&one, "101", "r1", "sip:101@10.0.0.1");
    assert_refused(&one, 1, "102", "sip:102@10.0.0.1");
    assert_admitted(&other, 1, "102", "sip:102@10.0.0.1", 0);
}

static void nonsense_is_refused(void **state)
{
    assert_int_equal(ask(&one, 0, "101", "sip:101@10.0.0.1", "").err, BF_INVALID);
    assert_int_equal(ask(&one, 1, "1 1", "sip:101@10.0.0.1", "").err, BF_INVALID);
    assert_int_equal(ask(&one, 1, "101", "101", "").err, BF_INVALID);
    assert_int_equal(ask(&one, 1, "101", "sip:a@b\r\nX: y", "").err, BF_INVALID);
}

static void redis_away_is_no_verdict(void **state)
{
    int64_t failed = control_metrics[CONTROL_ADMIT_FAILED].value;

    bf_redis_fixture_stop(&fixture.server);
    assert_int_equal(ask(&one, 1, "101", "sip:101@10.0.0.1", "").err, BF_UNAVAILABLE);
    assert_int_equal(control_metrics[CONTROL_ADMIT_FAILED].value - failed, 1);
}

#define TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_burst_takes_as_many_places_as_there_are),
        TEST(a_device_that_asks_again_has_one_place),
        TEST(its_binding_takes_its_place),
        TEST(what_has_run_out_does_not_count),
        TEST(a_device_that_moves_is_none_more),
        TEST(what_dead_edges_had_does_not_count),
        TEST(what_a_sync_leaves_out_does_not_count_and_what_redis_lost_is_told_again),
        TEST(another_tenant_has_its_own_count),
        TEST(nonsense_is_refused),
        TEST(redis_away_is_no_verdict), // the last one: Redis is gone behind it
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
