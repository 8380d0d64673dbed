// Calling: each call under way has its own nng context; contexts are kept for the next call.
//
// A call is sent, then received, by one aio. When the last connection goes, every call under way is aborted:
// nng itself would let it wait for its deadline. A connection that goes while others stay makes nng send the
// call again there.
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "belfry/bus/v1/bus.pb-c.h"
#include "bf_bus_nng.h"
#include "bf_clock.h"
#include "bf_id.h"
#include "bf_metrics.h"

#define CALLS_MAX 16384

typedef void call_done(void *ctx, enum bf_err err, const Belfry__Bus__V1__Reply *reply);

enum phase {
    PHASE_IDLE,
    PHASE_SENDING,
    PHASE_RECEIVING,
};

struct call {
    struct bf_bus_client *client;
    struct call *next_all; // every call there is, until the client goes
    struct call *next_idle;
    nng_ctx ctx;
    nng_aio *aio;
    _Atomic enum phase phase;
    uint64_t began_us;
    uint64_t deadline_mono_ms;
    call_done *done;
    void *done_ctx;
};

struct bf_bus_client {
    nng_socket socket;
    _Atomic int64_t connections;
    pthread_mutex_t lock;
    pthread_cond_t fewer;
    struct call *all;
    struct call *idle;
    size_t call_count;
    size_t users; // calls under way, and threads that are just beginning one
    _Atomic bool closing;
};

enum { CALLS, CALL_ERRORS, CALL_TIMEOUTS, CALLS_REFUSED, CALLS_UNDER_WAY, SECONDS };

static struct bf_metric metrics[] = {
    [CALLS] = {.name = "belfry_bus_calls_total", .help = "Bus calls", .labels = "result=\"answered\""},
    [CALL_ERRORS] = {.name = "belfry_bus_calls_total",
                     .help = "Bus calls",
                     .labels = "result=\"unavailable\""},
    [CALL_TIMEOUTS] = {.name = "belfry_bus_calls_total", .help = "Bus calls", .labels = "result=\"timeout\""},
    [CALLS_REFUSED] = {.name = "belfry_bus_calls_refused_total",
                       .help = "Bus calls over the limit of calls at once"},
    [CALLS_UNDER_WAY] = {.name = "belfry_bus_calls_under_way", .kind = BF_GAUGE, .help = "Bus calls waiting"},
    [SECONDS] = {.name = "belfry_bus_call_seconds",
                 .kind = BF_HISTOGRAM,
                 .help = "From a bus call to its answer"},
};

// ---- a call's end

static void give_back(struct call *call)
{
    struct bf_bus_client *client = call->client;
    bf_metric_add(&metrics[CALLS_UNDER_WAY], -1);
    pthread_mutex_lock(&client->lock);
    call->next_idle = client->idle;
    client->idle = call;
    client->users--;
    pthread_cond_signal(&client->fewer);
    pthread_mutex_unlock(&client->lock);
}

static void count(const struct call *call, enum bf_err err, bool answered)
{
    bf_metric_add(&metrics[answered ? CALLS : err == BF_TIMEOUT ? CALL_TIMEOUTS : CALL_ERRORS], 1);
    bf_metric_observe_us(&metrics[SECONDS], bf_mono_us() - call->began_us);
}

// `done` runs before the call is given back, so that hanging up waits for it.
static void end(struct call *call, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    count(call, err, reply != NULL);
    call->phase = PHASE_IDLE;
    call->done(call->done_ctx, err, reply);
    give_back(call);
}

static void end_with_message(struct call *call, nng_msg *message)
{
    size_t len = nng_msg_len(message);
    Belfry__Bus__V1__Reply *reply = NULL;
    if (len <= BF_BUS_FRAME_BYTES)
        reply = belfry__bus__v1__reply__unpack(NULL, len, nng_msg_body(message));
    nng_msg_free(message);
    end(call, reply ? bf_err_from_bus(reply->status) : BF_PROTOCOL, reply);
    if (reply)
        belfry__bus__v1__reply__free_unpacked(reply, NULL);
}

static nng_duration left_ms(const struct call *call)
{
    uint64_t now = bf_mono_ms();
    return now >= call->deadline_mono_ms ? 0 : (nng_duration)(call->deadline_mono_ms - now);
}

static bool hopeless(const struct bf_bus_client *client)
{
    return client->connections == 0 || client->closing;
}

static void on_aio(void *at)
{
    struct call *call = at;
    int failed = nng_aio_result(call->aio);
    if (failed) {
        if (call->phase == PHASE_SENDING)
            nng_msg_free(nng_aio_get_msg(call->aio));
        end(call, bf_bus_err(failed), NULL);
    } else if (call->phase == PHASE_RECEIVING) {
        end_with_message(call, nng_aio_get_msg(call->aio));
    } else {
        call->phase = PHASE_RECEIVING;
        nng_aio_set_timeout(call->aio, left_ms(call));
        nng_ctx_recv(call->ctx, call->aio);
        if (hopeless(call->client)) // the connection went between the two
            nng_aio_abort(call->aio, NNG_ECONNABORTED);
    }
}

