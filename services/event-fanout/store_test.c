// The SQL of events, webhooks and deliveries against a real PostgreSQL.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "belfry/event/v1/event.pb-c.h"
#include "bf_clock.h"
#include "bf_db_fixture.h"
#include "bf_idempotency.h"
#include "delivery_store.h"
#include "event_bus.h"
#include "event_store.h"
#include "fanout.h"
#include "log_store.h"
#include "webhook_store.h"

static struct bf_db_fixture server;
static struct bf_db *db;
static struct bf_vault seal;
static struct bf_id us, other; // replicas

// ---- helpers

static struct bf_tx *begin(void)
{
    struct bf_tx *tx;

    assert_int_equal(bf_tx_begin_keyed(db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx), BF_OK);
    return tx;
}

static void commit(struct bf_tx *tx)
{
    assert_int_equal(bf_tx_commit(tx), BF_OK);
    bf_tx_release(tx);
}

static void run(const char *sql)
{
    struct bf_tx *tx = begin();

    if (bf_tx_exec(tx, NULL, sql))
        fail_msg("%s: %s", sql, bf_tx_error(tx));
    commit(tx);
}

// Of one row with one number, $1 being the id.
static int64_t number_of(const char *sql, struct bf_id id)
{
    bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
    struct bf_tx *tx = begin();

    if (bf_tx_exec(tx, &rows, sql, BF_P_ID(id)))
        fail_msg("%s: %s", sql, bf_tx_error(tx));
    assert_int_equal(bf_rows_count(rows), 1);
    int64_t number = bf_rows_int(rows, 0, 0);
    bf_tx_release(tx);
    return number;
}

#define PENDING   "SELECT count(*) FROM events.pending WHERE webhook_id = $1"
#define DELIVERED "SELECT count(*) FROM events.delivery WHERE webhook_id = $1 AND state = 'delivered'"
#define DEAD      "SELECT count(*) FROM events.delivery WHERE webhook_id = $1 AND state = 'dead'"
#define DROPPED   "SELECT count(*) FROM events.delivery WHERE webhook_id = $1 AND state = 'dropped'"

struct office { // a tenant with a webhook
    struct bf_id tenant, webhook;
};

static struct office office_new(void)
{
    static const char *const types[] = {"call.*"};
    struct office office = {bf_id_new(), bf_id_new()};
    struct webhook_new webhook = {office.webhook, office.tenant, "https://a.example/", types, 1, "whsec_one"};
    struct bf_tx *tx = begin();

    assert_int_equal(webhook_store_add(tx, &seal, &webhook), BF_OK);
    commit(tx);
    return office;
}

static struct event event_of(struct office office, struct bf_id call, const char *type)
{
    return (struct event){.id = bf_id_new(),
                          .tenant = office.tenant,
                          .call = call,
                          .type = type,
                          .at_ms = bf_unix_ms(),
                          .seq = 1,
                          .data = "{}"};
}

static struct event_stored add(struct bf_tx *tx, struct bf_id replica, const struct event *event)
{
    struct event_stored stored;

    if (event_store_add(tx, &seal, replica, &(struct event_new){event, "{\"a\":1}"}, 1, false, &stored))
        fail_msg("%s", bf_tx_error(tx));
    return stored;
}

static void publish(struct bf_id replica, const struct event *event)
{
    struct bf_tx *tx = begin();
    struct event_stored stored = add(tx, replica, event);

    commit(tx);
    event_stored_release(&stored);
}

// What is due, at most ten. The caller frees each.
static size_t due(struct bf_id replica, struct delivery **list)
{
    struct delivery_due found;
    struct bf_tx *tx = begin();

    if (delivery_store_due(tx, &seal, replica, 10, list, &found))
        fail_msg("%s", bf_tx_error(tx));
    commit(tx);
    return found.count;
}

