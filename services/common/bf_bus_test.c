// Both sides of the bus in one process, over ipc.
#include <setjmp.h>
#include <stdarg.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>

#include "belfry/bus/v1/bus.pb-c.h"
#include "bf_bus.h"
#include "bf_clock.h"

#define PATIENCE_MS 60000
#define LIMIT       (8u << 20)

static char dir[32];
static char url[64];
static _Atomic int entered;
static _Atomic bool may_go;

static bool became(bool (*condition)(void *), void *at)
{
    uint64_t deadline = bf_mono_ms() + PATIENCE_MS;
    while (!condition(at)) {
        if (bf_mono_ms() > deadline)
            return false;
        usleep(2000);
    }
    return true;
}

static struct sockaddr_un ipc_address(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", url + strlen("ipc://"));
    return address;
}

// ---- what is served

static enum bf_err echo(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                        void *ctx)
{
    bf_buf_fmt(ret_body, "%s|%s|%s|", request->method, request->tenant_id, request->request_id);
    bf_buf_add(ret_body, request->body.at, request->body.len);
    return BF_OK;
}

static enum bf_err fail_it(const struct bf_bus_request *request, struct bf_buf *ret_body,
                           struct bf_buf *error, void *ctx)
{
    bf_buf_str(ret_body, "must not be seen");
    bf_buf_str(error, "this name is taken");
    return BF_CONFLICT;
}

static enum bf_err hang(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                        void *ctx)
{
    entered++;
    for (int i = 0; i < PATIENCE_MS / 2 && !may_go; i++)
        usleep(2000);
    bf_buf_str(ret_body, "at last");
    return BF_OK;
}

static enum bf_err flood(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                         void *ctx)
{
    char block[4096] = {0};
    for (size_t i = 0; i <= BF_BUS_BYTES_MAX / sizeof(block); i++)
        bf_buf_add(ret_body, block, sizeof(block));
    return BF_OK;
}

// How a server is that several of are tried.
struct character {
    const char *name;
    _Atomic bool stuck;   // hangs until may_go
    _Atomic bool refuses; // says at once that it cannot
    _Atomic int asked;
};

static enum bf_err who(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                       void *ctx)
{
    struct character *character = ctx;
    character->asked++;
    for (int i = 0; character->stuck && i < PATIENCE_MS / 2 && !may_go; i++)
        usleep(2000);
    bf_buf_str(ret_body, character->name);
    return character->refuses ? BF_UNAVAILABLE : BF_OK;
}

static const struct bf_bus_method methods[] = {
    {"Who", who}, {"Echo", echo}, {"Fail", fail_it}, {"Hang", hang}, {"Flood", flood},
};

static struct bf_bus_server *serve(const char *urls, int64_t contexts)
{
    struct bf_bus_server *server = NULL;
    assert_int_equal(bf_bus_serve(urls, contexts, methods, BF_LEN(methods), NULL, &server), BF_OK);
    return server;
}

static bool connected(void *at)
{
    return bf_bus_connected(at);
}

static bool disconnected(void *at)
{
    return !bf_bus_connected(at);
}

static struct bf_bus_client *dial(const char *urls)
{
    struct bf_bus_client *client = NULL;
    assert_int_equal(bf_bus_dial(urls, &client), BF_OK);
    return client;
}

static struct bf_bus_client *dial_and_wait(const char *urls)
{
    struct bf_bus_client *client = dial(urls);
    assert_true(became(connected, client));
    return client;
}

struct result {
    enum bf_err err;
    struct bf_buf body;
    struct bf_buf error;
};

static struct result call(struct bf_bus_client *client, const char *method, int64_t timeout_ms,
                          struct bf_str body)
{
    struct result result;
    bf_buf_init(&result.body, LIMIT);
    bf_buf_init(&result.error, 256);
    result.err = bf_bus_call(client, method, "", "req-1", timeout_ms, body, &result.body, &result.error);
    return result;
}

