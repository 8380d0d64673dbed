// Plans against a real Redis and a registry: devices on several edges, limits, and what is away.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "call_store.h"
#include "edge_fixture.h"

#define TENANT_TEXT "01020304-0506-0708-090a-0b0c0d0e0f10"
#define LEASES      "l:{" TENANT_TEXT "}"
#define SECOND      "s:{" TENANT_TEXT "}"

static struct fixture fixture;
static struct edge_fixture one, two;
static uint64_t epoch = 1;

static const struct fixture_number office[] = {
    {.number = "101"}, {.number = "102", .busy = "101"},
    {.number = "103"}, {.number = "600", .group = true, .members = {"101", "103"}},
    {.number = "200"}, {.number = "104", .id = {{2}}},
};

static int start(void **state)
{
    memcpy(fixture.numbers, office, sizeof(office));
    return fixture_start(&fixture);
}

static int stop(void **state)
{
    fixture_stop(&fixture);
    return 0;
}

// The limits are another tenant's state: the directory has to forget the old one.
static void set_limits(uint32_t max_calls, uint32_t calls_per_second)
{
    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS;
    unsigned before = fixture.asked;
    const struct directory_entry *entry = NULL;

    fixture.limits.max_calls = max_calls;
    fixture.limits.calls_per_second = calls_per_second;
    epoch++;
    do {
        fixture_publish(&fixture, epoch, 1, 0, NULL);
        usleep(1000);
        assert_int_equal(directory_look(fixture.control.directory, FIXTURE_TENANT, "101", &entry), BF_OK);
        directory_entry_unref(entry);
        assert_true(bf_mono_ms() < until);
    } while (fixture.asked == before);
}

static int begin(void **state)
{
    static uint64_t boot;

    one = edge_fixture(&fixture, "edge-1", ++boot);
    two = edge_fixture(&fixture, "edge-2", ++boot);
    two.internal = "127.0.1.2:5162";
    fixture.failing = BF_OK;
    set_limits(0, 0);
    return fixture_flush(&fixture);
}

static uint64_t soon(void)
{
    return bf_unix_ms() + 5000;
}

static Belfry__Call__V1__PlanReply *plan(const char *callee)
{
    enum bf_err err;
    Belfry__Call__V1__PlanReply *reply = edge_plan(&one, "200", callee, soon(), &err);

    assert_int_equal(err, BF_OK);
    assert_non_null(reply);
    return reply;
}

static const Belfry__Call__V1__Target *target(const Belfry__Call__V1__PlanReply *reply, size_t step,
                                              const char *ruid)
{
    assert_true(step < reply->n_steps);
    for (size_t i = 0; i < reply->steps[step]->n_targets; i++)
        if (strcmp(reply->steps[step]->targets[i]->ruid, ruid) == 0)
            return reply->steps[step]->targets[i];
    return NULL;
}

static int64_t leases(void)
{
    return fixture_redis_int(&fixture, "ZCARD", BF_R_TEXT(LEASES));
}

// ---- devices

static void test_devices_on_two_edges_ring_together(void **state)
{
    edge_binding(&one, "101", "near", "sip:101@10.0.0.1")->received = (char *)"sip:192.0.2.1:5060";
    edge_binding(&one, "101", "plain", "sip:101@10.0.0.2")->flags = 64;
    assert_int_equal(edge_send(&one), BF_OK);
    edge_binding(&two, "103", "far", "sip:103@10.0.0.3;ob")->received =
        (char *)"sip:192.0.2.3:5060;transport=tcp";
    edge_binding(&two, "103", "path", "sip:103@10.0.0.4;x=1")->path = (char *)"<sip:proxy;lr>";
    assert_int_equal(edge_send(&two), BF_OK);

    Belfry__Call__V1__PlanReply *reply = plan("600");
    assert_int_equal(reply->n_steps, 1);
    assert_int_equal(reply->final_code, 0);
    assert_int_equal(reply->call.len, 16);
    assert_string_equal(reply->caller_name, "200");
    assert_string_equal(reply->steps[0]->why, "group 600");
    assert_int_equal(reply->steps[0]->n_targets, 4);
    const Belfry__Call__V1__Target *near = target(reply, 0, "near");
    assert_string_equal(near->uri, "sip:101@10.0.0.1");
    assert_string_equal(near->dst, "sip:192.0.2.1:5060");
    assert_string_equal(near->route, "");
    assert_string_equal(near->edge, "edge-1");
    assert_string_equal(target(reply, 0, "plain")->dst, "");
    assert_int_equal(target(reply, 0, "plain")->flags, 64);
    const Belfry__Call__V1__Target *far = target(reply, 0, "far");
    assert_string_equal(far->uri, "sip:103@10.0.0.3;ob");
    assert_string_equal(far->dst, "sip:127.0.1.2:5162;transport=tcp");
    assert_string_equal(far->route, "<sip:127.0.1.2:5162;transport=tcp;lr;"
                                    "received=sip:192.0.2.3:5060%3Btransport%3Dtcp>");
    assert_string_equal(target(reply, 0, "path")->route,
                        "<sip:127.0.1.2:5162;transport=tcp;lr;"
                        "received=sip:103%4010.0.0.4%3Bx%3D1>,<sip:proxy;lr>");
    edge_plan_free(reply);
}

