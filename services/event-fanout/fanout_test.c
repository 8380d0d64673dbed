// The rules of event-fanout: events, webhooks, deliveries, lanes, addresses, secrets.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "bf_clock.h"
#include "event.h"
#include "lanes.h"
#include "bf_vault.h"
#include "target.h"
#include "webhook.h"

// ---- events

static struct event good(void)
{
    static const char *const numbers[] = {"101"};

    return (struct event){.id = bf_id_new(),
                          .tenant = bf_id_new(),
                          .call = bf_id_new(),
                          .type = "call.incoming",
                          .at_ms = bf_unix_ms(),
                          .seq = 3,
                          .numbers = numbers,
                          .number_count = 1,
                          .data = "{\"caller\":\"100\"}"};
}

static void a_type_has_words(void **state)
{
    static const char *const yes[] = {"call.ended", "a.b", "registration.changed-2.x"};
    static const char *const no[] = {"",       "call",        "call.", ".ended", "Call.ended", "call..ended",
                                     "call.2", "c\xc3\xa9.a", "a.b*"};
    char longest[EVENT_TYPE_BYTES_MAX + 2];

    for (size_t i = 0; i < BF_LEN(yes); i++)
        assert_true(event_type_ok(bf_str(yes[i])));
    for (size_t i = 0; i < BF_LEN(no); i++)
        assert_false(event_type_ok(bf_str(no[i])));
    memset(longest, 'a', sizeof(longest));
    longest[1] = '.';
    assert_true(event_type_ok((struct bf_str){longest, EVENT_TYPE_BYTES_MAX}));
    assert_false(event_type_ok((struct bf_str){longest, EVENT_TYPE_BYTES_MAX + 1}));
}

static void a_strange_event_is_named(void **state)
{
    static const char *const wrong[] = {"101,102"};
    uint64_t now_ms = bf_unix_ms();
    struct event event = good();

    assert_null(event_check(&event, now_ms));
    assert_non_null(event_check(&event, now_ms + EVENT_AGE_MS_MAX + 1000));
    assert_non_null(event_check(&event, now_ms - EVENT_AHEAD_MS_MAX - 1000));
    event.numbers = wrong;
    assert_non_null(event_check(&event, now_ms));
    event = good();
    event.tenant = (struct bf_id){{0}};
    assert_non_null(event_check(&event, now_ms));
    event = good();
    event.at_ms = 0;
    assert_non_null(event_check(&event, now_ms));
}

static void an_envelope_has_what_is_promised(void **state)
{
    struct event event = good();
    char id[BF_ID_TEXT_SIZE], tenant[BF_ID_TEXT_SIZE], call[BF_ID_TEXT_SIZE];
    bf_autofree char *text = NULL, *expected = NULL;

    event.at_ms = 1700000000123;
    text = event_envelope(&event);
    expected = bf_xasprintf(
        "{\"id\":\"%s\",\"type\":\"call.incoming\",\"tenant\":\"%s\",\"time\":"
        "\"2023-11-14T22:13:20.123Z\",\"call_id\":\"%s\",\"seq\":3,\"data\":{\"caller\":\"100\"}}",
        bf_id_text(event.id, id), bf_id_text(event.tenant, tenant), bf_id_text(event.call, call));
    assert_string_equal(text, expected);
    event.data = "[1]";
    assert_null(event_envelope(&event));
    event.data = "{";
    assert_null(event_envelope(&event));
}

// ---- webhooks

static void a_url_is_one_that_we_may_post_to(void **state)
{
    static const char *const yes[] = {"https://a.example", "HTTP://a.example:8080/x?y=z",
                                      "http://[2001:db8::1]/"};
    static const char *const no[] = {"",
                                     "ftp://a.example/",
                                     "https://",
                                     "https:///x",
                                     "a.example",
                                     "https://me@a.example/",
                                     "https://a.example/#x",
                                     "https://a b/",
                                     "https://a.example/\r\nX: y"};

    for (size_t i = 0; i < BF_LEN(yes); i++)
        assert_null(webhook_url_check(bf_str(yes[i])));
    for (size_t i = 0; i < BF_LEN(no); i++)
        assert_non_null(webhook_url_check(bf_str(no[i])));
}