static void make_due(struct bf_id webhook)
{
    bf_autofree char *sql = NULL;
    char text[BF_ID_TEXT_SIZE];

    sql = bf_xasprintf(
        "UPDATE events.pending SET next_attempt_at = now() - interval '1 s' WHERE webhook_id = '%s' "
        "AND next_attempt_at < 'infinity'",
        bf_id_text(webhook, text));
    run(sql);
}

static size_t settle(struct delivery *delivery, int code, enum delivery_verdict verdict, bool last)
{
    struct attempt attempt = {.delivery = delivery,
                              .outcome = {.code = code, .latency_ms = 5, .at_ms = bf_unix_ms()},
                              .verdict = verdict,
                              .wait_ms = 5000,
                              .health_changed = code != 200,
                              .health = {.failures = 1, .failing_since_ms = bf_unix_ms()},
                              .last = last};
    struct bf_tx *tx = begin();
    size_t woken;

    memcpy(attempt.outcome.answer, "no\xc3", 3);
    attempt.outcome.answer_len = 3;
    if (delivery_store_settle(tx, &attempt, &woken))
        fail_msg("%s", bf_tx_error(tx));
    commit(tx);
    return woken;
}

// ---- what is made

static void a_delivery_is_made_for_those_that_want_it(void **state)
{
    struct office office = office_new(), stranger = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started"),
                 odd = event_of(office, bf_id_new(), "registration.changed");
    struct bf_tx *tx = begin();
    struct event_stored stored = add(tx, us, &event), again = add(tx, us, &event), none = add(tx, us, &odd);

    commit(tx);
    assert_int_equal(stored.stored, 1);
    assert_int_equal(stored.made_count, 1);
    assert_string_equal(stored.made[0].ours->secret, "whsec_one");
    assert_string_equal(stored.made[0].ours->body, "{\"a\":1}");
    assert_int_equal(stored.made[0].ours->version, 1);
    assert_int_equal(again.stored, 0);
    assert_int_equal(again.made_count, 0);
    assert_int_equal(none.stored, 1);
    assert_int_equal(none.made_count, 0);
    assert_int_equal(number_of(PENDING, stranger.webhook), 0);
    event_stored_release(&stored);
    event_stored_release(&again);
    event_stored_release(&none);
}

static void a_lane_stays_with_its_owner(void **state)
{
    struct office office = office_new();
    struct bf_id call = bf_id_new();
    struct event first = event_of(office, call, "call.started"),
                 second = event_of(office, call, "call.ended");
    struct delivery *list[10];

    publish(us, &first);
    struct bf_tx *tx = begin();
    struct event_stored stored = add(tx, other, &second);
    commit(tx);
    assert_memory_equal(stored.made[0].owner.bytes, us.bytes, 16);
    assert_null(stored.made[0].ours);
    assert_true(stored.made[0].behind > 0);
    assert_int_equal(due(other, list), 0);
    event_stored_release(&stored);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 1); // the second is not the first of its lane
    assert_memory_equal(list[0]->event.bytes, first.id.bytes, 16);
    assert_int_equal(due(us, &list[1]), 0);
    assert_int_equal(settle(list[0], 200, DELIVERY_DONE, true), 1); // wakes it
    assert_int_equal(due(us, &list[1]), 1);
    assert_memory_equal(list[1]->event.bytes, second.id.bytes, 16);
    assert_int_equal(settle(list[1], 200, DELIVERY_DONE, true), 0);
    delivery_free(list[0]);
    delivery_free(list[1]);
    assert_int_equal(number_of(DELIVERED, office.webhook), 2);
}

