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

enum bf_err media_ask(const char *relay, const char *sip_call_id, struct call_leg legs[CALL_LEGS_MAX],
                      size_t *ret_count)
{
    bf_autofree char *buffer = bf_xcalloc(1, MEDIA_BYTES_MAX);
    struct bf_str answer;

    call_count(CALLS_MEDIA_ASKED);
    enum bf_err err = exchange(relay, sip_call_id, buffer, &answer);
    if (!err)
        err = media_read(answer, legs, ret_count);
    if (err)
        call_count(CALLS_MEDIA_FAILED);
    return err;
}

// ---- figures

static uint64_t number_of(const json_t *object, const char *name)
{
    double number = json_number_value(json_object_get(object, name));

    return number > 0 && number < 9e15 ? (uint64_t)number : 0;
}

static bool is_rtp(const json_t *stream)
{
    const json_t *flags = json_object_get(stream, "flags");

    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *flag = json_string_value(json_array_get(flags, i));
        if (flag && strcmp(flag, "RTP") == 0)
            return true;
    }
    return false;
}

// Known once the other side has sent a receiver report. The relay says MOS x 10, jitter in ms, loss in
// percent, round trip in us.
static void quality_add(const json_t *ssrcs, uint64_t ssrc, struct call_leg *leg)
{
    char name[24];

    snprintf(name, sizeof(name), "%llu", (unsigned long long)ssrc);
    const json_t *record = json_object_get(ssrcs, name);
    const json_t *average = json_object_get(record, "average MOS");
    leg->mos_x10 = (uint32_t)number_of(average, "MOS");
    leg->jitter_us = (uint32_t)number_of(average, "jitter") * 1000u;
    leg->round_trip_us = (uint32_t)number_of(average, "round-trip time");
    leg->lost += number_of(average, "packet loss") * number_of(record, "packets") / 100u;
}

// False: none of its streams is RTP.
static bool media_add(const json_t *media, const json_t *ssrcs, struct call_leg *leg)
{
    const json_t *streams = json_object_get(media, "streams");
    bool rtp = false;

    if (!*leg->codec)
        call_text(json_string_value(json_object_get(media, "codec")), leg->codec, sizeof(leg->codec));
    for (size_t i = 0; i < json_array_size(streams); i++) {
        const json_t *stream = json_array_get(streams, i);
        const json_t *stats = json_object_get(stream, "stats");
        if (!is_rtp(stream))
            continue;
        rtp = true;
        leg->packets += number_of(stats, "packets");
        leg->octets += number_of(stats, "bytes");
        if (number_of(stats, "packets") > 0)
            quality_add(ssrcs, number_of(stream, "SSRC"), leg);
    }
    return rtp;
}

enum bf_err media_read(struct bf_str text, struct call_leg legs[CALL_LEGS_MAX], size_t *ret_count)
{
    bf_cleanup(json_release_at) json_t *json = json_loadb(text.at ? text.at : "", text.len, 0, NULL);
    const char *result = json_string_value(json_object_get(json, "result")), *name;
    json_t *tag;
    size_t count = 0;

    if (!result)
        return BF_PROTOCOL;
    if (strcmp(result, "ok") != 0)
        return BF_NOT_FOUND;
    json_object_foreach(json_object_get(json, "tags"), name, tag)
    {
        const json_t *medias = json_object_get(tag, "medias");
        struct call_leg leg = {.packets = 0};
        bool rtp = false;
        call_text(name, leg.tag, sizeof(leg.tag));
        for (size_t i = 0; i < json_array_size(medias); i++)
            rtp = media_add(json_array_get(medias, i), json_object_get(json, "SSRC"), &leg) || rtp;
        if (rtp && count < CALL_LEGS_MAX)
            legs[count++] = leg;
    }
    *ret_count = count;
    return BF_OK;
}
