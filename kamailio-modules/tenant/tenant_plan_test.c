#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "belfry/call/v1/call.pb-c.h"
#include "tenant_plan.h"
#include "tenant_plan_wire.h"

typedef Belfry__Call__V1__PlanReply pb_plan;
typedef Belfry__Call__V1__Step pb_step;
typedef Belfry__Call__V1__Target pb_target;

// ---- the order of steps -----------------------------------------------------------------------------------

static void test_the_first_step_is_the_first(void **state)
{
    struct tenant_plan_step steps[1] = {{.seconds = 10}};
    struct tenant_plan plan = {.steps = steps, .step_count = 1};
    struct tenant_plan empty = {.final_code = 404};

    assert_int_equal(tenant_plan_next(&plan, TENANT_PLAN_NO_STEP, TENANT_PLAN_FAILED), 0);
    assert_int_equal(tenant_plan_next(&empty, TENANT_PLAN_NO_STEP, TENANT_PLAN_FAILED), TENANT_PLAN_NO_STEP);
}

static void test_what_a_step_ended_with_decides_which_one_follows(void **state)
{
    struct tenant_plan_step steps[] = {
        {.seconds = 10},
        {.seconds = 10, .after = 1, .when = TENANT_PLAN_WHEN_BUSY},
        {.seconds = 10, .after = 1, .when = TENANT_PLAN_WHEN_NO_ANSWER},
        {.seconds = 10, .after = 2, .when = TENANT_PLAN_ANY_FAILURE},
    };
    struct tenant_plan plan = {.steps = steps, .step_count = 4};

    assert_int_equal(tenant_plan_next(&plan, 0, TENANT_PLAN_BUSY), 1);
    assert_int_equal(tenant_plan_next(&plan, 0, TENANT_PLAN_NO_ANSWER), 2);
    assert_int_equal(tenant_plan_next(&plan, 0, TENANT_PLAN_FAILED), TENANT_PLAN_NO_STEP);
    assert_int_equal(tenant_plan_next(&plan, 1, TENANT_PLAN_FAILED), 3);
    assert_int_equal(tenant_plan_next(&plan, 2, TENANT_PLAN_NO_ANSWER), TENANT_PLAN_NO_STEP);
    assert_int_equal(tenant_plan_next(&plan, 3, TENANT_PLAN_BUSY), TENANT_PLAN_NO_STEP);
}

static void test_results_of_codes(void **state)
{
    const struct {
        uint32_t code;
        enum tenant_plan_result result;
    } cases[] = {
        {486, TENANT_PLAN_BUSY},      {600, TENANT_PLAN_BUSY},      {603, TENANT_PLAN_BUSY},
        {408, TENANT_PLAN_NO_ANSWER}, {480, TENANT_PLAN_NO_ANSWER}, {487, TENANT_PLAN_FAILED},
        {404, TENANT_PLAN_FAILED},    {500, TENANT_PLAN_FAILED},    {0, TENANT_PLAN_FAILED},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++)
        assert_int_equal(tenant_plan_result_of(cases[i].code), cases[i].result);
}

static void test_the_better_of_two_codes(void **state)
{
    const struct {
        uint32_t a, b, better;
    } cases[] = {
        {0, 486, 486},   {486, 0, 486},   {486, 503, 486}, {408, 486, 408},
        {603, 486, 603}, {486, 415, 415}, {302, 486, 302}, {503, 500, 500},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++)
        assert_int_equal(tenant_plan_better(cases[i].a, cases[i].b), cases[i].better);
}

static void test_the_final_answer(void **state)
{
    struct tenant_plan prescribed = {.final_code = 486, .final_reason = BF_STR("Limit")};
    struct tenant_plan open = {0};
    struct tenant_plan_answer answer = tenant_plan_final(&prescribed, 408);

    assert_int_equal(answer.code, 486);
    assert_true(bf_str_eq(answer.reason, BF_STR("Limit")));
    assert_int_equal(tenant_plan_final(&open, 486).code, 0);
    assert_int_equal(tenant_plan_final(&open, 408).code, 480);
    assert_int_equal(tenant_plan_final(&open, 0).code, 480);
    prescribed.final_reason = BF_STR("");
    assert_true(tenant_plan_final(&prescribed, 0).reason.len > 0);
}

