// A connection that LISTENs.
#include <assert.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_db_conn.h"

struct bf_db_listener {
    struct bf_db_options options; // its texts are ours
    char *channel;
    struct bf_conn *conn; // NULL while the server is away
};

enum bf_err bf_db_listener_open(const struct bf_db_options *options, const char *channel,
                                struct bf_db_listener **ret_listener)
{
    // The channel is ours, not the world's: a plain name needs no quoting.
    if (!*channel || strspn(channel, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(channel))
        return BF_INVALID;
    struct bf_db_listener *listener = bf_xcalloc(1, sizeof(*listener));
    listener->options = *options;
    const char **texts[] = {&listener->options.host, &listener->options.dbname, &listener->options.user,
                            &listener->options.password, &listener->options.application};
    for (size_t i = 0; i < BF_LEN(texts); i++)
        *texts[i] = bf_xstrdup(*texts[i] ? *texts[i] : "");
    listener->channel = bf_xstrdup(channel);
    *ret_listener = listener;
    return BF_OK;
}

void bf_db_listener_close(struct bf_db_listener *listener)
{
    if (!listener)
        return;
    bf_conn_close(listener->conn);
    explicit_bzero((char *)listener->options.password, strlen(listener->options.password));
    const char *texts[] = {listener->options.host,     listener->options.dbname,      listener->options.user,
                           listener->options.password, listener->options.application, listener->channel};
    for (size_t i = 0; i < BF_LEN(texts); i++)
        free((char *)texts[i]);
    free(listener);
}

static enum bf_err listen_anew(struct bf_db_listener *listener)
{
    char error[BF_CONN_ERROR_SIZE];
    enum bf_err err = bf_conn_open(&listener->options, &listener->conn, error);
    if (err)
        return err;
    if (!bf_conn_listen(listener->conn, listener->channel))
        return BF_OK;
    bf_conn_close(BF_TAKE(listener->conn));
    return BF_UNAVAILABLE;
}

static bool take_notifications(struct bf_conn *conn)
{
    bool any = false;
    for (PGnotify *got; (got = PQnotifies(conn->pg));) {
        PQfreemem(got);
        any = true;
    }
    return any;
}

enum bf_err bf_db_listener_wait(struct bf_db_listener *listener, int64_t timeout_ms, bool *ret_notified)
{
    if (!listener->conn) {
        enum bf_err err = listen_anew(listener);
        if (!err)
            *ret_notified = true; // anything may have been missed before
        return err;
    }
    uint64_t deadline = bf_mono_ms() + (uint64_t)timeout_ms;
    while (!take_notifications(listener->conn)) {
        enum bf_err err = bf_conn_wait(listener->conn, deadline);
        if (err == BF_TIMEOUT) {
            *ret_notified = false;
            return BF_OK;
        }
        if (err) {
            bf_conn_close(BF_TAKE(listener->conn));
            return BF_UNAVAILABLE;
        }
    }
    *ret_notified = true;
    return BF_OK;
}
