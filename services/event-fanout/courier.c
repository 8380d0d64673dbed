// HTTP requests to the outside.
#include "courier.h"

#include <pthread.h>
#include <string.h>

#include "bf_buf.h"
#include "bf_clock.h"
#include "fanout_metrics.h"

#define WAIT_MS 1000

struct parcel { // a job on its way
    struct courier_job job;
    struct courier *courier;
    CURL *easy;
    uint64_t began_us;
    bool refused; // its address
    char error[CURL_ERROR_SIZE];
    struct bf_buf body;
    size_t read;
    struct parcel *next, **at; // under way; in the queue: next only
};

struct courier {
    struct courier_options options;
    CURLM *multi;
    pthread_t thread;
    struct parcel *under_way; // the thread's
    CURL **idle;              // the thread's: handles to be used again
    size_t idle_count;
    pthread_mutex_t lock;
    struct parcel *queue, **queue_end; // under lock
    bool stop;                         // under lock
    uint64_t stop_at_ms;               // monotonic, under lock
};

// ---- one request

static curl_socket_t socket_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct parcel *parcel = ctx;

    if (!parcel->job.free_targets && !targets_allow(&parcel->courier->options.targets, &address->addr)) {
        parcel->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t body_take(char *at, size_t size, size_t count, void *ctx)
{
    struct parcel *parcel = ctx;
    size_t len = size * count, room = parcel->body.cap - parcel->body.len;

    bf_buf_add(&parcel->body, at, len < room ? len : room);
    parcel->read += len;
    return parcel->read <= COURIER_BODY_BYTES_READ ? len : 0;
}

// What all requests have in common.
static void handle_prepare(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
}

static CURL *handle_take(struct courier *courier)
{
    if (courier->idle_count)
        return courier->idle[--courier->idle_count];
    CURL *easy = curl_easy_init();
    if (easy)
        handle_prepare(easy);
    return easy;
}

// What was set for one request alone is set for each (parcel_prepare), but for what cannot be taken back.
static void handle_give(struct courier *courier, CURL *easy, const struct courier_job *job)
{
    if (!easy)
        return;
    if (courier->idle_count == (size_t)courier->options.connections_max) {
        curl_easy_cleanup(easy);
        return;
    }
    if (job->ca_file) {
        curl_easy_reset(easy);
        handle_prepare(easy);
    }
    courier->idle[courier->idle_count++] = easy;
}

static void parcel_prepare(struct parcel *parcel)
{
    CURL *easy = parcel->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, parcel);
    curl_easy_setopt(easy, CURLOPT_URL, parcel->job.url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, parcel->job.headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, parcel->job.body.at);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)parcel->job.body.len);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)parcel->job.timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)parcel->job.timeout_ms);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, parcel);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, parcel);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, parcel->error);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, (long)parcel->job.shared);
    if (parcel->job.ca_file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, parcel->job.ca_file);
}