// The number was deleted and made again; its edge has not heard of it, or not yet.
static void test_whoever_had_the_number_before_is_not_rung(void **state)
{
    struct bf_id former = {{1}}, now = {{2}};

    edge_binding(&one, "104", "former", "sip:104@10.0.0.1")->extension =
        (ProtobufCBinaryData){sizeof(former.bytes), former.bytes};
    edge_binding(&one, "104", "now", "sip:104@10.0.0.2")->extension =
        (ProtobufCBinaryData){sizeof(now.bytes), now.bytes};
    edge_binding(&one, "104", "unknown", "sip:104@10.0.0.3");
    assert_int_equal(edge_send(&one), BF_OK);
    Belfry__Call__V1__PlanReply *reply = plan("104");
    assert_int_equal(reply->n_steps, 1);
    assert_int_equal(reply->steps[0]->n_targets, 2);
    assert_null(target(reply, 0, "former"));
    edge_plan_free(reply);
}

static void test_busy_target_is_a_step_of_its_own(void **state)
{
    edge_binding(&one, "102", "r2", "sip:102@10.0.0.2");
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    Belfry__Call__V1__PlanReply *reply = plan("102");
    assert_int_equal(reply->n_steps, 2);
    assert_int_equal(reply->steps[0]->after, 0);
    assert_int_equal(reply->steps[0]->seconds, 20);
    assert_int_equal(reply->steps[1]->after, 1);
    assert_int_equal(reply->steps[1]->when, BELFRY__CALL__V1__STEP__WHEN__BUSY);
    assert_non_null(target(reply, 1, "r1"));
    edge_plan_free(reply);
}

static void test_a_dead_edges_devices_are_not_rung(void **state)
{
    edge_binding(&one, "101", "near", "sip:101@10.0.0.1");
    edge_send(&one);
    edge_binding(&two, "101", "far", "sip:101@10.0.0.2");
    edge_send(&two);
    Belfry__Call__V1__PlanReply *reply = plan("101");
    assert_int_equal(reply->steps[0]->n_targets, 2);
    edge_plan_free(reply);

    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS; // its heartbeats have stopped
    size_t targets = 2;
    while (targets == 2) {
        assert_true(bf_mono_ms() < until);
        usleep(20000);
        reply = plan("101");
        targets = reply->steps[0]->n_targets;
        assert_non_null(target(reply, 0, "near")); // who asks lives
        edge_plan_free(reply);
    }
    edge_send(&two);
    reply = plan("101");
    assert_int_equal(reply->steps[0]->n_targets, 2);
    edge_plan_free(reply);
}

static void test_another_replicas_edges_are_found(void **state)
{
    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS;
    struct edge who = {.id = "edge-3", .boot = 3, .internal = "127.0.1.3:5262"};
    struct edge_stream stream;
    struct edge found;

    assert_int_equal(edge_store_begin(&fixture.control, &who, EDGE_STREAM_BINDINGS, &stream),
                     BF_OK); // heard by the other one
    while (!edges_find(fixture.control.edges, "edge-3", &found)) {
        assert_true(bf_mono_ms() < until);
        usleep(10000);
    }
    assert_true(found.alive);
    assert_int_equal(found.boot, 3);
    assert_string_equal(found.internal, "127.0.1.3:5262");
}

// ---- limits

