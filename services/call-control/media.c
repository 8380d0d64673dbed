// Live figures of a running call, by rtpengine's ng protocol.
#include "media.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bf_clock.h"
#include "bf_crypto.h"
#include "call_metrics.h"

#define COOKIE_BYTES 8
#define HOST_SIZE    64

static void close_at(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static void json_release_at(json_t **json)
{
    json_decref(*json);
}

// ---- the address

static bool split(struct bf_str text, char host[HOST_SIZE], uint16_t *ret_port)
{
    const char *colon = text.len ? memrchr(text.at, ':', text.len) : NULL;
    int64_t port;

    if (!colon)
        return false;
    struct bf_str name = {text.at, (size_t)(colon - text.at)};
    if (!bf_parse_int((struct bf_str){colon + 1, text.len - name.len - 1}, 1, 65535, &port))
        return false;
    if (name.len >= 2 && name.at[0] == '[' && name.at[name.len - 1] == ']')
        name = (struct bf_str){name.at + 1, name.len - 2};
    if (name.len == 0 || name.len >= HOST_SIZE)
        return false;
    memcpy(host, name.at, name.len);
    host[name.len] = '\0';
    *ret_port = (uint16_t)port;
    return true;
}

static bool address_read(const char *relay, struct sockaddr_storage *ret_address, socklen_t *ret_len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
    char host[HOST_SIZE];
    uint16_t port;

    if (strncmp(relay, "udp:", 4) != 0 || !split(bf_str(relay + 4), host, &port))
        return false;
    *ret_address = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        *ret_len = sizeof(*v4);
        return true;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        *ret_len = sizeof(*v6);
        return true;
    }
    return false;
}

// ---- question and answer

static char *question(const char *cookie, const char *sip_call_id)
{
    bf_cleanup(json_release_at) json_t *json =
        json_pack("{s:s, s:s}", "command", "query", "call-id", sip_call_id);
    bf_autofree char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    return text ? bf_xasprintf("%s %s", cookie, text) : NULL;
}

// The answer to this cookie; others are of questions that nobody waits for any more.
static enum bf_err await(int fd, const char *cookie, char *buffer, struct bf_str *ret_answer)
{
    uint64_t deadline_ms = bf_mono_ms() + MEDIA_DEADLINE_MS;
    size_t cookie_len = strlen(cookie);

    for (uint64_t now_ms; (now_ms = bf_mono_ms()) < deadline_ms;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        int got = poll(&ready, 1, (int)(deadline_ms - now_ms));
        if (got < 0 && errno != EINTR)
            return BF_UNAVAILABLE;
        if (got <= 0)
            continue;
        ssize_t len = recv(fd, buffer, MEDIA_BYTES_MAX, 0);
        if (len < 0)
            return BF_UNAVAILABLE; // nobody listens there
        if ((size_t)len > cookie_len + 1 && memcmp(buffer, cookie, cookie_len) == 0 &&
            buffer[cookie_len] == ' ') {
            *ret_answer = (struct bf_str){buffer + cookie_len + 1, (size_t)len - cookie_len - 1};
            return BF_OK;
        }
    }
    return BF_TIMEOUT;
}

static enum bf_err exchange(const char *relay, const char *sip_call_id, char *buffer,
                            struct bf_str *ret_answer)
{
    struct sockaddr_storage address;
    uint8_t random[COOKIE_BYTES];
    char cookie[2 * COOKIE_BYTES + 1];
    socklen_t address_len;

    if (!address_read(relay, &address, &address_len))
        return BF_INVALID;
    bf_random(random, sizeof(random));
    bf_hex(random, sizeof(random), cookie);
    bf_autofree char *text = question(cookie, sip_call_id);
    if (!text)
        return BF_INVALID;
    bf_cleanup(close_at) int fd = socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, address_len) != 0 ||
        send(fd, text, strlen(text), 0) != (ssize_t)strlen(text))
        return BF_UNAVAILABLE;
    return await(fd, cookie, buffer, ret_answer);
}

enum bf_err media_ask(const char *relay, const char *sip_call_id, struct bf_leg legs[BF_LEGS_MAX],
                      size_t *ret_count)
{
    bf_autofree char *buffer = bf_xcalloc(1, MEDIA_BYTES_MAX);
    struct bf_str answer;

    call_count(CALLS_MEDIA_ASKED);
    enum bf_err err = exchange(relay, sip_call_id, buffer, &answer);
    if (!err)
        err = bf_leg_read(answer, legs, ret_count);
    if (err)
        call_count(CALLS_MEDIA_FAILED);
    return err;
}
