// A Redis connection of its own that is subscribed to one channel.
//
// What is published while it is not connected is lost, and nothing says so: whoever needs everything has it
// in a place that lasts and uses this to hear of it at once. It connects by itself. One thread at a time.
#ifndef BF_REDIS_LISTEN_H
#define BF_REDIS_LISTEN_H

#include "bf_redis.h"

struct bf_redis_listener;

// Of the options only host, port, password and connect_timeout_ms count; its texts must outlive it.
struct bf_redis_listener *bf_redis_listener_new(const struct bf_redis_options *options, const char *channel);
void bf_redis_listener_free(struct bf_redis_listener *listener); // NULL is fine

// Waits for the next message. BF_TIMEOUT: none came; BF_UNAVAILABLE: the server is away (the caller waits and
// calls again). The message lives until the next call.
bf_must_check enum bf_err bf_redis_listener_wait(struct bf_redis_listener *listener, int64_t timeout_ms,
                                                 struct bf_str *ret_message);

#endif