// ---- the wire ---------------------------------------------------------------------------------------------

#define CALL_BYTES ((uint8_t *)"0123456789abcdef")

struct reply {
    pb_plan plan;
    pb_step steps[2], *step_pointers[2];
    pb_target targets[2], *target_pointers[2];
};

static void reply_init(struct reply *reply)
{
    belfry__call__v1__plan_reply__init(&reply->plan);
    reply->plan.call = (ProtobufCBinaryData){16, CALL_BYTES};
    reply->plan.why = (char *)"extension 101";
    reply->plan.caller_name = (char *)"Alice";
    for (size_t i = 0; i < 2; i++) {
        belfry__call__v1__step__init(&reply->steps[i]);
        belfry__call__v1__target__init(&reply->targets[i]);
        reply->step_pointers[i] = &reply->steps[i];
        reply->target_pointers[i] = &reply->targets[i];
        reply->steps[i].seconds = 20;
        reply->steps[i].after = (uint32_t)i;
        reply->steps[i].why = (char *)"why";
        reply->steps[i].targets = &reply->target_pointers[i];
        reply->steps[i].n_targets = 1;
        reply->targets[i].number = (char *)"101";
        reply->targets[i].ruid = (char *)(i == 0 ? "uloc-1" : "uloc-2");
        reply->targets[i].uri = (char *)"sip:101@192.0.2.1";
        reply->targets[i].flags = 4;
    }
    reply->steps[1].when = BELFRY__CALL__V1__STEP__WHEN__NO_ANSWER;
    reply->plan.steps = reply->step_pointers;
    reply->plan.n_steps = 2;
}

static enum bf_err reply_read(const struct reply *reply, struct tenant_plan *ret_plan, void **ret_message)
{
    uint8_t bytes[4096];
    size_t len = belfry__call__v1__plan_reply__pack(&reply->plan, bytes);

    return tenant_plan_wire_read((struct bf_str){(char *)bytes, len}, ret_plan, ret_message);
}

static void assert_refused(const struct reply *reply)
{
    struct tenant_plan plan;
    void *message;

    assert_int_equal(reply_read(reply, &plan, &message), BF_PROTOCOL);
}

static void test_a_plan_is_read_and_copied_into_one_block(void **state)
{
    struct reply reply;
    struct tenant_plan read, *copy;
    void *message;
    size_t bytes;

    reply_init(&reply);
    assert_int_equal(reply_read(&reply, &read, &message), BF_OK);
    bytes = tenant_plan_bytes(&read);
    copy = tenant_plan_copy(&read, malloc(bytes));
    tenant_plan_wire_release(&read, message); // the copy stands alone
    assert_memory_equal(copy->call.bytes, CALL_BYTES, 16);
    assert_true(bf_str_eq(copy->why, BF_STR("extension 101")));
    assert_true(bf_str_eq(copy->caller_name, BF_STR("Alice")));
    assert_int_equal(copy->step_count, 2);
    assert_int_equal(copy->steps[1].when, TENANT_PLAN_WHEN_NO_ANSWER);
    assert_int_equal(copy->steps[1].targets[0].flags, 4);
    assert_true(bf_str_eq(tenant_plan_target_of(copy, 1, BF_STR("uloc-2"))->number, BF_STR("101")));
    assert_null(tenant_plan_target_of(copy, 0, BF_STR("uloc-2")));
    assert_null(tenant_plan_target_of(copy, TENANT_PLAN_NO_STEP, BF_STR("uloc-2")));
    assert_in_range((uintptr_t)copy->steps[1].targets[0].socket.at, (uintptr_t)copy, (uintptr_t)copy + bytes);
    free(copy);
}

