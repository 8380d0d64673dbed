// Which processes there are, what their answers mean, and asking them.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <arpa/inet.h>
#include <cmocka.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bf_buf.h"
#include "process_probe.h"

static void a_list_is_names_and_urls(void **state)
{
    struct process list[PROCESSES_MAX];
    size_t count = 99;

    assert_null(
        process_list_read(" edge=http://127.0.0.1:5010/ready\n redis=unix:///run/redis.sock", list, &count));
    assert_int_equal(count, 2);
    assert_string_equal(list[0].name, "edge");
    assert_string_equal(list[0].url, "http://127.0.0.1:5010/ready");
    assert_string_equal(list[1].url, "unix:///run/redis.sock");
    assert_null(process_list_read("", list, &count));
    assert_int_equal(count, 0);
}

static void a_relay_says_how_many_calls_it_carries(void **state)
{
    struct process list[PROCESSES_MAX];
    size_t count;
    const char *metric = "rtpengine_sessions{type=\"own\"}";

    assert_null(process_list_read(
        "relay=http://127.0.0.1:1/metrics#rtpengine_sessions{type=\"own\"} a=tcp://b:1", list, &count));
    assert_string_equal(list[0].url, "http://127.0.0.1:1/metrics");
    assert_string_equal(list[0].metric, metric);
    assert_string_equal(list[1].metric, "");
    assert_int_equal(
        process_metric(BF_STR("# TYPE rtpengine_sessions gauge\nrtpengine_sessions{type=\"own\"} 12\nx 1\n"),
                       metric),
        12);
    assert_int_equal(process_metric(BF_STR("rtpengine_sessions{type=\"foreign\"} 12\n"), metric), -1);
    assert_int_equal(process_metric(BF_STR("rtpengine_sessions{type=\"own\"} 12"), metric),
                     -1); // it may go on
    assert_int_equal(process_metric(BF_STR("rtpengine_sessions{type=\"own\"} -1\n"), metric), -1);
    assert_int_equal(process_metric(BF_STR("rtpengine_sessions{type=\"own\"}\n"), metric), -1);
    assert_int_equal(process_metric(BF_STR(""), metric), -1);
}

static void what_is_no_list_is_named(void **state)
{
    struct process list[PROCESSES_MAX];
    size_t count = 7;
    struct bf_buf many;

    bf_buf_init(&many, 4096);
    assert_non_null(process_list_read("edge", list, &count));
    assert_non_null(process_list_read("=http://x/", list, &count));
    assert_non_null(process_list_read("edge=", list, &count));
    assert_non_null(process_list_read("relay=http://x/metrics#", list, &count));
    assert_non_null(process_list_read("edge=file:///etc/passwd", list, &count));
    for (size_t i = 0; i <= PROCESSES_MAX; i++)
        bf_buf_str(&many, "a=tcp://b:1 ");
    assert_non_null(process_list_read(many.at, list, &count));
    assert_int_equal(count, 7);
    bf_buf_release(&many);
}

static void an_answer_says_what_is_missing(void **state)
{
    struct process_health health;

    process_judge(200, BF_STR("pong"), &health);
    assert_int_equal(health.state, PROCESS_READY);
    assert_string_equal(health.detail, "");
    process_judge(503, BF_STR("{\"ready\":false,\"missing\":[\"postgresql\",\"redis\"]}"), &health);
    assert_int_equal(health.state, PROCESS_NOT_READY);
    assert_string_equal(health.detail, "postgresql, redis");
    process_judge(404, BF_STR("<html>"), &health);
    assert_string_equal(health.detail, "HTTP 404");
    process_judge(503, BF_STR("{\"missing\":[1,null]}"), &health);
    assert_string_equal(health.detail, "HTTP 503");
}

static void a_long_answer_is_cut(void **state)
{
    struct process_health health;
    char body[2048];

    snprintf(body, sizeof(body), "{\"missing\":[\"%01000d\",\"y\"]}", 0);
    process_judge(503, bf_str(body), &health);
    assert_true(strlen(health.detail) < PROCESS_DETAIL_SIZE);
}

// Listens on a port of the loopback; nobody is behind it.
static int listener(char url[PROCESS_URL_SIZE])
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    snprintf(url, PROCESS_URL_SIZE, "127.0.0.1:%d", ntohs(at.sin_port));
    return fd;
}

static void who_hangs_or_is_gone_is_away_and_the_others_are_not(void **state)
{
    struct process list[3] = {{.name = "takes"}, {.name = "hangs"}, {.name = "gone"}};
    struct process_health health[3];
    char place[PROCESS_URL_SIZE];
    int fd = listener(place);

    snprintf(list[0].url, PROCESS_URL_SIZE, "tcp://%.200s", place);
    snprintf(list[1].url, PROCESS_URL_SIZE, "http://%.200s/ready", place);
    snprintf(list[2].url, PROCESS_URL_SIZE, "unix:///nowhere/at/all.sock");
    assert_int_equal(process_probe(list, 3, health), BF_OK);
    close(fd);
    assert_int_equal(health[0].state, PROCESS_READY);
    assert_true(health[0].answer_ms >= 0);
    assert_int_equal(health[1].state, PROCESS_AWAY);
    assert_int_equal(health[1].answer_ms, -1);
    assert_int_equal(health[2].state, PROCESS_AWAY);
    assert_string_not_equal(health[2].detail, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_names_and_urls),
        cmocka_unit_test(a_relay_says_how_many_calls_it_carries),
        cmocka_unit_test(what_is_no_list_is_named),
        cmocka_unit_test(an_answer_says_what_is_missing),
        cmocka_unit_test(a_long_answer_is_cut),
        cmocka_unit_test(who_hangs_or_is_gone_is_away_and_the_others_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
