// One Redis connection.
#include "bf_redis_conn.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bf_buf.h"
#include "bf_clock.h"

#define ANSWER_POLL_MAX_MS 60000

// The first row whose word the error begins with wins; every other error is our own fault.
static const struct {
    struct bf_str word;
    enum bf_err err;
    bool broken; // another connection may reach a better server
} errors[] = {
    {BF_STR("LOADING"), BF_UNAVAILABLE, false},     {BF_STR("BUSY"), BF_UNAVAILABLE, false},
    {BF_STR("OOM"), BF_UNAVAILABLE, false},         {BF_STR("MISCONF"), BF_UNAVAILABLE, false},
    {BF_STR("NOREPLICAS"), BF_UNAVAILABLE, false},  {BF_STR("TRYAGAIN"), BF_UNAVAILABLE, false},
    {BF_STR("CLUSTERDOWN"), BF_UNAVAILABLE, false}, {BF_STR("READONLY"), BF_UNAVAILABLE, true},
    {BF_STR("MASTERDOWN"), BF_UNAVAILABLE, true},   {BF_STR("UNKILLABLE"), BF_UNAVAILABLE, true},
    {BF_STR("NOAUTH"), BF_UNAVAILABLE, true},       {BF_STR("WRONGPASS"), BF_UNAVAILABLE, true},
};

enum bf_err bf_redis_judge(struct bf_str error, bool *ret_broken)
{
    for (size_t i = 0; i < BF_LEN(errors); i++) {
        if (error.len < errors[i].word.len || memcmp(error.at, errors[i].word.at, errors[i].word.len) != 0)
            continue;
        *ret_broken = errors[i].broken;
        return errors[i].err;
    }
    *ret_broken = false;
    return BF_INTERNAL;
}

void bf_redis_put_head(struct bf_buf *into, size_t args)
{
    bf_buf_add(into, "*", 1);
    bf_buf_int(into, (int64_t)args);
    bf_buf_add(into, "\r\n", 2);
}

void bf_redis_put_arg(struct bf_buf *into, const void *at, size_t len)
{
    bf_buf_add(into, "$", 1);
    bf_buf_int(into, (int64_t)len);
    bf_buf_add(into, "\r\n", 2);
    bf_buf_add(into, at, len);
    bf_buf_add(into, "\r\n", 2);
}

static enum bf_err lost(struct bf_redis_conn *conn, const char *why)
{
    conn->broken = true;
    snprintf(conn->error, sizeof(conn->error), "%s", why);
    return BF_UNAVAILABLE;
}

static struct timeval timeval_of(uint64_t ms)
{
    return (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000) * 1000};
}

static struct timeval left_until(uint64_t deadline)
{
    uint64_t now = bf_mono_ms();
    uint64_t left = deadline > now ? deadline - now : 1; // zero would mean for ever

    return timeval_of(left);
}

// BF_TIMEOUT: nothing came.
static enum bf_err wait_readable(struct bf_redis_conn *conn, uint64_t deadline)
{
    for (;;) {
        uint64_t now = bf_mono_ms();
        if (now >= deadline)
            return BF_TIMEOUT;
        uint64_t left = deadline - now > ANSWER_POLL_MAX_MS ? ANSWER_POLL_MAX_MS : deadline - now;
        struct pollfd waiting = {.fd = conn->hiredis->fd, .events = POLLIN};
        int ready = poll(&waiting, 1, (int)left);
        if (ready > 0)
            return BF_OK;
        if (ready < 0 && errno != EINTR)
            return lost(conn, "poll failed");
    }
}

static enum bf_err next_reply(struct bf_redis_conn *conn, uint64_t deadline, redisReply **ret_reply)
{
    void *reply = NULL;

    for (;;) {
        if (redisGetReplyFromReader(conn->hiredis, &reply) != REDIS_OK)
            return lost(conn, conn->hiredis->errstr);
        if (reply) {
            *ret_reply = reply;
            return BF_OK;
        }
        enum bf_err err = wait_readable(conn, deadline);
        if (err)
            return err;
        if (redisBufferRead(conn->hiredis) != REDIS_OK)
            return lost(conn, conn->hiredis->errstr);
    }
}

// Not by hiredis, which copies the whole once and what is left of it with each write.
static enum bf_err send_all(struct bf_redis_conn *conn, struct bf_str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(conn->hiredis->fd, bytes.at, bytes.len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return lost(conn, errno == EAGAIN ? "the server takes nothing" : strerror(errno));
        bytes = (struct bf_str){bytes.at + sent, bytes.len - (size_t)sent};
    }
    return BF_OK;
}