static void what_a_paused_webhook_would_get_waits(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started"),
                 later = event_of(office, bf_id_new(), "call.started");
    struct delivery *list[10];
    struct bf_tx *tx = begin();
    size_t freed;

    publish(us, &event);
    assert_int_equal(
        webhook_store_change(tx, office.tenant, office.webhook, &(struct webhook_change){.status = "paused"}),
        BF_OK);
    commit(tx);
    tx = begin();
    struct event_stored stored = add(tx, us, &later);
    commit(tx);
    assert_int_equal(stored.made_count, 0);
    event_stored_release(&stored);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 0);
    assert_int_equal(number_of("SELECT count(*) FROM events.pending WHERE webhook_id = $1 "
                               "AND next_attempt_at = 'infinity'",
                               office.webhook),
                     2);
    tx = begin();
    assert_int_equal(delivery_store_resume(tx, us, &freed), BF_OK);
    assert_int_equal(freed, 0);
    assert_int_equal(
        webhook_store_change(tx, office.tenant, office.webhook, &(struct webhook_change){.status = "active"}),
        BF_OK);
    commit(tx);
    assert_int_equal(due(us, list), 2);
    delivery_free(list[0]);
    delivery_free(list[1]);
    run("UPDATE events.pending SET next_attempt_at = 'infinity'"); // as published right then
    tx = begin();
    assert_int_equal(delivery_store_resume(tx, us, &freed), BF_OK);
    assert_true(freed >= 2);
    commit(tx);
}

static void a_webhook_that_rests_is_left_alone(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started");
    struct delivery *list[10];

    publish(us, &event);
    make_due(office.webhook);
    run("UPDATE events.webhook SET open_until = now() + interval '1 hour'");
    assert_int_equal(due(us, list), 0);
    assert_int_equal(number_of("SELECT count(*) FROM events.pending WHERE webhook_id = $1 "
                               "AND next_attempt_at > now() + interval '59 min'",
                               office.webhook),
                     1);
    run("UPDATE events.webhook SET open_until = NULL");
}

// ---- what came of it

static void what_is_said_to_be_new_and_is_known_is_refused(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started");
    struct event_new new = {&event, "{\"a\":1}"};
    struct event_stored stored;
    struct bf_tx *tx = begin();

    assert_int_equal(event_store_add(tx, &seal, us, &new, 1, true, &stored), BF_OK);
    assert_int_equal(stored.stored, 1);
    event_stored_release(&stored);
    commit(tx);
    tx = begin();
    assert_int_equal(event_store_add(tx, &seal, us, &new, 1, true, &stored), BF_CONFLICT);
    bf_tx_release_at(&tx);
    assert_int_equal(number_of(PENDING, office.webhook), 1);
}

static void an_attempt_is_logged_and_tried_again(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started");
    struct delivery *list[10];
    struct bf_tx *tx;
    json_t *shown;

    publish(us, &event);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 1);
    settle(list[0], 503, DELIVERY_AGAIN, true);
    assert_int_equal(number_of(PENDING, office.webhook), 1);
    assert_int_equal(number_of("SELECT failures FROM events.webhook WHERE id = $1", office.webhook), 1);
    assert_int_equal(
        number_of("SELECT count(*) FROM events.webhook WHERE id = $1 AND failing_since IS NOT NULL",
                  office.webhook),
        1);
    tx = begin();
    assert_int_equal(log_store_find(tx, office.tenant, list[0]->id, &shown), BF_OK);
    const json_t *attempt = json_array_get(json_object_get(shown, "log"), 0);
    assert_int_equal(json_integer_value(json_object_get(attempt, "code")), 503);
    assert_int_equal(json_integer_value(json_object_get(attempt, "latency_ms")), 5);
    assert_string_equal(json_string_value(json_object_get(attempt, "answer")), "no"); // half a letter is cut
    assert_string_equal(json_string_value(json_object_get(shown, "state")), "pending");
    json_decref(shown);
    assert_int_equal(log_store_find(tx, bf_id_new(), list[0]->id, &shown), BF_NOT_FOUND);
    bf_tx_release(tx);
    delivery_free(list[0]);
}

// It was under way while somebody made the webhook active.
static void a_failure_from_before_a_change_says_nothing_of_the_webhook(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started");
    struct delivery *list[10];

    publish(us, &event);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 1);
    run("UPDATE events.webhook SET version = version + 1");
    settle(list[0], 503, DELIVERY_AGAIN, true);
    assert_int_equal(number_of(PENDING, office.webhook), 1);
    assert_int_equal(number_of("SELECT failures FROM events.webhook WHERE id = $1", office.webhook), 0);
    delivery_free(list[0]);
}

