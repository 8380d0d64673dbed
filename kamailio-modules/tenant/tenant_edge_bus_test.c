// The endpoint with a real bus; the Kamailio process is played by a thread that reads the pipe.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "belfry/edge/v1/edge.pb-c.h"
#include "bf_bus.h"
#include "bf_clock.h"
#include "tenant_edge_bus.h"
#include "tenant_fixture.h"

enum { DEADLINE_MS = 5000 };

static struct {
    int pipe[2];
    pthread_t worker;
    struct tenant_orders *orders;
    struct tenant_edge_bus *bus;
    struct bf_bus_client *client;
    _Atomic int resyncs;
    _Atomic bool hold; // orders are read and not finished
    _Atomic uint32_t held;
    pthread_mutex_t lock;
    struct tenant_order last; // under lock: whom nng wakes is not seen by ThreadSanitizer
} world;

// Finishes each order: NOT_FOUND for the call 9, else OK with something in it.
static void work_on(struct tenant_order *order)
{
    bool unknown = bf_id_eq(order->call, fixture_id(9));

    pthread_mutex_lock(&world.lock);
    world.last = *order;
    pthread_mutex_unlock(&world.lock);
    strcpy(order->call_id, "sip-call");
    strcpy(order->relay, "udp:127.0.0.1:1");
    tenant_order_finish(world.orders, order, unknown ? BF_NOT_FOUND : BF_OK, unknown ? "not here" : NULL);
}

static struct tenant_order last_order(void)
{
    pthread_mutex_lock(&world.lock);
    struct tenant_order last = world.last;
    pthread_mutex_unlock(&world.lock);
    return last;
}

static void *work(void *unused)
{
    uint32_t number;

    while (read(world.pipe[0], &number, sizeof(number)) == sizeof(number)) {
        struct tenant_order *order = tenant_orders_at(world.orders, number);
        assert_non_null(order);
        assert_int_equal(tenant_order_number(world.orders, order), number);
        if (world.hold)
            atomic_fetch_add(&world.held, 1);
        else
            work_on(order);
    }
    return NULL;
}

static void hook_resync(void *ctx)
{
    atomic_fetch_add(&world.resyncs, 1);
}

static const struct tenant_edge_bus_hooks HOOKS = {hook_resync};

static int setup(void **state)
{
    char url[64];
    uint64_t until_ms = bf_mono_ms() + DEADLINE_MS;

    memset(&world, 0, sizeof(world));
    pthread_mutex_init(&world.lock, NULL);
    snprintf(url, sizeof(url), "inproc://edge-%d", (int)getpid());
    assert_int_equal(pipe(world.pipe), 0);
    fcntl(world.pipe[1], F_SETFL, O_NONBLOCK);
    world.orders = tenant_orders_init(aligned_alloc(64, (tenant_orders_bytes() + 63) & ~63ul), world.pipe[1]);
    pthread_create(&world.worker, NULL, work, NULL);
    assert_int_equal(tenant_edge_bus_open(url, world.orders, &HOOKS, NULL, &world.bus), BF_OK);
    assert_int_equal(bf_bus_dial(url, &world.client), BF_OK);
    while (!bf_bus_connected(world.client) && bf_mono_ms() < until_ms)
        usleep(1000);
    return 0;
}

static int teardown(void **state)
{
    bf_bus_hang_up(world.client);
    tenant_edge_bus_close(world.bus);
    close(world.pipe[1]);
    pthread_join(world.worker, NULL);
    pthread_mutex_destroy(&world.lock);
    close(world.pipe[0]);
    free(world.orders);
    return 0;
}

static char error_text[512];
static struct bf_buf reply;

static enum bf_err ask(const char *method, const ProtobufCMessage *message, int64_t timeout_ms)
{
    struct bf_buf error;
    uint8_t bytes[2048];
    enum bf_err err;
    size_t len = protobuf_c_message_pack(message, bytes);

    bf_buf_init(&error, sizeof(error_text));
    bf_buf_init(&reply, 4096);
    err = bf_bus_call(world.client, method, "", NULL, timeout_ms, (struct bf_str){(char *)bytes, len}, &reply,
                      &error);
    snprintf(error_text, sizeof(error_text), "%s", error.at ? error.at : "");
    bf_buf_release(&error);
    return err;
}

