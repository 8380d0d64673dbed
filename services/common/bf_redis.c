// The pool of connections.
#include "bf_redis.h"

#include <assert.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_crypto.h"
#include "bf_redis_pool.h"
#include "bf_wait.h"

#define BACKOFF_MIN_MS 20
#define BACKOFF_MAX_MS 500
#define PING_MS        300 // a ping has to end soon

struct bf_redis {
    struct bf_redis_options options; // its texts are ours
    pthread_mutex_t lock;
    pthread_cond_t returned;
    struct bf_redis_conn **idle; // a stack: the warmest connection is used first
    size_t idle_count;
    size_t open_count; // idle, borrowed and being opened
    int64_t backoff_ms;
    uint64_t retry_at_ms;
    char error[BF_REDIS_ERROR_SIZE];
};

struct bf_metric bf_redis_metrics[REDIS_METRIC_COUNT] = {
    [REDIS_CONNECTIONS] = {.name = "belfry_redis_connections",
                           .kind = BF_GAUGE,
                           .help = "Open Redis connections"},
    [REDIS_CONNECTS] = {.name = "belfry_redis_connects_total", .help = "Redis connections opened"},
    [REDIS_CONNECT_ERRORS] = {.name = "belfry_redis_connect_errors_total",
                              .help = "Redis connections that failed to open"},
    [REDIS_BORROW_TIMEOUTS] = {.name = "belfry_redis_borrow_timeouts_total",
                               .help = "Requests that found no free Redis connection in time"},
    [REDIS_BATCHES] = {.name = "belfry_redis_batch_seconds",
                       .kind = BF_HISTOGRAM,
                       .help = "Time of one batch of commands"},
    [REDIS_BATCH_ERRORS] = {.name = "belfry_redis_batch_errors_total", .help = "Batches that failed"},
    [REDIS_SCRIPTS_RESENT] = {.name = "belfry_redis_scripts_resent_total",
                              .help = "Scripts that Redis had forgotten and got again"},
};

static void name_script(struct bf_redis_script *script)
{
    uint8_t digest[20];

    if (EVP_Digest(script->text, strlen(script->text), digest, NULL, EVP_sha1(), NULL) != 1)
        abort();
    bf_hex(digest, sizeof(digest), script->sha1);
}

static void init_lock(struct bf_redis *redis)
{

    pthread_mutex_init(&redis->lock, NULL);
    bf_wait_init(&redis->returned);
}

enum bf_err bf_redis_open(const struct bf_redis_options *options, struct bf_redis **ret_redis)
{
    if (!options->host || !options->host[0] || options->connections_max < 1 ||
        options->connect_timeout_ms < 1 || options->borrow_timeout_ms < 0 || options->answer_timeout_ms < 1)
        return BF_INVALID;
    bf_metrics_register(bf_redis_metrics, BF_LEN(bf_redis_metrics));
    struct bf_redis *redis = bf_xcalloc(1, sizeof(*redis));
    redis->options = *options;
    redis->options.host = bf_xstrdup(options->host);
    redis->options.password = bf_xstrdup(options->password ? options->password : "");
    redis->idle = bf_xcalloc((size_t)options->connections_max, sizeof(struct bf_redis_conn *));
    for (size_t i = 0; i < options->script_count; i++)
        name_script(options->scripts[i]);
    init_lock(redis);
    *ret_redis = redis;
    return BF_OK;
}

void bf_redis_close(struct bf_redis *redis)
{
    if (!redis)
        return;
    assert(redis->idle_count == redis->open_count); // a batch is still running
    for (size_t i = 0; i < redis->idle_count; i++) {
        bf_redis_conn_close(redis->idle[i]);
        bf_metric_add(&bf_redis_metrics[REDIS_CONNECTIONS], -1);
    }
    free(redis->idle);
    pthread_cond_destroy(&redis->returned);
    pthread_mutex_destroy(&redis->lock);
    free((char *)redis->options.host);
    explicit_bzero((char *)redis->options.password, strlen(redis->options.password));
    free((char *)redis->options.password);
    free(redis);
}

const struct bf_redis_options *bf_redis_options_of(const struct bf_redis *redis)
{
    return &redis->options;
}

