// eventload: events into event-fanout and the webhook requests that come of them, on one clock. Loopback
// only. Prints one JSON object; loadtest/README.md says what the fields mean.
//
// A thread is the receiver of all webhooks: an HTTP server that answers 204 at once. It knows by a number in
// an event's data when that was published. `--mode post` is what to compare with: a bare libcurl multi loop
// that posts the same bodies with as many headers to the same receiver.
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "belfry/event/v1/event.pb-c.h"
#include "bf_bus.h"
#include "bf_clock.h"
#include "bf_crypto.h"
#include "bf_id.h"
#include "eventload_mark.h"
#include "eventload_socket.h"

#define TENANTS_MAX    1000
#define REQUEST_BYTES  16384
#define PUBLISHERS_MAX 64
#define LATE_MS        15000 // after the last was published

struct plan {
    const char *mode, *bus, *tenants_file, *url, *socket_at;
    int64_t port, dead_port, rate, count, batch, publishers, outstanding, skip, sockets;
};

static struct {
    struct plan plan;
    struct bf_id tenants[TENANTS_MAX];
    char *keys[TENANTS_MAX];
    size_t tenant_count;
    struct bf_bus_client *bus;
    uint64_t began_us, seed;
    _Atomic int64_t next; // event to be published
    _Atomic int64_t got, strange;
    _Atomic uint64_t first_us, last_us;
    _Atomic uint64_t receiver_cpu_us; // until the last request
    struct hist latency;              // the receiver's thread alone, read when it is done
} load;

static uint64_t cpu_us(int who)
{
    struct rusage used;

    getrusage(who, &used);
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

// ---- the receiver

struct peer {
    int fd;
    size_t len;
    char text[REQUEST_BYTES];
};

static int listener_open(int64_t port)
{
    struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(fd, 1024) != 0) {
        fprintf(stderr, "eventload: port %d: %s\n", (int)port, strerror(errno));
        exit(1);
    }
    return fd;
}

static void take(char *body, size_t len)
{
    char after = body[len];

    body[len] = '\0';
    uint64_t now_us = bf_mono_us(), sent_us = mark_read(body);
    body[len] = after;

    if (!sent_us) {
        load.strange++;
        return;
    }
    if (load.got++ == 0)
        load.first_us = now_us;
    load.last_us = now_us;
    if (load.got > load.plan.skip)
        hist_add(&load.latency, now_us - sent_us);
}

struct request {
    size_t head, body; // bytes
};

// The first whole request in the buffer; false: there is none yet. curl writes its headers always alike.
static bool request_next(struct peer *peer, struct request *ret_request)
{
    static const char name[] = "\r\nContent-Length: ";
    const char *end = memmem(peer->text, peer->len, "\r\n\r\n", 4);
    const char *length =
        end ? memmem(peer->text, (size_t)(end - peer->text) + 2, name, sizeof(name) - 1) : NULL;

    if (!length)
        return false;
    struct request request = {(size_t)(end - peer->text) + 4, strtoul(length + sizeof(name) - 1, NULL, 10)};
    *ret_request = request;
    return request.head + request.body <= peer->len;
}

// False: the peer is gone.
static bool peer_read(struct peer *peer)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    ssize_t got = recv(peer->fd, peer->text + peer->len, sizeof(peer->text) - 1 - peer->len, 0);

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    peer->len += (size_t)got;
    peer->text[peer->len] = '\0';
    for (struct request request; request_next(peer, &request);) {
        size_t whole = request.head + request.body;
        take(peer->text + request.head, request.body);
        if (send(peer->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
            return false;
        peer->len -= whole;
        memmove(peer->text, peer->text + whole, peer->len + 1);
    }
    return peer->len < sizeof(peer->text) - 1;
}

static void peer_new(int epoll, int listener)
{
    for (int fd, on = 1; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        struct peer *peer = bf_xcalloc(1, sizeof(*peer));
        peer->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.ptr = peer});
    }
}

static void *receiver_run(void *ctx)
{
    int listener = *(int *)ctx, epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[256];

    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.ptr = NULL});
    for (;;) {
        int count = epoll_wait(epoll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct peer *peer = events[i].data.ptr;
            if (!peer) {
                peer_new(epoll, listener);
            } else if (!peer_read(peer)) {
                close(peer->fd);
                free(peer);
            }
        }
        load.receiver_cpu_us = cpu_us(RUSAGE_THREAD);
    }
    return NULL;
}

static void receiver_start(void)
{
    static int listener;
    pthread_t thread;

    listener = listener_open(load.plan.port); // nobody comes before it is there
    if (load.plan.dead_port)
        (void)listener_open(load.plan.dead_port); // who connects waits for ever
    pthread_create(&thread, NULL, receiver_run, &listener);
    pthread_detach(thread);
}

