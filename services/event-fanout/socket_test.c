// The rules of WebSockets: who sees what, what waits, what is replayed; seats, ids seen, messages between
// replicas.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "live_wire.h"
#include "recent.h"
#include "seats.h"

#define INCOMING                                                                                      \
    "{\"id\":\"e\",\"type\":\"call.incoming\",\"time\":\"t\",\"call_id\":\"c\",\"data\":{\"caller\":" \
    "\"100\","                                                                                        \
    "\"callee\":\"600\",\"number\":\"101\"}}"

static const struct bf_id acme = {{1}}, bela = {{2}};

static struct live *event(struct bf_id tenant, const char *numbers)
{
    return live_new(&(struct live_event){bf_id_new(), tenant, "call.incoming", numbers, INCOMING});
}

static struct socket_who who(struct bf_id tenant, const char *number)
{
    struct socket_who who = {.tenant = tenant};

    memcpy(who.number, number, strlen(number) + 1);
    return who;
}

static void an_app_sees_its_own_number(void **state)
{
    struct live *live = event(acme, "100 101");
    struct socket_who mine = who(acme, "101"), others = who(acme, "102"), part = who(acme, "10"),
                      both = who(acme, "100 101"), key = who(acme, ""), foreign = who(bela, ""),
                      same_number = who(bela, "101");

    assert_true(socket_sees(&mine, live));
    assert_false(socket_sees(&others, live));
    assert_false(socket_sees(&part, live));
    assert_false(socket_sees(&both, live));
    assert_true(socket_sees(&key, live));
    assert_false(socket_sees(&foreign, live));
    assert_false(socket_sees(&same_number, live));
    live_unref(live);
    live = event(acme, "");
    assert_false(socket_sees(&mine, live));
    assert_true(socket_sees(&key, live));
    live_unref(live);
}

static void an_old_app_is_told_in_its_own_words(void **state)
{
    struct live *live = event(acme, "100 101");
    struct live *old = live_incoming_call(live, "101");

    assert_non_null(old);
    assert_string_equal(old->text,
                        "{\"type\":\"incoming_call\",\"call\":{\"id\":\"c\",\"from\":\"100\",\"to\":\"600\","
                        "\"number\":\"101\",\"time\":\"t\",\"event_id\":\"e\"}}");
    assert_null(live_incoming_call(live, "100")); // the caller
    live_unref(old);
    live_unref(live);
}

static struct live *next_is(struct socket *socket, struct live *expected)
{
    struct live *live = socket_next(socket);

    assert_ptr_equal(live, expected);
    live_unref(live);
    return live;
}

static void what_was_missed_comes_first_and_each_once(void **state)
{
    struct socket socket = {.who = who(acme, ""), .state = SOCKET_JOINED};
    struct live *lives[5], *missed[3];

    for (size_t i = 0; i < BF_LEN(lives); i++)
        lives[i] = event(acme, "");
    for (size_t i = 2; i < BF_LEN(lives); i++) // 2, 3, 4 come while what it missed is read
        assert_true(socket_queue(&socket, lives[i], 10));
    assert_null(socket_next(&socket));
    for (size_t i = 0; i < BF_LEN(missed); i++) // and that is 0, 1, 2
        missed[i] = lives[i];
    socket_replay(&socket, missed, BF_LEN(missed));
    for (size_t i = 0; i < BF_LEN(lives); i++)
        next_is(&socket, lives[i]);
    assert_null(socket_next(&socket));
    assert_null(socket.queue);                        // an idle socket has none
    assert_true(socket_queue(&socket, lives[1], 10)); // who looks for what others did not tell finds it late
    assert_null(socket_next(&socket));
    socket_forget(&socket);
    assert_true(socket_queue(&socket, lives[1], 10));
    next_is(&socket, lives[1]);
    for (size_t i = 0; i < BF_LEN(lives); i++)
        live_unref(lives[i]);
}

static void a_full_queue_is_the_sockets_own_fault(void **state)
{
    struct socket socket = {.who = who(acme, ""), .state = SOCKET_OPEN};
    struct live *live = event(acme, "");

    for (size_t i = 0; i < 20; i++)
        assert_true(socket_queue(&socket, live, 20));
    assert_false(socket_queue(&socket, live, 20));
    next_is(&socket, live);
    assert_true(socket_queue(&socket, live, 20));
    socket_end(&socket, SOCKET_SLOW, "slow");
    socket_end(&socket, SOCKET_AWAY, "away");
    assert_int_equal(socket.close, SOCKET_SLOW);
    assert_true(socket_queue(&socket, live, 20)); // nobody waits for it any more
    assert_null(socket_next(&socket));
    assert_int_equal(socket.count, 0);
    live_unref(live);
}

static void what_was_missed_is_no_fault(void **state)
{
    struct socket socket = {.who = who(acme, ""), .state = SOCKET_JOINED};
    struct live *missed[30], *later = event(acme, "");

    for (size_t i = 0; i < BF_LEN(missed); i++)
        missed[i] = event(acme, "");
    socket_replay(&socket, missed, BF_LEN(missed));
    for (size_t i = 0; i < 10; i++)
        assert_true(socket_queue(&socket, later, 10));
    assert_false(socket_queue(&socket, later, 10));
    for (size_t i = 0; i < BF_LEN(missed); i++)
        next_is(&socket, missed[i]);
    assert_false(socket_queue(&socket, later, 10)); // ten wait, as many as may
    next_is(&socket, later);
    assert_true(socket_queue(&socket, later, 10));
    socket_release(&socket);
    socket_forget(&socket);
    live_unref(later);
    for (size_t i = 0; i < BF_LEN(missed); i++)
        live_unref(missed[i]);
}

