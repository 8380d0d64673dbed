// A caller for tests of what bf_http serves: requests written byte for byte over real sockets.
#ifndef BF_HTTP_FIXTURE_H
#define BF_HTTP_FIXTURE_H

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bf_buf.h"
#include "bf_http.h"

#define BF_HTTP_FIXTURE_BYTES_MAX (1u << 20) // for the answer's bf_buf_init

static inline int bf_http_fixture_connect(struct bf_http_server *to)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bf_http_port(to))};
    struct timeval patience = {.tv_sec = 60};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address))) {
        close(fd);
        return -1;
    }
    return fd;
}

// False when the server did not take it all.
static inline bool bf_http_fixture_send(int fd, struct bf_str bytes)
{
    while (bytes.len) {
        ssize_t done = send(fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (done <= 0)
            return false;
        bytes = (struct bf_str){bytes.at + done, bytes.len - (size_t)done};
    }
    return true;
}

static inline void bf_http_fixture_read(int fd, struct bf_buf *answer)
{
    char part[4096];

    bf_buf_clear(answer);
    for (ssize_t got; (got = recv(fd, part, sizeof(part), 0)) > 0;)
        bf_buf_add(answer, part, (size_t)got);
}

// Of a whole answer, header and body as they came; 0: none came.
static inline int bf_http_fixture_status(const struct bf_buf *answer)
{
    int64_t code = 0;

    if (answer->len < 12 || !bf_parse_int((struct bf_str){answer->at + 9, 3}, 100, 599, &code))
        return 0;
    return (int)code;
}

static inline int bf_http_fixture_raw(struct bf_http_server *to, struct bf_str request, struct bf_buf *answer)
{
    int fd = bf_http_fixture_connect(to);

    bf_buf_clear(answer);
    if (fd < 0)
        return 0;
    bf_http_fixture_send(fd, request);
    bf_http_fixture_read(fd, answer);
    close(fd);
    return bf_http_fixture_status(answer);
}

// `headers`: whole lines. Returns the status.
static inline int bf_http_fixture_ask(struct bf_http_server *to, const char *method, const char *target,
                                      const char *headers, struct bf_str body, struct bf_buf *answer)
{
    struct bf_buf request;

    bf_buf_init(&request, BF_HTTP_FIXTURE_BYTES_MAX);
    bf_buf_fmt(&request, "%s %s HTTP/1.1\r\nHost: unit\r\nConnection: close\r\n%s", method, target, headers);
    if (body.len)
        bf_buf_fmt(&request, "Content-Length: %zu\r\n", body.len);
    bf_buf_str(&request, "\r\n");
    bf_buf_add(&request, body.at, body.len);
    int code = bf_http_fixture_raw(to, (struct bf_str){request.at, request.len}, answer);
    bf_buf_release(&request);
    return code;
}

#endif