void bf_redis_error(struct bf_redis *redis, char *text, size_t size)
{
    pthread_mutex_lock(&redis->lock);
    snprintf(text, size, "%s", redis->error);
    pthread_mutex_unlock(&redis->lock);
}

// Under the lock.
static void back_off(struct bf_redis *redis)
{
    redis->backoff_ms = redis->backoff_ms ? redis->backoff_ms * 2 : BACKOFF_MIN_MS;
    redis->backoff_ms = redis->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : redis->backoff_ms;
    redis->retry_at_ms = bf_mono_ms() + (uint64_t)redis->backoff_ms;
}

// Opens a connection in a place already counted in open_count; gives the place up when that fails.
static enum bf_err open_in_place(struct bf_redis *redis, struct bf_redis_conn **ret_conn)
{
    char error[BF_REDIS_ERROR_SIZE] = "";
    enum bf_err err = bf_redis_conn_open(&redis->options, ret_conn, error);

    pthread_mutex_lock(&redis->lock);
    if (err) {
        back_off(redis);
        redis->open_count--;
        pthread_cond_signal(&redis->returned);
    } else {
        redis->backoff_ms = 0;
        redis->retry_at_ms = 0;
    }
    memcpy(redis->error, error, sizeof(error));
    pthread_mutex_unlock(&redis->lock);
    bf_metric_add(&bf_redis_metrics[err ? REDIS_CONNECT_ERRORS : REDIS_CONNECTS], 1);
    bf_metric_add(&bf_redis_metrics[REDIS_CONNECTIONS], err ? 0 : 1);
    return err;
}

// A free connection, or (with *ret_conn NULL) a place for a new one. Under the lock.
static enum bf_err wait_for_place(struct bf_redis *redis, struct bf_redis_conn **ret_conn)
{
    struct timespec until = bf_wait_until(redis->options.borrow_timeout_ms);

    while (redis->idle_count == 0 && redis->open_count == (size_t)redis->options.connections_max)
        if (pthread_cond_timedwait(&redis->returned, &redis->lock, &until))
            return BF_TIMEOUT;
    if (redis->idle_count > 0) {
        *ret_conn = redis->idle[--redis->idle_count];
        return BF_OK;
    }
    if (bf_mono_ms() < redis->retry_at_ms)
        return BF_UNAVAILABLE;
    redis->open_count++;
    *ret_conn = NULL;
    return BF_OK;
}

enum bf_err bf_redis_borrow(struct bf_redis *redis, struct bf_redis_conn **ret_conn)
{
    struct bf_redis_conn *conn = NULL;

    pthread_mutex_lock(&redis->lock);
    enum bf_err err = wait_for_place(redis, &conn);
    pthread_mutex_unlock(&redis->lock);
    if (err) {
        bf_metric_add(&bf_redis_metrics[REDIS_BORROW_TIMEOUTS], err == BF_TIMEOUT);
        return BF_UNAVAILABLE;
    }
    if (conn && bf_redis_conn_died_idle(conn)) {
        bf_redis_conn_close(conn);
        bf_metric_add(&bf_redis_metrics[REDIS_CONNECTIONS], -1);
        conn = NULL;
    }
    if (!conn)
        return open_in_place(redis, ret_conn);
    *ret_conn = conn;
    return BF_OK;
}

void bf_redis_return(struct bf_redis *redis, struct bf_redis_conn *conn)
{
    bool dead = conn->broken;

    if (dead) {
        bf_redis_conn_close(conn);
        bf_metric_add(&bf_redis_metrics[REDIS_CONNECTIONS], -1);
    }
    pthread_mutex_lock(&redis->lock);
    if (dead)
        redis->open_count--;
    else
        redis->idle[redis->idle_count++] = conn;
    pthread_cond_signal(&redis->returned);
    pthread_mutex_unlock(&redis->lock);
}

enum bf_err bf_redis_ping(struct bf_redis *redis)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(redis);

    bf_redis_add(batch, (struct bf_redis_arg[]){BF_R_TEXT("PING")}, 1);
    bf_redis_hurry(batch, PING_MS);
    return bf_redis_run(batch);
}
