#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_lane.h"

#define LONG_MS 10000 // longer than any test takes

static enum tenant_lane_turn go_in(struct tenant_lane *lane, uint32_t wait_ms, uint32_t *ret_number)
{
    *ret_number = tenant_lane_enter(lane);
    return tenant_lane_wait(lane, *ret_number, wait_ms);
}

static void test_alone_nobody_waits(void **state)
{
    struct tenant_lane lane = {0};
    uint32_t number;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(go_in(&lane, 0, &number), TENANT_LANE_FREE);
        tenant_lane_leave(&lane, number);
    }
}

// ---- turns ------------------------------------------------------------------------------------------------

struct walker {
    struct tenant_lane *lane;
    enum tenant_lane_turn turn;
    uint32_t number;
    pthread_t thread;
};

static void *walk_in(void *at)
{
    struct walker *w = at;

    w->number = tenant_lane_enter(w->lane);
    w->turn = tenant_lane_wait(w->lane, w->number, LONG_MS);
    return NULL;
}

// Begins to wait in the lane, behind all that are in it already.
static void follow(struct walker *w, struct tenant_lane *lane)
{
    uint32_t before = lane->next;

    w->lane = lane;
    assert_int_equal(pthread_create(&w->thread, NULL, walk_in, w), 0);
    while (lane->next == before || lane->waiting < lane->next - lane->serving - 1)
        sched_yield();
}

static void joined(struct walker *w, enum tenant_lane_turn wanted)
{
    pthread_join(w->thread, NULL);
    assert_int_equal(w->turn, wanted);
}

static void test_turns_come_in_the_order_of_entry(void **state)
{
    struct tenant_lane lane = {0};
    struct walker second, third;
    uint32_t first;

    assert_int_equal(go_in(&lane, 0, &first), TENANT_LANE_FREE);
    follow(&second, &lane);
    follow(&third, &lane);
    tenant_lane_leave(&lane, first);
    joined(&second, TENANT_LANE_WAITED);
    assert_int_equal(lane.serving, second.number); // the third still waits
    tenant_lane_leave(&lane, second.number);
    joined(&third, TENANT_LANE_WAITED);
    tenant_lane_leave(&lane, third.number);
    assert_int_equal(lane.serving, lane.next);
}

static void test_too_many_before_it_goes_on_at_once(void **state)
{
    struct tenant_lane lane = {0};
    struct walker waiting[TENANT_LANE_WAITING_MAX];
    uint32_t first, last;

    assert_int_equal(go_in(&lane, 0, &first), TENANT_LANE_FREE);
    for (size_t i = 0; i < BF_LEN(waiting); i++)
        follow(&waiting[i], &lane);
    assert_int_equal(go_in(&lane, LONG_MS, &last), TENANT_LANE_PASSED);
    tenant_lane_leave(&lane, last); // and with it everybody before
    for (size_t i = 0; i < BF_LEN(waiting); i++)
        joined(&waiting[i], TENANT_LANE_WAITED);
    tenant_lane_leave(&lane, first); // late: changes nothing
    assert_int_equal(lane.serving, lane.next);
}

static void test_who_never_leaves_costs_one_wait(void **state)
{
    struct tenant_lane lane = {0};
    uint32_t died, number;

    assert_int_equal(go_in(&lane, 0, &died), TENANT_LANE_FREE);
    assert_int_equal(go_in(&lane, 5, &number), TENANT_LANE_PASSED);
    tenant_lane_leave(&lane, number);
    assert_int_equal(go_in(&lane, 5, &number), TENANT_LANE_FREE);
}

static void test_numbers_wrap_around(void **state)
{
    struct tenant_lane lane = {.next = UINT32_MAX, .serving = UINT32_MAX};
    struct walker second;
    uint32_t first;

    assert_int_equal(go_in(&lane, 0, &first), TENANT_LANE_FREE);
    follow(&second, &lane);
    tenant_lane_leave(&lane, first);
    joined(&second, TENANT_LANE_WAITED);
    tenant_lane_leave(&lane, second.number);
    assert_int_equal(lane.serving, 1);
}

#define CROWD  TENANT_LANE_WAITING_MAX // who was called counts as waiting for another moment
#define ROUNDS 20000

struct crowd {
    struct tenant_lane lane;
    uint64_t inside; // only ever changed by who has the turn
};

static void *hurry(void *at)
{
    struct crowd *crowd = at;
    uint32_t number;

    for (int i = 0; i < ROUNDS; i++) {
        if (go_in(&crowd->lane, LONG_MS, &number) != TENANT_LANE_PASSED)
            crowd->inside++;
        tenant_lane_leave(&crowd->lane, number);
    }
    return NULL;
}

static void test_a_crowd_is_one_after_the_other(void **state)
{
    struct crowd crowd = {0};
    pthread_t threads[CROWD];

    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hurry, &crowd), 0);
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.inside, CROWD * ROUNDS);
}

// ---- Call-ID ----------------------------------------------------------------------------------------------

static const struct {
    const char *message, *call_id;
} messages[] = {
    {"BYE sip:a@b SIP/2.0\r\nCall-ID: 7@x\r\n\r\n", "7@x"},
    {"SIP/2.0 200 OK\r\nVia: i\r\nCALL-id \t:\t 7@x \t\r\n\r\n", "7@x"},
    {"BYE sip:a@b SIP/2.0\r\ni:7\r\n\r\n", "7"},
    {"BYE sip:a@b SIP/2.0\nI : 7\n\n", "7"},
    {"BYE sip:a@b SIP/2.0\r\nCall-ID: 7", "7"},
    {"BYE sip:a@b SIP/2.0\r\nCall-ID: 7\r\nCall-ID: 8\r\n\r\n", "7"},
    {"BYE sip:a@b SIP/2.0\r\nCall-ID:\r\n\r\n", ""},
    {"BYE sip:a@b SIP/2.0\r\nCall-IDs: 7\r\nContact: 7\r\nIdentity: 7\r\ncall-id\r\n\r\n", ""},
    {"BYE sip:a@b SIP/2.0\r\nTo: c\r\n\r\nCall-ID: 7\r\n", ""},
    {"BYE sip:a@b SIP/2.0\n\nCall-ID: 7\n", ""},
    {"\r\n\r\n", ""},
    {"", ""},
};

static void test_call_id_is_found_in_the_headers_only(void **state)
{
    for (size_t i = 0; i < BF_LEN(messages); i++) {
        struct bf_str found = tenant_lane_call_id(bf_str(messages[i].message));

        if (!bf_str_eq(found, bf_str(messages[i].call_id)))
            fail_msg("%s: found \"%.*s\"", messages[i].message, (int)found.len, found.at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone_nobody_waits),
        cmocka_unit_test(test_turns_come_in_the_order_of_entry),
        cmocka_unit_test(test_too_many_before_it_goes_on_at_once),
        cmocka_unit_test(test_who_never_leaves_costs_one_wait),
        cmocka_unit_test(test_numbers_wrap_around),
        cmocka_unit_test(test_a_crowd_is_one_after_the_other),
        cmocka_unit_test(test_call_id_is_found_in_the_headers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
