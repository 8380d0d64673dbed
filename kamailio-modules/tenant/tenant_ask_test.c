#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_ask.h"
#include "tenant_fixture.h"

enum { TIMEOUT_MS = 2000, TICKETS = 8 };

static const struct tenant_hash_key KEY = {3, 4};

struct ticket {
    uint32_t times;
    enum bf_err err;
    struct tenant_credential credential;
};

struct world {
    struct tenant_asks *asks;
    uint32_t sent; // how many questions, and the last one's
    uint32_t serial;
    uint64_t left_ms;
    uint32_t kept;
    struct tenant_credential kept_credential;
    struct ticket tickets[TICKETS];
};

static void on_send(void *ctx, uint32_t serial, struct bf_id tenant, struct bf_str user, uint64_t left_ms)
{
    struct world *world = ctx;

    assert_true(bf_id_eq(tenant, fixture_id(1)));
    world->sent++;
    world->serial = serial;
    world->left_ms = left_ms;
}

static void on_answer(void *ctx, void *ticket, enum bf_err err, const struct tenant_credential *credential)
{
    struct ticket *answered = ticket;

    answered->times++;
    answered->err = err;
    if (err == BF_OK)
        answered->credential = *credential;
}

static void on_keep(void *ctx, struct bf_id tenant, struct bf_str user,
                    const struct tenant_credential *credential)
{
    struct world *world = ctx;

    world->kept++;
    world->kept_credential = *credential;
}

static const struct tenant_asks_hooks HOOKS = {on_send, on_answer, on_keep};

static int setup(void **state)
{
    struct world *world = bf_xcalloc(1, sizeof(*world));

    world->asks = tenant_asks_new(&KEY, TIMEOUT_MS, &HOOKS, world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    tenant_asks_free(world->asks);
    free(world);
    return 0;
}

static void add(struct world *world, uint64_t now_ms, const char *user, size_t ticket)
{
    tenant_asks_add(world->asks, now_ms, fixture_id(1), bf_str(user), &world->tickets[ticket]);
}

static void answer(struct world *world, uint64_t now_ms, enum bf_err err, uint32_t tenant, uint8_t fill)
{
    struct bf_buf reply = fixture_answer(fixture_id(tenant), fill, TENANT_HA1_MD5_BYTES);

    tenant_asks_answer(world->asks, now_ms, world->serial, err, fixture_str(&reply));
    bf_buf_release(&reply);
}

static void test_one_question_serves_all_who_wait(void **state)
{
    struct world *world = *state;

    for (size_t i = 0; i < 5; i++)
        add(world, 0, "100", i);
    add(world, 0, "101", 5);
    assert_int_equal(world->sent, 2);
    assert_int_equal(tenant_asks_open(world->asks), 2);
    world->serial--; // the first one's
    answer(world, 10, BF_OK, 1, 9);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(world->tickets[i].times, 1);
        assert_int_equal(world->tickets[i].err, BF_OK);
        assert_int_equal(world->tickets[i].credential.ha1_md5[0], 9);
    }
    assert_int_equal(world->tickets[5].times, 0);
    assert_int_equal(world->kept, 1);
    answer(world, 10, BF_OK, 1, 9); // nobody asks any more
    assert_int_equal(world->kept, 1);
}

static void test_an_unknown_user_gets_the_same_decoy_each_time(void **state)
{
    struct world *world = *state;

    add(world, 0, "999", 0);
    answer(world, 10, BF_NOT_FOUND, 1, 0);
    add(world, 20, "999", 1);
    answer(world, 30, BF_NOT_FOUND, 1, 0);
    assert_int_equal(world->tickets[0].err, BF_OK);
    assert_false(world->tickets[0].credential.known);
    assert_memory_equal(&world->tickets[0].credential, &world->tickets[1].credential,
                        sizeof(struct tenant_credential));
    assert_int_equal(world->kept, 2);
    assert_false(world->kept_credential.known);
}

static void test_an_answer_that_an_invalidation_passed_is_asked_again(void **state)
{
    struct world *world = *state;

    add(world, 0, "100", 0);
    tenant_asks_void(world->asks, fixture_id(1), BF_STR("101")); // somebody else
    tenant_asks_void(world->asks, fixture_id(1), BF_STR("100"));
    answer(world, 500, BF_OK, 1, 1);
    assert_int_equal(world->sent, 2);
    assert_int_equal(world->left_ms, TIMEOUT_MS - 500);
    assert_int_equal(world->kept + world->tickets[0].times, 0);
    answer(world, 600, BF_OK, 1, 2);
    assert_int_equal(world->tickets[0].credential.ha1_md5[0], 2);
    assert_int_equal(world->kept_credential.ha1_md5[0], 2);
}

static void test_a_question_voided_till_its_deadline_fails_and_keeps_nothing(void **state)
{
    struct world *world = *state;

    add(world, 0, "100", 0);
    tenant_asks_void_all(world->asks);
    answer(world, TIMEOUT_MS, BF_OK, 1, 1);
    assert_int_equal(world->sent, 1);
    assert_int_equal(world->tickets[0].err, BF_UNAVAILABLE);
    assert_int_equal(world->kept, 0);
}

static void test_errors_reach_those_who_wait_and_are_not_kept(void **state)
{
    struct world *world = *state;

    add(world, 0, "100", 0);
    answer(world, TIMEOUT_MS, BF_TIMEOUT, 1, 0);
    assert_int_equal(world->tickets[0].err, BF_TIMEOUT);
    add(world, 0, "100", 1);
    tenant_asks_answer(world->asks, 1, world->serial, BF_OK, BF_STR("nonsense"));
    assert_int_equal(world->tickets[1].err, BF_PROTOCOL);
    assert_int_equal(world->kept, 0);
}

static void test_a_credential_of_another_tenant_is_never_used(void **state)
{
    struct world *world = *state;

    add(world, 0, "100", 0);
    answer(world, 1, BF_OK, 2, 7);
    assert_int_equal(world->tickets[0].err, BF_PROTOCOL);
    assert_int_equal(world->kept, 0);
}

static void test_who_still_waits_at_the_end_is_answered(void **state)
{
    struct world *world = *state;

    add(world, 0, "100", 0);
    add(world, 0, "101", 1);
    tenant_asks_free(world->asks);
    world->asks = NULL;
    assert_int_equal(world->tickets[0].err, BF_UNAVAILABLE);
    assert_int_equal(world->tickets[1].times, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_one_question_serves_all_who_wait),
        TEST(test_an_unknown_user_gets_the_same_decoy_each_time),
        TEST(test_an_answer_that_an_invalidation_passed_is_asked_again),
        TEST(test_a_question_voided_till_its_deadline_fails_and_keeps_nothing),
        TEST(test_errors_reach_those_who_wait_and_are_not_kept),
        TEST(test_a_credential_of_another_tenant_is_never_used),
        TEST(test_who_still_waits_at_the_end_is_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