static void large_messages_fill_it_sooner(void **state)
{
    bf_autofree char *body = bf_xcalloc(1200001, 1);
    struct socket socket = {.who = who(acme, ""), .state = SOCKET_OPEN};

    memset(body, 'x', 1200000);
    struct live *live = live_new(&(struct live_event){bf_id_new(), acme, "a.b", "", body});
    for (size_t i = 0; i < 3; i++)
        assert_true(socket_queue(&socket, live, 100));
    assert_false(socket_queue(&socket, live, 100));
    socket_release(&socket);
    live_unref(live);
}

static void a_client_has_little_to_say(void **state)
{
    struct socket socket = {.state = SOCKET_OPEN};

    for (size_t i = 0; i < SOCKET_MESSAGES_MAX; i++)
        assert_true(socket_heard(&socket, 60000));
    assert_false(socket_heard(&socket, 119999));
    assert_true(socket_heard(&socket, 120000));
}

// ---- seats

static struct seat *seated(struct seats *seats, struct bf_id tenant)
{
    struct seat *seat = bf_xcalloc(1, sizeof(*seat));

    seat->socket.who = who(tenant, "");
    assert_true(seats_add(seats, seat));
    return seat;
}

static void a_seat_that_is_left_is_nobodys(void **state)
{
    struct seats *seats = seats_new(2);
    struct seat *first = seated(seats, acme), *second = seated(seats, acme), third = {.key = NULL};
    struct seat_ref ref = first->ref;

    assert_false(seats_add(seats, &third));
    assert_true(seats_join(seats, first, 1));
    assert_false(seats_join(seats, second, 1));
    assert_true(seats_join(seats, second, 2));
    assert_ptr_equal(seats_of(seats, acme), second);
    assert_ptr_equal(second->next, first);
    assert_null(seats_of(seats, bela));
    assert_ptr_equal(seats_find(seats, ref), first);
    seats_leave(seats, first);
    seat_free(first);
    assert_null(seats_find(seats, ref));
    assert_null(second->next);
    first = seated(seats, bela); // the same place
    assert_int_equal(first->ref.place, ref.place);
    assert_null(seats_find(seats, ref));
    seats_leave(seats, second);
    seat_free(second);
    assert_null(seats_of(seats, acme));
    seats_leave(seats, first);
    seat_free(first);
    assert_int_equal(seats_count(seats), 0);
    seats_free(seats);
}

static void ids_are_known_until_newer_ones_came(void **state)
{
    struct recent *recent = recent_new(100);
    struct bf_id ids[1000];

    for (size_t i = 0; i < BF_LEN(ids); i++) {
        ids[i] = bf_id_new();
        assert_true(recent_add(recent, ids[i]));
        for (size_t back = 0; back < 100 && back <= i; back++)
            assert_false(recent_add(recent, ids[i - back]));
    }
    assert_true(recent_add(recent, ids[0]));
    assert_true(recent_add(recent, ids[900])); // gave way to ids[0]
    assert_false(recent_add(recent, ids[999]));
    recent_free(recent);
}

// ---- from replica to replica

struct heard {
    size_t count;
    struct live *last;
};

static void hear(void *ctx, const struct live_event *event)
{
    struct heard *heard = ctx;

    heard->count++;
    live_unref(heard->last);
    heard->last = live_new(event);
}

static void events_go_from_replica_to_replica(void **state)
{
    bf_cleanup(bf_buf_release) struct bf_buf message;
    struct live_event event = {bf_id_new(), acme, "call.ended", "100 101", "{\"a\":\"\xc3\xa4\"}"};
    struct heard heard = {.count = 0};

    bf_buf_init(&message, 4096);
    live_wire_add(&message, &event);
    live_wire_add(&message, &event);
    assert_true(live_wire_read((struct bf_str){message.at, message.len}, hear, &heard));
    assert_int_equal(heard.count, 2);
    assert_true(bf_id_eq(heard.last->id, event.id) && bf_id_eq(heard.last->tenant, acme));
    assert_string_equal(heard.last->numbers, "100 101");
    assert_string_equal(heard.last->text, event.body);
    assert_int_equal(heard.last->len, strlen(event.body));
    live_unref(heard.last);
    assert_false(live_wire_read(BF_STR("\xff\xff\xff"), hear, &heard));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_app_sees_its_own_number),
        cmocka_unit_test(an_old_app_is_told_in_its_own_words),
        cmocka_unit_test(what_was_missed_comes_first_and_each_once),
        cmocka_unit_test(a_full_queue_is_the_sockets_own_fault),
        cmocka_unit_test(what_was_missed_is_no_fault),
        cmocka_unit_test(large_messages_fill_it_sooner),
        cmocka_unit_test(a_client_has_little_to_say),
        cmocka_unit_test(a_seat_that_is_left_is_nobodys),
        cmocka_unit_test(ids_are_known_until_newer_ones_came),
        cmocka_unit_test(events_go_from_replica_to_replica),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
