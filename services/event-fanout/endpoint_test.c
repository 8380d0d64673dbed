// Whose turn it is, and circuit breakers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "endpoint.h"

#define NOW 1700000000000ull

static const struct endpoints_options options = {.requests_max = 8, .each_max = 6, .queue_max = 10};

struct site { // a webhook with deliveries
    struct delivery deliveries[12];
    size_t ready;
};

static struct site *site_new(void)
{
    struct site *site = test_calloc(1, sizeof(*site));
    struct bf_id webhook = bf_id_new();

    for (size_t i = 0; i < BF_LEN(site->deliveries); i++)
        site->deliveries[i] = (struct delivery){.id = bf_id_new(), .webhook = webhook, .version = 1};
    return site;
}

static struct endpoint *of(struct endpoints *endpoints, struct site *site)
{
    return endpoints_of(endpoints, &site->deliveries[0]);
}

static void make_ready(struct endpoints *endpoints, struct site *site, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        endpoint_count(of(endpoints, site), 1);
        endpoint_ready(endpoints, of(endpoints, site), &site->deliveries[site->ready++]);
    }
}

static size_t go(struct endpoints *endpoints, struct site *site)
{
    size_t count = 0;

    for (struct delivery *each; (each = endpoints_next(endpoints));)
        count += bf_id_eq(each->webhook, site->deliveries[0].webhook);
    return count;
}

// True: the circuit opened.
static bool end(struct endpoints *endpoints, struct site *site, bool well, uint64_t now_ms)
{
    struct endpoint_health health;
    bool opened;

    (void)endpoints_done(endpoints, of(endpoints, site), well, now_ms, UINT32_MAX / 2, &health, &opened);
    endpoint_count(of(endpoints, site), -1);
    return opened;
}

static enum endpoint_room room(struct endpoints *endpoints, struct site *site, uint64_t now_ms)
{
    uint64_t wait_ms;

    return endpoint_room(endpoints, of(endpoints, site), now_ms, 0, &wait_ms);
}

static void one_that_is_not_proven_gets_few(void **state)
{
    struct endpoints *endpoints = endpoints_new(&options);
    struct site *site = site_new();

    make_ready(endpoints, site, 10);
    assert_int_equal(go(endpoints, site), ENDPOINT_UNPROVEN);
    assert_false(end(endpoints, site, true, NOW));
    assert_int_equal(go(endpoints, site), 3); // six are under way
    endpoints_free(endpoints);
    test_free(site);
}

static void they_take_turns(void **state)
{
    struct endpoints *endpoints = endpoints_new(&options);
    struct site *first = site_new(), *second = site_new(), *third = site_new();

    make_ready(endpoints, first, 6);
    make_ready(endpoints, second, 6);
    make_ready(endpoints, third, 1);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(endpoints_next(endpoints)->webhook.bytes,
                            (i == 0   ? first
                             : i == 1 ? second
                                      : third)
                                ->deliveries[0]
                                .webhook.bytes,
                            16);
    assert_memory_equal(endpoints_next(endpoints)->webhook.bytes, first->deliveries[0].webhook.bytes, 16);
    assert_int_equal(go(endpoints, second), 2); // all eight are under way: four each but the third's one
    assert_null(endpoints_next(endpoints));
    endpoints_free(endpoints);
    test_free(first);
    test_free(second);
    test_free(third);
}

static void a_queue_has_an_end(void **state)
{
    struct endpoints *endpoints = endpoints_new(&options);
    struct site *site = site_new();

    make_ready(endpoints, site, 9);
    assert_int_equal(room(endpoints, site, NOW), ENDPOINT_ROOM);
    make_ready(endpoints, site, 1);
    assert_int_equal(room(endpoints, site, NOW), ENDPOINT_FULL);
    endpoints_free(endpoints);
    test_free(site);
}

