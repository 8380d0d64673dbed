// Against a real Redis of its own.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>

#include "bf_redis_fixture.h"
#include "bf_redis_listen.h"

static struct bf_redis_script add_script = {
    .text = "return redis.call('INCRBY', KEYS[1], ARGV[1])",
};
static struct bf_redis_script *const scripts[] = {&add_script};

static struct bf_redis_fixture server;
static struct bf_redis *redis;
static struct bf_redis_batch *batch;

static struct bf_redis_options options(void)
{
    struct bf_redis_options o = bf_redis_fixture_options(&server);

    o.scripts = scripts;
    o.script_count = BF_LEN(scripts);
    return o;
}

static int start(void **state)
{
    if (!bf_redis_fixture_start(&server))
        return -1;
    struct bf_redis_options o = options();
    return bf_redis_open(&o, &redis) || !bf_redis_fixture_serves(redis);
}

static int stop(void **state)
{
    bf_redis_close(redis);
    bf_redis_fixture_stop(&server);
    return 0;
}

static int begin(void **state)
{
    batch = bf_redis_batch_new(redis);
    bf_redis_add(batch, (struct bf_redis_arg[]){BF_R_TEXT("FLUSHALL")}, 1);
    int failed = bf_redis_run(batch);
    bf_redis_clear(batch);
    return failed;
}

static int end(void **state)
{
    bf_redis_batch_free(batch);
    return 0;
}

static void assert_str(const struct bf_redis_reply *reply, const char *expected)
{
    struct bf_str got = bf_redis_str(reply);

    assert_int_equal(got.len, strlen(expected));
    assert_memory_equal(got.at, expected, got.len);
}

static void test_a_batch_is_answered_in_order(void **state)
{
    size_t set = bf_redis_cmd(batch, "SET", BF_R_TEXT("a"), BF_R_INT(-42));
    size_t get = bf_redis_cmd(batch, "GET", BF_R_TEXT("a"));
    size_t none = bf_redis_cmd(batch, "GET", BF_R_TEXT("b"));
    bf_redis_cmd(batch, "RPUSH", BF_R_TEXT("list"), BF_R_TEXT("x"), BF_R_TEXT(""), BF_R_INT(INT64_MIN));
    size_t list = bf_redis_cmd(batch, "LRANGE", BF_R_TEXT("list"), BF_R_INT(0), BF_R_INT(-1));

    assert_int_equal(bf_redis_count(batch), 5);
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_str(bf_redis_reply(batch, set), "OK");
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, get)), -42);
    assert_true(bf_redis_nil(bf_redis_reply(batch, none)));
    assert_str(bf_redis_reply(batch, none), "");
    assert_int_equal(bf_redis_items(bf_redis_reply(batch, list)), 3);
    assert_str(bf_redis_item(bf_redis_reply(batch, list), 0), "x");
    assert_str(bf_redis_item(bf_redis_reply(batch, list), 1), "");
    assert_int_equal(bf_redis_int(bf_redis_item(bf_redis_reply(batch, list), 2)), INT64_MIN);
    assert_null(bf_redis_item(bf_redis_reply(batch, list), 3));
    assert_null(bf_redis_reply(batch, 5));
}

static void test_bytes_stay_as_they_are(void **state)
{
    static const char bytes[] = "\0\r\n$3\r\n%s \xff";

    bf_redis_cmd(batch, "SET", BF_R_TEXT("raw"), BF_R_BYTES(bytes, sizeof(bytes)));
    bf_redis_cmd(batch, "GET", BF_R_TEXT("raw"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    struct bf_str got = bf_redis_str(bf_redis_reply(batch, 1));
    assert_int_equal(got.len, sizeof(bytes));
    assert_memory_equal(got.at, bytes, sizeof(bytes));
}

static void test_a_wrong_command_is_our_fault_and_spoils_no_other(void **state)
{
    bf_redis_cmd(batch, "SET", BF_R_TEXT("a"), BF_R_TEXT("x"));
    bf_redis_cmd(batch, "INCR", BF_R_TEXT("a"));
    bf_redis_cmd(batch, "GET", BF_R_TEXT("a"));
    assert_int_equal(bf_redis_run(batch), BF_INTERNAL);
    assert_non_null(strstr(bf_redis_batch_error(batch), "not an integer"));
    assert_true(bf_redis_nil(bf_redis_reply(batch, 1)));
    assert_str(bf_redis_reply(batch, 2), "x");
    bf_redis_clear(batch);
    assert_int_equal(bf_redis_run(batch), BF_OK); // empty
    assert_string_equal(bf_redis_batch_error(batch), "");
}

static void test_a_forgotten_script_is_sent_again(void **state)
{
    bf_redis_eval(batch, &add_script, 1, BF_R_TEXT("n"), BF_R_INT(2));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 0)), 2);

    bf_redis_clear(batch);
    bf_redis_cmd(batch, "SCRIPT", BF_R_TEXT("FLUSH"));
    bf_redis_eval(batch, &add_script, 1, BF_R_TEXT("n"), BF_R_INT(5));
    bf_redis_eval(batch, &add_script, 1, BF_R_TEXT("n"), BF_R_INT(10));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 1)), 7);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 2)), 17);
}

