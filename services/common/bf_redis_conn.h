// One Redis connection: opening with a deadline, sending a block of commands, collecting replies. Private to
// bf_redis*.c.
//
// Every wait has a deadline, also against a server that has stopped answering: the connection is then broken
// and must be closed. One thread at a time.
#ifndef BF_REDIS_CONN_H
#define BF_REDIS_CONN_H

#include <hiredis/hiredis.h>

#include "bf_redis.h"

#define BF_REDIS_ERROR_SIZE 256

struct bf_redis_conn {
    redisContext *hiredis;
    bool broken; // not to be used again
    char error[BF_REDIS_ERROR_SIZE];
};

// Connects, authenticates, loads the scripts. `error` gets the server's or hiredis' words when this fails.
bf_must_check enum bf_err bf_redis_conn_open(const struct bf_redis_options *options,
                                             struct bf_redis_conn **ret_conn,
                                             char error[BF_REDIS_ERROR_SIZE]);
void bf_redis_conn_close(struct bf_redis_conn *conn); // NULL is fine
// Nothing may come while nothing was asked: if something did, it is the end of the connection.
bool bf_redis_conn_died_idle(const struct bf_redis_conn *conn);

// Sends `commands` whole and fills replies[0..count), which the caller frees (freeReplyObject), also those
// that came before a failure. Replies that are errors are no failure here.
bf_must_check enum bf_err bf_redis_conn_run(struct bf_redis_conn *conn, struct bf_str commands,
                                            uint64_t deadline_mono_ms, redisReply **replies, size_t count);

// Waits for a reply that was not asked for (SUBSCRIBE). BF_TIMEOUT: none came, and the connection is as good
// as before.
bf_must_check enum bf_err bf_redis_conn_hear(struct bf_redis_conn *conn, uint64_t deadline_mono_ms,
                                             redisReply **ret_reply);

// RESP, as the server wants commands.
struct bf_buf;
void bf_redis_put_head(struct bf_buf *into, size_t args);
void bf_redis_put_arg(struct bf_buf *into, const void *at, size_t len);

// What an error reply means to the caller; also says whether the connection is to be given up.
enum bf_err bf_redis_judge(struct bf_str error, bool *ret_broken);

#endif
