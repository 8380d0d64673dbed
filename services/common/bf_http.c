// The REST server: libmicrohttpd's callbacks, the way of one request, drain.
#include "bf_http.h"

#include <arpa/inet.h>
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bf_clock.h"
#include "bf_http_call.h"
#include "bf_id.h"
#include "bf_log.h"
#include "bf_metrics.h"
#include "bf_wait.h"

// Up to this size a body that is too large is read and thrown away, so that the caller surely sees the 413:
// closing a socket with unread bytes resets it. A larger one is not read at all.
#define BODY_DISCARD_BYTES_MAX ((size_t)4 * BF_HTTP_BODY_BYTES_MAX)
#define IDLE_TIMEOUT_S         30
#define CONNECTION_BYTES       ((intptr_t)2 * BF_HTTP_HEADER_BYTES_MAX)

struct bf_http_server {
    struct bf_http_options options;
    struct MHD_Daemon *daemon;
    _Atomic bool draining;
    pthread_mutex_t lock;
    pthread_cond_t fewer;
    size_t under_way; // calls
};

enum {
    REQUESTS,
    REQUESTS_2XX = REQUESTS,
    REQUESTS_3XX,
    REQUESTS_4XX,
    REQUESTS_5XX,
    SECONDS,
    BODY_REFUSED,
    UNDER_WAY
};

#define REQUESTS_ROW(class)                                                     \
    {                                                                           \
        .name = "belfry_http_requests_total", .help = "HTTP requests answered", \
        .labels = "code=\"" class "\""                                          \
    }

static struct bf_metric metrics[] = {
    [REQUESTS_2XX] = REQUESTS_ROW("2xx"),
    [REQUESTS_3XX] = REQUESTS_ROW("3xx"),
    [REQUESTS_4XX] = REQUESTS_ROW("4xx"),
    [REQUESTS_5XX] = REQUESTS_ROW("5xx"),
    [SECONDS] = {.name = "belfry_http_request_seconds",
                 .kind = BF_HISTOGRAM,
                 .help = "From request line to answer"},
    [BODY_REFUSED] = {.name = "belfry_http_body_refused_total", .help = "Request bodies over 64 KiB"},
    [UNDER_WAY] = {.name = "belfry_http_requests_under_way",
                   .kind = BF_GAUGE,
                   .help = "HTTP requests being served"},
};

// ---- the request

static bool request_id_good(const char *id)
{
    size_t len = id ? strlen(id) : 0;
    return len >= 1 && len < BF_HTTP_REQUEST_ID_SIZE &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static void set_request_id(struct bf_http_call *call)
{
    const char *given = bf_http_header(call, "X-Request-Id");
    if (request_id_good(given))
        memcpy(call->request_id, given, strlen(given) + 1);
    else
        bf_id_text(bf_id_new(), call->request_id);
}

static bool is_address(const char *text)
{
    uint8_t bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static void set_remote(struct bf_http_call *call)
{
    const char *given = bf_http_header(call, "X-Real-IP");
    if (given && is_address(given)) {
        snprintf(call->remote, sizeof(call->remote), "%s", given);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *peer = info ? info->client_addr : NULL;
    if (peer && peer->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)peer)->sin_addr, call->remote, sizeof(call->remote));
    else if (peer && peer->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)peer)->sin6_addr, call->remote,
                  sizeof(call->remote));
}

static void check_header_size(struct bf_http_call *call)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!call->refused && info && info->header_size > BF_HTTP_HEADER_BYTES_MAX)
        call->refused =
            bf_http_problem(call, BF_TOO_LARGE, NULL, "the request's header is larger than 16 KiB");
}

static enum bf_err refuse_body(struct bf_http_call *call)
{
    if (!call->server->options.quiet)
        bf_metric_add(&metrics[BODY_REFUSED], 1);
    return bf_http_problem(call, BF_TOO_LARGE, NULL, "the body is larger than 64 KiB");
}

// How many bytes the caller says will come; 0 when it does not say.
static int64_t announced_bytes(const struct bf_http_call *call)
{
    const char *text = bf_http_header(call, "Content-Length");
    int64_t bytes = 0;
    if (text && !bf_parse_int(bf_str(text), 0, INT64_MAX, &bytes))
        return INT64_MAX;
    return bytes;
}

// ---- the answer

static void log_call(const struct bf_http_call *call, enum bf_err err, uint64_t us)
{
    enum bf_log_level level = call->server->options.quiet ? BF_LOG_DEBUG : BF_LOG_INFO;
    bf_log(level, "http.request",
           BF_LOG_FIELDS_(BF_S("method", call->method),
                          BF_S("route", call->route ? call->route->pattern : ""),
                          BF_I("status", call->status), BF_I("duration_ms", us / 1000),
                          BF_S("request_id", call->request_id), BF_S("remote", call->remote), BF_E(err),
                          BF_S("detail", err ? call->detail : "")));
}

