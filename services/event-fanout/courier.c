// HTTP requests to the outside.
#include "courier.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bf_buf.h"
#include "bf_clock.h"
#include "bf_log.h"
#include "fanout_metrics.h"

#define WAIT_MS    1000
#define EVENTS_MAX 256  // sockets looked at in one turn
#define READ_BYTES 4096 // curl allocates so many for each request, and answers are short

struct parcel { // a job on its way
    struct courier_job job;
    struct courier *courier;
    CURL *easy;
    uint64_t began_us;
    bool refused;    // its address
    CURLcode result; // when it is over
    char error[CURL_ERROR_SIZE];
    struct bf_buf body;
    size_t read;
    struct parcel *next, **at; // under way; in the queue: next only
};

// What curl waits for at a socket, and what epoll was told of it. They differ while a connection is idle:
// most are used again at once, so epoll is only asked to forget one that says something meanwhile. Sockets
// that curl opened for itself (of the thread that looks names up) it also closes for itself: those epoll
// forgets at once.
struct interest {
    uint32_t wanted, told; // EPOLLIN, EPOLLOUT
    bool ours;             // socket_open made it, and socket_close ends it
};

struct courier {
    struct courier_options options;
    CURLM *multi;
    pthread_t thread;
    int epoll, bell;            // bell: an eventfd that others ring
    struct interest *interests; // the thread's, by socket
    size_t interest_count;
    uint64_t timer_us;        // the thread's: monotonic, when curl wants to be called; 0: not
    bool again;               // the thread's: it has sent something itself
    struct parcel *under_way; // the thread's
    CURL **idle;              // the thread's: handles to be used again
    size_t idle_count;
    pthread_mutex_t lock;
    struct parcel *queue, **queue_end; // under lock
    bool stop;                         // under lock
    uint64_t stop_at_ms;               // monotonic, under lock
};

// ---- sockets

static struct interest *interest_at(struct courier *courier, curl_socket_t fd)
{
    size_t need = (size_t)fd + 1;

    if (need > courier->interest_count) {
        struct interest *more = bf_xcalloc(need * 2, sizeof(*more));
        if (courier->interest_count)
            memcpy(more, courier->interests, courier->interest_count * sizeof(*more));
        free(courier->interests);
        courier->interests = more;
        courier->interest_count = need * 2;
    }
    return &courier->interests[fd];
}

static void epoll_tell(struct courier *courier, curl_socket_t fd, struct interest *interest)
{
    struct epoll_event event = {.events = interest->wanted, .data.fd = fd};
    int what = !interest->wanted ? EPOLL_CTL_DEL : interest->told ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

    if (epoll_ctl(courier->epoll, what, fd, &event) && what != EPOLL_CTL_DEL)
        bf_error("courier.epoll", BF_I("errno", errno)); // its request runs into its timeout
    interest->told = interest->wanted;
}

static int socket_wants(CURL *easy, curl_socket_t fd, int what, void *ctx, void *of_socket)
{
    struct courier *courier = ctx;
    struct interest *interest = interest_at(courier, fd);

    interest->wanted = (what & CURL_POLL_REMOVE)
                           ? 0
                           : ((what & CURL_POLL_IN) ? EPOLLIN : 0) | ((what & CURL_POLL_OUT) ? EPOLLOUT : 0);
    if (interest->wanted != interest->told && (interest->wanted || !interest->ours))
        epoll_tell(courier, fd, interest);
    return 0;
}

static int timer_wants(CURLM *multi, long timeout_ms, void *ctx)
{
    struct courier *courier = ctx;

    courier->timer_us = timeout_ms < 0 ? 0 : bf_mono_us() + (uint64_t)timeout_ms * 1000;
    return 0;
}

// Epoll forgets a socket that is closed, whose number is then another's.
static int socket_close(void *ctx, curl_socket_t fd)
{
    *interest_at(ctx, fd) = (struct interest){.ours = false};
    return close(fd);
}

// ---- one request

static curl_socket_t socket_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct parcel *parcel = ctx;

    if (!parcel->job.free_targets && !targets_allow(&parcel->courier->options.targets, &address->addr)) {
        parcel->refused = true;
        return CURL_SOCKET_BAD;
    }
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0)
        *interest_at(parcel->courier, fd) = (struct interest){.ours = true};
    return fd;
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
static void handle_prepare(struct courier *courier, CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_BYTES);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, courier);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_take);
}

