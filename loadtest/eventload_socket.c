// WebSockets of a load: RFC 6455 as far as a client that only reads needs it.
#include "eventload_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bf_base.h"
#include "bf_clock.h"
#include "eventload_mark.h"

#define OPENING_MAX 64 // at once: what answers them is a real server with a queue
#define OPEN_MS     60000
#define ROOM        4096
#define OP_TEXT     1
#define OP_CLOSE    8
#define OP_PING     9

enum state { HANDSHAKE, OPENED, WELCOME };

struct client {
    int fd;
    enum state state;
    size_t len;
    char bytes[ROOM + 1];
};

static struct {
    struct sockaddr_in at;
    char host[64];
    char *const *keys;
    size_t key_count;
    int64_t count, begun;
    int epoll;
    _Atomic int64_t welcome, opening, got, gone, skip;
    struct hist latency; // the thread's
} sockets;

static void client_end(struct client *client)
{
    close(client->fd);
    free(client);
    sockets.gone++;
}

// ---- opening

static bool handshake_send(struct client *client, const char *key)
{
    bf_autofree char *request =
        bf_xasprintf("GET /v1/events HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                     "Authorization: Bearer %s\r\n\r\n",
                     sockets.host, key);
    size_t len = strlen(request);

    return send(client->fd, request, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void client_open(void)
{
    struct client *client = bf_xcalloc(1, sizeof(*client));
    const char *key = sockets.keys[(size_t)sockets.begun++ % sockets.key_count];

    // On the loopback a connection is there at once, or never.
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (struct sockaddr *)&sockets.at, sizeof(sockets.at)) != 0 ||
        !handshake_send(client, key) ||
        epoll_ctl(sockets.epoll, EPOLL_CTL_ADD, client->fd,
                  &(struct epoll_event){.events = EPOLLIN, .data.ptr = client}) != 0) {
        fprintf(stderr, "eventload: WebSocket %lld: %s\n", (long long)sockets.begun, strerror(errno));
        exit(1);
    }
    sockets.opening++;
}

static void consume(struct client *client, size_t len)
{
    memmove(client->bytes, client->bytes + len, client->len - len + 1);
    client->len -= len;
}

// False: it was refused.
static bool handshake_take(struct client *client)
{
    char *end = strstr(client->bytes, "\r\n\r\n");

    if (!end)
        return true;
    if (strncmp(client->bytes, "HTTP/1.1 101 ", 13) != 0) {
        fprintf(stderr, "eventload: a WebSocket was refused: %.*s\n", (int)strcspn(client->bytes, "\r"),
                client->bytes);
        return false;
    }
    client->state = OPENED;
    consume(client, (size_t)(end - client->bytes) + 4);
    return true;
}

// ---- frames

struct frame {
    int op;
    char *at;
    size_t len, whole;
};

// A server's frame: whole, unmasked, of less than 64 KiB. False: it is not here yet.
static bool frame_next(struct client *client, struct frame *ret_frame)
{
    const unsigned char *at = (unsigned char *)client->bytes;
    size_t head = 2, len = client->len < 2 ? 0 : at[1] & 0x7f;

    if (client->len < 2 || (len == 126 && client->len < 4))
        return false;
    if (len == 126) {
        head = 4;
        len = (size_t)at[2] << 8 | at[3];
    }
    if (client->len < head + len)
        return false;
    *ret_frame = (struct frame){at[0] & 0x0f, client->bytes + head, len, head + len};
    return true;
}

// Masked by nothing: the mask is there for proxies that there are none of here.
static void pong(const struct client *client, const struct frame *frame)
{
    unsigned char bytes[6 + 125] = {0x8a, (unsigned char)(0x80 | frame->len)};

    if (frame->len > 125)
        return;
    memcpy(bytes + 6, frame->at, frame->len);
    (void)!send(client->fd, bytes, 6 + frame->len, MSG_NOSIGNAL);
}

static void text_take(struct client *client, const struct frame *frame)
{
    char after = frame->at[frame->len];
    uint64_t now_us = bf_mono_us();

    frame->at[frame->len] = '\0';
    uint64_t sent_us = mark_read(frame->at);
    frame->at[frame->len] = after;
    if (sent_us) {
        if (++sockets.got > sockets.skip)
            hist_add(&sockets.latency, now_us - sent_us);
    } else if (client->state == OPENED) {
        client->state = WELCOME;
        sockets.opening--;
        sockets.welcome++;
    }
}

// False: the socket is over.
static bool client_read(struct client *client)
{
    struct frame frame;
    ssize_t got = recv(client->fd, client->bytes + client->len, ROOM - client->len, 0);

    if (got <= 0)
        return got < 0 && errno == EINTR;
    client->len += (size_t)got;
    client->bytes[client->len] = '\0';
    if (client->state == HANDSHAKE && !handshake_take(client))
        return false;
    while (client->state != HANDSHAKE && frame_next(client, &frame)) {
        if (frame.op == OP_CLOSE)
            return false;
        if (frame.op == OP_PING)
            pong(client, &frame);
        else if (frame.op == OP_TEXT)
            text_take(client, &frame);
        consume(client, frame.whole);
    }
    return client->len < ROOM;
}

static void *sockets_run(void *ctx)
{
    struct epoll_event events[256];

    for (;;) {
        while (sockets.begun < sockets.count && sockets.opening < OPENING_MAX)
            client_open();
        int count = epoll_wait(sockets.epoll, events, 256, -1);
        for (int i = 0; i < count; i++)
            if (!client_read(events[i].data.ptr))
                client_end(events[i].data.ptr);
    }
    return NULL;
}

// ---- for others

void sockets_open(const char *host_port, int64_t count, char *const *keys, size_t key_count)
{
    uint64_t until_ms = bf_mono_ms() + OPEN_MS;
    const char *colon = strrchr(host_port, ':');
    pthread_t thread;
    int64_t port = 0;

    sockets.at.sin_family = AF_INET;
    if (!colon || strncmp(host_port, "127.", 4) != 0 || !bf_parse_int(bf_str(colon + 1), 1, 65535, &port) ||
        (size_t)snprintf(sockets.host, sizeof(sockets.host), "%.*s", (int)(colon - host_port), host_port) >=
            sizeof(sockets.host) ||
        inet_pton(AF_INET, sockets.host, &sockets.at.sin_addr) != 1) {
        fprintf(stderr, "eventload: --socket-at %s is no 127.x.x.x:port\n", host_port);
        exit(1);
    }
    sockets.at.sin_port = htons((uint16_t)port);
    sockets.keys = keys;
    sockets.key_count = key_count;
    sockets.count = count;
    sockets.epoll = epoll_create1(EPOLL_CLOEXEC);
    pthread_create(&thread, NULL, sockets_run, NULL);
    pthread_detach(thread);
    while (sockets.welcome < count) {
        usleep(1000);
        if (sockets.gone || bf_mono_ms() >= until_ms) {
            fprintf(stderr, "eventload: %lld of %lld WebSockets are open, and %lld ended\n",
                    (long long)sockets.welcome, (long long)count, (long long)sockets.gone);
            exit(1);
        }
    }
}

int64_t sockets_got(void)
{
    return sockets.got;
}

int64_t sockets_gone(void)
{
    return sockets.gone;
}

void sockets_skip(int64_t skip)
{
    sockets.skip = skip;
}

const struct hist *sockets_latency(void)
{
    return &sockets.latency;
}