static void test_a_plan_without_steps_needs_an_answer(void **state)
{
    struct reply reply;
    struct tenant_plan plan;
    void *message;

    reply_init(&reply);
    reply.plan.n_steps = 0;
    assert_refused(&reply);
    reply.plan.final_code = 404;
    assert_int_equal(reply_read(&reply, &plan, &message), BF_OK);
    tenant_plan_wire_release(&plan, message);
    reply.plan.final_code = 200;
    assert_refused(&reply);
}

static void test_what_would_break_a_message_is_refused(void **state)
{
    static char long_uri[1200];
    struct reply reply;

    reply_init(&reply);
    reply.targets[1].uri = (char *)"sip:101@192.0.2.1\r\nX: y";
    assert_refused(&reply);
    memset(long_uri, 'a', sizeof(long_uri) - 1);
    reply.targets[1].uri = long_uri;
    assert_refused(&reply);
    reply.targets[1].uri = (char *)"";
    assert_refused(&reply);
}

static void test_a_plan_out_of_bounds_is_refused(void **state)
{
    struct reply reply;

    reply_init(&reply);
    reply.steps[1].after = 2; // itself
    assert_refused(&reply);
    reply_init(&reply);
    reply.steps[0].seconds = 0;
    assert_refused(&reply);
    reply_init(&reply);
    reply.steps[0].n_targets = 0;
    assert_refused(&reply);
    reply_init(&reply);
    reply.plan.call.len = 15;
    assert_refused(&reply);
    reply_init(&reply);
    reply.steps[0].when = 99;
    assert_refused(&reply);
}

static void test_a_step_may_have_devices_that_sleep_alone(void **state)
{
    Belfry__Call__V1__Wake wakes[TENANT_PLAN_WAKES_MAX + 1], *list[TENANT_PLAN_WAKES_MAX + 1];
    struct tenant_plan read, *copy;
    struct reply reply;
    void *message;

    reply_init(&reply);
    for (size_t i = 0; i < BF_LEN(wakes); i++) {
        belfry__call__v1__wake__init(&wakes[i]);
        wakes[i].device = (ProtobufCBinaryData){16, (uint8_t *)CALL_BYTES};
        wakes[i].number = (char *)(i ? "102" : "101");
        list[i] = &wakes[i];
    }
    reply.steps[0].n_targets = 0;
    reply.steps[0].wakes = list;
    reply.steps[0].n_wakes = 2;
    assert_int_equal(reply_read(&reply, &read, &message), BF_OK);
    copy = tenant_plan_copy(&read, malloc(tenant_plan_bytes(&read)));
    tenant_plan_wire_release(&read, message);
    assert_int_equal(copy->steps[0].target_count, 0);
    assert_int_equal(copy->steps[0].wake_count, 2);
    assert_int_equal(copy->steps[1].wake_count, 0);
    assert_memory_equal(copy->steps[0].wakes[1].device.bytes, CALL_BYTES, 16);
    assert_true(bf_str_eq(copy->steps[0].wakes[1].number, BF_STR("102")));
    free(copy);
    reply.steps[0].n_wakes = BF_LEN(wakes);
    assert_refused(&reply);
    reply.steps[0].n_wakes = 1;
    wakes[0].device.len = 15;
    assert_refused(&reply);
}

static void test_a_question_says_what_is_known(void **state)
{
    struct tenant_plan_ask ask = {.edge = {BF_STR("edge-1"), BF_STR("ipc://x"), BF_STR("127.0.1.1:5062"), 7},
                                  .call = {{7}},
                                  .call_id = BF_STR("abc"),
                                  .caller = BF_STR("100"),
                                  .callee = BF_STR("101"),
                                  .max_calls = 3};
    Belfry__Call__V1__PlanRequest *message;
    struct bf_buf packed;

    bf_buf_init(&packed, TENANT_PLAN_ASK_BYTES_MAX);
    tenant_plan_wire_ask(&ask, &packed);
    assert_true(bf_buf_ok(&packed));
    message = belfry__call__v1__plan_request__unpack(NULL, packed.len, (uint8_t *)packed.at);
    assert_string_equal(message->edge->id, "edge-1");
    assert_string_equal(message->callee, "101");
    assert_int_equal(message->call.len, 16);
    assert_memory_equal(message->call.data, ask.call.bytes, 16);
    assert_string_equal(message->user_agent, "");
    assert_int_equal(message->max_calls, 3);
    belfry__call__v1__plan_request__free_unpacked(message, NULL);
    bf_buf_release(&packed);
}

