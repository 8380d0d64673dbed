// Serving: each worker thread has its own context and goes receive, handle, send.
#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "belfry/bus/v1/bus.pb-c.h"
#include "bf_bus_nng.h"
#include "bf_clock.h"
#include "bf_id.h"
#include "bf_metrics.h"
#include "bf_wait.h"

#define CONTEXTS_MAX    256
#define SEND_TIMEOUT_MS 5000
#define ERROR_BYTES_MAX 512
#define METHOD_LEN_MAX  64

struct worker {
    struct bf_bus_server *server;
    nng_ctx ctx;
    nng_aio *receiving;
    nng_aio *sending;
    pthread_t thread;
    bool started;
    struct bf_buf body;
    struct bf_buf error;
};

struct bf_bus_server {
    nng_socket socket;
    const struct bf_bus_method *methods;
    size_t method_count;
    void *ctx;
    struct worker *workers;
    size_t worker_count;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t running;
    // nng 1.5 crashes when a socket goes while a thread is inside nng_ctx_recv or nng_ctx_send: these are
    // called with the gate held for reading, the socket is closed with it held for writing.
    pthread_rwlock_t gate;
    bool closed;
};

enum { SERVED, FAILED, DROPPED, MALFORMED, UNSENT, SECONDS };

static struct bf_metric metrics[] = {
    [SERVED] = {.name = "belfry_bus_requests_total",
                .help = "Bus requests handled",
                .labels = "result=\"ok\""},
    [FAILED] = {.name = "belfry_bus_requests_total",
                .help = "Bus requests handled",
                .labels = "result=\"error\""},
    [DROPPED] = {.name = "belfry_bus_requests_late_total",
                 .help = "Bus requests dropped: their deadline had passed"},
    [MALFORMED] = {.name = "belfry_bus_requests_malformed_total",
                   .help = "Bus messages that are no valid request"},
    [UNSENT] = {.name = "belfry_bus_replies_unsent_total", .help = "Bus replies that nobody took"},
    [SECONDS] = {.name = "belfry_bus_request_seconds",
                 .kind = BF_HISTOGRAM,
                 .help = "Time to handle a bus request"},
};

typedef void start_io(nng_ctx ctx, nng_aio *aio);

// False when the socket is gone; otherwise the aio's result tells.
static bool run_io(struct worker *worker, start_io *start, nng_aio *aio)
{
    pthread_rwlock_rdlock(&worker->server->gate);
    bool closed = worker->server->closed;
    if (!closed)
        start(worker->ctx, aio);
    pthread_rwlock_unlock(&worker->server->gate);
    if (!closed)
        nng_aio_wait(aio);
    return !closed && nng_aio_result(aio) == 0;
}

// ---- one request

static enum bf_err refuse(struct worker *worker, enum bf_err err, const char *text)
{
    bf_buf_str(&worker->error, text);
    return err;
}