static void gone_ends_the_webhook_and_all_that_waits(void **state)
{
    struct office office = office_new();
    struct event first = event_of(office, bf_id_new(), "call.started"),
                 second = event_of(office, bf_id_new(), "call.started"),
                 third = event_of(office, bf_id_new(), "call.started");
    struct delivery *list[10];

    publish(us, &first);
    publish(us, &second);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 2);
    settle(list[0], 410, DELIVERY_GONE, true);
    assert_int_equal(number_of(DEAD, office.webhook), 2);
    publish(us, &third);
    assert_int_equal(number_of(PENDING, office.webhook), 0);
    settle(list[1], 200, DELIVERY_DONE, true); // was on its way: it stays dead, the attempt is logged
    assert_int_equal(number_of(DEAD, office.webhook), 2);
    delivery_free(list[0]);
    delivery_free(list[1]);
}

static void a_webhook_deleted_while_events_were_stored_gets_nothing(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started");
    struct bf_tx *publishing = begin(), *deleting = begin();
    struct event_stored stored = add(publishing, us, &event);
    struct delivery *list[10];

    assert_int_equal(webhook_store_remove(deleting, office.tenant, office.webhook), BF_OK);
    commit(deleting);
    commit(publishing);
    event_stored_release(&stored);
    assert_int_equal(number_of(PENDING, office.webhook), 1);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 0);
    assert_int_equal(number_of(DROPPED, office.webhook), 1);
}

// ---- replicas

// Another one would take over at once what it owned.
static void a_replica_that_nobody_knows_takes_nothing(void **state)
{
    struct fanout fanout = {.db = db, .replica = bf_id_new()};
    struct bf_id id = bf_id_new(), tenant = bf_id_new();
    Belfry__Event__V1__Event event = BELFRY__EVENT__V1__EVENT__INIT;
    Belfry__Event__V1__Entry entry = BELFRY__EVENT__V1__ENTRY__INIT;
    Belfry__Event__V1__PublishRequest publish = BELFRY__EVENT__V1__PUBLISH_REQUEST__INIT;
    uint8_t bytes[512];
    struct bf_buf reply, error;

    event.id = (ProtobufCBinaryData){sizeof(id.bytes), id.bytes};
    event.tenant_id = (ProtobufCBinaryData){sizeof(tenant.bytes), tenant.bytes};
    event.type = "call.incoming";
    event.at_ms = bf_unix_ms();
    event.data = "{}";
    entry.what_case = BELFRY__EVENT__V1__ENTRY__WHAT_EVENT;
    entry.event = &event;
    publish.n_entries = 1;
    publish.entries = &(Belfry__Event__V1__Entry *){&entry};
    assert_true(belfry__event__v1__publish_request__get_packed_size(&publish) <= sizeof(bytes));
    size_t size = belfry__event__v1__publish_request__pack(&publish, bytes);

    bf_buf_init(&reply, 512);
    bf_buf_init(&error, 512);
    assert_string_equal(event_bus_methods[0].name, "Publish");
    struct bf_bus_request request = {.method = "Publish", .body = {(const char *)bytes, size}};
    assert_int_equal(event_bus_methods[0].handle(&request, &reply, &error, &fanout), BF_UNAVAILABLE);
    assert_int_equal(number_of("SELECT count(*) FROM events.event WHERE id = $1", id), 0);
    bf_buf_release(&reply);
    bf_buf_release(&error);
}