enum bf_err bf_redis_conn_run(struct bf_redis_conn *conn, struct bf_str commands, uint64_t deadline_mono_ms,
                              redisReply **replies, size_t count)
{
    enum bf_err err = send_all(conn, commands);

    for (size_t i = 0; !err && i < count; i++)
        err = next_reply(conn, deadline_mono_ms, &replies[i]);
    return err == BF_TIMEOUT ? lost(conn, "the server has stopped answering") : err;
}

enum bf_err bf_redis_conn_hear(struct bf_redis_conn *conn, uint64_t deadline_mono_ms, redisReply **ret_reply)
{
    return next_reply(conn, deadline_mono_ms, ret_reply);
}

bool bf_redis_conn_died_idle(const struct bf_redis_conn *conn)
{
    struct pollfd quiet = {.fd = conn->hiredis->fd, .events = POLLIN};

    return poll(&quiet, 1, 0) != 0;
}

// ---- opening

static redisContext *connect_to(const struct bf_redis_options *options, uint64_t deadline)
{
    struct timeval left = left_until(deadline);

    if (options->host[0] == '/')
        return redisConnectUnixWithTimeout(options->host, left);
    return redisConnectWithTimeout(options->host, (int)options->port, left);
}

static size_t put_greeting(struct bf_buf *into, const struct bf_redis_options *options)
{
    bool auth = options->password && options->password[0];

    if (auth) {
        bf_redis_put_head(into, 2);
        bf_redis_put_arg(into, "AUTH", 4);
        bf_redis_put_arg(into, options->password, strlen(options->password));
    }
    bf_redis_put_head(into, 1);
    bf_redis_put_arg(into, "PING", 4); // even with nothing else to say: is anybody there, and not loading?
    for (size_t i = 0; i < options->script_count; i++) {
        bf_redis_put_head(into, 3);
        bf_redis_put_arg(into, "SCRIPT", 6);
        bf_redis_put_arg(into, "LOAD", 4);
        bf_redis_put_arg(into, options->scripts[i]->text, strlen(options->scripts[i]->text));
    }
    return options->script_count + 1 + auth;
}

static enum bf_err greet(struct bf_redis_conn *conn, const struct bf_redis_options *options,
                         uint64_t deadline)
{
    struct bf_buf greeting;

    bf_buf_init(&greeting, BF_REDIS_BYTES_MAX);
    size_t count = put_greeting(&greeting, options);
    bf_autofree redisReply **replies = bf_xcalloc(count, sizeof(redisReply *));
    enum bf_err err =
        bf_redis_conn_run(conn, (struct bf_str){greeting.at, greeting.len}, deadline, replies, count);
    explicit_bzero(greeting.at, greeting.len); // the password
    bf_buf_release(&greeting);
    for (size_t i = 0; i < count; i++) {
        if (!err && replies[i]->type == REDIS_REPLY_ERROR)
            err = lost(conn, replies[i]->str);
        if (replies[i])
            freeReplyObject(replies[i]);
    }
    return err;
}

enum bf_err bf_redis_conn_open(const struct bf_redis_options *options, struct bf_redis_conn **ret_conn,
                               char error[BF_REDIS_ERROR_SIZE])
{
    uint64_t deadline = bf_mono_ms() + (uint64_t)options->connect_timeout_ms;
    struct bf_redis_conn *conn = bf_xcalloc(1, sizeof(*conn));
    enum bf_err err = BF_OK;

    conn->hiredis = connect_to(options, deadline);
    if (!conn->hiredis)
        abort();
    if (conn->hiredis->err)
        err = lost(conn, conn->hiredis->errstr);
    if (!err && options->host[0] != '/')
        redisEnableKeepAlive(conn->hiredis);
    if (!err) // of a write that blocks; answers are waited for by poll
        redisSetTimeout(conn->hiredis, timeval_of((uint64_t)options->answer_timeout_ms));
    if (!err)
        err = greet(conn, options, deadline);
    if (err) {
        memcpy(error, conn->error, BF_REDIS_ERROR_SIZE);
        bf_redis_conn_close(conn);
        return BF_UNAVAILABLE;
    }
    *ret_conn = conn;
    return BF_OK;
}

void bf_redis_conn_close(struct bf_redis_conn *conn)
{
    if (!conn)
        return;
    redisFree(conn->hiredis);
    free(conn);
}
