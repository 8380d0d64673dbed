// Pushes against a real PostgreSQL: whose a wake is, what follows what, and when no cancel is needed; and
// whose a device is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_db_fixture.h"
#include "delivery_store.h"
#include "push_device_store.h"
#include "push_store.h"

#define DEAD_MS 5000

static struct bf_db_fixture server;
static struct bf_db *db;
static struct bf_id tenant, one, other; // replicas
static struct bf_id owner;              // extension of all devices

static struct bf_tx *begin(void)
{
    struct bf_tx *tx = NULL;

    assert_int_equal(bf_tx_begin(db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx), BF_OK);
    return tx;
}

static void commit(struct bf_tx *tx)
{
    assert_int_equal(bf_tx_commit(tx), BF_OK);
    bf_tx_release(tx);
}

static struct bf_id a_device(void)
{
    char name[BF_ID_TEXT_SIZE];
    struct bf_id id = bf_id_new();
    const char *text = bf_id_text(id, name);
    struct push_device device = {.id = id,
                                 .tenant = tenant,
                                 .extension = owner,
                                 .provider = PUSH_FCM,
                                 .number = text + 24, // one for each, or the limit is met
                                 .platform = "android",
                                 .device_id = text,
                                 .token = text,
                                 .topic = "",
                                 .prid = "",
                                 .source = "rest"};
    struct bf_tx *tx = begin();

    assert_int_equal(push_device_store_put(tx, &device, &id), BF_OK);
    commit(tx);
    return id;
}

static struct push_wake a_wake(struct bf_id device)
{
    return (struct push_wake){tenant,       bf_id_new(),         device, "101", "100", "", "101", "x", "t",
                              bf_unix_ms(), bf_unix_ms() + 30000};
}

// What the replica then holds of it: one push or NULL.
static struct push *wake_up(const struct push_wake *wake, bool hold)
{
    struct bf_tx *tx = begin();
    struct push_list list;

    push_list_init(&list);
    assert_int_equal(push_store_wakes(tx, one, wake, 1, hold, &list), BF_OK);
    commit(tx);
    assert_true(list.count <= 1);
    return push_list_take(&list);
}

static struct push *end_wake(const struct push_wake *wake, enum push_end why, bool hold)
{
    struct push_wake_end end = {.tenant = wake->tenant, .call = wake->call, .why = why};
    struct bf_tx *tx = begin();
    struct push_list list;

    push_list_init(&list);
    assert_int_equal(push_store_ends(tx, other, &end, 1, hold, &list), BF_OK);
    commit(tx);
    assert_true(list.count <= 1);
    return push_list_take(&list);
}

// Is something due at once behind it? The push is freed.
static bool settle(struct push *push, enum push_verdict verdict, int code, uint64_t wait_ms)
{
    struct push_outcome outcome = {
        .verdict = verdict, .code = code, .begun = true, .at_ms = bf_unix_ms(), .detail = "said so"};
    struct push_settled settled = {push, &outcome, wait_ms, 0};
    struct bf_tx *tx = begin();
    bool more;

    assert_int_equal(push_store_settle(tx, &settled, 1, &more), BF_OK);
    commit(tx);
    push_free(push);
    return more;
}

static struct push *due(struct bf_id replica)
{
    struct bf_tx *tx = begin();
    struct push_list list;

    push_list_init(&list);
    assert_int_equal(push_store_due(tx, replica, 10, &list), BF_OK);
    commit(tx);
    assert_true(list.count <= 1);
    return push_list_take(&list);
}

static size_t take_over(struct bf_id replica)
{
    struct bf_tx *tx = begin();
    size_t taken = 99;

    assert_int_equal(delivery_store_beat(tx, replica), BF_OK);
    assert_int_equal(push_store_take_over(tx, replica, DEAD_MS, &taken), BF_OK);
    commit(tx);
    return taken;
}

