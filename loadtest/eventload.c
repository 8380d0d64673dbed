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
#include <unistd.h>

#include "belfry/event/v1/event.pb-c.h"
#include "bf_bus.h"
#include "bf_clock.h"
#include "bf_id.h"
#include "sipload_hist.h"

#define TENANTS_MAX   1000
#define REQUEST_BYTES 16384
#define PEERS_MAX     8192
#define LATE_MS       15000 // after the last was published
#define MARK          "\"sent_us\":"

struct plan {
    const char *mode, *bus, *tenants_file, *url;
    int64_t port, dead_port, rate, count, batch, outstanding, skip;
};

static struct {
    struct plan plan;
    struct bf_id tenants[TENANTS_MAX];
    size_t tenant_count;
    _Atomic int64_t got, strange;
    _Atomic uint64_t first_us, last_us;
    struct hist latency; // the receiver's thread alone, read when it is done
} load;

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

static void take(const char *body)
{
    const char *mark = strstr(body, MARK);
    uint64_t now_us = bf_mono_us(), sent_us = mark ? strtoull(mark + strlen(MARK), NULL, 10) : 0;

    if (!sent_us || sent_us > now_us) {
        load.strange++;
        return;
    }
    if (load.got++ == 0)
        load.first_us = now_us;
    load.last_us = now_us;
    if (load.got > load.plan.skip)
        hist_add(&load.latency, now_us - sent_us);
}

// The bytes of the first whole request in the buffer; 0: there is none yet.
static size_t request_len(struct peer *peer)
{
    peer->text[peer->len] = '\0';
    char *end = strstr(peer->text, "\r\n\r\n");
    const char *length = end ? strcasestr(peer->text, "\r\nContent-Length:") : NULL;

    if (!length || length > end)
        return 0;
    size_t whole = (size_t)(end - peer->text) + 4 + strtoul(length + 17, NULL, 10);
    return whole <= peer->len ? whole : 0;
}

// False: the peer is gone.
static bool peer_read(struct peer *peer)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\n\r\n";
    ssize_t got = recv(peer->fd, peer->text + peer->len, sizeof(peer->text) - 1 - peer->len, 0);

    if (got <= 0)
        return got < 0 && (errno == EAGAIN || errno == EINTR);
    peer->len += (size_t)got;
    for (size_t len; (len = request_len(peer));) {
        take(peer->text);
        if (send(peer->fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL) < 0)
            return false;
        memmove(peer->text, peer->text + len, peer->len - len);
        peer->len -= len;
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

static void pack(struct packed *packed, int64_t number)
{
    const struct bf_id *tenant = &load.tenants[(size_t)number % load.tenant_count];

    packed->id = bf_id_new();
    packed->call = bf_id_new();
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

static void publish(struct bf_bus_client *bus, int64_t first, size_t count)
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
        bf_bus_call(bus, "Publish", "", "", 5000, (struct bf_str){(char *)bytes, len}, &reply, NULL);
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

// So many came as should, or it takes too long.
static void wait_for(int64_t count)
{
    uint64_t until_ms = bf_mono_ms() + LATE_MS;

    while (load.got < count && bf_mono_ms() < until_ms)
        usleep(1000);
}

static void mode_publish(void)
{
    struct bf_bus_client *bus;

    if (bf_bus_dial(load.plan.bus, &bus)) {
        fprintf(stderr, "eventload: --bus %s is none\n", load.plan.bus);
        exit(1);
    }
    for (int i = 0; i < 500 && !bf_bus_connected(bus); i++)
        usleep(10000);
    uint64_t began_us = bf_mono_us();
    for (int64_t sent = 0; sent < load.plan.count; sent += load.plan.batch) {
        if (load.plan.rate)
            until_us(began_us + (uint64_t)(sent * 1000000 / load.plan.rate));
        int64_t left = load.plan.count - sent;
        publish(bus, sent, (size_t)(left < load.plan.batch ? left : load.plan.batch));
    }
    bf_bus_hang_up(bus);
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
    char line[64];

    while (file && load.tenant_count < TENANTS_MAX && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\r\n")] = '\0';
        if (bf_id_parse(bf_str(line), &load.tenants[load.tenant_count]))
            load.tenant_count++;
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
    {"mode", offsetof(struct plan, mode), true, 0, 0, "publish, or post: the bare loop"},
    {"bus", offsetof(struct plan, bus), true, 0, 0, "publish: nng address of event-fanout"},
    {"tenants", offsetof(struct plan, tenants_file), true, 0, 0, "publish: file with ids, taken in turn"},
    {"url", offsetof(struct plan, url), true, 0, 0, "post: where to"},
    {"port", offsetof(struct plan, port), false, 1, 65535, "of the receiver, on 127.0.0.1"},
    {"dead-port", offsetof(struct plan, dead_port), false, 0, 65535,
     "one that takes connections and never answers; 0: none (0)"},
    {"rate", offsetof(struct plan, rate), false, 0, 1000000,
     "events a second; 0: as fast as they are taken (0)"},
    {"count", offsetof(struct plan, count), false, 1, 10000000, "events or posts (1000)"},
    {"batch", offsetof(struct plan, batch), false, 1, 1000, "events in one Publish (1)"},
    {"outstanding", offsetof(struct plan, outstanding), false, 1, 4096, "post: at once (64)"},
    {"skip", offsetof(struct plan, skip), false, 0, 10000000,
     "requests at the begin whose time does not count (0)"},
};

static int usage(void)
{
    fprintf(stderr, "eventload --mode publish|post --port N [options]; prints one JSON object\n");
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
    bool publishes = plan->mode && strcmp(plan->mode, "publish") == 0,
         posts = plan->mode && strcmp(plan->mode, "post") == 0;
    return plan->port &&
           ((publishes && plan->bus && plan->tenants_file && tenants_read(plan->tenants_file)) ||
            (posts && plan->url && strncmp(plan->url, "http://127.", 11) == 0));
}

int main(int argc, char **argv)
{
    load.plan = (struct plan){.count = 1000, .batch = 1, .outstanding = 64};
    if (!options_read(argc, argv))
        return usage();
    bool publishes = strcmp(load.plan.mode, "publish") == 0;
    int64_t dead = publishes && load.plan.dead_port // the first tenant's webhook is there
                       ? (load.plan.count + (int64_t)load.tenant_count - 1) / (int64_t)load.tenant_count
                       : 0;
    receiver_start();
    if (publishes)
        mode_publish();
    else
        mode_post();
    wait_for(load.plan.count - dead);
    double seconds = (double)(load.last_us - load.first_us) / 1e6;
    printf("{\"count\":%lld,\"got\":%lld,\"strange\":%lld,\"seconds\":%.3f,\"rate\":%.1f,\"latency_us\":",
           (long long)(load.plan.count - dead), (long long)load.got, (long long)load.strange, seconds,
           seconds > 0 ? (double)(load.got - 1) / seconds : 0);
    hist_print_json(&load.latency, stdout);
    printf("}\n");
    return 0;
}