static void assert_refused(const char *callee, uint32_t code, const char *why)
{
    Belfry__Call__V1__PlanReply *reply = plan(callee);

    assert_int_equal(reply->n_steps, 0);
    assert_int_equal(reply->final_code, code);
    assert_string_equal(reply->why, why);
    edge_plan_free(reply);
}

static void test_max_calls_is_exact(void **state)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(fixture.control.redis);
    struct call call = {.tenant = FIXTURE_TENANT, .edge = "edge-1", .state = CALL_STATE_RINGING};
    int64_t running = 0;

    set_limits(2, 0);
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    Belfry__Call__V1__PlanReply *first = plan("101");
    edge_plan_free(plan("101"));
    assert_refused("101", 486, "limit:max_calls");
    assert_int_equal(limit_store_count(&fixture.control, FIXTURE_TENANT, &running), BF_OK);
    assert_int_equal(running, 2);
    memcpy(call.id.bytes, first->call.data, sizeof(call.id.bytes));
    edge_plan_free(first);
    for (int i = 0; i < 2; i++) // it runs: still one
        call_store_keep(batch, &call, (struct call_keep){.hold_ms = LIMIT_HOLD_MS});
    call.state = CALL_STATE_ENDED;
    call_store_end(batch, &call);
    assert_int_equal(bf_redis_run(batch), BF_OK);
    edge_plan_free(plan("101"));
    assert_refused("101", 486, "limit:max_calls");
}

static void test_a_plan_without_limits_takes_no_place(void **state)
{
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    edge_plan_free(plan("101"));
    assert_int_equal(leases(), 0);
}

static void test_calls_per_second_is_exact(void **state)
{
    set_limits(0, 3);
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    // Two in this second, however slow this machine is, and two in the one before.
    assert_int_equal(fixture_redis_int(&fixture, "ZADD", BF_R_TEXT(SECOND), BF_R_INT(bf_unix_ms() + 60000),
                                       BF_R_TEXT("a"), BF_R_INT(bf_unix_ms() + 60000), BF_R_TEXT("b"),
                                       BF_R_INT(bf_unix_ms() - 1001), BF_R_TEXT("c"),
                                       BF_R_INT(bf_unix_ms() - 1002), BF_R_TEXT("d")),
                     4);
    edge_plan_free(plan("101"));
    assert_int_equal(fixture_redis_int(&fixture, "ZADD", BF_R_TEXT(SECOND), BF_R_INT(bf_unix_ms() + 60000),
                                       BF_R_TEXT("e")),
                     1);
    assert_refused("101", 503, "limit:calls_per_second");
    assert_int_equal(leases(), 1);
    assert_int_equal(fixture_redis_int(&fixture, "ZREM", BF_R_TEXT(SECOND), BF_R_TEXT("a"), BF_R_TEXT("e")),
                     2);
    edge_plan_free(plan("101"));
    assert_int_equal(leases(), 2);
}

static void test_a_call_that_rings_nobody_keeps_no_lease(void **state)
{
    set_limits(1, 0);
    edge_send(&one);
    assert_refused("101", 480, "not-registered");
    assert_refused("999", 404, "unknown-number");
    assert_int_equal(leases(), 0);
}

static void test_a_lease_ends_by_itself(void **state)
{
    set_limits(1, 0);
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    assert_int_equal(fixture_redis_int(&fixture, "ZADD", BF_R_TEXT(LEASES), BF_R_INT(bf_unix_ms() - 1000),
                                       BF_R_TEXT("edge-9/some-call")),
                     1);
    edge_plan_free(plan("101"));
    assert_int_equal(leases(), 1);
}

static void test_a_plan_that_is_late_takes_nothing(void **state)
{
    enum bf_err err;

    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    assert_null(edge_plan(&one, "200", "101", bf_unix_ms() - 1, &err));
    assert_int_equal(err, BF_TIMEOUT);
    assert_int_equal(leases(), 0);
}

// Two replicas are asked when one is slow: both plan the call, and it is one.
static void test_a_call_planned_twice_takes_one_place(void **state)
{
    set_limits(2, 2);
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    one.names = bf_id_new();
    for (int i = 0; i < 3; i++) {
        Belfry__Call__V1__PlanReply *reply = plan("101");
        assert_int_equal(reply->n_steps, 1);
        assert_memory_equal(reply->call.data, one.names.bytes, sizeof(one.names.bytes));
        edge_plan_free(reply);
    }
    assert_int_equal(leases(), 1);
    assert_int_equal(fixture_redis_int(&fixture, "ZCARD", BF_R_TEXT(SECOND)), 1);
}

