#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tenant_door.h"

#define LONG_US 10000000 // longer than any test takes
#define CROWD   4
#define ROUNDS  50000

struct room {
    struct tenant_door door;
    uint64_t visits; // only ever changed behind the door
};

static void *visit(void *at)
{
    struct room *room = at;

    for (int i = 0; i < ROUNDS; i++) {
        if (!tenant_door_shut(&room->door, LONG_US))
            break;
        room->visits++;
        tenant_door_open(&room->door);
    }
    return NULL;
}

static void test_one_at_a_time_and_nobody_is_forgotten(void **state)
{
    static struct room room;
    pthread_t threads[CROWD];

    for (int i = 0; i < CROWD; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, visit, &room), 0);
    for (int i = 0; i < CROWD; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(room.visits, CROWD * ROUNDS);
    assert_int_equal(room.door.state, 0);
}

static void *come_in(void *at)
{
    return tenant_door_shut(at, LONG_US) ? at : NULL;
}

static void test_who_waits_comes_in_when_it_opens(void **state)
{
    static struct tenant_door door;
    pthread_t thread;
    void *ended = NULL;

    assert_true(tenant_door_shut(&door, 0));
    assert_int_equal(pthread_create(&thread, NULL, come_in, &door), 0);
    while (door.state != 2)
        sched_yield();
    tenant_door_open(&door);
    pthread_join(thread, &ended);
    assert_ptr_equal(ended, &door);
    assert_int_not_equal(door.state, 0);
    tenant_door_open(&door);
    assert_int_equal(door.state, 0);
}

static void test_who_hangs_behind_it_keeps_nobody_out(void **state)
{
    static struct tenant_door door;

    assert_true(tenant_door_shut(&door, 0));
    assert_false(tenant_door_shut(&door, 1000));
    tenant_door_open(&door);
    assert_true(tenant_door_shut(&door, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_at_a_time_and_nobody_is_forgotten),
        cmocka_unit_test(test_who_waits_comes_in_when_it_opens),
        cmocka_unit_test(test_who_hangs_behind_it_keeps_nobody_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