// ---- a call's start

static struct call *new_call(struct bf_bus_client *client)
{
    struct call *call = bf_xcalloc(1, sizeof(*call));
    call->client = client;
    if (nng_ctx_open(&call->ctx, client->socket)) {
        free(call);
        return NULL;
    }
    if (nng_aio_alloc(&call->aio, on_aio, call)) {
        nng_ctx_close(call->ctx);
        free(call);
        return NULL;
    }
    return call;
}

// Under the lock.
static struct call *take_call(struct bf_bus_client *client)
{
    struct call *call = client->idle;
    if (call) {
        client->idle = call->next_idle;
        return call;
    }
    if (client->call_count == CALLS_MAX)
        return NULL;
    call = new_call(client);
    if (call) {
        call->next_all = client->all;
        client->all = call;
        client->call_count++;
    }
    return call;
}

static enum bf_err borrow(struct bf_bus_client *client, struct call **ret_call)
{
    struct call *call = NULL;
    pthread_mutex_lock(&client->lock);
    bool closing = client->closing;
    if (!closing)
        call = take_call(client);
    if (call)
        client->users += 2; // the call, and whoever begins it: see leave()
    pthread_mutex_unlock(&client->lock);
    if (!call) {
        bf_metric_add(&metrics[CALLS_REFUSED], !closing);
        return BF_UNAVAILABLE;
    }
    bf_metric_add(&metrics[CALLS_UNDER_WAY], 1);
    *ret_call = call;
    return BF_OK;
}

static nng_msg *pack_request(const char *method, const char *tenant_id, const char *request_id,
                             int64_t timeout_ms, struct bf_str body)
{
    char fresh_id[BF_ID_TEXT_SIZE];
    Belfry__Bus__V1__Request request = BELFRY__BUS__V1__REQUEST__INIT;
    request.method = (char *)method;
    request.request_id = (char *)(request_id ? request_id : bf_id_text(bf_id_new(), fresh_id));
    request.deadline_ms = bf_unix_ms() + (uint64_t)timeout_ms;
    request.tenant_id = (char *)(tenant_id ? tenant_id : "");
    request.body.data = (uint8_t *)body.at;
    request.body.len = body.len;
    nng_msg *message = NULL;
    if (nng_msg_alloc(&message, belfry__bus__v1__request__get_packed_size(&request)))
        return NULL;
    belfry__bus__v1__request__pack(&request, nng_msg_body(message));
    return message;
}

// The call may be over before its beginner has looked at the client for the last time; hanging up waits for
// both.
static void leave(struct bf_bus_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->users--;
    pthread_cond_signal(&client->fewer);
    pthread_mutex_unlock(&client->lock);
}

static enum bf_err start_call(struct bf_bus_client *client, nng_msg *message, int64_t timeout_ms,
                              call_done *done, void *ctx)
{
    struct call *call = NULL;
    enum bf_err err = borrow(client, &call);
    if (err) {
        nng_msg_free(message);
        return err;
    }
    call->began_us = bf_mono_us();
    call->deadline_mono_ms = bf_mono_ms() + (uint64_t)timeout_ms;
    call->done = done;
    call->done_ctx = ctx;
    call->phase = PHASE_SENDING;
    nng_aio *aio = call->aio;
    nng_aio_set_timeout(aio, (nng_duration)timeout_ms);
    nng_aio_set_msg(aio, message);
    nng_ctx_send(call->ctx, aio);
    // From here on the call may already be over and belong to somebody else, whom an abort would hit; but
    // when nothing is connected, that one is as hopeless.
    if (hopeless(client))
        nng_aio_abort(aio, NNG_ECONNABORTED);
    leave(client);
    return BF_OK;
}

// Everything that is wrong at once is told by the return value; otherwise `done` runs once.
static enum bf_err begin(struct bf_bus_client *client, const char *method, const char *tenant_id,
                         const char *request_id, int64_t timeout_ms, struct bf_str body, call_done *done,
                         void *ctx)
{
    if (body.len > BF_BUS_BYTES_MAX)
        return BF_TOO_LARGE;
    if (timeout_ms <= 0)
        return BF_TIMEOUT;
    timeout_ms = timeout_ms > INT32_MAX ? INT32_MAX : timeout_ms;
    if (hopeless(client)) {
        bf_metric_add(&metrics[CALL_ERRORS], 1);
        return BF_UNAVAILABLE;
    }
    nng_msg *message = pack_request(method, tenant_id, request_id, timeout_ms, body);
    return message ? start_call(client, message, timeout_ms, done, ctx) : BF_UNAVAILABLE;
}

// ---- the two ways to call

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    enum bf_err err;
    struct bf_buf *body;
    struct bf_buf *error;
};

