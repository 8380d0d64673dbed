// Batches of commands and their replies.
#include <string.h>

#include "bf_buf.h"
#include "bf_clock.h"
#include "bf_redis_pool.h"

struct command {
    const struct bf_redis_script *script; // NULL: an ordinary command
    size_t args;                          // of a script: how many there are, with the two of EVALSHA itself
    size_t rest_at, rest_len;             // of a script: its own arguments as they stand in `bytes`
};

struct bf_redis_batch {
    struct bf_redis *redis;
    struct bf_buf bytes;
    struct command *commands;
    size_t count, room;
    redisReply **replies; // `count` of them once it has run
    size_t reply_count;
    int64_t timeout_ms;
    char error[BF_REDIS_ERROR_SIZE];
};

struct bf_redis_batch *bf_redis_batch_new(struct bf_redis *redis)
{
    struct bf_redis_batch *batch = bf_xcalloc(1, sizeof(*batch));

    batch->redis = redis;
    batch->timeout_ms = bf_redis_options_of(redis)->answer_timeout_ms;
    bf_buf_init(&batch->bytes, BF_REDIS_BYTES_MAX);
    return batch;
}

static void drop_replies(struct bf_redis_batch *batch)
{
    for (size_t i = 0; i < batch->reply_count; i++)
        if (batch->replies[i])
            freeReplyObject(batch->replies[i]);
    free(batch->replies);
    batch->replies = NULL;
    batch->reply_count = 0;
    batch->error[0] = '\0';
}

void bf_redis_batch_free(struct bf_redis_batch *batch)
{
    if (!batch)
        return;
    drop_replies(batch);
    bf_buf_release(&batch->bytes);
    free(batch->commands);
    free(batch);
}

void bf_redis_batch_free_at(struct bf_redis_batch **batch)
{
    bf_redis_batch_free(*batch);
}

void bf_redis_clear(struct bf_redis_batch *batch)
{
    drop_replies(batch);
    bf_buf_clear(&batch->bytes);
    batch->count = 0;
}

// ---- commands

struct bf_redis_arg bf_redis_text(const char *text)
{
    return (struct bf_redis_arg){.at = text, .len = strlen(text)};
}

static void put_number(struct bf_buf *into, int64_t number)
{
    char digits[24];
    char *at = digits + sizeof(digits);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do
        *--at = (char)('0' + left % 10);
    while (left /= 10);
    if (number < 0)
        *--at = '-';
    bf_redis_put_arg(into, at, (size_t)(digits + sizeof(digits) - at));
}

static void put_args(struct bf_buf *into, const struct bf_redis_arg *args, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (args[i].at)
            bf_redis_put_arg(into, args[i].at, args[i].len);
        else
            put_number(into, args[i].number);
}

static struct command *add_command(struct bf_redis_batch *batch)
{
    if (batch->count == batch->room) {
        batch->room = batch->room ? batch->room * 2 : 16;
        batch->commands = realloc(batch->commands, batch->room * sizeof(*batch->commands));
        if (!batch->commands)
            abort();
    }
    batch->commands[batch->count] = (struct command){.script = NULL};
    return &batch->commands[batch->count++];
}

// A batch that is already too long keeps counting, so that bf_redis_run can say so, but takes no more memory.
static bool is_full(struct bf_redis_batch *batch)
{
    if (batch->count < BF_REDIS_COMMANDS_MAX)
        return false;
    batch->bytes.over = true;
    return true;
}

size_t bf_redis_add(struct bf_redis_batch *batch, const struct bf_redis_arg *args, size_t count)
{
    if (is_full(batch))
        return batch->count;
    add_command(batch);
    bf_redis_put_head(&batch->bytes, count);
    put_args(&batch->bytes, args, count);
    return batch->count - 1;
}

size_t bf_redis_script(struct bf_redis_batch *batch, const struct bf_redis_script *script, size_t keys,
                       const struct bf_redis_arg *args, size_t count)
{
    if (is_full(batch))
        return batch->count;
    struct command *command = add_command(batch);
    command->script = script;
    command->args = count + 3;
    bf_redis_put_head(&batch->bytes, command->args);
    bf_redis_put_arg(&batch->bytes, "EVALSHA", 7);
    bf_redis_put_arg(&batch->bytes, script->sha1, strlen(script->sha1));
    command->rest_at = batch->bytes.len;
    put_number(&batch->bytes, (int64_t)keys);
    put_args(&batch->bytes, args, count);
    command->rest_len = batch->bytes.len - command->rest_at;
    return batch->count - 1;
}

size_t bf_redis_count(const struct bf_redis_batch *batch)
{
    return batch->count;
}

// ---- running