// Else the two wait for each other when there are many, and one of them fails.
static void a_webhook_that_goes_leaves_what_is_being_settled(void **state)
{
    struct office office = office_new();
    struct event one = event_of(office, bf_id_new(), "call.started"),
                 two = event_of(office, bf_id_new(), "call.started");
    struct delivery *list[10];
    size_t woken;

    publish(us, &one);
    publish(us, &two);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 2);
    struct attempt attempt = {
        .delivery = list[0], .outcome = {.code = 200, .at_ms = bf_unix_ms()}, .verdict = DELIVERY_DONE};
    struct bf_tx *settling = begin(), *going = begin();
    assert_int_equal(delivery_store_settle(settling, &attempt, &woken), BF_OK);
    assert_int_equal(webhook_store_remove(going, office.tenant, office.webhook), BF_OK);
    commit(going);
    commit(settling);
    assert_int_equal(number_of(PENDING, office.webhook), 0);
    assert_int_equal(number_of(DELIVERED, office.webhook), 1);
    assert_int_equal(number_of(DROPPED, office.webhook), 1);
    delivery_free(list[0]);
    delivery_free(list[1]);
}

static void what_a_dead_replica_owned_is_taken_over(void **state)
{
    struct office office = office_new();
    struct bf_id dead = bf_id_new(), call = bf_id_new();
    struct event first = event_of(office, call, "call.started"),
                 second = event_of(office, call, "call.ended");
    struct delivery *list[10];
    struct bf_tx *tx = begin();
    size_t taken;

    assert_int_equal(delivery_store_beat(tx, us), BF_OK);
    assert_int_equal(delivery_store_beat(tx, dead), BF_OK);
    commit(tx);
    publish(dead, &first);
    publish(dead, &second);
    tx = begin();
    assert_int_equal(delivery_store_take_over(tx, us, 60000, &taken), BF_OK);
    commit(tx);
    assert_int_equal(number_of("SELECT count(*) FROM events.pending WHERE owner = $1", dead), 2);
    tx = begin();
    assert_int_equal(delivery_store_leave(tx, dead), BF_OK);
    assert_int_equal(delivery_store_take_over(tx, us, 60000, &taken), BF_OK);
    commit(tx);
    assert_true(taken >= 2);
    assert_int_equal(number_of("SELECT count(*) FROM events.pending WHERE owner = $1", dead), 0);
    size_t count = due(us, list), ours = 0;
    for (size_t i = 0; i < count; i++) {
        ours += bf_id_eq(list[i]->webhook, office.webhook);
        delivery_free(list[i]);
    }
    assert_int_equal(ours, 1); // at once, one after the other
}

// ---- secrets

static void two_secrets_sign_until_the_overlap_ends(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, bf_id_new(), "call.started");
    struct delivery *list[10];
    struct bf_tx *tx = begin();

    publish(us, &event);
    assert_int_equal(webhook_store_rotate(tx, &seal, office.tenant, office.webhook, "whsec_two", 60), BF_OK);
    commit(tx);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 1);
    assert_string_equal(list[0]->secret, "whsec_two");
    assert_string_equal(list[0]->secret_before, "whsec_one");
    delivery_free(list[0]);
    run("UPDATE events.webhook SET before_until = now() - interval '1 s' WHERE before_until IS NOT NULL");
    make_due(office.webhook);
    assert_int_equal(due(us, list), 1);
    assert_string_equal(list[0]->secret, "whsec_two");
    assert_null(list[0]->secret_before);
    delivery_free(list[0]);
    tx = begin();
    assert_int_equal(webhook_store_rotate(tx, &seal, office.tenant, office.webhook, "whsec_three", 0), BF_OK);
    assert_int_equal(webhook_store_rotate(tx, &seal, bf_id_new(), office.webhook, "stolen", 0), BF_NOT_FOUND);
    commit(tx);
    make_due(office.webhook);
    assert_int_equal(due(us, list), 1);
    assert_string_equal(list[0]->secret, "whsec_three");
    assert_null(list[0]->secret_before);
    delivery_free(list[0]);
}

// ---- sent again by hand

