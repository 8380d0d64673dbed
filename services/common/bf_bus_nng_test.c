// What the bus relies on of nng as it is built here (deploy/local/nng-patches, docs/adr/0028 and 0030), over
// ipc and over TCP. Each test fails with Debian's nng 1.5.2, over one of the two at least.
#include <setjmp.h>
#include <stdarg.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "bf_bus.h"
#include "bf_clock.h"

#define PATIENCE_MS   60000
#define CALLS         200
#define ABANDONED     40
#define LEAVES        4000 // less than 500 end a listener of an unpatched nng
#define CLOSES        300
#define CALLS_A_CLOSE 50
#define POOL_THREAD   "nng:task"

// ---- the address that a test has

static char dir[32];
static char url[128];
static union {
    struct sockaddr any;
    struct sockaddr_un ipc;
    struct sockaddr_in tcp;
} address;
static socklen_t address_size;

static int over_ipc(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/belfry-nng-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    address.ipc = (struct sockaddr_un){.sun_family = AF_UNIX};
    address_size = sizeof(address.ipc);
    snprintf(address.ipc.sun_path, sizeof(address.ipc.sun_path), "%s/bus", dir);
    snprintf(url, sizeof(url), "ipc://%s", address.ipc.sun_path);
    return 0;
}

static int after_ipc(void **state)
{
    unlink(address.ipc.sun_path);
    return rmdir(dir);
}

static int listening(void)
{
    int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, &address.any, address_size), 0);
    assert_int_equal(listen(fd, 128), 0);
    return fd;
}

// A port that is free.
static int over_tcp(void **state)
{
    address.tcp = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address_size = sizeof(address.tcp);
    int fd = listening();
    int failed = getsockname(fd, &address.any, &address_size);
    close(fd);
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%d", ntohs(address.tcp.sin_port));
    return failed;
}

// ---- both sides

static enum bf_err echo(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                        void *ctx)
{
    bf_buf_add(ret_body, request->body.at, request->body.len);
    return BF_OK;
}

static const struct bf_bus_method methods[] = {{"Echo", echo}};

static struct bf_bus_server *serve(void)
{
    struct bf_bus_server *server = NULL;
    assert_int_equal(bf_bus_serve(url, 2, methods, BF_LEN(methods), NULL, &server), BF_OK);
    return server;
}

static struct bf_bus_client *dial(void)
{
    struct bf_bus_client *client = NULL;
    assert_int_equal(bf_bus_dial(url, &client), BF_OK);
    return client;
}

static bool became(bool (*condition)(void *), void *at)
{
    uint64_t deadline = bf_mono_ms() + PATIENCE_MS;
    while (!condition(at)) {
        if (bf_mono_ms() > deadline)
            return false;
        usleep(100);
    }
    return true;
}

static bool connected(void *at)
{
    return bf_bus_connected(at);
}

struct heard {
    _Atomic int good, bad;
    _Atomic int by_pool; // told by a thread of nng's pool, which was woken for it
    int wanted;
};

static void done(void *ctx, enum bf_err err, struct bf_str reply)
{
    struct heard *heard = ctx;
    char name[16] = "";

    pthread_getname_np(pthread_self(), name, sizeof(name));
    heard->by_pool += strcmp(name, POOL_THREAD) == 0;
    if (err == BF_OK && reply.len == strlen("body"))
        heard->good++;
    else
        heard->bad++;
}

static bool heard_enough(void *at)
{
    struct heard *heard = at;
    return heard->good >= heard->wanted;
}

static void ask(struct bf_bus_client *client, struct heard *heard)
{
    bf_bus_call_async(client, "Echo", "", "", PATIENCE_MS, BF_STR("body"), done, heard);
}

static bool answers(void *client)
{
    bf_cleanup(bf_buf_release) struct bf_buf reply;

    bf_buf_init(&reply, 64);
    return bf_bus_call(client, "Echo", "", "", 1000, BF_STR("body"), &reply, NULL) == BF_OK;
}

// ---- a peer that goes while a connection is made (patch 1)

static _Atomic int hung_up;

// Takes each connection and ends it at once, in one of three ways, as one does that is killed at that moment.
static void *hang_up_on_all(void *at)
{
    int fd;
    char header[8];

    for (unsigned i = 0; (fd = accept(*(const int *)at, NULL, NULL)) >= 0; i++) {
        if (i % 3 == 1)
            (void)!read(fd, header, sizeof(header));
        if (i % 3 == 2)
            (void)!write(fd, "\0SP\0", 4);
        close(fd);
        hung_up++;
    }
    return NULL;
}

