// The WebSockets of eventload: many at once, that read what comes and answer pings. One thread of its own.
#ifndef EVENTLOAD_SOCKET_H
#define EVENTLOAD_SOCKET_H

#include "sipload_hist.h"

#define SOCKETS_MAX 16384

// Each is opened with the key in its turn; returns when all have been welcomed, or ends the program.
// `host_port`: "127.0.0.1:14007"; loopback only.
void sockets_open(const char *host_port, int64_t count, char *const *keys, size_t key_count);

// Events that came, and those whose time counts: all but the first `skip`.
int64_t sockets_got(void);
const struct hist *sockets_latency(void); // from before Publish until it was read here; once all have come
int64_t sockets_gone(void);               // that the other side closed
void sockets_skip(int64_t skip);

#endif