// ---- events

static char *data_new(void)
{
    return bf_xasprintf("{" MARK "%llu,\"caller\":\"100\",\"callee\":\"101\",\"number\":\"101\"}",
                        (unsigned long long)bf_mono_us());
}

struct packed { // one event of a batch
    struct bf_id id, call;
    char *data;
    Belfry__Event__V1__Event event;
    Belfry__Event__V1__Entry entry;
};

// Like bf_id_new(), without a system call for each: what makes the events shall cost little here.
static struct bf_id id_next(void)
{
    static _Atomic uint64_t count;
    struct bf_id id = bf_id_at(bf_unix_ms());
    uint64_t own = atomic_fetch_add(&count, 1) * UINT64_C(0x9e3779b97f4a7c15) ^ load.seed;

    id.bytes[6] = 0x70;
    memcpy(id.bytes + 8, &own, sizeof(own));
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

static void pack(struct packed *packed, int64_t number)
{
    const struct bf_id *tenant = &load.tenants[(size_t)number % load.tenant_count];

    packed->id = id_next();
    packed->call = id_next();
    packed->data = data_new();
    belfry__event__v1__event__init(&packed->event);
    belfry__event__v1__entry__init(&packed->entry);
    packed->event.id = (ProtobufCBinaryData){16, packed->id.bytes};
    packed->event.tenant_id = (ProtobufCBinaryData){16, (uint8_t *)tenant->bytes};
    packed->event.call = (ProtobufCBinaryData){16, packed->call.bytes};
    packed->event.type = "call.incoming";
    packed->event.at_ms = bf_unix_ms();
    packed->event.seq = 1;
    packed->event.data = packed->data;
    packed->entry.what_case = BELFRY__EVENT__V1__ENTRY__WHAT_EVENT;
    packed->entry.event = &packed->event;
}

static void publish(int64_t first, size_t count)
{
    bf_autofree struct packed *batch = bf_xcalloc(count, sizeof(*batch));
    bf_autofree Belfry__Event__V1__Entry **entries = bf_xcalloc(count, sizeof(Belfry__Event__V1__Entry *));
    Belfry__Event__V1__PublishRequest request = BELFRY__EVENT__V1__PUBLISH_REQUEST__INIT;
    bf_cleanup(bf_buf_release) struct bf_buf reply;

    for (size_t i = 0; i < count; i++) {
        pack(&batch[i], first + (int64_t)i);
        entries[i] = &batch[i].entry;
    }
    request.n_entries = count;
    request.entries = entries;
    bf_autofree uint8_t *bytes = bf_xcalloc(belfry__event__v1__publish_request__get_packed_size(&request), 1);
    size_t len = belfry__event__v1__publish_request__pack(&request, bytes);
    bf_buf_init(&reply, 65536);
    enum bf_err err =
        bf_bus_call(load.bus, "Publish", "", "", 5000, (struct bf_str){(char *)bytes, len}, &reply, NULL);
    if (err) {
        fprintf(stderr, "eventload: Publish: error %d\n", err);
        exit(1);
    }
    for (size_t i = 0; i < count; i++)
        free(batch[i].data);
}

static void until_us(uint64_t at_us)
{
    uint64_t now_us = bf_mono_us();

    if (now_us < at_us)
        usleep((useconds_t)(at_us - now_us));
}

// Each tenant has as many WebSockets as the others, and each of them sees its events.
static int64_t sockets_wanted(void)
{
    return load.plan.sockets ? load.plan.count * load.plan.sockets / (int64_t)load.tenant_count : 0;
}

// So many came as should, or it takes too long.
static void wait_for(int64_t count)
{
    uint64_t until_ms = bf_mono_ms() + LATE_MS;

    while ((load.got < count || sockets_got() < sockets_wanted()) && bf_mono_ms() < until_ms)
        usleep(1000);
}

static void *publisher_run(void *ctx)
{
    const struct plan *plan = &load.plan;

    for (int64_t first; (first = atomic_fetch_add(&load.next, plan->batch)) < plan->count;) {
        int64_t left = plan->count - first;
        if (plan->rate)
            until_us(load.began_us + (uint64_t)(first * 1000000 / plan->rate));
        publish(first, (size_t)(left < plan->batch ? left : plan->batch));
    }
    return NULL;
}

static void mode_publish(void)
{
    pthread_t threads[PUBLISHERS_MAX];

    if (bf_bus_dial(load.plan.bus, &load.bus)) {
        fprintf(stderr, "eventload: --bus %s is none\n", load.plan.bus);
        exit(1);
    }
    for (int i = 0; i < 500 && !bf_bus_connected(load.bus); i++)
        usleep(10000);
    bf_random(&load.seed, sizeof(load.seed));
    load.began_us = bf_mono_us();
    for (int64_t i = 0; i < load.plan.publishers; i++)
        pthread_create(&threads[i], NULL, publisher_run, NULL);
    for (int64_t i = 0; i < load.plan.publishers; i++)
        pthread_join(threads[i], NULL);
    bf_bus_hang_up(load.bus);
}

// ---- the bare loop

struct post {
    CURL *easy;
    char *body;
};

static size_t nothing(char *at, size_t size, size_t count, void *ctx)
{
    return size * count;
}

static struct curl_slist *headers_new(void)
{
    static const char *const lines[] = {
        "Content-Type: application/json",
        "User-Agent: Belfry-Webhooks/1",
        "Belfry-Event-Id: 018f0000-0000-7000-8000-000000000001",
        "Belfry-Delivery-Id: 018f0000-0000-7000-8000-000000000002",
        "Belfry-Attempt: 1",
        "Belfry-Signature: t=1700000000,v1=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "Expect:"};
    struct curl_slist *headers = NULL;

    for (size_t i = 0; i < BF_LEN(lines); i++)
        headers = curl_slist_append(headers, lines[i]);
    return headers;
}

static void post_begin(CURLM *multi, struct post *post)
{
    static const char envelope[] =
        "{\"id\":\"018f0000-0000-7000-8000-000000000001\",\"type\":\"call.incoming\",\"tenant\":"
        "\"018f0000-0000-7000-8000-000000000003\",\"time\":\"2026-11-20T00:00:00.000Z\",\"call_id\":"
        "\"018f0000-0000-7000-8000-000000000004\",\"seq\":1,\"data\":%s}";
    bf_autofree char *data = data_new();

    free(post->body);
    post->body = bf_xasprintf(envelope, data);
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, post->body);
    curl_multi_add_handle(multi, post->easy);
}

static void mode_post(void)
{
    struct curl_slist *headers = headers_new();
    bf_autofree struct post *posts = bf_xcalloc((size_t)load.plan.outstanding, sizeof(*posts));
    CURLM *multi = curl_multi_init();
    int64_t begun = 0, ended = 0;
    int running;

    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)load.plan.outstanding);
    for (int64_t i = 0; i < load.plan.outstanding && begun < load.plan.count; i++, begun++) {
        CURL *easy = posts[i].easy = curl_easy_init();
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &posts[i]);
        curl_easy_setopt(easy, CURLOPT_URL, load.plan.url);
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, nothing);
        post_begin(multi, &posts[i]);
    }
    while (ended < begun) {
        int left;
        curl_multi_perform(multi, &running);
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
            struct post *post;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post);
            curl_multi_remove_handle(multi, post->easy);
            ended++;
            if (begun < load.plan.count) {
                begun++;
                post_begin(multi, post);
            }
        }
        if (ended < begun)
            curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    for (int64_t i = 0; i < load.plan.outstanding; i++) {
        curl_easy_cleanup(posts[i].easy);
        free(posts[i].body);
    }
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
}