static void test_a_question_too_long_is_none(void **state)
{
    static char text[TENANT_PLAN_ASK_BYTES_MAX];
    struct tenant_plan_ask ask = {.call_id = {text, sizeof(text)}};
    struct bf_buf packed;

    memset(text, 'x', sizeof(text));
    bf_buf_init(&packed, TENANT_PLAN_ASK_BYTES_MAX);
    tenant_plan_wire_ask(&ask, &packed);
    assert_false(bf_buf_ok(&packed));
    bf_buf_release(&packed);
}

static void test_several_questions_and_answers(void **state)
{
    struct bf_str asks[] = {BF_STR("one"), BF_STR("two")};
    Belfry__Call__V1__PlansReply reply = BELFRY__CALL__V1__PLANS_REPLY__INIT;
    Belfry__Call__V1__PlanResult good = BELFRY__CALL__V1__PLAN_RESULT__INIT, alone = good;
    Belfry__Call__V1__PlanResult *list[] = {&good, &alone};
    struct tenant_plan_reply replies[2];
    uint8_t bytes[128];
    struct bf_buf packed;
    void *message;

    bf_buf_init(&packed, 1024);
    tenant_plan_wire_ask_all(asks, BF_LEN(asks), &packed);
    Belfry__Call__V1__PlansRequest *request =
        belfry__call__v1__plans_request__unpack(NULL, packed.len, (uint8_t *)packed.at);
    assert_int_equal(request->n_plans, 2);
    assert_memory_equal(request->plans[1].data, "two", 3);
    belfry__call__v1__plans_request__free_unpacked(request, NULL);
    bf_buf_release(&packed);

    good.plan = (ProtobufCBinaryData){4, (uint8_t *)"plan"};
    alone.status = BF_NOT_FOUND;
    reply.results = list;
    reply.n_results = 2;
    struct bf_str text = {(char *)bytes, belfry__call__v1__plans_reply__pack(&reply, bytes)};
    assert_int_equal(tenant_plan_wire_read_all(text, 2, replies, &message), BF_OK);
    assert_int_equal(replies[0].err, BF_OK);
    assert_true(bf_str_eq(replies[0].plan, BF_STR("plan")));
    assert_int_equal(replies[1].err, BF_NOT_FOUND);
    tenant_plan_wire_release_all(message);
    assert_int_equal(tenant_plan_wire_read_all(text, 3, replies, &message), BF_PROTOCOL);
    assert_int_equal(tenant_plan_wire_read_all(BF_STR("\xff"), 2, replies, &message), BF_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_step_is_the_first),
        cmocka_unit_test(test_what_a_step_ended_with_decides_which_one_follows),
        cmocka_unit_test(test_results_of_codes),
        cmocka_unit_test(test_the_better_of_two_codes),
        cmocka_unit_test(test_the_final_answer),
        cmocka_unit_test(test_a_plan_is_read_and_copied_into_one_block),
        cmocka_unit_test(test_a_plan_without_steps_needs_an_answer),
        cmocka_unit_test(test_what_would_break_a_message_is_refused),
        cmocka_unit_test(test_a_plan_out_of_bounds_is_refused),
        cmocka_unit_test(test_a_step_may_have_devices_that_sleep_alone),
        cmocka_unit_test(test_a_question_says_what_is_known),
        cmocka_unit_test(test_a_question_too_long_is_none),
        cmocka_unit_test(test_several_questions_and_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