// The other replica's plan, or the edge's own, may have been taken meanwhile.
static void test_a_late_plan_of_a_named_call_keeps_its_place(void **state)
{
    enum bf_err err;

    set_limits(1, 0);
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    one.names = bf_id_new();
    edge_plan_free(plan("101"));
    assert_int_equal(leases(), 1);
    assert_null(edge_plan(&one, "200", "101", bf_unix_ms() - 1, &err));
    assert_int_equal(err, BF_TIMEOUT);
    assert_int_equal(leases(), 1);
}

static void test_a_call_that_is_over_takes_no_place(void **state)
{
    char key[CALL_KEY_SIZE];

    set_limits(1, 0);
    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    one.names = bf_id_new();
    (void)fixture_redis_int(&fixture, "SET", BF_R_TEXT(call_key(FIXTURE_TENANT, one.names, key)),
                            BF_R_TEXT("state=ended\n"));
    edge_plan_free(plan("101"));
    assert_int_equal(leases(), 0);
}

// ---- what is away

static void test_without_a_registry_what_is_known_is_rung(void **state)
{
    enum bf_err err;

    edge_binding(&one, "101", "r1", "sip:101@10.0.0.1");
    edge_send(&one);
    edge_plan_free(plan("101"));
    fixture.failing = BF_UNAVAILABLE;
    epoch++;
    fixture_publish(&fixture, epoch, 1, 0, NULL);
    Belfry__Call__V1__PlanReply *reply = plan("101");
    assert_int_equal(reply->n_steps, 1);
    edge_plan_free(reply);
    assert_null(edge_plan(&one, "200", "998", soon(), &err));
    assert_int_equal(err, BF_UNAVAILABLE);
}

static void test_without_redis_the_edge_plans(void **state)
{
    enum bf_err err;

    bf_redis_fixture_kill(&fixture.server);
    assert_null(edge_plan(&one, "200", "101", soon(), &err));
    assert_int_equal(err, BF_UNAVAILABLE);
    bf_redis_fixture_spawn(&fixture.server);
    assert_true(bf_redis_fixture_serves(fixture.control.redis));
    assert_refused("101", 480, "not-registered");
}

// ---- several at once

static Belfry__Call__V1__PlanReply *plan_in(const Belfry__Call__V1__PlansReply *plans, size_t number)
{
    const Belfry__Call__V1__PlanResult *result = plans->results[number];

    assert_int_equal(result->status, BF_OK);
    return belfry__call__v1__plan_reply__unpack(NULL, result->plan.len, result->plan.data);
}

static void know(const char *callee)
{
    edge_plan_free(plan(callee));
}

static void test_several_are_planned_as_each_alone(void **state)
{
    const char *callees[] = {"600", "101", "999", "103"};
    enum bf_err err;

    set_limits(100, 0);
    edge_binding(&one, "101", "near", "sip:101@10.0.0.1");
    assert_int_equal(edge_send(&one), BF_OK);
    edge_binding(&two, "103", "far", "sip:103@10.0.0.3");
    assert_int_equal(edge_send(&two), BF_OK);
    know("600");
    know("999");
    Belfry__Call__V1__PlansReply *plans = edge_plans(&one, "200", callees, BF_LEN(callees), &err);
    assert_int_equal(err, BF_OK);
    assert_int_equal(plans->n_results, BF_LEN(callees));
    Belfry__Call__V1__PlanReply *group = plan_in(plans, 0), *phone = plan_in(plans, 1),
                                *nobody = plan_in(plans, 2), *other = plan_in(plans, 3);
    assert_int_equal(group->steps[0]->n_targets, 2);
    assert_int_equal(phone->steps[0]->n_targets, 1);
    assert_non_null(target(phone, 0, "near"));
    assert_int_equal(nobody->final_code, 404);
    assert_non_null(target(other, 0, "far"));
    assert_int_equal(leases(), 4); // of know("600") one, and of the three that ring
    edge_plan_free(group);
    edge_plan_free(phone);
    edge_plan_free(nobody);
    edge_plan_free(other);
    belfry__call__v1__plans_reply__free_unpacked(plans, NULL);
}