// The error is for tenants' eyes: it says nothing of addresses that were refused.
static void parcel_done(struct parcel *parcel, const char *error, bool stopped)
{
    curl_off_t retry_after_s = 0;
    long code = 0;

    if (parcel->easy) {
        curl_easy_getinfo(parcel->easy, CURLINFO_RESPONSE_CODE, &code);
        curl_easy_getinfo(parcel->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    }
    struct courier_answer answer = {
        .code = (int)code,
        .stopped = stopped,
        .error = parcel->refused ? "its address is not one that webhooks may go to" : error,
        .latency_ms = (int64_t)((bf_mono_us() - parcel->began_us) / 1000),
        .retry_after_s = retry_after_s,
        .body = {parcel->body.at, parcel->body.len}};
    if (parcel->refused)
        fanout_count(FANOUT_TARGETS_REFUSED, 1);
    parcel->job.done(parcel->job.ctx, &answer);
    handle_give(parcel->courier, parcel->easy, &parcel->job);
    bf_buf_release(&parcel->body);
    free(parcel);
}

// ---- the thread

static void parcel_link(struct courier *courier, struct parcel *parcel)
{
    parcel->next = courier->under_way;
    parcel->at = &courier->under_way;
    if (parcel->next)
        parcel->next->at = &parcel->next;
    courier->under_way = parcel;
    bf_metric_add(&fanout_metrics[FANOUT_REQUESTS_UNDER_WAY], 1);
}

static void parcel_unlink(struct parcel *parcel)
{
    *parcel->at = parcel->next;
    if (parcel->next)
        parcel->next->at = parcel->at;
    bf_metric_add(&fanout_metrics[FANOUT_REQUESTS_UNDER_WAY], -1);
}

static void parcel_begin(struct courier *courier, struct parcel *parcel)
{
    parcel->began_us = bf_mono_us();
    parcel->easy = handle_take(courier);
    if (!parcel->easy) {
        parcel_done(parcel, "out of memory", false);
        return;
    }
    parcel_prepare(parcel);
    parcel_link(courier, parcel);
    if (curl_multi_add_handle(courier->multi, parcel->easy) != CURLM_OK) {
        parcel_unlink(parcel);
        parcel_done(parcel, "curl does not take it", false);
    }
}

static struct parcel *queue_take(struct courier *courier, bool *ret_stop)
{
    pthread_mutex_lock(&courier->lock);
    struct parcel *queue = courier->queue;
    courier->queue = NULL;
    courier->queue_end = &courier->queue;
    *ret_stop = courier->stop && (!courier->under_way || bf_mono_ms() >= courier->stop_at_ms);
    pthread_mutex_unlock(&courier->lock);
    return queue;
}

static bool queue_empty(struct courier *courier)
{
    pthread_mutex_lock(&courier->lock);
    bool empty = !courier->queue;
    pthread_mutex_unlock(&courier->lock);
    return empty;
}

static void collect(struct courier *courier)
{
    struct parcel *parcel;
    int left;

    for (CURLMsg *message; (message = curl_multi_info_read(courier->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        CURLcode result = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &parcel);
        curl_multi_remove_handle(courier->multi, parcel->easy);
        parcel_unlink(parcel);
        const char *error = *parcel->error ? parcel->error : curl_easy_strerror(result);
        bool good = result == CURLE_OK || parcel->read > COURIER_BODY_BYTES_READ; // cut by us
        parcel_done(parcel, good ? "" : error, false);
    }
}

static void *courier_run(void *at)
{
    struct courier *courier = at;
    bool stop = false;
    int running;

    while (!stop) {
        for (struct parcel *each = queue_take(courier, &stop), *next; each; each = next) {
            next = each->next;
            parcel_begin(courier, each);
        }
        curl_multi_perform(courier->multi, &running);
        collect(courier);
        if (!stop && queue_empty(courier)) // `done` may have sent more
            curl_multi_poll(courier->multi, NULL, 0, WAIT_MS, NULL);
    }
    for (struct parcel *each = courier->under_way, *next; each; each = next) {
        next = each->next;
        curl_multi_remove_handle(courier->multi, each->easy);
        parcel_unlink(each);
        parcel_done(each, "stopped", true);
    }
    while (courier->idle_count)
        curl_easy_cleanup(courier->idle[--courier->idle_count]);
    return NULL;
}

// ---- for others

enum bf_err courier_start(const struct courier_options *options, struct courier **ret_courier)
{
    struct courier *courier = bf_xcalloc(1, sizeof(*courier));

    courier->options = *options;
    courier->queue_end = &courier->queue;
    courier->idle = bf_xcalloc((size_t)options->connections_max, sizeof(courier->idle[0]));
    pthread_mutex_init(&courier->lock, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    courier->multi = curl_multi_init();
    curl_multi_setopt(courier->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)options->connections_max);
    curl_multi_setopt(courier->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)options->host_connections);
    curl_multi_setopt(courier->multi, CURLMOPT_MAXCONNECTS, (long)options->connections_max);
    if (courier->multi && pthread_create(&courier->thread, NULL, courier_run, courier) == 0) {
        *ret_courier = courier;
        return BF_OK;
    }
    curl_multi_cleanup(courier->multi);
    pthread_mutex_destroy(&courier->lock);
    free(courier->idle);
    free(courier);
    return BF_INTERNAL;
}

void courier_stop(struct courier *courier, int64_t drain_ms)
{
    if (!courier)
        return;
    pthread_mutex_lock(&courier->lock);
    courier->stop = true;
    courier->stop_at_ms = bf_mono_ms() + (uint64_t)drain_ms;
    pthread_mutex_unlock(&courier->lock);
    curl_multi_wakeup(courier->multi);
    pthread_join(courier->thread, NULL);
    curl_multi_cleanup(courier->multi);
    pthread_mutex_destroy(&courier->lock);
    free(courier->idle);
    free(courier);
}

void courier_send(struct courier *courier, const struct courier_job *job)
{
    struct parcel *parcel = bf_xcalloc(1, sizeof(*parcel));

    parcel->job = *job;
    parcel->courier = courier;
    bf_buf_init(&parcel->body, job->answer_bytes_max ? job->answer_bytes_max : COURIER_ANSWER_BYTES_MAX);
    pthread_mutex_lock(&courier->lock);
    bool first = !courier->queue; // else somebody has woken it
    *courier->queue_end = parcel;
    courier->queue_end = &parcel->next;
    pthread_mutex_unlock(&courier->lock);
    if (first && !pthread_equal(pthread_self(), courier->thread))
        curl_multi_wakeup(courier->multi);
}