static void leave(struct bf_id replica)
{
    struct bf_tx *tx = begin();

    assert_int_equal(delivery_store_leave(tx, replica), BF_OK);
    commit(tx);
}

// ---- tests

static void a_wake_is_held_once(void **state)
{
    struct push_wake wake = a_wake(a_device()), unknown = a_wake(bf_id_new());
    struct push *push = wake_up(&wake, true);

    assert_non_null(push);
    assert_string_equal(push->wake_token, "t");
    assert_null(wake_up(&wake, true));
    assert_null(wake_up(&unknown, true));
    assert_null(due(one));
    assert_false(settle(push, PUSH_SENT, 200, 0));
    assert_null(due(one));
}

static void what_memory_has_no_room_for_is_due_in_the_table(void **state)
{
    struct push_wake wake = a_wake(a_device());

    assert_null(wake_up(&wake, false));
    struct push *push = due(one);
    assert_non_null(push);
    assert_false(push->got_before);
    assert_false(settle(push, PUSH_SENT, 200, 0));
    assert_null(end_wake(&wake, PUSH_END_CANCELLED, false));
    push = due(other); // who was told of the end
    assert_int_equal(push->kind, PUSH_CANCEL);
    assert_false(settle(push, PUSH_SENT, 200, 0));
    assert_null(due(other));
}

static void what_may_not_have_been_committed_is_due(void **state)
{
    struct push_wake wake = a_wake(a_device());
    struct push *push = wake_up(&wake, true);
    struct push_list list;

    assert_non_null(push);
    push_list_init(&list);
    push_list_add(&list, push);
    push->held_us++; // published again, it is held anew
    struct bf_tx *tx = begin();
    assert_int_equal(push_store_release(tx, &list), BF_OK);
    commit(tx);
    assert_null(due(one));
    push->held_us--;
    tx = begin();
    assert_int_equal(push_store_release(tx, &list), BF_OK);
    commit(tx);
    assert_false(settle(due(one), PUSH_SENT, 200, 0));
    push_list_free(&list);
}

static void a_cancel_waits_for_the_push_that_is_under_way(void **state)
{
    struct push_wake wake = a_wake(a_device());
    struct push *push = wake_up(&wake, true);

    assert_null(end_wake(&wake, PUSH_END_TIMED_OUT, true));
    assert_null(due(one));
    assert_true(settle(push, PUSH_SENT, 200, 0));
    push = due(one);
    assert_int_equal(push->kind, PUSH_CANCEL);
    assert_int_equal(push->attempts, 1);
    assert_false(settle(push, PUSH_AGAIN, 503, 0));
    push = due(one);
    assert_int_equal(push->kind, PUSH_CANCEL);
    assert_false(settle(push, PUSH_SENT, 200, 0));
    assert_null(due(one));
}

static void what_did_not_reach_the_device_needs_no_cancel(void **state)
{
    struct push_wake refused = a_wake(a_device()), silent = a_wake(a_device()), came = a_wake(a_device());

    assert_false(settle(wake_up(&refused, true), PUSH_AGAIN, 503, 60000));
    assert_null(end_wake(&refused, PUSH_END_CANCELLED, true));
    assert_false(settle(wake_up(&silent, true), PUSH_AGAIN, 0, 60000));
    struct push *push = end_wake(&silent, PUSH_END_ANSWERED, true); // nobody knows: it may have rung
    assert_non_null(push);
    assert_false(settle(push, PUSH_SENT, 200, 0));
    assert_false(settle(wake_up(&came, true), PUSH_SENT, 200, 0));
    assert_null(end_wake(&came, PUSH_END_REGISTERED, true));
    assert_null(end_wake(&came, PUSH_END_CANCELLED, true));
    push =
        wake_up(&(struct push_wake){tenant, bf_id_new(), refused.device, "", "", "", "", "", "", 1, 1}, true);
    assert_null(
        end_wake(&(struct push_wake){.tenant = tenant, .call = push->call}, PUSH_END_CANCELLED, true));
    assert_false(settle(push, PUSH_DROPPED, 400, 0));
    assert_null(due(one));
}

