// What the bus relies on of nng as it is built here (deploy/local/nng-patches), over ipc and over TCP.
#include <setjmp.h>
#include <stdarg.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "bf_bus.h"
#include "bf_clock.h"

#define PATIENCE_MS   60000
#define CALLS         200
#define POLLER_THREAD "nng:poll:epoll"

static enum bf_err echo(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                        void *ctx)
{
    bf_buf_add(ret_body, request->body.at, request->body.len);
    return BF_OK;
}

static const struct bf_bus_method methods[] = {{"Echo", echo}};

struct heard {
    _Atomic int answers;
    _Atomic int elsewhere; // told on another thread than the one that read the answer
};

static void done(void *ctx, enum bf_err err, struct bf_str reply)
{
    struct heard *heard = ctx;
    char name[16] = "";

    pthread_getname_np(pthread_self(), name, sizeof(name));
    heard->elsewhere += strcmp(name, POLLER_THREAD) != 0;
    heard->answers += err == BF_OK && reply.len == strlen("body");
}

static void wait_until_connected(const struct bf_bus_client *client)
{
    uint64_t deadline = bf_mono_ms() + PATIENCE_MS;
    while (!bf_bus_connected(client) && bf_mono_ms() < deadline)
        usleep(2000);
    assert_true(bf_bus_connected(client));
}

// Answers are told by the thread that reads them: no other one is woken for their parts (patch 4).
static void answers_come_on_the_pollers_thread(const char *url)
{
    struct bf_bus_server *server = NULL;
    struct bf_bus_client *client = NULL;
    struct heard heard = {0};

    assert_int_equal(bf_bus_serve(url, 2, methods, BF_LEN(methods), NULL, &server), BF_OK);
    assert_int_equal(bf_bus_dial(url, &client), BF_OK);
    wait_until_connected(client);
    for (int i = 0; i < CALLS; i++) {
        uint64_t deadline = bf_mono_ms() + PATIENCE_MS;
        bf_bus_call_async(client, "Echo", "", "", PATIENCE_MS, BF_STR("body"), done, &heard);
        while (heard.answers <= i && bf_mono_ms() < deadline)
            usleep(100); // so that it is the answer that is waited for, and not the sending
    }
    bf_bus_hang_up(client);
    bf_bus_server_stop(server, PATIENCE_MS);
    assert_int_equal(heard.answers, CALLS);
    // A thread that is kept from its core between sending and waiting finds the answer there, and tells it.
    assert_in_range(heard.elsewhere, 0, CALLS / 4);
}

static void test_over_ipc(void **state)
{
    char dir[] = "/tmp/belfry-nng-XXXXXX", path[64], url[80];

    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/bus", dir);
    snprintf(url, sizeof(url), "ipc://%s", path);
    answers_come_on_the_pollers_thread(url);
    unlink(path);
    rmdir(dir);
}

static void test_over_tcp(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    char url[64];

    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0); // a port that is free
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    snprintf(url, sizeof(url), "tcp://127.0.0.1:%d", ntohs(address.sin_port));
    answers_come_on_the_pollers_thread(url);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_over_ipc),
        cmocka_unit_test(test_over_tcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