// ---- options

static bool tenants_read(const char *path)
{
    FILE *file = fopen(path, "r");
    char line[256];

    while (file && load.tenant_count < TENANTS_MAX && fgets(line, sizeof(line), file)) {
        size_t id = strcspn(line, " \r\n");
        const char *key = line + id + strspn(line + id, " ");
        if (!bf_id_parse((struct bf_str){line, id}, &load.tenants[load.tenant_count]))
            continue;
        load.keys[load.tenant_count++] = bf_xstrndup(key, strcspn(key, "\r\n"));
    }
    if (file)
        fclose(file);
    return load.tenant_count > 0;
}

static const struct {
    const char *name;
    size_t offset;
    bool text;
    int64_t least, most;
    const char *meaning;
} options[] = {
    {"mode", offsetof(struct plan, mode), true, 0, 0,
     "publish; sockets: opens WebSockets, says so and waits for the end of its input; or post: the bare "
     "loop"},
    {"bus", offsetof(struct plan, bus), true, 0, 0, "publish: nng address of event-fanout"},
    {"tenants", offsetof(struct plan, tenants_file), true, 0, 0,
     "file of tenants, taken in turn: lines of an id, and a key for --sockets"},
    {"sockets", offsetof(struct plan, sockets), false, 0, SOCKETS_MAX, "WebSockets to be opened first (0)"},
    {"socket-at", offsetof(struct plan, socket_at), true, 0, 0, "their 127.x.x.x:port"},
    {"url", offsetof(struct plan, url), true, 0, 0, "post: where to"},
    {"port", offsetof(struct plan, port), false, 1, 65535, "of the receiver, on 127.0.0.1"},
    {"dead-port", offsetof(struct plan, dead_port), false, 0, 65535,
     "one that takes connections and never answers; 0: none (0)"},
    {"rate", offsetof(struct plan, rate), false, 0, 1000000,
     "events a second; 0: as fast as they are taken (0)"},
    {"count", offsetof(struct plan, count), false, 1, 10000000, "events or posts (1000)"},
    {"batch", offsetof(struct plan, batch), false, 1, 1000, "events in one Publish (1)"},
    {"publishers", offsetof(struct plan, publishers), false, 1, PUBLISHERS_MAX,
     "Publish calls under way at most (1)"},
    {"outstanding", offsetof(struct plan, outstanding), false, 1, 4096, "post: at once (64)"},
    {"skip", offsetof(struct plan, skip), false, 0, 10000000,
     "requests at the begin whose time does not count (0)"},
};