static void wake(void *at, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    struct waiter *waiter = at;
    if (reply && !err)
        bf_buf_add(waiter->body, reply->body.data, reply->body.len);
    if (reply && waiter->error)
        bf_buf_str(waiter->error, reply->error);
    pthread_mutex_lock(&waiter->lock);
    waiter->err = err;
    waiter->over = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

enum bf_err bf_bus_call(struct bf_bus_client *client, const char *method, const char *tenant_id,
                        const char *request_id, int64_t timeout_ms, struct bf_str body,
                        struct bf_buf *ret_body, struct bf_buf *error)
{
    struct waiter waiter = {.body = ret_body, .error = error};
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.ended, NULL);
    enum bf_err err = begin(client, method, tenant_id, request_id, timeout_ms, body, wake, &waiter);
    if (!err) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.over)
            pthread_cond_wait(&waiter.ended, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        err = waiter.err;
    }
    pthread_cond_destroy(&waiter.ended);
    pthread_mutex_destroy(&waiter.lock);
    if (!err && !bf_buf_ok(ret_body))
        return BF_TOO_LARGE;
    return err;
}

struct async {
    bf_bus_done *done;
    void *ctx;
};

static void pass_on(void *at, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    struct async *async = at;
    struct bf_str body = {NULL, 0};
    if (reply && !err)
        body = (struct bf_str){(const char *)reply->body.data, reply->body.len};
    async->done(async->ctx, err, body);
    free(async);
}

void bf_bus_call_async(struct bf_bus_client *client, const char *method, const char *tenant_id,
                       const char *request_id, int64_t timeout_ms, struct bf_str body, bf_bus_done *done,
                       void *ctx)
{
    struct async *async = bf_xcalloc(1, sizeof(*async));
    *async = (struct async){done, ctx};
    enum bf_err err = begin(client, method, tenant_id, request_id, timeout_ms, body, pass_on, async);
    if (err)
        pass_on(async, err, NULL);
}

// ---- connections

// Under the lock: ending a call only queues its callback, which then waits for the lock.
static void abort_all(struct bf_bus_client *client)
{
    for (struct call *call = client->all; call; call = call->next_all)
        if (call->phase != PHASE_IDLE)
            nng_aio_abort(call->aio, NNG_ECONNABORTED);
}

static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *at)
{
    struct bf_bus_client *client = at;
    if (event == NNG_PIPE_EV_ADD_POST) {
        client->connections++;
        return;
    }
    if (--client->connections > 0)
        return;
    pthread_mutex_lock(&client->lock);
    abort_all(client);
    pthread_mutex_unlock(&client->lock);
}

static enum bf_err connect_all(struct bf_bus_client *client, const char *urls)
{
    int failed = nng_socket_set_ms(client->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    if (!failed)
        failed = nng_socket_set_size(client->socket, NNG_OPT_RECVMAXSZ, BF_BUS_FRAME_BYTES);
    if (!failed)
        failed = nng_pipe_notify(client->socket, NNG_PIPE_EV_ADD_POST, on_pipe, client);
    if (!failed)
        failed = nng_pipe_notify(client->socket, NNG_PIPE_EV_REM_POST, on_pipe, client);
    return failed ? bf_bus_err(failed) : bf_bus_dial_all(client->socket, urls);
}

enum bf_err bf_bus_dial(const char *urls, struct bf_bus_client **ret_client)
{
    bf_metrics_register(metrics, BF_LEN(metrics));
    struct bf_bus_client *client = bf_xcalloc(1, sizeof(*client));
    int failed = nng_req0_open(&client->socket);
    if (failed) {
        free(client);
        return bf_bus_err(failed);
    }
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->fewer, NULL);
    enum bf_err err = connect_all(client, urls);
    if (err) {
        bf_bus_hang_up(client);
        return err;
    }
    *ret_client = client;
    return BF_OK;
}

// A callback may still be on its way out of nng or give_back(): freeing its aio waits for it. All this comes
// before the socket is closed, because nng 1.5 crashes when a socket goes while a thread is inside
// nng_ctx_recv or nng_ctx_send.
static void free_calls(struct bf_bus_client *client)
{
    for (struct call *call = client->all, *next; call; call = next) {
        next = call->next_all;
        nng_aio_free(call->aio);
        nng_ctx_close(call->ctx);
        free(call);
    }
    client->all = NULL; // the connections' callback comes once more
}

void bf_bus_hang_up(struct bf_bus_client *client)
{
    if (!client)
        return;
    pthread_mutex_lock(&client->lock);
    client->closing = true;
    abort_all(client);
    while (client->users > 0)
        pthread_cond_wait(&client->fewer, &client->lock);
    pthread_mutex_unlock(&client->lock);
    free_calls(client);
    nng_close(client->socket);
    pthread_cond_destroy(&client->fewer);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

bool bf_bus_connected(const struct bf_bus_client *client)
{
    return client->connections > 0;
}