static bool text_ok(const char *text, size_t len_max)
{
    size_t len = strlen(text);
    return len <= len_max &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static enum bf_err check(struct worker *worker, const Belfry__Bus__V1__Request *request)
{
    struct bf_id tenant;
    if (!*request->method || !text_ok(request->method, METHOD_LEN_MAX))
        return refuse(worker, BF_INVALID, "method: must be 1 to 64 letters and digits");
    if (!text_ok(request->request_id, BF_BUS_REQUEST_ID_SIZE - 1))
        return refuse(worker, BF_INVALID, "request_id: must be at most 64 of [A-Za-z0-9._-]");
    if (*request->tenant_id && !bf_id_parse(bf_str(request->tenant_id), &tenant))
        return refuse(worker, BF_INVALID, "tenant_id: must be a UUID or empty");
    if (!request->deadline_ms)
        return refuse(worker, BF_INVALID, "deadline_ms: must be set");
    if (request->body.len > BF_BUS_BYTES_MAX)
        return refuse(worker, BF_TOO_LARGE, "body: must be at most 4 MiB");
    return BF_OK;
}

static const struct bf_bus_method *find_method(const struct bf_bus_server *server, const char *name)
{
    for (size_t i = 0; i < server->method_count; i++)
        if (strcmp(server->methods[i].name, name) == 0)
            return &server->methods[i];
    return NULL;
}

static enum bf_err handle(struct worker *worker, const Belfry__Bus__V1__Request *packed)
{
    const struct bf_bus_server *server = worker->server;
    const struct bf_bus_method *method = find_method(server, packed->method);
    if (!method)
        return refuse(worker, BF_METHOD, "there is no such method");
    const struct bf_bus_request request = {
        .method = packed->method,
        .request_id = packed->request_id,
        .tenant_id = packed->tenant_id,
        .deadline_ms = packed->deadline_ms,
        .body = {(const char *)packed->body.data, packed->body.len},
    };
    enum bf_err err = method->handle(&request, &worker->body, &worker->error, server->ctx);
    if (!err && !bf_buf_ok(&worker->body))
        err = refuse(worker, BF_TOO_LARGE, "the reply is larger than 4 MiB");
    return err;
}

static nng_msg *pack_reply(struct worker *worker, enum bf_err err)
{
    Belfry__Bus__V1__Reply reply = BELFRY__BUS__V1__REPLY__INIT;
    reply.status = (uint32_t)err;
    reply.error = worker->error.at;
    if (!err) {
        reply.body.data = (uint8_t *)worker->body.at;
        reply.body.len = worker->body.len;
    }
    nng_msg *message = NULL;
    if (nng_msg_alloc(&message, belfry__bus__v1__reply__get_packed_size(&reply)))
        return NULL;
    belfry__bus__v1__reply__pack(&reply, nng_msg_body(message));
    return message;
}

static void send_reply(struct worker *worker, enum bf_err err)
{
    nng_msg *message = pack_reply(worker, err);
    if (!message) {
        bf_metric_add(&metrics[UNSENT], 1);
        return;
    }
    nng_aio_set_msg(worker->sending, message);
    if (!run_io(worker, nng_ctx_send, worker->sending)) {
        nng_msg_free(nng_aio_get_msg(worker->sending));
        bf_metric_add(&metrics[UNSENT], 1);
    }
}

static void serve(struct worker *worker, const Belfry__Bus__V1__Request *request)
{
    bf_buf_clear(&worker->body);
    bf_buf_clear(&worker->error);
    uint64_t began_us = bf_mono_us();
    enum bf_err err = check(worker, request);
    if (err) {
        bf_metric_add(&metrics[MALFORMED], 1);
    } else if (request->deadline_ms <= bf_unix_ms()) {
        bf_metric_add(&metrics[DROPPED], 1);
        return; // nobody waits any more; the next receive forgets the request
    } else {
        err = handle(worker, request);
        bf_metric_add(&metrics[err ? FAILED : SERVED], 1);
        bf_metric_observe_us(&metrics[SECONDS], bf_mono_us() - began_us);
    }
    send_reply(worker, err);
}

static void serve_message(struct worker *worker, nng_msg *message)
{
    size_t len = nng_msg_len(message);
    Belfry__Bus__V1__Request *request = NULL;
    if (len <= BF_BUS_FRAME_BYTES)
        request = belfry__bus__v1__request__unpack(NULL, len, nng_msg_body(message));
    nng_msg_free(message);
    if (request) {
        serve(worker, request);
        belfry__bus__v1__request__free_unpacked(request, NULL);
        return;
    }
    bf_metric_add(&metrics[MALFORMED], 1);
    bf_buf_clear(&worker->error);
    bool large = len > BF_BUS_FRAME_BYTES;
    enum bf_err err = refuse(worker, large ? BF_TOO_LARGE : BF_INVALID,
                             large ? "the request is larger than 4 MiB" : "this is no bus request");
    send_reply(worker, err);
}

// Ends when nng_aio_stop was called on `receiving`: receiving fails from then on.
static void *work(void *at)
{
    struct worker *worker = at;
    struct bf_bus_server *server = worker->server;
    while (run_io(worker, nng_ctx_recv, worker->receiving))
        serve_message(worker, nng_aio_get_msg(worker->receiving));
    pthread_mutex_lock(&server->lock);
    server->running--;
    pthread_cond_signal(&server->ended);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

// ---- start and stop

static enum bf_err start_worker(struct bf_bus_server *server, struct worker *worker)
{
    worker->server = server;
    bf_buf_init(&worker->body, BF_BUS_BYTES_MAX);
    bf_buf_init(&worker->error, ERROR_BYTES_MAX);
    int failed = nng_ctx_open(&worker->ctx, server->socket);
    if (!failed)
        failed = nng_aio_alloc(&worker->receiving, NULL, NULL);
    if (!failed)
        failed = nng_aio_alloc(&worker->sending, NULL, NULL);
    if (failed)
        return bf_bus_err(failed);
    nng_aio_set_timeout(worker->receiving, NNG_DURATION_INFINITE);
    nng_aio_set_timeout(worker->sending, SEND_TIMEOUT_MS);
    if (pthread_create(&worker->thread, NULL, work, worker))
        return BF_INTERNAL;
    worker->started = true;
    pthread_mutex_lock(&server->lock);
    server->running++;
    pthread_mutex_unlock(&server->lock);
    return BF_OK;
}

static enum bf_err start(struct bf_bus_server *server, const char *urls)
{
    int failed = nng_socket_set_size(server->socket, NNG_OPT_RECVMAXSZ, BF_BUS_FRAME_BYTES);
    if (failed)
        return bf_bus_err(failed);
    for (size_t i = 0; i < server->worker_count; i++) {
        enum bf_err err = start_worker(server, &server->workers[i]);
        if (err)
            return err;
    }
    return bf_bus_listen(server->socket, urls);
}

enum bf_err bf_bus_serve(const char *urls, int64_t contexts, const struct bf_bus_method *methods,
                         size_t count, void *ctx, struct bf_bus_server **ret_server)
{
    if (contexts < 1 || contexts > CONTEXTS_MAX)
        return BF_INVALID;
    bf_metrics_register(metrics, BF_LEN(metrics));
    struct bf_bus_server *server = bf_xcalloc(1, sizeof(*server));
    *server = (struct bf_bus_server){.methods = methods, .method_count = count, .ctx = ctx};
    int failed = nng_rep0_open(&server->socket);
    if (failed) {
        free(server);
        return bf_bus_err(failed);
    }
    pthread_mutex_init(&server->lock, NULL);
    pthread_rwlock_init(&server->gate, NULL);
    bf_wait_init(&server->ended);
    server->worker_count = (size_t)contexts;
    server->workers = bf_xcalloc(server->worker_count, sizeof(struct worker));
    enum bf_err err = start(server, urls);
    if (err) {
        bf_bus_server_stop(server, 0);
        return err;
    }
    *ret_server = server;
    return BF_OK;
}

static void wait_for_workers(struct bf_bus_server *server, int64_t deadline_ms)
{
    struct timespec until = bf_wait_until(deadline_ms);
    pthread_mutex_lock(&server->lock);
    while (server->running > 0)
        if (pthread_cond_timedwait(&server->ended, &server->lock, &until))
            break;
    pthread_mutex_unlock(&server->lock);
}

static void release_worker(struct worker *worker)
{
    if (worker->started)
        pthread_join(worker->thread, NULL);
    if (worker->receiving)
        nng_aio_free(worker->receiving);
    if (worker->sending)
        nng_aio_free(worker->sending);
    bf_buf_release(&worker->body);
    bf_buf_release(&worker->error);
}

void bf_bus_server_stop(struct bf_bus_server *server, int64_t deadline_ms)
{
    if (!server)
        return;
    for (size_t i = 0; i < server->worker_count; i++)
        if (server->workers[i].receiving)
            nng_aio_stop(server->workers[i].receiving);
    wait_for_workers(server, deadline_ms);
    pthread_rwlock_wrlock(&server->gate);
    server->closed = true;
    nng_close(server->socket); // a handler that is still busy finds nobody to answer to
    pthread_rwlock_unlock(&server->gate);
    for (size_t i = 0; i < server->worker_count; i++)
        release_worker(&server->workers[i]);
    pthread_cond_destroy(&server->ended);
    pthread_mutex_destroy(&server->lock);
    pthread_rwlock_destroy(&server->gate);
    free(server->workers);
    free(server);
}