static void what_is_dead_can_be_sent_again(void **state)
{
    struct office office = office_new();
    struct bf_id call = bf_id_new(), made;
    struct event first = event_of(office, call, "call.started"),
                 second = event_of(office, call, "call.ended");
    uint64_t from_ms = bf_unix_ms() - 60000;
    struct log_range range = {office.tenant, office.webhook, from_ms, from_ms + 120000, "dead"};
    struct log_replayed replayed;
    struct delivery *list[10];

    publish(us, &first);
    publish(us, &second);
    for (int i = 0; i < 2; i++) {
        make_due(office.webhook);
        assert_int_equal(due(us, list), 1);
        settle(list[0], 400, DELIVERY_DEAD, true);
        if (i == 0)
            delivery_free(list[0]);
    }
    struct bf_tx *tx = begin();
    assert_int_equal(log_store_replay(tx, us, office.tenant, list[0]->id, &made), BF_OK);
    assert_int_equal(log_store_replay(tx, us, bf_id_new(), list[0]->id, &made), BF_NOT_FOUND);
    assert_int_equal(log_store_replay_range(tx, us, &range, &replayed), BF_OK);
    assert_int_equal(replayed.count, 2);
    assert_false(replayed.more);
    commit(tx);
    delivery_free(list[0]);
    size_t count = due(us, list);
    assert_int_equal(count, 2); // the one alone, and the first of the range
    for (size_t i = 0; i < count; i++) {
        assert_true(bf_id_eq(list[i]->event, first.id) || bf_id_eq(list[i]->event, second.id));
        delivery_free(list[i]);
    }
    run("UPDATE events.webhook SET status = 'paused'");
    tx = begin();
    assert_int_equal(log_store_replay_range(tx, us, &range, &replayed), BF_CONFLICT);
    bf_tx_release(tx);
    run("UPDATE events.webhook SET status = 'active'");
}

static void a_test_goes_to_its_webhook_alone(void **state)
{
    struct office office = office_new();
    struct event event = event_of(office, (struct bf_id){{0}}, "webhook.test");
    struct delivery *list[10];
    struct bf_tx *tx = begin();
    struct bf_id made;

    assert_int_equal(log_store_test(tx, us, office.webhook, &event, "{}", &made), BF_OK);
    commit(tx);
    assert_int_equal(due(us, list), 1);
    assert_memory_equal(list[0]->id.bytes, made.bytes, 16);
    assert_int_equal(list[0]->version, 2);
    delivery_free(list[0]);
}

static void the_log_is_looked_through_in_pages(void **state)
{
    struct office office = office_new();
    struct log_query query = {.tenant = office.tenant, .limit = 2};
    struct bf_tx *tx;
    json_t *items;

    for (int i = 0; i < 3; i++) {
        struct event event = event_of(office, bf_id_new(), i ? "call.ended" : "call.started");
        publish(us, &event);
        usleep(2000); // ids have the time in ms
    }
    tx = begin();
    assert_int_equal(log_store_list(tx, &query, &items), BF_OK);
    assert_int_equal(json_array_size(items), 3); // one more than a page: there are more
    assert_true(bf_id_parse(bf_str(json_string_value(json_object_get(json_array_get(items, 1), "id"))),
                            &query.before));
    json_decref(items);
    assert_int_equal(log_store_list(tx, &query, &items), BF_OK);
    assert_int_equal(json_array_size(items), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(items, 0), "type")), "call.started");
    json_decref(items);
    query = (struct log_query){.tenant = office.tenant, .limit = 5, .type = "call.ended", .state = "pending"};
    assert_int_equal(log_store_list(tx, &query, &items), BF_OK);
    assert_int_equal(json_array_size(items), 2);
    json_decref(items);
    query.state = "dead";
    assert_int_equal(log_store_list(tx, &query, &items), BF_OK);
    assert_int_equal(json_array_size(items), 0);
    json_decref(items);
    bf_tx_release(tx);
}

// ---- repeated requests