static void test_of_several_who_is_not_known_waits_for_nobody(void **state)
{
    const char *callees[] = {"101", "102"};
    unsigned asked;
    enum bf_err err;

    edge_binding(&one, "101", "near", "sip:101@10.0.0.1");
    assert_int_equal(edge_send(&one), BF_OK);
    know("101");
    asked = fixture.asked;
    Belfry__Call__V1__PlansReply *plans = edge_plans(&one, "200", callees, BF_LEN(callees), &err);
    assert_int_equal(err, BF_OK);
    edge_plan_free(plan_in(plans, 0));
    assert_int_equal(plans->results[1]->status, BF_NOT_FOUND);
    assert_int_equal(plans->results[1]->plan.len, 0);
    assert_int_equal(fixture.asked, asked);
    belfry__call__v1__plans_reply__free_unpacked(plans, NULL);
}

static void test_of_several_those_above_the_limit_are_refused(void **state)
{
    const char *callees[] = {"101", "101", "101"};
    size_t refused = 0;
    enum bf_err err;

    edge_binding(&one, "101", "near", "sip:101@10.0.0.1");
    assert_int_equal(edge_send(&one), BF_OK);
    set_limits(2, 0);
    know("101");
    Belfry__Call__V1__PlansReply *plans = edge_plans(&one, "200", callees, BF_LEN(callees), &err);
    assert_int_equal(err, BF_OK);
    for (size_t i = 0; i < BF_LEN(callees); i++) {
        Belfry__Call__V1__PlanReply *reply = plan_in(plans, i);
        refused += reply->final_code == 486;
        edge_plan_free(reply);
    }
    assert_int_equal(refused, 2);
    assert_int_equal(leases(), 2);
    belfry__call__v1__plans_reply__free_unpacked(plans, NULL);
}

static void test_none_or_too_many_are_refused(void **state)
{
    const char *callees[17];
    enum bf_err err;

    for (size_t i = 0; i < BF_LEN(callees); i++)
        callees[i] = "101";
    assert_null(edge_plans(&one, "200", callees, 0, &err));
    assert_int_equal(err, BF_INVALID);
    assert_null(edge_plans(&one, "200", callees, BF_LEN(callees), &err));
    assert_int_equal(err, BF_INVALID);
}

static void test_nonsense_is_refused(void **state)
{
    enum bf_err err;

    one.id = "no spaces";
    assert_null(edge_plan(&one, "200", "101", soon(), &err));
    assert_int_equal(err, BF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_devices_on_two_edges_ring_together, begin),
        cmocka_unit_test_setup(test_whoever_had_the_number_before_is_not_rung, begin),
        cmocka_unit_test_setup(test_busy_target_is_a_step_of_its_own, begin),
        cmocka_unit_test_setup(test_a_dead_edges_devices_are_not_rung, begin),
        cmocka_unit_test_setup(test_another_replicas_edges_are_found, begin),
        cmocka_unit_test_setup(test_max_calls_is_exact, begin),
        cmocka_unit_test_setup(test_a_plan_without_limits_takes_no_place, begin),
        cmocka_unit_test_setup(test_calls_per_second_is_exact, begin),
        cmocka_unit_test_setup(test_a_call_that_rings_nobody_keeps_no_lease, begin),
        cmocka_unit_test_setup(test_a_lease_ends_by_itself, begin),
        cmocka_unit_test_setup(test_a_plan_that_is_late_takes_nothing, begin),
        cmocka_unit_test_setup(test_a_call_planned_twice_takes_one_place, begin),
        cmocka_unit_test_setup(test_a_late_plan_of_a_named_call_keeps_its_place, begin),
        cmocka_unit_test_setup(test_a_call_that_is_over_takes_no_place, begin),
        cmocka_unit_test_setup(test_without_a_registry_what_is_known_is_rung, begin),
        cmocka_unit_test_setup(test_without_redis_the_edge_plans, begin),
        cmocka_unit_test_setup(test_several_are_planned_as_each_alone, begin),
        cmocka_unit_test_setup(test_of_several_who_is_not_known_waits_for_nobody, begin),
        cmocka_unit_test_setup(test_of_several_those_above_the_limit_are_refused, begin),
        cmocka_unit_test_setup(test_none_or_too_many_are_refused, begin),
        cmocka_unit_test_setup(test_nonsense_is_refused, begin),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
