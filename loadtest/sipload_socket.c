// The sockets of sipload.
#include "sipload_socket.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "bf_clock.h"

#define SOCKET_BYTES (4 << 20)

const char *load_socket_open(struct load_socket *s, const struct sockaddr_in *target, int64_t port)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(local);
    int bytes = SOCKET_BYTES, on = 1;

    for (size_t i = 0; i < LOAD_BATCH; i++) {
        s->in_at[i] = (struct iovec){s->packets[i], LOAD_PACKET_BYTES};
        s->in[i].msg_hdr = (struct msghdr){.msg_iov = &s->in_at[i], .msg_iovlen = 1};
        s->out[i].msg_hdr = (struct msghdr){.msg_iov = &s->out_at[i], .msg_iovlen = 1};
    }
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return "no socket";
    if (setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
        return "the kernel does not say when packets come";
    // a smaller one shows as retransmissions
    (void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    if (bind(s->fd, (struct sockaddr *)&local, sizeof(local)) < 0)
        return "the local port is taken; choose another --local-port or --callee-port";
    if (connect(s->fd, (const struct sockaddr *)target, sizeof(*target)) < 0)
        return "the target cannot be reached";
    if (getsockname(s->fd, (struct sockaddr *)&local, &size) < 0)
        return "the socket has no name";
    s->local_port = ntohs(local.sin_port);
    return NULL;
}

void load_socket_close(struct load_socket *s)
{
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

void load_socket_flush(struct load_socket *s)
{
    size_t done = 0;

    while (done < s->queued) {
        int sent = sendmmsg(s->fd, s->out + done, (unsigned)(s->queued - done), 0);
        if (sent > 0) {
            done += (size_t)sent;
            continue;
        }
        if (errno == EAGAIN || errno == EINTR) {
            struct pollfd writable = {s->fd, POLLOUT, 0};
            (void)poll(&writable, 1, 10);
            continue;
        }
        s->send_errors++; // for example nobody listens: the retransmission is the second try
        done++;
    }
    s->queued = 0;
}

void load_socket_put(struct load_socket *s, char *text, size_t len)
{
    if (s->queued == LOAD_BATCH)
        load_socket_flush(s);
    struct iovec *out = &s->out_at[s->queued++];
    out->iov_base = text;
    out->iov_len = len;
}

static uint64_t age_us(struct msghdr *packet, const struct timespec *now)
{
    struct timespec came = *now;

    for (struct cmsghdr *note = CMSG_FIRSTHDR(packet); note; note = CMSG_NXTHDR(packet, note))
        if (note->cmsg_level == SOL_SOCKET && note->cmsg_type == SCM_TIMESTAMPNS)
            memcpy(&came, CMSG_DATA(note), sizeof(came));
    int64_t ns = (now->tv_sec - came.tv_sec) * INT64_C(1000000000) + now->tv_nsec - came.tv_nsec;
    return ns > 0 ? (uint64_t)ns / 1000 : 0;
}

// The kernel's times are those of the wall clock.
int load_socket_receive(struct load_socket *s)
{
    struct timespec wall;

    for (size_t i = 0; i < LOAD_BATCH; i++) {
        s->in[i].msg_hdr.msg_control = s->notes[i];
        s->in[i].msg_hdr.msg_controllen = sizeof(s->notes[i]);
    }
    int got = recvmmsg(s->fd, s->in, LOAD_BATCH, MSG_DONTWAIT, NULL);
    if (got <= 0)
        return got;
    uint64_t now_us = bf_mono_us();
    clock_gettime(CLOCK_REALTIME, &wall);
    for (int i = 0; i < got; i++)
        s->came_us[i] = now_us - age_us(&s->in[i].msg_hdr, &wall);
    return got;
}

struct bf_str load_socket_packet(const struct load_socket *s, int index)
{
    return (struct bf_str){s->packets[index], s->in[index].msg_len};
}

uint64_t load_socket_came_us(const struct load_socket *s, int index)
{
    return s->came_us[index];
}