static void record(const struct bf_http_call *call, enum bf_err err)
{
    uint64_t us = bf_mono_us() - call->began_us;
    if (!call->server->options.quiet) {
        int class = call->status / 100 < 2 ? 2 : call->status / 100 > 5 ? 5 : call->status / 100;
        bf_metric_add(&metrics[REQUESTS + class - 2], 1);
        bf_metric_observe_us(&metrics[SECONDS], us);
    }
    log_call(call, err, us);
}

static enum MHD_Result finish(struct bf_http_call *call, enum bf_err err, bool close_after)
{
    if (!err && !call->answered)
        err = bf_http_problem(call, BF_INTERNAL, NULL, "%s", bf_err_text(BF_INTERNAL));
    if (err)
        bf_http_answer_problem(call, err);
    enum MHD_Result queued = bf_http_send(call, close_after || call->server->draining);
    record(call, err);
    return queued;
}

static enum MHD_Result run_handlers(struct bf_http_call *call)
{
    const struct bf_http_options *options = &call->server->options;
    enum bf_err err = call->refused;
    if (!err && options->before)
        err = options->before(call, options->ctx);
    if (!err)
        err = call->route->handle(call, options->ctx);
    return finish(call, err, false);
}

// ---- libmicrohttpd's callbacks

static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct bf_http_server *server = cls;
    struct bf_http_call *call = bf_http_call_new(uri);
    call->server = server;
    call->connection = connection;
    pthread_mutex_lock(&server->lock);
    server->under_way++;
    pthread_mutex_unlock(&server->lock);
    if (!server->options.quiet)
        bf_metric_add(&metrics[UNDER_WAY], 1);
    return call;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode why)
{
    struct bf_http_server *server = cls;
    struct bf_http_call *call = *state;
    *state = NULL;
    if (!call)
        return;
    bf_http_call_free(call);
    if (!server->options.quiet)
        bf_metric_add(&metrics[UNDER_WAY], -1);
    pthread_mutex_lock(&server->lock);
    server->under_way--;
    pthread_cond_signal(&server->fewer);
    pthread_mutex_unlock(&server->lock);
}

static enum MHD_Result on_headers(struct bf_http_call *call, const char *method)
{
    const struct bf_http_options *options = &call->server->options;
    call->begun = true;
    call->method = method;
    set_request_id(call);
    set_remote(call);
    check_header_size(call);
    if (!call->refused)
        bf_http_find_route(call, options->routes, options->route_count);
    int64_t announced = announced_bytes(call);
    if (announced <= BF_HTTP_BODY_BYTES_MAX)
        return MHD_YES;
    call->refused = refuse_body(call);
    return announced > (int64_t)BODY_DISCARD_BYTES_MAX ? finish(call, call->refused, true) : MHD_YES;
}

static enum MHD_Result on_body(struct bf_http_call *call, const char *bytes, size_t *len)
{
    call->body_bytes += *len;
    bool was_over = call->body.over;
    bf_buf_add(&call->body, bytes, *len);
    *len = 0;
    if (call->body.over && !was_over && call->refused != BF_TOO_LARGE)
        call->refused = refuse_body(call);
    // Without a Content-Length there is no way to answer before the end: whoever goes on and on is cut off.
    return call->body_bytes > BODY_DISCARD_BYTES_MAX ? MHD_NO : MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *bytes, size_t *len,
                                  void **state)
{
    struct bf_http_call *call = *state;
    if (!call->begun)
        return on_headers(call, method);
    if (*len)
        return on_body(call, bytes, len);
    if (call->body.over || call->refused == BF_TOO_LARGE)
        return finish(call, call->refused, true);
    return run_handlers(call);
}

// The path stays as it came: we decode it ourselves, after it was split.
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    return strlen(text);
}

static void no_log(void *cls, const char *fmt, va_list args)
{
}

// ---- start and stop

static bool make_address(const char *host, int64_t port, struct sockaddr_storage *ret_address)
{
    struct sockaddr_in *in = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret_address;
    memset(ret_address, 0, sizeof(*ret_address));
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        in->sin_family = AF_INET;
        in->sin_port = htons((uint16_t)port);
        return true;
    }
    if (inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
        in6->sin6_family = AF_INET6;
        in6->sin6_port = htons((uint16_t)port);
        return true;
    }
    return false;
}

static struct MHD_Daemon *start_daemon(struct bf_http_server *server, const struct sockaddr_storage *address)
{
    const struct bf_http_options *o = &server->options;
    // Not epoll: there MHD_quiesce_daemon and the pool's threads take the listening socket out of the same
    // set, and who comes second aborts the process (libmicrohttpd 0.9.75). The gateway keeps few
    // connections.
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG;
    if (address->ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    unsigned pool = o->threads > 1 ? (unsigned)o->threads : 0; // a pool of one is none to libmicrohttpd
    struct MHD_OptionItem table[] = {
        {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)no_log, NULL}, // first, so that it counts for the others
        {MHD_OPTION_SOCK_ADDR, 0, (void *)address},
        {MHD_OPTION_THREAD_POOL_SIZE, pool, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, o->connections_max, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, server},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, server},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(flags, 0, NULL, NULL, on_request, server, MHD_OPTION_ARRAY, table,
                            MHD_OPTION_END);
}