static void a_wanted_type_may_be_a_family(void **state)
{
    assert_null(webhook_type_check(BF_STR("*")));
    assert_null(webhook_type_check(BF_STR("call.*")));
    assert_null(webhook_type_check(BF_STR("call.ended")));
    assert_non_null(webhook_type_check(BF_STR("*.*")));
    assert_non_null(webhook_type_check(BF_STR(".*")));
    assert_non_null(webhook_type_check(BF_STR("call*")));
    assert_non_null(webhook_type_check(BF_STR("call")));
}

// By `printf '%s' '1700000000.{}' | openssl dgst -sha256 -hmac whsec_one` (and whsec_two).
static void a_signature_is_what_others_compute(void **state)
{
    bf_cleanup(bf_buf_release) struct bf_buf text;

    bf_buf_init(&text, 512);
    webhook_sign(&text, 1700000000, "whsec_one", "whsec_two", BF_STR("{}"));
    assert_string_equal(text.at,
                        "t=1700000000,v1=e6f424c1ebf2679ddb75df801d64b07e5063e2d7d6834ab73f5c55d787278d9d,v1="
                        "7188126e292daca991f04e6d27bcc33705bef535a4a6c4687864d1c7315003b0");
}

// ---- deliveries

static enum delivery_verdict judged(int code, uint64_t now_ms)
{
    struct delivery delivery = {.give_up_ms = 1000};
    struct delivery_outcome outcome = {.code = code};

    return delivery_judge(&delivery, &outcome, now_ms);
}

static void only_success_is_delivered(void **state)
{
    assert_int_equal(judged(200, 0), DELIVERY_DONE);
    assert_int_equal(judged(299, 5000), DELIVERY_DONE);
    assert_int_equal(judged(302, 0), DELIVERY_AGAIN);
    assert_int_equal(judged(404, 0), DELIVERY_AGAIN);
    assert_int_equal(judged(0, 999), DELIVERY_AGAIN);
    assert_int_equal(judged(503, 1000), DELIVERY_DEAD);
    assert_int_equal(judged(410, 0), DELIVERY_GONE);
}

static void pauses_grow_to_an_hour(void **state)
{
    assert_int_equal(delivery_wait_ms(1, 0), 750);
    assert_int_equal(delivery_wait_ms(1, UINT32_MAX), 1250);
    assert_int_equal(delivery_wait_ms(4, UINT32_MAX / 2), 8 * 750 + 8 * 250 - 1);
    assert_int_equal(delivery_wait_ms(13, 0), 3600000 * 3 / 4);
    assert_int_equal(delivery_wait_ms(1000000, 0), 3600000 * 3 / 4);
}

// ---- lanes

static struct delivery *one(struct bf_id webhook, struct bf_id lane, int64_t position)
{
    struct delivery *delivery = bf_xcalloc(1, sizeof(*delivery));

    delivery->id = bf_id_new();
    delivery->webhook = webhook;
    delivery->lane = lane;
    delivery->position = position;
    return delivery;
}

static void a_lane_goes_one_after_the_other(void **state)
{
    struct bf_id webhook = bf_id_new(), call = bf_id_new();
    struct lanes *lanes = lanes_new(10);
    struct delivery *first = one(webhook, call, 1), *second = one(webhook, call, 2),
                    *other = one(bf_id_new(), call, 3);

    assert_int_equal(lanes_add(lanes, first, 0), LANES_GO);
    assert_int_equal(lanes_add(lanes, second, 1), LANES_WAITS);
    assert_int_equal(lanes_add(lanes, other, 0), LANES_GO);
    assert_int_equal(lanes_add(lanes, second, 1), LANES_KNOWN);
    assert_int_equal(lanes_count(lanes), 3);
    assert_ptr_equal(lanes_next(lanes, first), second);
    assert_null(lanes_next(lanes, second));
    assert_int_equal(lanes_count(lanes), 1);
    delivery_free(first);
    delivery_free(second);
    lanes_free(lanes);
}

static void what_is_behind_something_that_is_not_here_is_not_taken(void **state)
{
    struct bf_id webhook = bf_id_new(), call = bf_id_new();
    struct lanes *lanes = lanes_new(2);
    struct delivery *first = one(webhook, call, 1), *third = one(webhook, call, 3),
                    *more = one(webhook, call, 4);

    assert_int_equal(lanes_add(lanes, third, 2), LANES_LATER);
    assert_int_equal(lanes_add(lanes, first, 0), LANES_GO);
    assert_int_equal(lanes_add(lanes, third, 2), LANES_LATER);
    assert_int_equal(lanes_add(lanes, third, 1), LANES_WAITS);
    assert_int_equal(lanes_add(lanes, more, 3), LANES_FULL);
    assert_ptr_equal(lanes_drop(lanes, first), first);
    assert_ptr_equal(first->next, third);
    assert_int_equal(lanes_count(lanes), 0);
    assert_int_equal(lanes_add(lanes, more, 3), LANES_LATER);
    delivery_free(first);
    delivery_free(third);
    delivery_free(more);
    lanes_free(lanes);
}