static void another_tenant_ends_nothing(void **state)
{
    struct push_wake wake = a_wake(a_device());

    assert_false(settle(wake_up(&wake, true), PUSH_SENT, 200, 0));
    struct push_wake foreign = wake;
    foreign.tenant = bf_id_new();
    assert_null(end_wake(&foreign, PUSH_END_CANCELLED, true));
    struct push *push = end_wake(&wake, PUSH_END_CANCELLED, true);
    assert_non_null(push);
    assert_false(settle(push, PUSH_SENT, 200, 0));
}

static void a_dead_replica_is_taken_over_by_one(void **state)
{
    struct push_wake wake = a_wake(a_device());

    assert_int_equal(take_over(one), 0);
    push_free(wake_up(&wake, true)); // it dies in mid push
    assert_int_equal(take_over(other), 0);
    leave(one);
    assert_int_equal(take_over(other), 1);
    assert_int_equal(take_over(bf_id_new()), 0);
    struct push *push = due(other);
    assert_true(push->got_before);
    assert_false(settle(push, PUSH_DROPPED, 400, 0));
    assert_null(end_wake(&wake, PUSH_END_CANCELLED, true)); // over
}

static void only_the_token_that_was_refused_is_dead(void **state)
{
    struct push_wake wake = a_wake(a_device());
    struct push *push = wake_up(&wake, true);
    struct bf_rows *rows = NULL;
    struct bf_tx *tx = begin();

    assert_int_equal(bf_tx_exec(tx, NULL, "UPDATE events.push_device SET token = 'newer' WHERE id = $1",
                                BF_P_ID(wake.device)),
                     BF_OK);
    commit(tx);
    assert_false(settle(push, PUSH_DEAD, 404, 0));
    wake.call = bf_id_new();
    push = wake_up(&wake, true);
    assert_string_equal(push->token, "newer");
    assert_false(settle(push, PUSH_DEAD, 404, 0));
    wake.call = bf_id_new();
    push = wake_up(&wake, true);
    assert_null(push->token); // dead: nothing is sent
    assert_false(settle(push, PUSH_DROPPED, 0, 0));
    tx = begin();
    assert_int_equal(bf_tx_exec(tx, &rows, "SELECT state, why FROM events.push_device WHERE id = $1",
                                BF_P_ID(wake.device)),
                     BF_OK);
    assert_string_equal(bf_rows_text(rows, 0, 0), "dead");
    assert_string_equal(bf_rows_text(rows, 0, 1), "said so");
    bf_rows_release(rows);
    commit(tx);
}

// ---- devices

static enum bf_err put(struct bf_id extension, const char *device_id, const char *token, struct bf_id *ret_id)
{
    struct push_device device = {.id = bf_id_new(),
                                 .tenant = tenant,
                                 .extension = extension,
                                 .provider = PUSH_FCM,
                                 .number = "500",
                                 .platform = "android",
                                 .device_id = device_id,
                                 .token = token,
                                 .topic = "",
                                 .prid = "",
                                 .source = "sip"};
    struct bf_tx *tx = begin();
    enum bf_err err = push_device_store_put(tx, &device, ret_id);

    commit(tx);
    return err;
}

// How many devices a call to 500 finds, if it is this extension.
static size_t devices_of(struct bf_id extension)
{
    const char *number = "500";
    struct bf_rows *rows = NULL;
    struct push_device *list = NULL;
    size_t count = 0;
    struct bf_tx *tx = begin();

    assert_int_equal(push_device_store_of(tx, tenant, &number, &extension, 1, &rows, &list, &count), BF_OK);
    commit(tx);
    bf_rows_release(rows);
    free(list);
    return count;
}