static void one_key_of_an_operator_is_two_for_two_tenants(void **state)
{
    uint8_t request[BF_SHA256_BYTES] = {1};
    struct bf_id key = bf_id_new(), tenants[] = {bf_id_new(), bf_id_new()};
    struct bf_idempotency_answer answer;
    struct bf_idempotency asked;
    bool busy;

    bf_idempotency_init(&asked, "events.idempotency", key, "bearer", "once", request);
    for (size_t i = 0; i < 2; i++) {
        struct bf_tx *tx;
        assert_int_equal(bf_tx_begin(db, BF_SCOPE_TENANT, tenants[i], &tx), BF_OK);
        assert_int_equal(bf_idempotency_look(tx, &asked, &busy, &answer), BF_OK);
        assert_int_equal(answer.status, 0);
        assert_int_equal(bf_idempotency_keep(tx, &asked, tenants[i], 201, BF_STR("{}")), BF_OK);
        assert_int_equal(bf_idempotency_look(tx, &asked, &busy, &answer), BF_OK);
        assert_int_equal(answer.status, 201);
        free(answer.body);
        commit(tx);
    }
}

// ---- who sees what

static void a_tenant_sees_its_own_alone(void **state)
{
    static const char *const tables[] = {"event", "webhook", "pending", "delivery", "attempt", "idempotency"};
    struct office office = office_new();
    struct bf_tx *tx;

    assert_int_equal(bf_tx_begin(db, BF_SCOPE_TENANT, office.tenant, &tx), BF_OK);
    for (size_t i = 0; i < BF_LEN(tables); i++) {
        bf_cleanup(bf_rows_release_at) struct bf_rows *rows = NULL;
        bf_autofree char *sql = bf_xasprintf("SELECT count(*) FROM events.%s WHERE tenant_id <> "
                                             "current_setting('belfry.tenant_id')::uuid",
                                             tables[i]);
        assert_int_equal(bf_tx_exec(tx, &rows, sql), BF_OK);
        assert_int_equal(bf_rows_int(rows, 0, 0), 0);
    }
    bf_tx_release(tx);
}

static int start(void **state)
{
    int64_t made, dropped;

    if (!bf_db_fixture_start(&server))
        return -1;
    struct bf_db_options options = bf_db_fixture_options(&server, "belfry", "belfry_events");
    if (bf_db_open(&options, &db))
        return -1;
    bf_vault_init(&seal, "a key of the operator");
    us = bf_id_new();
    other = bf_id_new();
    struct bf_tx *tx = begin();
    if (event_store_partitions(tx, 7, &made, &dropped))
        return -1;
    commit(tx);
    return 0;
}

// Each test begins with nothing that waits.
static int clear(void **state)
{
    run("DELETE FROM events.pending");
    return 0;
}

static int stop(void **state)
{
    bf_db_close(db);
    return bf_db_fixture_stop(&server) ? 0 : -1;
}

#define TEST(name) cmocka_unit_test_setup(name, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_delivery_is_made_for_those_that_want_it),
        TEST(a_lane_stays_with_its_owner),
        TEST(what_a_paused_webhook_would_get_waits),
        TEST(a_webhook_that_rests_is_left_alone),
        TEST(what_is_said_to_be_new_and_is_known_is_refused),
        TEST(an_attempt_is_logged_and_tried_again),
        TEST(a_failure_from_before_a_change_says_nothing_of_the_webhook),
        TEST(gone_ends_the_webhook_and_all_that_waits),
        TEST(a_webhook_deleted_while_events_were_stored_gets_nothing),
        TEST(a_replica_that_nobody_knows_takes_nothing),
        TEST(a_webhook_that_goes_leaves_what_is_being_settled),
        TEST(what_a_dead_replica_owned_is_taken_over),
        TEST(two_secrets_sign_until_the_overlap_ends),
        TEST(what_is_dead_can_be_sent_again),
        TEST(a_test_goes_to_its_webhook_alone),
        TEST(the_log_is_looked_through_in_pages),
        TEST(one_key_of_an_operator_is_two_for_two_tenants),
        TEST(a_tenant_sees_its_own_alone),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
