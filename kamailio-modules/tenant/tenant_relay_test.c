#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "bf_buf.h"
#include "tenant_relay.h"

static void test_addresses_are_read(void **state)
{
    struct tenant_relay relays[TENANT_RELAYS_MAX];
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&relays[0].address;
    size_t count;

    assert_true(tenant_relays_read(bf_str(" udp:127.0.0.1:2223  udp:[::1]:5 "), relays, &count));
    assert_int_equal(count, 2);
    assert_string_equal(relays[0].url, "udp:127.0.0.1:2223");
    assert_int_equal(ntohs(v4->sin_port), 2223);
    assert_string_equal(relays[1].url, "udp:[::1]:5");
    assert_int_equal(relays[1].address.ss_family, AF_INET6);
    assert_true(tenant_relays_read(bf_str(""), relays, &count));
    assert_int_equal(count, 0);
}

static void test_what_is_no_address_is_refused(void **state)
{
    static const char *const WRONG[] = {
        "tcp:127.0.0.1:1",
        "127.0.0.1:1",
        "udp:127.0.0.1",
        "udp:127.0.0.1:",
        "udp:127.0.0.1:0",
        "udp:relay:2223",
        "udp::2223",
        "udp:",
        "udp:127.0.0.1:65536",
        "udp:[]:1",
        "udp:127.0.0.1:1 x",
        "udp:[127.0.0.1:1",
        "udp:1111111111111111111111111111111111111111111111111111111111:1",
    };
    struct tenant_relay relays[TENANT_RELAYS_MAX];
    size_t count;

    for (size_t i = 0; i < BF_LEN(WRONG); i++) {
        if (tenant_relays_read(bf_str(WRONG[i]), relays, &count))
            fail_msg("'%s' was accepted", WRONG[i]);
    }
}

static void test_too_many_are_refused(void **state)
{
    struct tenant_relay relays[TENANT_RELAYS_MAX];
    struct bf_buf text;
    size_t count;

    bf_buf_init(&text, 4096);
    for (int i = 0; i < TENANT_RELAYS_MAX; i++)
        bf_buf_str(&text, "udp:127.0.0.1:2223 ");
    assert_true(tenant_relays_read(bf_str(text.at), relays, &count));
    assert_int_equal(count, TENANT_RELAYS_MAX);
    bf_buf_str(&text, "udp:127.0.0.1:2223");
    assert_true(bf_buf_ok(&text));
    assert_false(tenant_relays_read(bf_str(text.at), relays, &count));
    bf_buf_release(&text);
}

// A round in which `answer` (its %s the cookie) comes, or nothing for NULL; and what it led to is carried
// out.
static enum tenant_relay_turn round_with(struct tenant_relay *relay, const char *answer)
{
    char message[TENANT_RELAY_PING_SIZE], text[200], cookie[17];
    enum tenant_relay_turn turn;
    size_t len = tenant_relay_ping(relay, 0x1234, message);

    assert_int_equal(len, strlen(message));
    assert_string_equal(message, "0000000000001234 d7:command4:pinge");
    memcpy(cookie, message, 16);
    cookie[16] = '\0';
    if (answer) {
        snprintf(text, sizeof(text), "%s%s", strncmp(answer, "=", 1) == 0 ? cookie : "0000000000009999",
                 answer + 1);
        tenant_relay_heard(relay, bf_str(text));
    }
    turn = tenant_relay_round(relay);
    tenant_relay_turned(relay, turn);
    return turn;
}

#define PONG  "= d6:result4:ponge"
#define OTHER "x d6:result4:ponge"

static void test_two_misses_kill_and_one_answer_brings_back(void **state)
{
    struct tenant_relay relay = {.dead = false};

    assert_int_equal(round_with(&relay, PONG), TENANT_RELAY_STAYS);
    assert_int_equal(round_with(&relay, NULL), TENANT_RELAY_STAYS);
    assert_int_equal(round_with(&relay, PONG), TENANT_RELAY_STAYS);
    assert_int_equal(round_with(&relay, NULL), TENANT_RELAY_STAYS);
    assert_int_equal(round_with(&relay, NULL), TENANT_RELAY_DIES);
    assert_true(relay.dead);
    assert_int_equal(round_with(&relay, NULL), TENANT_RELAY_STAYS);
    assert_int_equal(round_with(&relay, PONG), TENANT_RELAY_COMES_BACK);
    assert_false(relay.dead);
    assert_int_equal(round_with(&relay, NULL), TENANT_RELAY_STAYS);
}

static void test_only_a_pong_with_the_rounds_cookie_counts(void **state)
{
    static const char *const NO_ANSWERS[] = {OTHER, "= d6:result5:errore", "=", "= ", "=x d6:result4:ponge"};

    for (size_t i = 0; i < BF_LEN(NO_ANSWERS); i++) {
        struct tenant_relay relay = {.dead = true};
        assert_int_equal(round_with(&relay, NO_ANSWERS[i]), TENANT_RELAY_STAYS);
    }
}

static void test_an_answer_after_the_round_is_late(void **state)
{
    struct tenant_relay relay = {.dead = true};
    char message[TENANT_RELAY_PING_SIZE];

    tenant_relay_ping(&relay, 1, message);
    tenant_relay_round(&relay);
    tenant_relay_heard(&relay, bf_str("0000000000000001 d6:result4:ponge"));
    assert_false(relay.answered);
}

static void test_a_turn_is_asked_for_until_it_was_carried_out(void **state)
{
    struct tenant_relay relay = {.dead = false};
    char message[TENANT_RELAY_PING_SIZE];

    for (int i = 0; i < TENANT_RELAY_MISSES; i++) {
        tenant_relay_ping(&relay, 1, message);
        tenant_relay_round(&relay);
    }
    tenant_relay_ping(&relay, 1, message);
    assert_int_equal(tenant_relay_round(&relay), TENANT_RELAY_DIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_read),
        cmocka_unit_test(test_what_is_no_address_is_refused),
        cmocka_unit_test(test_too_many_are_refused),
        cmocka_unit_test(test_two_misses_kill_and_one_answer_brings_back),
        cmocka_unit_test(test_only_a_pong_with_the_rounds_cookie_counts),
        cmocka_unit_test(test_an_answer_after_the_round_is_late),
        cmocka_unit_test(test_a_turn_is_asked_for_until_it_was_carried_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