static void release(struct result *result)
{
    bf_buf_release(&result->body);
    bf_buf_release(&result->error);
}

static enum bf_err call_err(struct bf_bus_client *client, const char *method, int64_t timeout_ms,
                            struct bf_str body)
{
    struct result result = call(client, method, timeout_ms, body);
    release(&result);
    return result.err;
}

static int make_dir(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/bf_bus_test.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(url, sizeof(url), "ipc://%s/unit.bus", dir);
    entered = 0;
    may_go = false;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int remove_dir(void **state)
{
    return nftw(dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

// ---- calls

static void test_a_call_is_answered(void **state)
{
    struct bf_bus_server *server = serve(url, 2);
    struct bf_bus_client *client = dial_and_wait(url);
    struct result result = call(client, "Echo", PATIENCE_MS, BF_STR("a\0b"));
    assert_int_equal(result.err, BF_OK);
    assert_int_equal(result.body.len, strlen("Echo||req-1|") + 3);
    assert_memory_equal(result.body.at, "Echo||req-1|a\0b", result.body.len);
    release(&result);
    result = call(client, "Fail", PATIENCE_MS, BF_STR(""));
    assert_int_equal(result.err, BF_CONFLICT);
    assert_string_equal(result.error.at, "this name is taken");
    assert_int_equal(result.body.len, 0);
    release(&result);
    result = call(client, "Nonsense", PATIENCE_MS, BF_STR(""));
    assert_int_equal(result.err, BF_METHOD);
    assert_string_equal(result.error.at, "there is no such method");
    release(&result);
    bf_bus_hang_up(client);
    bf_bus_server_stop(server, PATIENCE_MS);
}

static void test_an_ipc_socket_is_the_owners_alone(void **state)
{
    struct bf_bus_server *server = serve(url, 1);
    struct stat st;
    assert_int_equal(stat(url + strlen("ipc://"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct bf_bus_server *second = NULL;
    assert_int_equal(bf_bus_serve(url, 1, methods, BF_LEN(methods), NULL, &second), BF_UNAVAILABLE);
    bf_bus_server_stop(server, PATIENCE_MS);
}

static void test_a_stale_socket_file_goes_but_no_other_file(void **state)
{
    // What a process that is killed leaves behind: a socket file that nobody listens on.
    struct sockaddr_un address = ipc_address();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    struct bf_bus_server *server = serve(url, 1);
    bf_bus_server_stop(server, PATIENCE_MS);
    FILE *file = fopen(url + strlen("ipc://"), "w");
    assert_non_null(file);
    fputs("precious", file);
    fclose(file);
    struct bf_bus_server *second = NULL;
    assert_true(bf_bus_serve(url, 1, methods, BF_LEN(methods), NULL, &second) != BF_OK);
    struct stat st;
    assert_int_equal(stat(url + strlen("ipc://"), &st), 0);
    assert_int_equal(st.st_size, 8);
}

static void test_nobody_there_fails_fast(void **state)
{
    struct bf_bus_client *client = dial(url);
    assert_false(bf_bus_connected(client));
    uint64_t began = bf_mono_ms();
    assert_int_equal(call_err(client, "Echo", PATIENCE_MS, BF_STR("")), BF_UNAVAILABLE);
    assert_true(bf_mono_ms() - began < PATIENCE_MS / 2);
    bf_bus_hang_up(client);
}

static void test_sizes_are_capped_both_ways(void **state)
{
    struct bf_bus_server *server = serve(url, 1);
    struct bf_bus_client *client = dial_and_wait(url);
    bf_autofree char *large = bf_xcalloc(1, BF_BUS_BYTES_MAX + 1);
    assert_int_equal(call_err(client, "Echo", PATIENCE_MS, (struct bf_str){large, BF_BUS_BYTES_MAX + 1}),
                     BF_TOO_LARGE);
    assert_int_equal(call_err(client, "Echo", PATIENCE_MS, (struct bf_str){large, BF_BUS_BYTES_MAX - 64}),
                     BF_OK);
    assert_int_equal(call_err(client, "Flood", PATIENCE_MS, BF_STR("")), BF_TOO_LARGE);
    struct bf_buf small;
    bf_buf_init(&small, 4);
    assert_int_equal(bf_bus_call(client, "Echo", "", NULL, PATIENCE_MS, BF_STR("x"), &small, NULL),
                     BF_TOO_LARGE);
    bf_buf_release(&small);
    bf_bus_hang_up(client);
    bf_bus_server_stop(server, PATIENCE_MS);
}

// ---- hostile callers: raw bytes and envelopes that are wrong

static enum bf_err send_raw(const void *bytes, size_t len)
{
    nng_socket socket;
    assert_int_equal(nng_req0_open(&socket), 0);
    assert_int_equal(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, PATIENCE_MS), 0);
    assert_int_equal(nng_dial(socket, url, NULL, 0), 0);
    assert_int_equal(nng_send(socket, (void *)bytes, len, 0), 0);
    void *answer = NULL;
    size_t answer_len = 0;
    assert_int_equal(nng_recv(socket, &answer, &answer_len, NNG_FLAG_ALLOC), 0);
    Belfry__Bus__V1__Reply *reply = belfry__bus__v1__reply__unpack(NULL, answer_len, answer);
    assert_non_null(reply);
    enum bf_err err = bf_err_from_bus(reply->status);
    assert_true(err == BF_OK || strlen(reply->error) > 0);
    belfry__bus__v1__reply__free_unpacked(reply, NULL);
    nng_free(answer, answer_len);
    nng_close(socket);
    return err;
}

static enum bf_err send_request(const Belfry__Bus__V1__Request *request)
{
    size_t len = belfry__bus__v1__request__get_packed_size(request);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, len);
    belfry__bus__v1__request__pack(request, bytes);
    return send_raw(bytes, len);
}

static void test_bad_requests_are_refused(void **state)
{
    struct bf_bus_server *server = serve(url, 1);
    assert_int_equal(send_raw("\xff\xff\xff\xff", 4), BF_INVALID);
    assert_int_equal(send_raw("", 0), BF_INVALID);
    Belfry__Bus__V1__Request good = BELFRY__BUS__V1__REQUEST__INIT;
    good.method = "Echo";
    good.deadline_ms = bf_unix_ms() + PATIENCE_MS;
    assert_int_equal(send_request(&good), BF_OK);
    Belfry__Bus__V1__Request bad = good;
    bad.deadline_ms = 0;
    assert_int_equal(send_request(&bad), BF_INVALID);
    bad = good;
    bad.tenant_id = "acme";
    assert_int_equal(send_request(&bad), BF_INVALID);
    bad = good;
    bad.request_id = "a\nb";
    assert_int_equal(send_request(&bad), BF_INVALID);
    bad = good;
    bad.method = "Echo\x01";
    assert_int_equal(send_request(&bad), BF_INVALID);
    bf_bus_server_stop(server, PATIENCE_MS);
}

// ---- servers that go and come

struct background {
    struct bf_bus_client *client;
    enum bf_err err;
};

static void *call_in_background(void *at)
{
    struct background *background = at;
    background->err = call_err(background->client, "Hang", PATIENCE_MS, BF_STR(""));
    return NULL;
}

static bool someone_entered(void *at)
{
    return entered > 0;
}

// The only worker is busy, so the second call's deadline passes before it is seen, and it is never handled.
static void test_a_slow_answer_is_a_timeout(void **state)
{
    struct bf_bus_server *server = serve(url, 1);
    struct background background = {dial_and_wait(url), BF_INTERNAL};
    pthread_t caller;
    assert_int_equal(pthread_create(&caller, NULL, call_in_background, &background), 0);
    assert_true(became(someone_entered, NULL));
    assert_int_equal(call_err(background.client, "Hang", 50, BF_STR("")), BF_TIMEOUT);
    assert_int_equal(call_err(background.client, "Hang", 0, BF_STR("")), BF_TIMEOUT);
    may_go = true;
    pthread_join(caller, NULL);
    assert_int_equal(background.err, BF_OK);
    assert_int_equal(call_err(background.client, "Echo", PATIENCE_MS, BF_STR("")), BF_OK);
    assert_int_equal(entered, 1);
    bf_bus_hang_up(background.client);
    bf_bus_server_stop(server, PATIENCE_MS);
}

static void *stop_at_once(void *server)
{
    bf_bus_server_stop(server, 0);
    return NULL;
}

static void test_calls_end_when_the_server_goes_and_work_when_it_is_back(void **state)
{
    struct bf_bus_server *server = serve(url, 1);
    struct background background = {dial_and_wait(url), BF_OK};
    pthread_t caller;
    pthread_t stopper;
    assert_int_equal(pthread_create(&caller, NULL, call_in_background, &background), 0);
    assert_true(became(someone_entered, NULL));
    assert_int_equal(pthread_create(&stopper, NULL, stop_at_once, server), 0);
    pthread_join(caller, NULL); // although the handler still hangs
    assert_int_equal(background.err, BF_UNAVAILABLE);
    assert_true(became(disconnected, background.client));
    may_go = true;
    pthread_join(stopper, NULL);
    server = serve(url, 1);
    assert_true(became(connected, background.client));
    assert_int_equal(call_err(background.client, "Echo", PATIENCE_MS, BF_STR("")), BF_OK);
    bf_bus_hang_up(background.client);
    bf_bus_server_stop(server, PATIENCE_MS);
}

static void *stop_with_drain(void *server)
{
    bf_bus_server_stop(server, PATIENCE_MS);
    return NULL;
}

static void test_draining_answers_what_was_begun(void **state)
{
    struct bf_bus_server *server = serve(url, 2);
    struct background background = {dial_and_wait(url), BF_INTERNAL};
    pthread_t caller;
    pthread_t stopper;
    assert_int_equal(pthread_create(&caller, NULL, call_in_background, &background), 0);
    assert_true(became(someone_entered, NULL));
    assert_int_equal(pthread_create(&stopper, NULL, stop_with_drain, server), 0);
    may_go = true;
    pthread_join(stopper, NULL);
    pthread_join(caller, NULL);
    assert_int_equal(background.err, BF_OK);
    bf_bus_hang_up(background.client);
}

static void test_one_of_two_addresses_is_enough(void **state)
{
    bf_autofree char *both = bf_xasprintf("ipc://%s/away.bus  %s", dir, url);
    struct bf_bus_server *server = serve(url, 1);
    struct bf_bus_client *client = dial_and_wait(both);
    for (int i = 0; i < 20; i++)
        assert_int_equal(call_err(client, "Echo", PATIENCE_MS, BF_STR("")), BF_OK);
    bf_bus_hang_up(client);
    bf_bus_server_stop(server, PATIENCE_MS);
}

static void test_bad_addresses_are_refused(void **state)
{
    static const char *const bad[] = {"", "  ", "http://127.0.0.1", "nonsense", "tcp://127.0.0.1:99999"};
    for (size_t i = 0; i < BF_LEN(bad); i++) {
        struct bf_bus_client *client = NULL;
        struct bf_bus_server *server = NULL;
        assert_true(bf_bus_dial(bad[i], &client) != BF_OK);
        assert_true(bf_bus_serve(bad[i], 1, methods, 1, NULL, &server) != BF_OK);
    }
    struct bf_bus_server *server = NULL;
    assert_int_equal(bf_bus_serve(url, 0, methods, 1, NULL, &server), BF_INVALID);
    bf_bus_hang_up(NULL);
    bf_bus_server_stop(NULL, 0);
}

// ---- without waiting

struct tally {
    _Atomic int good, bad;
};

static void count_up(void *ctx, enum bf_err err, struct bf_str reply)
{
    struct tally *tally = ctx;
    if (!err && reply.len > 0)
        tally->good++;
    else
        tally->bad++;
}

// ---- an address that does not answer

#define HEDGE_MS 20

struct pair {
    struct character one, two;
    struct bf_bus_server *first, *second;
    struct bf_bus_client *client;
};

static bool both_connected(void *at)
{
    struct pair *pair = at;
    struct result result = call(pair->client, "Who", PATIENCE_MS, BF_STR(""));
    release(&result);
    return pair->one.asked > 0 && pair->two.asked > 0;
}

static void open_pair(struct pair *pair, int64_t hedge_ms)
{
    bf_autofree char *second_url = bf_xasprintf("ipc://%s/second.bus", dir);
    bf_autofree char *both = bf_xasprintf("%s %s", url, second_url);
    *pair = (struct pair){.one = {.name = "one"}, .two = {.name = "two"}};
    assert_int_equal(bf_bus_serve(url, 8, methods, BF_LEN(methods), &pair->one, &pair->first), BF_OK);
    assert_int_equal(bf_bus_serve(second_url, 8, methods, BF_LEN(methods), &pair->two, &pair->second), BF_OK);
    pair->client = dial(both);
    bf_bus_hedge(pair->client, hedge_ms);
    assert_true(became(both_connected, pair));
}

static void close_pair(struct pair *pair)
{
    may_go = true;
    bf_bus_hang_up(pair->client);
    bf_bus_server_stop(pair->first, PATIENCE_MS);
    bf_bus_server_stop(pair->second, PATIENCE_MS);
}

static void assert_answers(struct pair *pair, const char *name)
{
    struct result result = call(pair->client, "Who", PATIENCE_MS, BF_STR(""));
    assert_int_equal(result.err, BF_OK);
    assert_string_equal(result.body.at, name);
    release(&result);
}

static bool nobody_left_out(void *at)
{
    struct pair *pair = at;
    struct result result = call(pair->client, "Who", PATIENCE_MS, BF_STR(""));
    release(&result);
    return bf_bus_figures(pair->client).left_out == 0;
}

static void test_another_address_answers_for_one_that_hangs(void **state)
{
    struct pair pair;
    open_pair(&pair, HEDGE_MS);
    pair.one.stuck = true;
    for (int i = 0; i < 20; i++)
        assert_answers(&pair, "two");
    struct bf_bus_figures figures = bf_bus_figures(pair.client);
    assert_int_equal(figures.left_out, 1);
    assert_true(figures.hedges >= 1);
    may_go = true;
    assert_true(became(nobody_left_out, &pair));
    close_pair(&pair);
}

static void test_without_hedging_a_call_is_sent_once(void **state)
{
    struct pair pair;
    open_pair(&pair, 0);
    int before = pair.one.asked + pair.two.asked;
    pair.one.stuck = pair.two.stuck = true;
    assert_int_equal(call_err(pair.client, "Who", INT64_C(4) * HEDGE_MS, BF_STR("")), BF_TIMEOUT);
    may_go = true;
    assert_int_equal(pair.one.asked + pair.two.asked, before + 1);
    assert_int_equal(bf_bus_figures(pair.client).left_out, 1);
    close_pair(&pair);
}

// One is busy with a call, the other says that it cannot: the first may still be through with it.
static void *let_go_soon(void *at)
{
    struct pair *pair = at;
    while (pair->one.asked + pair->two.asked < 2)
        usleep(2000);
    may_go = true;
    return NULL;
}

// They take turns: the one after "two" is "one".
static bool turn_of_first(struct pair *pair)
{
    int before = pair->two.asked;
    assert_int_equal(call_err(pair->client, "Who", PATIENCE_MS, BF_STR("")), BF_OK);
    return pair->two.asked > before;
}

static void test_who_cannot_does_not_have_the_last_word(void **state)
{
    struct pair pair;
    pthread_t thread;
    open_pair(&pair, HEDGE_MS);
    while (!turn_of_first(&pair))
        ;
    pair.one.asked = pair.two.asked = 0;
    pair.one.stuck = pair.two.refuses = true;
    assert_int_equal(pthread_create(&thread, NULL, let_go_soon, &pair), 0);
    assert_answers(&pair, "one");
    pthread_join(thread, NULL);
    assert_int_equal(pair.two.asked, 1);
    close_pair(&pair);
}

static void test_who_cannot_is_asked_for_by_another_at_once(void **state)
{
    struct pair pair;
    open_pair(&pair, PATIENCE_MS); // nobody is sent a call twice for being slow
    pair.one.refuses = true;
    for (int i = 0; i < 200; i++) // more than a credit for slowness would pay
        assert_answers(&pair, "two");
    pair.two.refuses = true;
    assert_int_equal(call_err(pair.client, "Who", PATIENCE_MS, BF_STR("")), BF_UNAVAILABLE);
    close_pair(&pair);
}

static void *stop_first(void *at)
{
    struct pair *pair = at;
    while (pair->one.asked == 0)
        usleep(2000);
    bf_bus_server_stop(pair->first, 0);
    return NULL;
}

static void test_another_address_takes_over_when_a_connection_goes(void **state)
{
    struct pair pair;
    open_pair(&pair, 0);
    pthread_t thread;
    pair.one.asked = 0;
    pair.one.stuck = true;
    assert_int_equal(pthread_create(&thread, NULL, stop_first, &pair), 0);
    for (int i = 0; i < 3; i++)
        assert_answers(&pair, "two");
    may_go = true;
    pthread_join(thread, NULL);
    pair.first = NULL;
    assert_true(pair.one.asked > 0);
    close_pair(&pair);
}

static void test_hanging_up_ends_calls_that_wait_to_be_sent_again(void **state)
{
    struct pair pair;
    struct tally tally = {0, 0};
    open_pair(&pair, PATIENCE_MS);
    pair.one.stuck = pair.two.stuck = true;
    for (int i = 0; i < 10; i++)
        bf_bus_call_async(pair.client, "Who", NULL, NULL, INT64_C(2) * PATIENCE_MS, BF_STR(""), count_up,
                          &tally);
    bf_bus_hang_up(pair.client);
    pair.client = NULL;
    assert_int_equal(tally.good, 0);
    assert_int_equal(tally.bad, 10);
    close_pair(&pair);
}

#define MANY 2000

static bool all_done(void *at)
{
    struct tally *tally = at;
    return tally->good + tally->bad == MANY;
}

static void test_many_calls_at_once_over_two_servers(void **state)
{
    bf_autofree char *second_url = bf_xasprintf("ipc://%s/second.bus", dir);
    bf_autofree char *both = bf_xasprintf("%s %s", url, second_url);
    struct bf_bus_server *first = serve(url, 2);
    struct bf_bus_server *second = serve(second_url, 2);
    struct bf_bus_client *client = dial_and_wait(both);
    struct tally tally = {0, 0};
    for (int i = 0; i < MANY; i++)
        bf_bus_call_async(client, "Echo", NULL, NULL, PATIENCE_MS, BF_STR("x"), count_up, &tally);
    assert_true(became(all_done, &tally));
    assert_int_equal(tally.good, MANY);
    bf_bus_hang_up(client);
    bf_bus_server_stop(first, PATIENCE_MS);
    bf_bus_server_stop(second, PATIENCE_MS);
}

static void test_hanging_up_ends_every_call_once(void **state)
{
    struct bf_bus_server *server = serve(url, 1);
    struct bf_bus_client *client = dial_and_wait(url);
    struct tally tally = {0, 0};
    for (int i = 0; i < 100; i++)
        bf_bus_call_async(client, "Hang", NULL, NULL, PATIENCE_MS, BF_STR("x"), count_up, &tally);
    assert_true(became(someone_entered, NULL));
    bf_bus_hang_up(client);
    assert_int_equal(tally.good, 0);
    assert_int_equal(tally.bad, 100);
    may_go = true;
    bf_bus_server_stop(server, PATIENCE_MS);
}

// ---- feeds

struct heard {
    _Atomic int count;
    _Atomic int out_of_order;
    _Atomic int last;
};

static void hear(void *ctx, struct bf_str message)
{
    struct heard *heard = ctx;
    int64_t number = 0;
    if (!bf_parse_int(message, 0, INT32_MAX, &number))
        return;
    if (number > 0 && number <= heard->last)
        heard->out_of_order++;
    if (number > 0)
        heard->last = (int)number;
    heard->count++;
}

static bool heard_something(void *at)
{
    return ((struct heard *)at)->count > 0;
}

static bool heard_the_last(void *at)
{
    return ((struct heard *)at)->last == 1000;
}

static void publish_number(struct bf_bus_publisher *publisher, int number)
{
    char text[16];
    int len = snprintf(text, sizeof(text), "%d", number);
    assert_int_equal(bf_bus_publish(publisher, (struct bf_str){text, (size_t)len}), BF_OK);
}

// Late joiners miss the first ones.
static void publish_until_heard(struct bf_bus_publisher *publisher, struct heard *heard)
{
    for (int i = 0; i < PATIENCE_MS / 5 && !heard_something(heard); i++) {
        publish_number(publisher, 0);
        usleep(5000);
    }
}

static void test_a_feed_arrives_in_order(void **state)
{
    struct bf_bus_publisher *publisher = NULL;
    struct bf_bus_subscriber *subscriber = NULL;
    static struct heard heard;
    assert_int_equal(bf_bus_publisher_open(url, &publisher), BF_OK);
    assert_int_equal(bf_bus_subscribe(url, hear, &heard, &subscriber), BF_OK);
    publish_until_heard(publisher, &heard);
    for (int i = 1; i <= 1000; i++)
        publish_number(publisher, i);
    assert_true(became(heard_the_last, &heard));
    assert_int_equal(heard.out_of_order, 0);
    bf_autofree char *large = bf_xcalloc(1, BF_BUS_BYTES_MAX + 1);
    assert_int_equal(bf_bus_publish(publisher, (struct bf_str){large, BF_BUS_BYTES_MAX + 1}), BF_TOO_LARGE);
    bf_bus_unsubscribe(subscriber);
    bf_bus_publisher_close(publisher);
    bf_bus_unsubscribe(NULL);
    bf_bus_publisher_close(NULL);
}

#define BUS_TEST(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        BUS_TEST(test_a_call_is_answered),
        BUS_TEST(test_an_ipc_socket_is_the_owners_alone),
        BUS_TEST(test_a_stale_socket_file_goes_but_no_other_file),
        BUS_TEST(test_nobody_there_fails_fast),
        BUS_TEST(test_a_slow_answer_is_a_timeout),
        BUS_TEST(test_sizes_are_capped_both_ways),
        BUS_TEST(test_bad_requests_are_refused),
        BUS_TEST(test_calls_end_when_the_server_goes_and_work_when_it_is_back),
        BUS_TEST(test_draining_answers_what_was_begun),
        BUS_TEST(test_one_of_two_addresses_is_enough),
        BUS_TEST(test_bad_addresses_are_refused),
        BUS_TEST(test_many_calls_at_once_over_two_servers),
        BUS_TEST(test_hanging_up_ends_every_call_once),
        BUS_TEST(test_another_address_answers_for_one_that_hangs),
        BUS_TEST(test_without_hedging_a_call_is_sent_once),
        BUS_TEST(test_who_cannot_does_not_have_the_last_word),
        BUS_TEST(test_who_cannot_is_asked_for_by_another_at_once),
        BUS_TEST(test_another_address_takes_over_when_a_connection_goes),
        BUS_TEST(test_hanging_up_ends_calls_that_wait_to_be_sent_again),
        BUS_TEST(test_a_feed_arrives_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