static bool many_were_left(void *at)
{
    return hung_up >= 3 * ABANDONED;
}

static void test_who_was_left_in_the_middle_of_a_connection_comes_back(void **state)
{
    struct bf_bus_client *clients[ABANDONED];
    pthread_t thread;
    int fd = listening();

    hung_up = 0;
    pthread_create(&thread, NULL, hang_up_on_all, &fd);
    for (size_t i = 0; i < ABANDONED; i++)
        clients[i] = dial();
    bool left = became(many_were_left, NULL);
    shutdown(fd, SHUT_RDWR);
    pthread_join(thread, NULL);
    close(fd);
    assert_true(left);

    struct bf_bus_server *server = serve();
    for (size_t i = 0; i < ABANDONED; i++) {
        assert_true(became(connected, clients[i]));
        bf_bus_hang_up(clients[i]);
    }
    bf_bus_server_stop(server, 0);
}

// Over TCP every second one with a reset, as of a machine that has lost the connection.
static void connect_and_leave(void)
{
    const struct linger at_once = {.l_onoff = 1};

    for (int i = 0; i < LEAVES; i++) {
        int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        (void)connect(fd, &address.any, address_size);
        if (i % 2)
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(fd);
    }
}

static void test_a_server_that_was_left_before_it_greeted_serves_on(void **state)
{
    struct bf_bus_server *server = serve();
    connect_and_leave();
    struct bf_bus_client *client = dial();
    assert_true(became(answers, client));
    bf_bus_hang_up(client);
    bf_bus_server_stop(server, 0);
}

static void hear(void *ctx, struct bf_str message)
{
    *(_Atomic bool *)ctx = true;
}

static void test_a_feed_that_was_left_before_it_greeted_is_heard(void **state)
{
    struct bf_bus_publisher *publisher = NULL;
    struct bf_bus_subscriber *subscriber = NULL;
    static _Atomic bool heard;

    heard = false;
    assert_int_equal(bf_bus_publisher_open(url, &publisher), BF_OK);
    connect_and_leave();
    assert_int_equal(bf_bus_subscribe(url, hear, &heard, &subscriber), BF_OK);
    for (int i = 0; i < PATIENCE_MS / 5 && !heard; i++) { // late joiners miss the first ones
        assert_int_equal(bf_bus_publish(publisher, BF_STR("x")), BF_OK);
        usleep(5000);
    }
    assert_true(heard);
    bf_bus_unsubscribe(subscriber);
    bf_bus_publisher_close(publisher);
}

// ---- closing amid messages (patch 2; what is lost then, patch 3, a sanitizer's build tells)

static void test_hanging_up_amid_answers_ends(void **state)
{
    struct bf_bus_server *server = serve();

    for (int i = 0; i < CLOSES; i++) {
        struct heard heard = {.wanted = 1};
        struct bf_bus_client *client = dial();
        assert_true(became(connected, client));
        for (int j = 0; j < CALLS_A_CLOSE; j++)
            ask(client, &heard);
        assert_true(became(heard_enough, &heard));
        bf_bus_hang_up(client);
        assert_int_equal(heard.good + heard.bad, CALLS_A_CLOSE);
    }
    bf_bus_server_stop(server, PATIENCE_MS);
}

// ---- who tells of an answer: the thread that reads it, or who calls and finds it there (patch 4)

static void test_nobody_is_woken_to_tell_of_an_answer(void **state)
{
    struct bf_bus_server *server = serve();
    struct bf_bus_client *client = dial();
    struct heard heard = {0};

    assert_true(became(connected, client));
    while (heard.wanted++ < CALLS) {
        ask(client, &heard);
        assert_true(
            became(heard_enough, &heard)); // so that it is the answer that is waited for, not the sending
    }
    bf_bus_hang_up(client);
    bf_bus_server_stop(server, PATIENCE_MS);
    assert_int_equal(heard.by_pool, 0);
}

#define TEST_BOTH(test)                                   \
    {#test " over ipc", test, over_ipc, after_ipc, NULL}, \
    {                                                     \
#test " over TCP", test, over_tcp, NULL, NULL     \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(test_who_was_left_in_the_middle_of_a_connection_comes_back),
        TEST_BOTH(test_a_server_that_was_left_before_it_greeted_serves_on),
        TEST_BOTH(test_a_feed_that_was_left_before_it_greeted_is_heard),
        TEST_BOTH(test_hanging_up_amid_answers_ends),
        TEST_BOTH(test_nobody_is_woken_to_tell_of_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