static enum bf_err ask_and_forget(const char *method, const ProtobufCMessage *message, int64_t timeout_ms)
{
    enum bf_err err = ask(method, message, timeout_ms);

    bf_buf_release(&reply);
    return err;
}

static ProtobufCBinaryData data_of(struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), id->bytes};
}

static enum bf_err end_call(uint32_t call, const char *reason, int64_t timeout_ms)
{
    Belfry__Edge__V1__EndCallRequest request = BELFRY__EDGE__V1__END_CALL_REQUEST__INIT;
    struct bf_id id = fixture_id(call);

    request.call = data_of(&id);
    request.reason = (char *)reason;
    return ask_and_forget("EndCall", &request.base, timeout_ms);
}

static enum bf_err transfer(const char *to)
{
    Belfry__Edge__V1__TransferCallRequest request = BELFRY__EDGE__V1__TRANSFER_CALL_REQUEST__INIT;
    struct bf_id id = fixture_id(2);

    request.call = data_of(&id);
    request.to = (char *)to;
    request.callee = true;
    return ask_and_forget("TransferCall", &request.base, DEADLINE_MS);
}

static enum bf_err originate(const char *domain, const char *from, const char *to)
{
    Belfry__Edge__V1__OriginateRequest request = BELFRY__EDGE__V1__ORIGINATE_REQUEST__INIT;
    struct bf_id tenant = fixture_id(4), call = fixture_id(5);

    request.tenant_id = data_of(&tenant);
    request.call = data_of(&call);
    request.realm_domain = (char *)domain;
    request.from = (char *)from;
    request.to = (char *)to;
    return ask_and_forget("Originate", &request.base, DEADLINE_MS);
}

static void test_an_order_is_carried_out_and_answered(void **state)
{
    assert_int_equal(end_call(1, "operator", DEADLINE_MS), BF_OK);
    assert_int_equal(last_order().kind, TENANT_ORDER_END);
    assert_true(bf_id_eq(last_order().call, fixture_id(1)));
    assert_string_equal(last_order().reason, "operator");
    assert_int_equal(end_call(9, "", DEADLINE_MS), BF_NOT_FOUND);
    assert_string_equal(error_text, "not here");
    assert_int_equal(transfer("102"), BF_OK);
    assert_int_equal(last_order().kind, TENANT_ORDER_TRANSFER);
    assert_true(last_order().callee);
    assert_int_equal(originate("a.example", "101", "+4930102"), BF_OK);
    assert_int_equal(last_order().kind, TENANT_ORDER_ORIGINATE);
    assert_string_equal(last_order().domain, "a.example");
    assert_string_equal(last_order().to, "+4930102");
}

static void test_what_must_not_stand_in_a_sip_message_is_refused(void **state)
{
    static const char *const NUMBERS[] = {
        "",    "1>",  "1 2", "1\r\nX: y",
        "1@x", "1;x", "1?x", "11111111111111111111111111111111111111111111111111111111111111111"};

    for (size_t i = 0; i < BF_LEN(NUMBERS); i++) {
        assert_int_equal(transfer(NUMBERS[i]), BF_INVALID);
        assert_int_equal(originate("a.example", NUMBERS[i], "1"), BF_INVALID);
        assert_int_equal(originate("a.example", "1", NUMBERS[i]), BF_INVALID);
    }
    assert_int_equal(originate("a.example>", "1", "2"), BF_INVALID);
    assert_int_equal(originate("", "1", "2"), BF_INVALID);
    assert_int_equal(end_call(1, "a\"b", DEADLINE_MS), BF_INVALID);
    assert_int_equal(end_call(1, "a\r\nb", DEADLINE_MS), BF_INVALID);
    assert_non_null(strstr(error_text, "reason"));
}

static void test_a_call_needs_an_id(void **state)
{
    Belfry__Edge__V1__EndCallRequest request = BELFRY__EDGE__V1__END_CALL_REQUEST__INIT;
    uint8_t nil[16] = {0};

    assert_int_equal(ask_and_forget("EndCall", &request.base, DEADLINE_MS), BF_INVALID);
    request.call = (ProtobufCBinaryData){sizeof(nil), nil};
    assert_int_equal(ask_and_forget("EndCall", &request.base, DEADLINE_MS), BF_INVALID);
}