static CURL *handle_take(struct courier *courier)
{
    if (courier->idle_count)
        return courier->idle[--courier->idle_count];
    CURL *easy = curl_easy_init();
    if (easy)
        handle_prepare(courier, easy);
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
        handle_prepare(courier, easy);
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

// What is done leaves curl's list of messages first, and curl itself then: it looks through that list for
// each that goes.
static void collect(struct courier *courier)
{
    struct parcel *parcel, *over = NULL, **end = &over;
    int left;

    for (CURLMsg *message; (message = curl_multi_info_read(courier->multi, &left));) {
        if (message->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &parcel);
        parcel->result = message->data.result;
        parcel_unlink(parcel);
        parcel->next = NULL;
        *end = parcel;
        end = &parcel->next;
    }
    for (struct parcel *next; over; over = next) {
        next = over->next;
        curl_multi_remove_handle(courier->multi, over->easy);
        const char *error = *over->error ? over->error : curl_easy_strerror(over->result);
        bool good = over->result == CURLE_OK || over->read > COURIER_BODY_BYTES_READ; // cut by us
        parcel_done(over, good ? "" : error, false);
    }
}

static int wait_ms(const struct courier *courier, bool stop)
{
    uint64_t now_us = bf_mono_us();

    if (stop || courier->again || (courier->timer_us && courier->timer_us <= now_us))
        return 0;
    if (!courier->timer_us || courier->timer_us - now_us > WAIT_MS * UINT64_C(1000))
        return WAIT_MS;
    return (int)((courier->timer_us - now_us + 999) / 1000);
}

static void socket_says(struct courier *courier, curl_socket_t fd, uint32_t events)
{
    struct interest *interest = interest_at(courier, fd);
    int running, what = ((events & EPOLLIN) ? CURL_CSELECT_IN : 0) |
                        ((events & EPOLLOUT) ? CURL_CSELECT_OUT : 0) |
                        ((events & (EPOLLERR | EPOLLHUP)) ? CURL_CSELECT_ERR : 0);
    uint64_t rung;

    if (fd == courier->bell)
        (void)!read(fd, &rung, sizeof(rung));
    else if (interest->wanted)
        curl_multi_socket_action(courier->multi, fd, what, &running);
    else if (interest->told)
        epoll_tell(courier, fd, interest);
}

// What curl is to do now, after waiting for it.
static void turn(struct courier *courier, bool stop)
{
    struct epoll_event events[EVENTS_MAX];
    int running, count = epoll_wait(courier->epoll, events, EVENTS_MAX, wait_ms(courier, stop));

    for (int i = 0; i < count; i++)
        socket_says(courier, events[i].data.fd, events[i].events);
    if (courier->timer_us && courier->timer_us <= bf_mono_us()) {
        courier->timer_us = 0;
        curl_multi_socket_action(courier->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
}

static void *courier_run(void *at)
{
    struct courier *courier = at;
    bool stop = false;

    while (!stop) {
        courier->again = false;
        for (struct parcel *each = queue_take(courier, &stop), *next; each; each = next) {
            next = each->next;
            parcel_begin(courier, each);
        }
        turn(courier, stop);
        collect(courier);
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

static void ring(struct courier *courier)
{
    const uint64_t one = 1;

    (void)!write(courier->bell, &one, sizeof(one)); // it is full only when it rings
}

static void courier_free(struct courier *courier)
{
    curl_multi_cleanup(courier->multi);
    if (courier->epoll >= 0)
        close(courier->epoll);
    if (courier->bell >= 0)
        close(courier->bell);
    pthread_mutex_destroy(&courier->lock);
    free(courier->interests);
    free(courier->idle);
    free(courier);
}

static bool epoll_open(struct courier *courier)
{
    struct epoll_event event = {.events = EPOLLIN};

    courier->epoll = epoll_create1(EPOLL_CLOEXEC);
    courier->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    event.data.fd = courier->bell;
    return courier->epoll >= 0 && courier->bell >= 0 &&
           epoll_ctl(courier->epoll, EPOLL_CTL_ADD, courier->bell, &event) == 0;
}

static void multi_prepare(CURLM *multi, struct courier *courier)
{
    curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)courier->options.connections_max);
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)courier->options.host_connections);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)courier->options.connections_max);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, socket_wants);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, courier);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_wants);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, courier);
}

enum bf_err courier_start(const struct courier_options *options, struct courier **ret_courier)
{
    struct courier *courier = bf_xcalloc(1, sizeof(*courier));

    courier->options = *options;
    courier->queue_end = &courier->queue;
    courier->idle = bf_xcalloc((size_t)options->connections_max, sizeof(courier->idle[0]));
    pthread_mutex_init(&courier->lock, NULL);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    courier->multi = curl_multi_init();
    if (courier->multi)
        multi_prepare(courier->multi, courier);
    if (epoll_open(courier) && courier->multi &&
        pthread_create(&courier->thread, NULL, courier_run, courier) == 0) {
        *ret_courier = courier;
        return BF_OK;
    }
    courier_free(courier);
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
    ring(courier);
    pthread_join(courier->thread, NULL);
    courier_free(courier);
}

void courier_send(struct courier *courier, const struct courier_job *job)
{
    struct parcel *parcel = bf_xcalloc(1, sizeof(*parcel));

    parcel->job = *job;
    parcel->courier = courier;
    bf_buf_init(&parcel->body, job->answer_bytes_max ? job->answer_bytes_max : COURIER_ANSWER_BYTES_MAX);
    pthread_mutex_lock(&courier->lock);
    bool first = !courier->queue; // else somebody has rung
    *courier->queue_end = parcel;
    courier->queue_end = &parcel->next;
    pthread_mutex_unlock(&courier->lock);
    if (pthread_equal(pthread_self(), courier->thread))
        courier->again = true;
    else if (first)
        ring(courier);
}