static bool is_mode(const char *mode)
{
    return load.plan.mode && strcmp(load.plan.mode, mode) == 0;
}

static int usage(void)
{
    fprintf(stderr, "eventload --mode publish|sockets|post [options]; prints one JSON object\n");
    for (size_t i = 0; i < BF_LEN(options); i++)
        fprintf(stderr, "  --%-12s %s\n", options[i].name, options[i].meaning);
    return 2;
}

static bool option_set(size_t i, const char *value)
{
    char *field = (char *)&load.plan + options[i].offset;

    if (!options[i].text)
        return bf_parse_int(bf_str(value), options[i].least, options[i].most, (int64_t *)(void *)field);
    *(const char **)(void *)field = value;
    return true;
}

static bool options_read(int argc, char **argv)
{
    struct option longs[BF_LEN(options) + 1] = {{0}};
    int at;

    for (size_t i = 0; i < BF_LEN(options); i++)
        longs[i] = (struct option){options[i].name, required_argument, NULL, (int)i};
    while ((at = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (at == '?' || !option_set((size_t)at, optarg))
            return false;
    const struct plan *plan = &load.plan;
    bool tenants = plan->tenants_file && tenants_read(plan->tenants_file);
    bool sockets = !plan->sockets || (tenants && plan->socket_at);
    if (is_mode("publish"))
        return plan->port && plan->bus && tenants && sockets;
    if (is_mode("sockets"))
        return plan->sockets && sockets;
    return is_mode("post") && plan->port && plan->url && strncmp(plan->url, "http://127.", 11) == 0;
}

static void print(int64_t wanted)
{
    double seconds = (double)(load.last_us - load.first_us) / 1e6, got = load.got > 0 ? (double)load.got : 1;

    printf("{\"count\":%lld,\"got\":%lld,\"strange\":%lld,\"seconds\":%.3f,\"rate\":%.1f,"
           "\"client_cpu_us\":%.1f,\"receiver_cpu_us\":%.1f,\"latency_us\":",
           (long long)wanted, (long long)load.got, (long long)load.strange, seconds,
           seconds > 0 ? (double)(load.got - 1) / seconds : 0, (double)cpu_us(RUSAGE_SELF) / got,
           (double)load.receiver_cpu_us / got);
    hist_print_json(&load.latency, stdout);
    if (load.plan.sockets) {
        printf(",\"sockets\":%lld,\"sockets_count\":%lld,\"sockets_got\":%lld,\"sockets_gone\":%lld,\"socket_"
               "latency_us\":",
               (long long)load.plan.sockets, (long long)sockets_wanted(), (long long)sockets_got(),
               (long long)sockets_gone());
        hist_print_json(sockets_latency(), stdout);
    }
    printf("}\n");
}

// Until whoever started this has measured.
static void mode_sockets(void)
{
    printf("{\"sockets\":%lld}\n", (long long)load.plan.sockets);
    fflush(stdout);
    while (getchar() != EOF)
        continue;
    if (sockets_gone()) {
        fprintf(stderr, "eventload: %lld WebSockets ended meanwhile\n", (long long)sockets_gone());
        exit(1);
    }
}

int main(int argc, char **argv)
{
    load.plan = (struct plan){.count = 1000, .batch = 1, .publishers = 1, .outstanding = 64};
    if (!options_read(argc, argv))
        return usage();
    bool publishes = is_mode("publish");
    int64_t dead = publishes && load.plan.dead_port // the first tenant's webhook is there
                       ? (load.plan.count + (int64_t)load.tenant_count - 1) / (int64_t)load.tenant_count
                       : 0;
    if (load.plan.sockets) {
        sockets_skip(load.plan.skip);
        sockets_open(load.plan.socket_at, load.plan.sockets, load.keys, load.tenant_count);
    }
    if (is_mode("sockets")) {
        mode_sockets();
        return 0;
    }
    receiver_start();
    if (publishes)
        mode_publish();
    else
        mode_post();
    wait_for(load.plan.count - dead);
    print(load.plan.count - dead);
    return 0;
}