static void a_number_s_next_owner_inherits_no_device(void **state)
{
    struct bf_id former = {{1}}, owner_now = {{2}}, first, second, third;

    assert_int_equal(put(former, "phone", "t1", &first), BF_OK);
    assert_int_equal(put(former, "tablet", "t2", &second), BF_OK);
    assert_int_equal(devices_of(former), 2);
    assert_int_equal(devices_of(owner_now), 0);
    assert_int_equal(devices_of((struct bf_id){{0}}), 0);
    // What is left goes with the next owner's first device; a device that changed hands is theirs.
    assert_int_equal(put(owner_now, "phone", "t3", &third), BF_OK);
    assert_true(bf_id_eq(first, third));
    assert_int_equal(devices_of(former), 0);
    assert_int_equal(devices_of(owner_now), 1);
    // A REGISTER of the former owner that is told late takes nothing away.
    assert_int_equal(put(former, "phone", "t1", &first), BF_NOT_FOUND);
    assert_int_equal(devices_of(owner_now), 1);
}

static void devices_are_looked_through_and_go_with_their_owner(void **state)
{
    struct bf_id last = {{3}}, id, after = {{0}};
    struct bf_rows *rows = NULL;
    struct push_device *list = NULL;
    size_t count = 0, gone = 0;

    assert_int_equal(put(last, "a", "ta", &id), BF_OK);
    assert_int_equal(put(last, "b", "tb", &id), BF_OK);
    struct bf_tx *tx = begin();
    assert_int_equal(push_device_store_page(tx, tenant, "500", after, 1, &rows, &list, &count), BF_OK);
    assert_int_equal(count, 1);
    assert_string_equal(list[0].number, "500");
    after = list[0].id;
    free(list);
    bf_rows_release(rows);
    assert_int_equal(push_device_store_page(tx, tenant, NULL, after, 100, &rows, &list, &count), BF_OK);
    assert_true(count >= 1 && memcmp(list[0].id.bytes, after.bytes, sizeof(after.bytes)) > 0);
    free(list);
    bf_rows_release(rows);
    assert_int_equal(
        push_device_store_page(tx, (struct bf_id){{0}}, NULL, (struct bf_id){{0}}, 100, &rows, &list, &count),
        BF_OK);
    for (size_t i = 0; i < count; i++) // one that got another owner meanwhile stays
        if (bf_id_eq(list[i].id, id))
            list[i].extension = owner;
    size_t before = devices_of(last);
    assert_int_equal(push_device_store_forget(tx, list, count, &gone), BF_OK);
    assert_int_equal(gone, count - 1);
    commit(tx);
    free(list);
    bf_rows_release(rows);
    assert_int_equal(before, 2);
    assert_int_equal(devices_of(last), 1);
}

static int start(void **state)
{
    if (!bf_db_fixture_start(&server))
        return -1;
    struct bf_db_options service = bf_db_fixture_options(&server, "belfry", "belfry_events");
    assert_int_equal(bf_db_open(&service, &db), BF_OK);
    tenant = bf_id_new();
    owner = bf_id_new();
    one = bf_id_new();
    other = bf_id_new();
    return 0;
}

static int stop(void **state)
{
    bf_db_close(db);
    return bf_db_fixture_stop(&server) ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wake_is_held_once),
        cmocka_unit_test(what_memory_has_no_room_for_is_due_in_the_table),
        cmocka_unit_test(what_may_not_have_been_committed_is_due),
        cmocka_unit_test(a_cancel_waits_for_the_push_that_is_under_way),
        cmocka_unit_test(what_did_not_reach_the_device_needs_no_cancel),
        cmocka_unit_test(another_tenant_ends_nothing),
        cmocka_unit_test(a_dead_replica_is_taken_over_by_one),
        cmocka_unit_test(only_the_token_that_was_refused_is_dead),
        cmocka_unit_test(a_number_s_next_owner_inherits_no_device),
        cmocka_unit_test(devices_are_looked_through_and_go_with_their_owner),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