static void test_media_figures_name_the_sip_call_and_its_relay(void **state)
{
    Belfry__Edge__V1__MediaFiguresRequest request = BELFRY__EDGE__V1__MEDIA_FIGURES_REQUEST__INIT;
    Belfry__Edge__V1__MediaFiguresReply *figures;
    struct bf_id id = fixture_id(1);

    request.call = data_of(&id);
    assert_int_equal(ask("MediaFigures", &request.base, DEADLINE_MS), BF_OK);
    figures = belfry__edge__v1__media_figures_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
    assert_string_equal(figures->call_id, "sip-call");
    assert_string_equal(figures->relay, "udp:127.0.0.1:1");
    belfry__edge__v1__media_figures_reply__free_unpacked(figures, NULL);
    bf_buf_release(&reply);
}

static void test_resync_is_passed_on(void **state)
{
    Belfry__Edge__V1__ResyncRequest request = BELFRY__EDGE__V1__RESYNC_REQUEST__INIT;

    assert_int_equal(ask_and_forget("Resync", &request.base, DEADLINE_MS), BF_OK);
    assert_int_equal(world.resyncs, 1);
}

static void test_a_late_order_times_out_and_is_free_again_once_it_is_over(void **state)
{
    struct tenant_order order = {.kind = TENANT_ORDER_END, .call = fixture_id(1)};
    uint64_t until_ms = bf_mono_ms() + DEADLINE_MS;

    world.hold = true;
    for (uint32_t i = 0; i < TENANT_ORDERS; i++)
        assert_int_equal(tenant_orders_do(world.orders, &order, 1), BF_TIMEOUT);
    assert_int_equal(tenant_orders_do(world.orders, &order, 1), BF_LIMIT);
    assert_int_equal(end_call(1, "", DEADLINE_MS), BF_LIMIT);
    while (world.held < TENANT_ORDERS && bf_mono_ms() < until_ms)
        usleep(1000);
    assert_int_equal(world.held, TENANT_ORDERS);
    world.hold = false;
    for (uint32_t i = 0; i < TENANT_ORDERS; i++)
        tenant_order_finish(world.orders, tenant_orders_at(world.orders, i), BF_OK, NULL);
    assert_int_equal(end_call(1, "", DEADLINE_MS), BF_OK);
}

static enum bf_err add_branch(const char *uri, const char *ruid)
{
    Belfry__Edge__V1__AddBranchRequest request = BELFRY__EDGE__V1__ADD_BRANCH_REQUEST__INIT;
    struct bf_id call = fixture_id(1), device = fixture_id(2);

    request.call = data_of(&call);
    request.device = data_of(&device);
    request.number = (char *)"101";
    request.uri = (char *)uri;
    request.ruid = (char *)ruid;
    request.edge = (char *)"edge-2";
    return ask_and_forget("AddBranch", &request.base, DEADLINE_MS);
}

static void test_a_branch_is_added_if_it_may_stand_in_a_message(void **state)
{
    static char long_uri[1200];

    assert_int_equal(add_branch("sip:101@192.0.2.1", "uloc-1"), BF_OK);
    assert_int_equal(add_branch("sip:101@192.0.2.1\r\nX: y", "uloc-1"), BF_INVALID);
    assert_int_equal(add_branch("", "uloc-1"), BF_INVALID);
    assert_int_equal(add_branch("sip:101@192.0.2.1", ""), BF_INVALID);
    assert_int_equal(add_branch("sip:101@192.0.2.1", "a;b=c"), BF_INVALID);
    memset(long_uri, 'a', sizeof(long_uri) - 1);
    assert_int_equal(add_branch(long_uri, "uloc-1"), BF_INVALID);
}

static void test_a_number_of_no_order_is_nonsense(void **state)
{
    assert_null(tenant_orders_at(world.orders, TENANT_ORDERS));
    assert_null(tenant_orders_at(world.orders, UINT32_MAX));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_order_is_carried_out_and_answered),
        TEST(test_what_must_not_stand_in_a_sip_message_is_refused),
        TEST(test_a_call_needs_an_id),
        TEST(test_media_figures_name_the_sip_call_and_its_relay),
        TEST(test_resync_is_passed_on),
        TEST(test_a_late_order_times_out_and_is_free_again_once_it_is_over),
        TEST(test_a_branch_is_added_if_it_may_stand_in_a_message),
        TEST(test_a_number_of_no_order_is_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