static void fail_often(struct endpoints *endpoints, struct site *site, uint64_t now_ms)
{
    for (int i = 1; i <= ENDPOINT_FAILURES; i++) {
        make_ready(endpoints, site, 1);
        assert_int_equal(go(endpoints, site), 1);
        assert_int_equal(end(endpoints, site, false, now_ms), i == ENDPOINT_FAILURES);
    }
}

static void a_failing_one_rests_then_one_tries(void **state)
{
    struct endpoints *endpoints = endpoints_new(&options);
    struct site *site = site_new();

    fail_often(endpoints, site, NOW);
    assert_int_equal(endpoints_resting(endpoints), 1);
    assert_true(endpoint_rests(of(endpoints, site), NOW + ENDPOINT_REST_MS - 10));
    assert_int_equal(room(endpoints, site, NOW + ENDPOINT_REST_MS - 10), ENDPOINT_RESTS);
    assert_int_equal(room(endpoints, site, NOW + ENDPOINT_REST_MS), ENDPOINT_ROOM);
    make_ready(endpoints, site, 1);
    assert_int_equal(room(endpoints, site, NOW + ENDPOINT_REST_MS), ENDPOINT_RESTS); // the one that tries
    assert_int_equal(go(endpoints, site), 1);
    assert_true(end(endpoints, site, false, NOW + ENDPOINT_REST_MS)); // and fails: twice as long
    assert_true(endpoint_rests(of(endpoints, site), NOW + 3 * ENDPOINT_REST_MS - 10));
    make_ready(endpoints, site, 1);
    assert_int_equal(go(endpoints, site), 1);
    assert_false(end(endpoints, site, true, NOW + 3 * ENDPOINT_REST_MS));
    assert_int_equal(endpoints_resting(endpoints), 0);
    assert_int_equal(room(endpoints, site, NOW + 3 * ENDPOINT_REST_MS), ENDPOINT_ROOM);
    endpoints_free(endpoints);
    test_free(site);
}

static void what_was_ready_leaves_when_the_circuit_opens(void **state)
{
    struct endpoints *endpoints = endpoints_new(&options);
    struct site *site = site_new();

    fail_often(endpoints, site, NOW);
    make_ready(endpoints, site, 3);
    struct delivery *ready = endpoint_flush(endpoints, of(endpoints, site));
    assert_ptr_equal(ready, &site->deliveries[ENDPOINT_FAILURES]);
    assert_ptr_equal(ready->ready_next->ready_next, &site->deliveries[ENDPOINT_FAILURES + 2]);
    assert_null(endpoints_next(endpoints));
    endpoints_free(endpoints);
    test_free(site);
}

static void a_changed_webhook_begins_anew(void **state)
{
    struct endpoints *endpoints = endpoints_new(&options);
    struct site *site = site_new();

    fail_often(endpoints, site, NOW);
    site->deliveries[0].version = 2;
    assert_int_equal(room(endpoints, site, NOW), ENDPOINT_ROOM);
    assert_int_equal(endpoints_resting(endpoints), 0);
    endpoints_free(endpoints);
    test_free(site);
}

static void a_slow_one_holds_no_place_that_others_need(void **state)
{
    struct endpoints *endpoints = endpoints_new(&options);
    struct site *slow = site_new(), *well = site_new();

    make_ready(endpoints, slow, 10);
    assert_int_equal(go(endpoints, slow), ENDPOINT_UNPROVEN);
    for (size_t i = 0; i < 10; i++) {
        make_ready(endpoints, well, 1);
        assert_int_equal(go(endpoints, well), 1);
        assert_false(end(endpoints, well, true, NOW));
    }
    endpoints_free(endpoints);
    test_free(slow);
    test_free(well);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_not_proven_gets_few),
        cmocka_unit_test(they_take_turns),
        cmocka_unit_test(a_queue_has_an_end),
        cmocka_unit_test(a_failing_one_rests_then_one_tries),
        cmocka_unit_test(what_was_ready_leaves_when_the_circuit_opens),
        cmocka_unit_test(a_changed_webhook_begins_anew),
        cmocka_unit_test(a_slow_one_holds_no_place_that_others_need),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
