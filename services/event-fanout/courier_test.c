// Requests to the outside: where they may go to, and answers that are none.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>
#include <cmocka.h>

#include "courier.h"

#define NAME "rebinds.example"

// ---- a resolver of the test's own: curl's calls come here. The name means each time what `meanings` says.

static const char *meanings[2];

static struct addrinfo *address_new(const char *text)
{
    struct addrinfo *info = calloc(1, sizeof(*info));
    struct sockaddr_in *four = calloc(1, sizeof(*four));

    four->sin_family = AF_INET;
    inet_pton(AF_INET, text, &four->sin_addr);
    *info = (struct addrinfo){.ai_family = AF_INET,
                              .ai_socktype = SOCK_STREAM,
                              .ai_protocol = IPPROTO_TCP,
                              .ai_addrlen = sizeof(*four),
                              .ai_addr = (struct sockaddr *)four};
    return info;
}

// The parameters are called as in netdb.h.
int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict req,
                struct addrinfo **restrict pai)
{
    *pai = NULL;
    for (size_t i = BF_LEN(meanings); i-- > 0;)
        if (meanings[i]) {
            struct addrinfo *each = address_new(meanings[i]);
            ((struct sockaddr_in *)(void *)each->ai_addr)->sin_port =
                htons((uint16_t)(service ? strtol(service, NULL, 10) : 0));
            each->ai_next = *pai;
            *pai = each;
        }
    return *pai ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *ai)
{
    for (struct addrinfo *next; ai; ai = next) {
        next = ai->ai_next;
        free(ai->ai_addr);
        free(ai);
    }
}

// ---- a server that says what it is told to, to each connection once

struct server {
    int listener, port;
    pthread_t thread;
    const char *says; // NULL: nothing, and it keeps the connection
    size_t junk;      // bytes behind it
    int connections;
};

static void *server_run(void *at)
{
    struct server *server = at;
    static const char junk[4096] = {'x'};
    char request[4096];

    for (;;) {
        int peer = accept(server->listener, NULL, NULL);
        if (peer < 0)
            return NULL;
        server->connections++;
        (void)!read(peer, request, sizeof(request));
        if (server->says) {
            (void)!write(peer, server->says, strlen(server->says));
            for (size_t sent = 0; sent < server->junk; sent += sizeof(junk))
                if (send(peer, junk, sizeof(junk), MSG_NOSIGNAL) < 0)
                    break;
        } else {
            (void)!read(peer, request, sizeof(request)); // until the other side has enough
        }
        close(peer);
    }
}

static struct server *server_new(const char *says, size_t junk)
{
    struct server *server = test_calloc(1, sizeof(*server));
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(any);

    *server = (struct server){.listener = socket(AF_INET, SOCK_STREAM, 0), .says = says, .junk = junk};
    assert_int_equal(bind(server->listener, (struct sockaddr *)&any, sizeof(any)), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&any, &len), 0);
    server->port = ntohs(any.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
    return server;
}

// How many connections came.
static int server_end(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    int connections = server->connections;
    test_free(server);
    return connections;
}

// ---- one request

struct result {
    sem_t done;
    int code;
    char error[256];
    size_t len;
};

static void done(void *ctx, const struct courier_answer *answer)
{
    struct result *result = ctx;

    result->code = answer->code;
    result->len = answer->body.len;
    snprintf(result->error, sizeof(result->error), "%s", answer->error);
    sem_post(&result->done);
}

static struct result ask(const char *networks, const char *host, int port, bool free_targets)
{
    bf_autofree char *url = bf_xasprintf("http://%s:%d/", host, port);
    struct courier_options options = {.connections_max = 4};
    struct result result = {.code = -1};
    struct courier *courier;