static void test_too_many_commands_are_refused_whole(void **state)
{
    for (size_t i = 0; i <= BF_REDIS_COMMANDS_MAX; i++)
        bf_redis_cmd(batch, "INCR", BF_R_TEXT("n"));
    assert_int_equal(bf_redis_run(batch), BF_TOO_LARGE);
    bf_redis_clear(batch);
    bf_redis_cmd(batch, "EXISTS", BF_R_TEXT("n"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 0)), 0);
}

static void test_a_large_batch_is_answered(void **state)
{
    static char value[1000];

    memset(value, 'v', sizeof(value));
    for (size_t i = 0; i < 5000; i++)
        bf_redis_cmd(batch, "SET", BF_R_TEXT("k"), BF_R_BYTES(value, sizeof(value)));
    for (size_t i = 0; i < 5000; i++)
        bf_redis_cmd(batch, "GET", BF_R_TEXT("k"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_str(bf_redis_reply(batch, 9999)).len, sizeof(value));
}

struct blocker {
    struct bf_redis *redis;
    enum bf_err err;
};

static void *block(void *ctx)
{
    struct blocker *blocker = ctx;
    struct bf_redis_batch *waiting = bf_redis_batch_new(blocker->redis);

    bf_redis_cmd(waiting, "BLPOP", BF_R_TEXT("wake"), BF_R_INT(0));
    blocker->err = bf_redis_run(waiting);
    bf_redis_batch_free(waiting);
    return NULL;
}

static void test_waiting_for_a_connection_ends(void **state)
{
    struct bf_redis_options o = options();
    struct bf_redis *one = NULL;
    pthread_t thread;

    o.connections_max = 1;
    o.borrow_timeout_ms = 50;
    assert_int_equal(bf_redis_open(&o, &one), BF_OK);
    struct blocker blocker = {one, BF_INTERNAL};
    assert_int_equal(pthread_create(&thread, NULL, block, &blocker), 0);
    while (bf_redis_ping(one) == BF_OK) // until the thread has the only connection
        usleep(1000);
    bf_redis_cmd(batch, "RPUSH", BF_R_TEXT("wake"), BF_R_TEXT("up"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    pthread_join(thread, NULL);
    assert_int_equal(blocker.err, BF_OK);
    assert_int_equal(bf_redis_ping(one), BF_OK);
    bf_redis_close(one);
}

static void test_a_server_that_stopped_answering_is_given_up(void **state)
{
    struct bf_redis_options o = options();
    struct bf_redis *hasty = NULL;

    o.answer_timeout_ms = 100;
    assert_int_equal(bf_redis_open(&o, &hasty), BF_OK);
    assert_int_equal(bf_redis_ping(hasty), BF_OK);
    kill(server.pid, SIGSTOP);
    uint64_t began = bf_mono_ms();
    assert_int_equal(bf_redis_ping(hasty), BF_UNAVAILABLE);
    assert_true(bf_mono_ms() - began >= 95);
    began = bf_mono_ms();
    assert_int_equal(bf_redis_ping(redis), BF_UNAVAILABLE); // has 5 s, but a ping does not wait for them
    assert_true(bf_mono_ms() - began < 4000);
    kill(server.pid, SIGCONT);
    assert_true(bf_redis_fixture_serves(hasty));
    bf_redis_close(hasty);
}

static void test_the_password_is_needed_and_used(void **state)
{
    struct bf_redis_options o = options();
    struct bf_redis *without = NULL, *with = NULL;
    char error[128];

    assert_int_equal(bf_redis_open(&o, &without), BF_OK);
    o.password = "open sesame";
    assert_int_equal(bf_redis_open(&o, &with), BF_OK);
    bf_redis_cmd(batch, "CONFIG", BF_R_TEXT("SET"), BF_R_TEXT("requirepass"), BF_R_TEXT("open sesame"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_ping(without), BF_UNAVAILABLE);
    bf_redis_error(without, error, sizeof(error));
    assert_non_null(strstr(error, "NOAUTH"));
    assert_int_equal(bf_redis_ping(with), BF_OK);
    bf_redis_clear(batch);
    bf_redis_cmd(batch, "CONFIG", BF_R_TEXT("SET"), BF_R_TEXT("requirepass"), BF_R_TEXT(""));
    assert_int_equal(bf_redis_run(batch), BF_OK); // that connection is in already
    bf_redis_close(without);
    bf_redis_close(with);
}

static void test_a_server_that_comes_back_is_found(void **state)
{
    bf_redis_cmd(batch, "SET", BF_R_TEXT("a"), BF_R_TEXT("x"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    bf_redis_fixture_kill(&server);
    for (int i = 0; i < 3; i++)
        assert_int_equal(bf_redis_ping(redis), BF_UNAVAILABLE);
    bf_redis_fixture_spawn(&server);
    assert_true(bf_redis_fixture_serves(redis));
    bf_redis_clear(batch);
    bf_redis_cmd(batch, "EXISTS", BF_R_TEXT("a"));
    bf_redis_eval(batch, &add_script, 1, BF_R_TEXT("n"), BF_R_INT(1));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 0)), 0);
    assert_int_equal(bf_redis_int(bf_redis_reply(batch, 1)), 1);
}

// ---- listening

static void publish(const char *channel, const char *text)
{
    bf_redis_clear(batch);
    bf_redis_cmd(batch, "PUBLISH", BF_R_TEXT(channel), BF_R_TEXT(text));
    assert_int_equal(bf_redis_run(batch), BF_OK);
}

static struct bf_redis_listener *listener_of(const char *channel)
{
    struct bf_redis_options options = {.host = server.socket, .connect_timeout_ms = 2000};
    struct bf_redis_listener *listener = bf_redis_listener_new(&options, channel);
    struct bf_str message;

    assert_int_equal(bf_redis_listener_wait(listener, 1, &message),
                     BF_TIMEOUT); // it is subscribed from here on
    return listener;
}

static void heard_is(struct bf_redis_listener *listener, const char *expected)
{
    struct bf_str message;

    assert_int_equal(bf_redis_listener_wait(listener, 10000, &message), BF_OK);
    assert_true(bf_str_eq(message, bf_str(expected)));
}

static void test_a_listener_hears_what_is_published(void **state)
{
    struct bf_redis_listener *listener = listener_of("ours");
    struct bf_str message;

    publish("ours", "one");
    publish("theirs", "other");
    publish("ours", "");
    publish("ours", "three");
    heard_is(listener, "one");
    heard_is(listener, "");
    heard_is(listener, "three");
    assert_int_equal(bf_redis_listener_wait(listener, 20, &message), BF_TIMEOUT);
    bf_redis_listener_free(listener);
    bf_redis_listener_free(NULL);
}

static void test_a_listener_comes_back_by_itself(void **state)
{
    struct bf_redis_listener *listener = listener_of("ours");
    struct bf_str message;
    enum bf_err err = BF_OK;

    bf_redis_clear(batch);
    bf_redis_cmd(batch, "CLIENT", BF_R_TEXT("KILL"), BF_R_TEXT("TYPE"), BF_R_TEXT("pubsub"));
    assert_int_equal(bf_redis_run(batch), BF_OK);
    assert_int_equal(bf_redis_listener_wait(listener, 10000, &message), BF_UNAVAILABLE);
    for (size_t i = 0; i < 100 && err != BF_TIMEOUT; i++)
        err = bf_redis_listener_wait(listener, 10, &message);
    assert_int_equal(err, BF_TIMEOUT);
    publish("ours", "again");
    heard_is(listener, "again");
    bf_redis_listener_free(listener);
}

static void test_options_that_make_no_sense_are_refused(void **state)
{
    struct bf_redis_options o = options();
    struct bf_redis *none = NULL;

    o.connections_max = 0;
    assert_int_equal(bf_redis_open(&o, &none), BF_INVALID);
    o = options();
    o.host = "";
    assert_int_equal(bf_redis_open(&o, &none), BF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_batch_is_answered_in_order, begin, end),
        cmocka_unit_test_setup_teardown(test_bytes_stay_as_they_are, begin, end),
        cmocka_unit_test_setup_teardown(test_a_wrong_command_is_our_fault_and_spoils_no_other, begin, end),
        cmocka_unit_test_setup_teardown(test_a_forgotten_script_is_sent_again, begin, end),
        cmocka_unit_test_setup_teardown(test_too_many_commands_are_refused_whole, begin, end),
        cmocka_unit_test_setup_teardown(test_a_large_batch_is_answered, begin, end),
        cmocka_unit_test_setup_teardown(test_waiting_for_a_connection_ends, begin, end),
        cmocka_unit_test_setup_teardown(test_a_server_that_stopped_answering_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(test_the_password_is_needed_and_used, begin, end),
        cmocka_unit_test_setup_teardown(test_a_server_that_comes_back_is_found, begin, end),
        cmocka_unit_test_setup_teardown(test_a_listener_hears_what_is_published, begin, end),
        cmocka_unit_test_setup_teardown(test_a_listener_comes_back_by_itself, begin, end),
        cmocka_unit_test(test_options_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
