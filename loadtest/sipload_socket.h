// A UDP socket connected to the server, sending and receiving in batches. Not thread-safe.
#ifndef SIPLOAD_SOCKET_H
#define SIPLOAD_SOCKET_H

#include <netinet/in.h>
#include <stdalign.h>
#include <sys/socket.h>
#include <time.h>
#include "bf_base.h"

#define LOAD_BATCH        64
#define LOAD_PACKET_BYTES 4096

struct load_socket {
    int fd; // -1: not open
    uint16_t local_port;
    uint64_t send_errors;
    size_t queued;
    struct mmsghdr out[LOAD_BATCH];
    struct iovec out_at[LOAD_BATCH];
    struct mmsghdr in[LOAD_BATCH];
    struct iovec in_at[LOAD_BATCH];
    char packets[LOAD_BATCH][LOAD_PACKET_BYTES];
    alignas(struct cmsghdr) char notes[LOAD_BATCH][CMSG_SPACE(sizeof(struct timespec))];
    uint64_t came_us[LOAD_BATCH];
};

// NULL, or what went wrong. Port 0: any.
bf_must_check const char *load_socket_open(struct load_socket *socket, const struct sockaddr_in *target,
                                           int64_t port);
void load_socket_close(struct load_socket *socket);

// The text must stay as it is until the flush.
void load_socket_put(struct load_socket *socket, char *text, size_t len);
void load_socket_flush(struct load_socket *socket);

// How many packets have come, at most LOAD_BATCH; negative: none. They are there until the next call.
bf_must_check int load_socket_receive(struct load_socket *socket);
bf_must_check struct bf_str load_socket_packet(const struct load_socket *socket, int index);
// When the kernel had it, on bf_mono_us()'s clock: how long this program waited for a core is not in it.
bf_must_check uint64_t load_socket_came_us(const struct load_socket *socket, int index);

#endif