    sem_init(&result.done, 0, 0);
    assert_int_equal(targets_parse(networks, &options.targets), BF_OK);
    assert_int_equal(courier_start(&options, &courier), BF_OK);
    courier_send(courier, &(struct courier_job){.url = url,
                                                .body = BF_STR("{}"),
                                                .timeout_ms = 500,
                                                .free_targets = free_targets,
                                                .done = done,
                                                .ctx = &result});
    sem_wait(&result.done);
    courier_stop(courier, 0);
    sem_destroy(&result.done);
    return result;
}

#define FINE    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
#define REFUSED "its address is not one that webhooks may go to"

static void a_name_is_judged_by_where_it_leads(void **state)
{
    struct server *server = server_new(FINE, 0);

    meanings[0] = "127.0.0.1";
    meanings[1] = NULL;
    struct result refused = ask("", NAME, server->port, false),
                  allowed = ask("127.0.0.0/8", NAME, server->port, false),
                  free_of_it = ask("", NAME, server->port, true);
    assert_int_equal(refused.code, 0);
    assert_string_equal(refused.error, REFUSED);
    assert_int_equal(allowed.code, 200);
    assert_string_equal(allowed.error, "");
    assert_int_equal(free_of_it.code, 200);
    assert_int_equal(server_end(server), 2);
}

// The first address is fine and nobody answers there; the second is ours.
static void a_name_that_changes_its_mind_is_refused_all_the_same(void **state)
{
    struct server *server = server_new(FINE, 0);

    meanings[0] = "127.0.0.9";
    meanings[1] = "127.0.0.1";
    struct result result = ask("127.0.0.9", NAME, server->port, false);
    assert_int_equal(result.code, 0);
    assert_string_equal(result.error, REFUSED);
    assert_int_equal(server_end(server), 0);
}

static void addresses_in_disguise_are_refused(void **state)
{
    static const char *const hosts[] = {"[::ffff:127.0.0.1]", "[::1]", "127.1", "2130706433", "0x7f.1", "0"};
    struct server *server = server_new(FINE, 0);

    meanings[0] = "127.0.0.1"; // what the resolver makes of the odd ones
    meanings[1] = NULL;
    for (size_t i = 0; i < BF_LEN(hosts); i++)
        assert_int_equal(ask("", hosts[i], server->port, false).code, 0);
    assert_int_equal(server_end(server), 0);
}

static void a_redirect_is_an_answer_and_not_a_way(void **state)
{
    struct server *other = server_new(FINE, 0);
    bf_autofree char *says = bf_xasprintf(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n", other->port);
    struct server *server = server_new(says, 0);

    assert_int_equal(ask("127.0.0.0/8", "127.0.0.1", server->port, false).code, 302);
    assert_int_equal(server_end(server), 1);
    assert_int_equal(server_end(other), 0);
}

static void an_answer_without_an_end_is_an_error(void **state)
{
    struct server *half = server_new("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", 0),
                  *mute = server_new(NULL, 0);
    struct result cut = ask("127.0.0.0/8", "127.0.0.1", half->port, false),
                  hung = ask("127.0.0.0/8", "127.0.0.1", mute->port, false);

    assert_int_equal(cut.code, 200);
    assert_string_not_equal(cut.error, "");
    assert_int_equal(hung.code, 0);
    assert_non_null(strstr(hung.error, "timed out"));
    server_end(half);
    server_end(mute);
}

static void of_a_huge_answer_the_beginning_is_kept(void **state)
{
    struct server *server = server_new("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n", 100000000);
    struct result result = ask("127.0.0.0/8", "127.0.0.1", server->port, false);

    assert_int_equal(result.code, 200);
    assert_string_equal(result.error, "");
    assert_int_equal(result.len, COURIER_ANSWER_BYTES_MAX);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_judged_by_where_it_leads),
        cmocka_unit_test(a_name_that_changes_its_mind_is_refused_all_the_same),
        cmocka_unit_test(addresses_in_disguise_are_refused),
        cmocka_unit_test(a_redirect_is_an_answer_and_not_a_way),
        cmocka_unit_test(an_answer_without_an_end_is_an_error),
        cmocka_unit_test(of_a_huge_answer_the_beginning_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
