// The sockets of sipload.
#include "sipload_socket.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define SOCKET_BYTES (4 << 20)

const char *load_socket_open(struct load_socket *s, const struct sockaddr_in *target, int64_t port)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t size = sizeof(local);
    int bytes = SOCKET_BYTES;

    for (size_t i = 0; i < LOAD_BATCH; i++) {
        s->in_at[i] = (struct iovec){s->packets[i], LOAD_PACKET_BYTES};
        s->in[i].msg_hdr = (struct msghdr){.msg_iov = &s->in_at[i], .msg_iovlen = 1};
        s->out[i].msg_hdr = (struct msghdr){.msg_iov = &s->out_at[i], .msg_iovlen = 1};
    }
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return "no socket";
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

int load_socket_receive(struct load_socket *s)
{
    return recvmmsg(s->fd, s->in, LOAD_BATCH, MSG_DONTWAIT, NULL);
}

struct bf_str load_socket_packet(const struct load_socket *s, int index)
{
    return (struct bf_str){s->packets[index], s->in[index].msg_len};
}
