// The small rules behind REST: cursors, figures of a relay, arrays for SQL.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "bf_clock.h"
#include "cursor.h"
#include "media.h"
#include "bf_sql_array.h"

// ---- cursors

static bool reads(const struct bf_page_kind *kind, const char *place)
{
    char text[BF_CURSOR_SIZE];
    const char *field, *wrong;
    struct bf_page page;

    return !bf_page_read(kind, NULL, bf_page_cursor(kind, place, text), &page, &field, &wrong) &&
           strcmp(page.after, place) == 0;
}

static void a_cursor_comes_back_to_its_list(void **state)
{
    static const char id[] = "018f0000-0000-7000-8000-000000000002";

    assert_true(reads(&cursor_calls, id));
    assert_true(reads(&cursor_cdrs, id));
    assert_true(reads(&cursor_timeline, "1700000000000/-17"));
    assert_true(reads(&cursor_registrations, "100"));
    assert_true(reads(&cursor_registrations, "100 edge-1/uloc-5-1"));
}

static void a_place_that_was_never_given_out_is_refused(void **state)
{
    assert_false(reads(&cursor_calls, "018f0000"));
    assert_false(reads(&cursor_cdrs, "100"));
    assert_false(reads(&cursor_timeline, "17"));
    assert_false(reads(&cursor_timeline, "17/x"));
    assert_false(reads(&cursor_timeline, "/"));
}

// ---- figures of a relay

static const char answer[] =
    "{\"result\":\"ok\",\"SSRC\":{\"11\":{\"cumulative loss\":2,\"average MOS\":{\"MOS\":43,\"jitter\":2,"
    "\"packet loss\":1,\"round-trip time\":20500}}},\"tags\":{\"f\":{\"medias\":[{\"codec\":\"PCMA/8000\","
    "\"streams\":[{\"flags\":[\"RTP\"],\"SSRC\":11,\"stats\":{\"packets\":200,\"bytes\":34400}},"
    "{\"flags\":[\"RTCP\"],\"stats\":{\"packets\":9,\"bytes\":900}}]}]},"
    "\"t\":{\"medias\":[{\"codec\":\"opus/48000\",\"streams\":[{\"flags\":[\"RTP\"],"
    "\"stats\":{\"packets\":0,\"bytes\":0}}]}]},\"x\":{\"medias\":[]}}}";

static void assert_legs(const struct bf_leg *legs, size_t count)
{
    assert_int_equal(count, 2);
    assert_string_equal(legs[0].tag, "f");
    assert_int_equal(legs[0].packets, 200);
    assert_int_equal(legs[0].lost, 2);
    assert_string_equal(legs[1].tag, "t");
}

struct relay {
    int fd;
    char address[64];
    bool garble; // answers another cookie first
    bool silent;
};

static void *relay_run(void *at)
{
    struct relay *relay = at;
    char question[2048], reply[4096];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);
    ssize_t len = recvfrom(relay->fd, question, sizeof(question) - 1, 0, (struct sockaddr *)&from, &from_len);

    if (len < 17 || relay->silent)
        return NULL;
    question[len] = '\0';
    if (relay->garble)
        (void)!sendto(relay->fd, "deadbeefdeadbeef {\"result\":\"error\"}", 35, 0, (struct sockaddr *)&from,
                      from_len);
    int size = snprintf(reply, sizeof(reply), "%.16s %s", question, answer);
    (void)!sendto(relay->fd, reply, (size_t)size, 0, (struct sockaddr *)&from, from_len);
    return NULL;
}

static enum bf_err ask_a_relay(struct relay *relay, struct bf_leg legs[BF_LEGS_MAX], size_t *ret_count)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(here);
    pthread_t thread;

    relay->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(relay->fd, (struct sockaddr *)&here, len), 0);
    assert_int_equal(getsockname(relay->fd, (struct sockaddr *)&here, &len), 0);
    snprintf(relay->address, sizeof(relay->address), "udp:127.0.0.1:%u", ntohs(here.sin_port));
    assert_int_equal(pthread_create(&thread, NULL, relay_run, relay), 0);
    enum bf_err err = media_ask(relay->address, "abc@\"phone", legs, ret_count);
    pthread_join(thread, NULL);
    close(relay->fd);
    return err;
}

static void a_relay_is_asked_and_only_its_answer_counts(void **state)
{
    struct relay relay = {.garble = true};
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count = 0;

    assert_int_equal(ask_a_relay(&relay, legs, &count), BF_OK);
    assert_legs(legs, count);
}

static void a_silent_relay_costs_no_more_than_the_deadline(void **state)
{
    struct relay relay = {.silent = true};
    struct bf_leg legs[BF_LEGS_MAX];
    uint64_t began_ms = bf_mono_ms();
    size_t count;

    assert_int_equal(ask_a_relay(&relay, legs, &count), BF_TIMEOUT);
    assert_true(bf_mono_ms() - began_ms >= MEDIA_DEADLINE_MS);
    // Now nobody listens there.
    assert_int_equal(media_ask(relay.address, "abc", legs, &count), BF_UNAVAILABLE);
}

static void what_is_no_address_is_not_asked(void **state)
{
    static const char *const bad[] = {"",
                                      "udp:",
                                      "tcp:127.0.0.1:1",
                                      "udp:127.0.0.1",
                                      "udp:127.0.0.1:0",
                                      "udp:127.0.0.1:65536",
                                      "udp:localhost:22",
                                      "udp:[::1:22",
                                      "udp::22"};
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count;

    for (size_t i = 0; i < BF_LEN(bad); i++)
        assert_int_equal(media_ask(bad[i], "abc", legs, &count), BF_INVALID);
}

// ---- arrays for SQL

static void arrays_are_quoted(void **state)
{
    struct bf_sql_array texts, numbers, none;

    bf_sql_array_init(&texts);
    bf_sql_array_init(&numbers);
    bf_sql_array_init(&none);
    bf_sql_array_text(&texts, "a\"b\\c,{}");
    bf_sql_array_text(&texts, NULL);
    bf_sql_array_text(&texts, "");
    bf_sql_array_int(&numbers, INT64_MIN);
    bf_sql_array_time(&numbers, 0);
    bf_sql_array_id(&numbers, (struct bf_id){{0}});
    assert_string_equal(bf_sql_array_param(&texts).at, "{\"a\\\"b\\\\c,{}\",NULL,\"\"}");
    assert_string_equal(bf_sql_array_param(&numbers).at,
                        "{-9223372036854775808,NULL,00000000-0000-0000-0000-000000000000}");
    assert_string_equal(bf_sql_array_param(&none).at, "{}");
    bf_sql_array_release(&texts);
    bf_sql_array_release(&numbers);
    bf_sql_array_release(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_comes_back_to_its_list),
        cmocka_unit_test(a_place_that_was_never_given_out_is_refused),
        cmocka_unit_test(a_relay_is_asked_and_only_its_answer_counts),
        cmocka_unit_test(a_silent_relay_costs_no_more_than_the_deadline),
        cmocka_unit_test(what_is_no_address_is_not_asked),
        cmocka_unit_test(arrays_are_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
