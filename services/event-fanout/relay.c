// From stored events to WebSockets.
#include "relay.h"

#include <pthread.h>

#include "bf_redis_listen.h"
#include "bf_ticker.h"
#include "fanout_metrics.h"
#include "live_wire.h"
#include "recent.h"
#include "socket_store.h"

#define LISTEN_MS    500
#define RETRY_MS     500
#define CATCH_UP_MS  500
#define PAGE         2000
#define RECENT       65536    // events within the time between two looks, and many more
#define MESSAGE_MAX  1000000u // bytes on Redis at once, and the event that goes beyond
#define MESSAGE_ROOM 2000000u

struct relay {
    struct fanout *fanout;
    struct hall *hall;
    struct bf_redis_listener *listener; // the ear's
    char mark[SOCKET_STORE_MARK_SIZE];  // the reader's
    bool hears;                         // the ear's: Redis, when last tried
    pthread_mutex_t lock;
    struct recent *recent; // under lock
    struct bf_ticker *ear, *reader;
};

// The hall gets events in the order in which they come here.
static void take(struct relay *relay, const struct live_event *event, enum fanout_metric how)
{
    pthread_mutex_lock(&relay->lock);
    if (recent_add(relay->recent, event->id)) {
        hall_take(relay->hall, event);
        fanout_count(how, 1);
    }
    pthread_mutex_unlock(&relay->lock);
}

static void heard(void *ctx, const struct live_event *event)
{
    take(ctx, event, FANOUT_LIVE_HEARD);
}

static bool known(void *ctx, struct bf_id id)
{
    struct relay *relay = ctx;

    pthread_mutex_lock(&relay->lock);
    bool has = recent_has(relay->recent, id);
    pthread_mutex_unlock(&relay->lock);
    return has;
}

static void caught_up(void *ctx, const struct live_event *event)
{
    take(ctx, event, FANOUT_LIVE_CAUGHT_UP);
}

static int64_t ear_turn(void *ctx, struct bf_ticker *ticker)
{
    struct relay *relay = ctx;
    struct bf_str message;
    enum bf_err err = bf_redis_listener_wait(relay->listener, LISTEN_MS, &message);
    bool hears = !err || err == BF_TIMEOUT;

    if (!err && !live_wire_read(message, heard, relay))
        bf_warn("relay.strange_message", BF_I("bytes", message.len));
    if (hears != relay->hears)
        bf_log(hears ? BF_LOG_INFO : BF_LOG_WARN, hears ? "relay.hears" : "relay.deaf",
               (const struct bf_log_field[]){BF_E(err), {NULL, NULL, 0, 0}});
    relay->hears = hears;
    bf_metric_set(&fanout_metrics[FANOUT_LIVE_UP], hears);
    return hears ? 0 : RETRY_MS;
}

static enum bf_err read_some(struct relay *relay, bool *ret_more)
{
    const struct socket_store_reader reader = {caught_up, known, relay};
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(relay->fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = socket_store_since(tx, relay->mark, PAGE, &reader, ret_more);
    if (err && err != BF_UNAVAILABLE)
        bf_error("relay.read", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    return err;
}

static int64_t reader_turn(void *ctx, struct bf_ticker *ticker)
{
    bool more = true;

    while (more && !bf_ticker_stopping(ticker))
        if (read_some(ctx, &more))
            return RETRY_MS;
    return CATCH_UP_MS;
}

void relay_poke(struct relay *relay)
{
    if (relay)
        bf_ticker_poke(relay->reader);
}

static enum bf_err send(struct relay *relay, const struct bf_buf *message)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(relay->fanout->redis);

    bf_redis_cmd(batch, "PUBLISH", BF_R_TEXT(LIVE_CHANNEL), BF_R_BYTES(message->at, message->len));
    bf_redis_hurry(batch, RELAY_PUBLISH_MS);
    return bf_redis_run(batch);
}

void relay_publish(struct relay *relay, const struct live_event *events, size_t count)
{
    bf_cleanup(bf_buf_release) struct bf_buf message;
    enum bf_err err = BF_OK;

    if (!relay)
        return;
    bf_buf_init(&message, MESSAGE_ROOM);
    for (size_t i = 0; !err && i < count; i++) {
        live_wire_add(&message, &events[i]);
        if (message.len < MESSAGE_MAX && i + 1 < count)
            continue;
        err = bf_buf_ok(&message) ? send(relay, &message) : BF_TOO_LARGE;
        bf_buf_clear(&message);
    }
    if (!err)
        return;
    fanout_count(FANOUT_LIVE_UNPUBLISHED, 1);
    relay_poke(relay);
}

enum bf_err relay_start(struct fanout *fanout, struct hall *hall, struct relay **ret_relay)
{
    struct relay *relay = bf_xcalloc(1, sizeof(*relay));

    *relay = (struct relay){.fanout = fanout, .hall = hall, .recent = recent_new(RECENT)};
    pthread_mutex_init(&relay->lock, NULL);
    relay->listener = bf_redis_listener_new(&fanout->settings.redis, LIVE_CHANNEL);
    enum bf_err err = bf_ticker_start(reader_turn, relay, &relay->reader);
    if (!err)
        err = bf_ticker_start(ear_turn, relay, &relay->ear);
    if (err) {
        relay_stop(relay);
        return err;
    }
    *ret_relay = relay;
    return BF_OK;
}

void relay_stop(struct relay *relay)
{
    if (!relay)
        return;
    bf_ticker_stop(relay->ear);
    bf_ticker_stop(relay->reader);
    bf_redis_listener_free(relay->listener);
    recent_free(relay->recent);
    pthread_mutex_destroy(&relay->lock);
    free(relay);
}
