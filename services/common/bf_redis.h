// Redis by hiredis: a pool of connections, batches of commands in one round trip, scripts.
//
// A worker fills a batch (memory only), runs it (a connection is borrowed for that time alone) and reads the
// replies. A lost connection is opened anew at the next run, with a back-off shared by all; while the server
// is away a run fails with BF_UNAVAILABLE at once or within `connect_timeout_ms`. A batch that fails may have
// been carried out wholly, partly or not at all: commands must bear being repeated. Scripts are loaded when a
// connection is opened; one that the server forgot meanwhile is sent whole in a second round trip, so behind
// the other commands of its batch. The pool is for any thread; a batch belongs to one thread at a time.
#ifndef BF_REDIS_H
#define BF_REDIS_H

#include "bf_base.h"
#include "bf_err.h"

#define BF_REDIS_COMMANDS_MAX 20000       // in one batch; further ones make the run fail with BF_TOO_LARGE
#define BF_REDIS_BYTES_MAX    (32u << 20) // of one batch's commands

struct bf_redis; // the pool
struct bf_redis_batch;
struct bf_redis_reply;

// Lua. One static struct each, listed in the options. Keys only by KEYS: scripts run on clusters too.
struct bf_redis_script {
    const char *text;
    char sha1[41]; // filled by bf_redis_open
};

struct bf_redis_options {
    const char *host; // a path starting with / is a unix socket
    int64_t port;
    const char *password; // "" or NULL: none
    int64_t connections_max;
    int64_t connect_timeout_ms;
    int64_t borrow_timeout_ms; // waiting for a free connection; then BF_UNAVAILABLE
    int64_t answer_timeout_ms; // of a whole batch; then BF_UNAVAILABLE and the connection is closed
    struct bf_redis_script *const *scripts;
    size_t script_count;
};

// One argument of a command. Build with BF_R_*; the bytes are copied into the batch at once.
struct bf_redis_arg {
    const void *at; // NULL: number
    size_t len;
    int64_t number;
};

#define BF_R_TEXT(cstring)    bf_redis_text(cstring)
#define BF_R_STR(str)         ((struct bf_redis_arg){.at = (str).at ? (str).at : "", .len = (str).len})
#define BF_R_INT(value)       ((struct bf_redis_arg){.number = (int64_t)(value)})
#define BF_R_BYTES(ptr, size) ((struct bf_redis_arg){.at = (ptr), .len = (size)})

bf_must_check enum bf_err bf_redis_open(const struct bf_redis_options *options,
                                        struct bf_redis **ret_redis); // connects lazily
void bf_redis_close(struct bf_redis *redis);                          // NULL is fine
bf_must_check enum bf_err bf_redis_ping(struct bf_redis *redis);      // for /ready
// Why the last connect failed, for the log; "" when it did not.
void bf_redis_error(struct bf_redis *redis, char *text, size_t size);

struct bf_redis_batch *bf_redis_batch_new(struct bf_redis *redis);
void bf_redis_batch_free(struct bf_redis_batch *batch); // NULL is fine; the replies go with it
void bf_redis_batch_free_at(struct bf_redis_batch **batch);

struct bf_redis_arg bf_redis_text(const char *text);
// Adds a command and returns the number of its reply, from 0.
size_t bf_redis_add(struct bf_redis_batch *batch, const struct bf_redis_arg *args, size_t count);
#define bf_redis_cmd(batch, name, ...)                                                 \
    bf_redis_add((batch), (const struct bf_redis_arg[]){BF_R_TEXT(name), __VA_ARGS__}, \
                 sizeof((const struct bf_redis_arg[]){BF_R_TEXT(name), __VA_ARGS__}) / \
                     sizeof(struct bf_redis_arg))
// `args` are the keys and behind them the other arguments.
size_t bf_redis_script(struct bf_redis_batch *batch, const struct bf_redis_script *script, size_t keys,
                       const struct bf_redis_arg *args, size_t count);
#define bf_redis_eval(batch, script, keys, ...)                                            \
    bf_redis_script((batch), (script), (keys), (const struct bf_redis_arg[]){__VA_ARGS__}, \
                    sizeof((const struct bf_redis_arg[]){__VA_ARGS__}) / sizeof(struct bf_redis_arg))
size_t bf_redis_count(const struct bf_redis_batch *batch); // commands in it

// Waits for the replies at most so long, when that is shorter than `answer_timeout_ms`: for whoever has less
// time.
void bf_redis_hurry(struct bf_redis_batch *batch, int64_t timeout_ms);
// Sends everything, waits for every reply. BF_UNAVAILABLE: the server is away, loading, read-only, full (OOM)
// or too slow; BF_INTERNAL: a command was answered with another error (see bf_redis_batch_error; the other
// replies are there). An empty batch is fine. Afterwards bf_redis_clear() makes it empty again.
bf_must_check enum bf_err bf_redis_run(struct bf_redis_batch *batch);
void bf_redis_clear(struct bf_redis_batch *batch);
const char *bf_redis_batch_error(const struct bf_redis_batch *batch); // the server's words; "" without one

// Replies, valid until the batch is cleared, run again or freed. What has another type than is asked for
// reads as nil, 0, "" and no items.
const struct bf_redis_reply *bf_redis_reply(const struct bf_redis_batch *batch, size_t number);
bool bf_redis_nil(const struct bf_redis_reply *reply);
int64_t bf_redis_int(const struct bf_redis_reply *reply); // also of a text of digits
struct bf_str bf_redis_str(const struct bf_redis_reply *reply);
size_t bf_redis_items(const struct bf_redis_reply *reply);
const struct bf_redis_reply *bf_redis_item(const struct bf_redis_reply *reply, size_t number);

#endif
