// Listening to a channel.
#include "bf_redis_listen.h"

#include <string.h>

#include "bf_buf.h"
#include "bf_clock.h"
#include "bf_redis_conn.h"

struct bf_redis_listener {
    struct bf_redis_options options;
    char *channel;
    struct bf_redis_conn *conn; // NULL while the server is away
    redisReply *reply;          // that the last message is in
};

struct bf_redis_listener *bf_redis_listener_new(const struct bf_redis_options *options, const char *channel)
{
    struct bf_redis_listener *listener = bf_xcalloc(1, sizeof(*listener));

    listener->options = *options;
    listener->options.script_count = 0;
    listener->channel = bf_xstrdup(channel);
    return listener;
}

static void forget(struct bf_redis_listener *listener)
{
    if (listener->reply)
        freeReplyObject(BF_TAKE(listener->reply));
}

static void hang_up(struct bf_redis_listener *listener)
{
    forget(listener);
    bf_redis_conn_close(BF_TAKE(listener->conn));
}

void bf_redis_listener_free(struct bf_redis_listener *listener)
{
    if (!listener)
        return;
    hang_up(listener);
    free(listener->channel);
    free(listener);
}

static enum bf_err subscribe(struct bf_redis_listener *listener)
{
    char error[BF_REDIS_ERROR_SIZE];
    struct bf_buf command;
    enum bf_err err = bf_redis_conn_open(&listener->options, &listener->conn, error);

    if (err)
        return err;
    bf_buf_init(&command, 1024);
    bf_redis_put_head(&command, 2);
    bf_redis_put_arg(&command, "SUBSCRIBE", 9);
    bf_redis_put_arg(&command, listener->channel, strlen(listener->channel));
    err =
        bf_redis_conn_run(listener->conn, (struct bf_str){command.at, command.len},
                          bf_mono_ms() + (uint64_t)listener->options.connect_timeout_ms, &listener->reply, 1);
    bf_buf_release(&command);
    if (!err && listener->reply->type != REDIS_REPLY_ARRAY)
        err = BF_UNAVAILABLE;
    if (err)
        hang_up(listener);
    return err;
}

// ["message", channel, what was published]
static bool is_message(const redisReply *reply, struct bf_str *ret_message)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 ||
        reply->element[2]->type != REDIS_REPLY_STRING ||
        !bf_str_eq((struct bf_str){reply->element[0]->str, reply->element[0]->len}, BF_STR("message")))
        return false;
    *ret_message = (struct bf_str){reply->element[2]->str, reply->element[2]->len};
    return true;
}

enum bf_err bf_redis_listener_wait(struct bf_redis_listener *listener, int64_t timeout_ms,
                                   struct bf_str *ret_message)
{
    uint64_t deadline = bf_mono_ms() + (uint64_t)timeout_ms;
    enum bf_err err = listener->conn ? BF_OK : subscribe(listener);

    while (!err) {
        forget(listener);
        err = bf_redis_conn_hear(listener->conn, deadline, &listener->reply);
        if (!err && is_message(listener->reply, ret_message))
            return BF_OK;
    }
    if (err != BF_TIMEOUT && listener->conn)
        hang_up(listener);
    return err;
}