enum bf_err bf_http_start(const struct bf_http_options *options, struct bf_http_server **ret_server)
{
    struct sockaddr_storage address;
    if (!make_address(options->host, options->port, &address) || options->threads < 1 ||
        options->connections_max < 1 || options->port < 0 || options->port > 65535)
        return BF_INVALID;
    bf_metrics_register(metrics, BF_LEN(metrics));
    struct bf_http_server *server = bf_xcalloc(1, sizeof(*server));
    server->options = *options;
    server->options.host = NULL; // the caller's text, not needed any more
    if (server->options.connections_max < options->threads)
        server->options.connections_max = options->threads;
    pthread_mutex_init(&server->lock, NULL);
    bf_wait_init(&server->fewer);
    server->daemon = start_daemon(server, &address);
    if (!server->daemon) {
        bf_http_stop(server, 0);
        return BF_UNAVAILABLE;
    }
    *ret_server = server;
    return BF_OK;
}

static void wait_for_calls(struct bf_http_server *server, int64_t deadline_ms)
{
    struct timespec until = bf_wait_until(deadline_ms);
    pthread_mutex_lock(&server->lock);
    while (server->under_way > 0)
        if (pthread_cond_timedwait(&server->fewer, &server->lock, &until))
            break;
    pthread_mutex_unlock(&server->lock);
}

void bf_http_stop(struct bf_http_server *server, int64_t deadline_ms)
{
    if (!server)
        return;
    if (server->daemon) {
        server->draining = true;
        MHD_socket listening = MHD_quiesce_daemon(server->daemon);
        if (listening != MHD_INVALID_SOCKET)
            shutdown(listening, SHUT_RD); // whoever connects now is refused at once
        wait_for_calls(server, deadline_ms);
        MHD_stop_daemon(server->daemon);
        if (listening != MHD_INVALID_SOCKET)
            close(listening); // only now nobody of the pool looks at it any more
    }
    pthread_cond_destroy(&server->fewer);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

int64_t bf_http_port(const struct bf_http_server *server)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return info ? info->port : 0;
}

// ---- what handlers ask

const struct bf_http_route *bf_http_route(const struct bf_http_call *call)
{
    return call->route;
}

const char *bf_http_header(const struct bf_http_call *call, const char *name)
{
    return MHD_lookup_connection_value(call->connection, MHD_HEADER_KIND, name);
}

const char *bf_http_bearer(const struct bf_http_call *call)
{
    static const char scheme[] = "Bearer ";
    const char *value = bf_http_header(call, "Authorization");
    size_t len = sizeof(scheme) - 1;
    if (!value || strncasecmp(value, scheme, len) != 0)
        return NULL;
    value += len;
    while (*value == ' ')
        value++;
    return *value ? value : NULL;
}

const char *bf_http_request_id(const struct bf_http_call *call)
{
    return call->request_id;
}

const char *bf_http_remote(const struct bf_http_call *call)
{
    return call->remote;
}

struct bf_str bf_http_body(const struct bf_http_call *call)
{
    return (struct bf_str){call->body.at, call->body.len};
}

const char *bf_http_path(const struct bf_http_call *call)
{
    return call->path;
}

static bool is_json(const char *content_type)
{
    if (!content_type)
        return false;
    size_t len = strcspn(content_type, "; \t");
    return bf_str_case_eq((struct bf_str){content_type, len}, BF_STR("application/json"));
}

enum bf_err bf_http_read(struct bf_http_call *call, const struct bf_json_field *fields, size_t count,
                         void *into)
{
    struct bf_json_fault fault = {"", ""};
    bf_json_clear(fields, count, into);
    struct bf_str body = bf_http_body(call);
    if (body.len && !is_json(bf_http_header(call, "Content-Type")))
        return bf_http_problem(call, BF_MEDIA_TYPE, NULL, "%s", bf_err_text(BF_MEDIA_TYPE));
    json_decref(call->json);
    call->json = NULL;
    enum bf_err err = bf_json_parse(body.len ? body : BF_STR("{}"), &call->json, &fault);
    if (!err)
        err = bf_json_read(call->json, fields, count, into, &fault);
    return err ? bf_http_problem(call, err, fault.field, "%s", fault.detail) : BF_OK;
}

void bf_http_set_user(struct bf_http_call *call, void *user, void (*release)(void *user))
{
    if (call->release_user)
        call->release_user(call->user);
    call->user = user;
    call->release_user = release;
}

void *bf_http_user(const struct bf_http_call *call)
{
    return call->user;
}