// ---- addresses

static bool allowed(const char *networks, const char *address)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct targets targets;

    assert_int_equal(targets_parse(networks, &targets), BF_OK);
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return targets_allow(&targets, (const struct sockaddr *)&four);
    assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
    return targets_allow(&targets, (const struct sockaddr *)&six);
}

static void only_public_addresses_are_open(void **state)
{
    static const char *const yes[] = {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1",
                                      "::ffff:8.8.8.8"};
    static const char *const no[] = {"127.0.0.1",
                                     "0.0.0.0",
                                     "10.1.2.3",
                                     "172.31.255.255",
                                     "192.168.0.1",
                                     "169.254.169.254",
                                     "100.64.0.1",
                                     "224.0.0.1",
                                     "255.255.255.255",
                                     "::1",
                                     "::",
                                     "::ffff:127.0.0.1",
                                     "::127.0.0.1",
                                     "64:ff9b::7f00:1",
                                     "2002:7f00:1::",
                                     "fe80::1",
                                     "fd00::1",
                                     "ff02::1"};

    for (size_t i = 0; i < BF_LEN(yes); i++)
        assert_true(allowed("", yes[i]));
    for (size_t i = 0; i < BF_LEN(no); i++)
        assert_false(allowed("", no[i]));
}

static void the_operator_opens_networks(void **state)
{
    struct targets targets;

    assert_true(allowed("10.0.0.0/8, 192.168.7.20 fd00::/8", "10.200.0.1"));
    assert_true(allowed("10.0.0.0/8, 192.168.7.20 fd00::/8", "192.168.7.20"));
    assert_false(allowed("10.0.0.0/8, 192.168.7.20 fd00::/8", "192.168.7.21"));
    assert_true(allowed("10.0.0.0/8, 192.168.7.20 fd00::/8", "fd12::1"));
    assert_true(allowed("127.0.0.0/9", "::ffff:127.0.0.1"));
    assert_false(allowed("127.0.0.0/9", "127.128.0.1"));
    assert_int_equal(targets_parse("10.0.0.0/33", &targets), BF_INVALID);
    assert_int_equal(targets_parse("localhost", &targets), BF_INVALID);
    assert_int_equal(targets_parse("/8", &targets), BF_INVALID);
}

// ---- secrets

static void a_secret_opens_in_its_own_row_alone(void **state)
{
    struct bf_id row = bf_id_new(), other = bf_id_new();
    bf_autofree uint8_t *sealed = NULL;
    struct bf_vault seal, wrong;
    char *secret = NULL;
    size_t len;

    bf_vault_init(&seal, "a key of the operator");
    bf_vault_init(&wrong, "another key");
    assert_int_equal(bf_vault_seal(&seal, row, "whsec_x", &sealed, &len), BF_OK);
    assert_int_equal(bf_vault_open(&seal, other, sealed, len, &secret), BF_INVALID);
    assert_int_equal(bf_vault_open(&wrong, row, sealed, len, &secret), BF_INVALID);
    assert_int_equal(bf_vault_open(&seal, row, sealed, len, &secret), BF_OK);
    assert_string_equal(secret, "whsec_x");
    bf_vault_forget(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_type_has_words),
        cmocka_unit_test(a_strange_event_is_named),
        cmocka_unit_test(an_envelope_has_what_is_promised),
        cmocka_unit_test(a_url_is_one_that_we_may_post_to),
        cmocka_unit_test(a_wanted_type_may_be_a_family),
        cmocka_unit_test(a_signature_is_what_others_compute),
        cmocka_unit_test(only_success_is_delivered),
        cmocka_unit_test(pauses_grow_to_an_hour),
        cmocka_unit_test(a_lane_goes_one_after_the_other),
        cmocka_unit_test(what_is_behind_something_that_is_not_here_is_not_taken),
        cmocka_unit_test(only_public_addresses_are_open),
        cmocka_unit_test(the_operator_opens_networks),
        cmocka_unit_test(a_secret_opens_in_its_own_row_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