static bool is_forgotten(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

static void put_whole(struct bf_buf *into, const struct bf_redis_batch *batch, const struct command *command)
{
    bf_redis_put_head(into, command->args);
    bf_redis_put_arg(into, "EVAL", 4);
    bf_redis_put_arg(into, command->script->text, strlen(command->script->text));
    bf_buf_add(into, batch->bytes.at + command->rest_at, command->rest_len);
}

// Runs the forgotten scripts again, each sent whole.
static enum bf_err run_forgotten(struct bf_redis_batch *batch, struct bf_redis_conn *conn, uint64_t deadline)
{
    enum bf_err err = BF_OK;

    for (size_t i = 0; !err && i < batch->count; i++) {
        struct bf_buf whole;
        if (!batch->commands[i].script || !is_forgotten(batch->replies[i]))
            continue;
        bf_buf_init(&whole, BF_REDIS_BYTES_MAX);
        put_whole(&whole, batch, &batch->commands[i]);
        freeReplyObject(batch->replies[i]);
        batch->replies[i] = NULL;
        err = bf_buf_ok(&whole) ? bf_redis_conn_run(conn, (struct bf_str){whole.at, whole.len}, deadline,
                                                    &batch->replies[i], 1)
                                : BF_TOO_LARGE;
        bf_buf_release(&whole);
        bf_metric_add(&bf_redis_metrics[REDIS_SCRIPTS_RESENT], 1);
    }
    return err;
}

// The worst of the error replies; a server that cannot serve outweighs a command that is wrong.
static enum bf_err judge_replies(struct bf_redis_batch *batch, struct bf_redis_conn *conn)
{
    enum bf_err worst = BF_OK;

    for (size_t i = 0; i < batch->count; i++) {
        const redisReply *reply = batch->replies[i];
        bool broken = false;
        if (reply->type != REDIS_REPLY_ERROR)
            continue;
        enum bf_err err = bf_redis_judge((struct bf_str){reply->str, reply->len}, &broken);
        conn->broken = conn->broken || broken;
        if (err > worst)
            memcpy(batch->error, reply->str, strnlen(reply->str, sizeof(batch->error) - 1) + 1);
        worst = err > worst ? err : worst;
        batch->error[sizeof(batch->error) - 1] = '\0';
    }
    return worst;
}

static enum bf_err run_on(struct bf_redis_batch *batch, struct bf_redis_conn *conn)
{
    uint64_t deadline = bf_mono_ms() + (uint64_t)batch->timeout_ms;
    struct bf_str bytes = {batch->bytes.at, batch->bytes.len};

    batch->replies = bf_xcalloc(batch->count, sizeof(redisReply *));
    batch->reply_count = batch->count;
    enum bf_err err = bf_redis_conn_run(conn, bytes, deadline, batch->replies, batch->count);
    if (!err)
        err = run_forgotten(batch, conn, deadline);
    if (err)
        memcpy(batch->error, conn->error, sizeof(batch->error));
    return err ? err : judge_replies(batch, conn);
}

void bf_redis_hurry(struct bf_redis_batch *batch, int64_t timeout_ms)
{
    if (timeout_ms < batch->timeout_ms)
        batch->timeout_ms = timeout_ms > 0 ? timeout_ms : 1;
}

enum bf_err bf_redis_run(struct bf_redis_batch *batch)
{
    struct bf_redis_conn *conn = NULL;
    uint64_t began_us = bf_mono_us();

    drop_replies(batch);
    if (!bf_buf_ok(&batch->bytes))
        return BF_TOO_LARGE;
    if (batch->count == 0)
        return BF_OK;
    enum bf_err err = bf_redis_borrow(batch->redis, &conn);
    if (!err) {
        err = run_on(batch, conn);
        bf_redis_return(batch->redis, conn);
        bf_metric_observe_us(&bf_redis_metrics[REDIS_BATCHES], bf_mono_us() - began_us);
    }
    bf_metric_add(&bf_redis_metrics[REDIS_BATCH_ERRORS], err != BF_OK);
    return err;
}

const char *bf_redis_batch_error(const struct bf_redis_batch *batch)
{
    return batch->error;
}

// ---- replies

// To the caller a reply is an opaque name for hiredis' own.
static const redisReply *of(const struct bf_redis_reply *reply)
{
    return (const void *)reply;
}

static const struct bf_redis_reply *as_ours(const redisReply *reply)
{
    return (const void *)reply;
}

const struct bf_redis_reply *bf_redis_reply(const struct bf_redis_batch *batch, size_t number)
{
    return number < batch->reply_count ? as_ours(batch->replies[number]) : NULL;
}

bool bf_redis_nil(const struct bf_redis_reply *reply)
{
    return !reply || of(reply)->type == REDIS_REPLY_NIL || of(reply)->type == REDIS_REPLY_ERROR;
}

struct bf_str bf_redis_str(const struct bf_redis_reply *reply)
{
    if (bf_redis_nil(reply) ||
        (of(reply)->type != REDIS_REPLY_STRING && of(reply)->type != REDIS_REPLY_STATUS))
        return BF_STR("");
    return (struct bf_str){of(reply)->str, of(reply)->len};
}

int64_t bf_redis_int(const struct bf_redis_reply *reply)
{
    int64_t value = 0;

    if (!bf_redis_nil(reply) && of(reply)->type == REDIS_REPLY_INTEGER)
        return of(reply)->integer;
    (void)!bf_parse_int(bf_redis_str(reply), INT64_MIN, INT64_MAX, &value);
    return value;
}

size_t bf_redis_items(const struct bf_redis_reply *reply)
{
    return !bf_redis_nil(reply) && of(reply)->type == REDIS_REPLY_ARRAY ? of(reply)->elements : 0;
}

const struct bf_redis_reply *bf_redis_item(const struct bf_redis_reply *reply, size_t number)
{
    return number < bf_redis_items(reply) ? as_ours(of(reply)->element[number]) : NULL;
}
