// The feeder.
#include "feed.h"

#include "bf_bus.h"
#include "bf_clock.h"
#include "bf_ticker.h"
#include "registry_wire.h"

#define CHANNEL       "belfry_change"
#define HEARTBEAT_MS  1000
#define WAIT_MS       100 // how long a stop may take to be seen
#define RETRY_MS      200
#define BATCH         500
#define MESSAGE_BYTES (1u << 20)

struct feed {
    struct registry *registry;
    struct bf_bus_publisher *publisher;
    struct bf_db_listener *listener;
    struct bf_buf message;
    struct change_head sent; // what subscribers have heard of; epoch 0 before the first reading
    uint64_t sent_ms;        // monotonic, of the last message
    size_t count;            // changes in the message
    uint64_t last_seq;
    bool down;
    struct bf_ticker *ticker;
};

static void feed_add(void *ctx, const struct change *change)
{
    struct feed *feed = ctx;

    wire_write_feed_change(&feed->message, change);
    feed->last_seq = change->seq;
    feed->count++;
}

static enum bf_err feed_publish(struct feed *feed, struct change_head sent)
{
    if (!bf_buf_ok(&feed->message))
        return BF_TOO_LARGE;
    enum bf_err err = bf_bus_publish(feed->publisher, (struct bf_str){feed->message.at, feed->message.len});
    if (err)
        return err;
    feed->sent = sent;
    feed->sent_ms = bf_mono_ms();
    bf_metric_add(&registry_metrics[feed->count ? METRIC_FEED_CHANGES : METRIC_FEED_HEARTBEATS],
                  feed->count ? (int64_t)feed->count : 1);
    bf_metric_set(&registry_metrics[METRIC_FEED_SEQ], (int64_t)sent.seq);
    return BF_OK;
}

// One message: the next changes, or a heartbeat when there are none. *ret_more: there are changes left.
static enum bf_err feed_step(struct feed *feed, bool heartbeat, bool *ret_more)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct change_head head;
    enum bf_err err = bf_tx_begin(feed->registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = change_store_head(tx, &head);
    if (err)
        return err;
    bool fresh = feed->sent.epoch != head.epoch || feed->sent.seq > head.seq;
    feed->last_seq = fresh ? head.seq : feed->sent.seq;
    feed->count = 0;
    bf_buf_clear(&feed->message);
    wire_write_feed(&feed->message, head);
    if (feed->last_seq < head.seq)
        err = change_store_after(tx, feed->last_seq, head.seq, BATCH, feed_add, feed);
    if (err == BF_NOT_FOUND) { // away for longer than changes are kept: the gap tells subscribers to ask
        feed->last_seq = head.seq;
        err = BF_OK;
    }
    *ret_more = feed->last_seq < head.seq;
    if (err || (!feed->count && !heartbeat && !fresh))
        return err;
    return feed_publish(feed, (struct change_head){head.epoch, feed->last_seq});
}

static void feed_note(struct feed *feed, enum bf_err err)
{
    bf_metric_set(&registry_metrics[METRIC_FEED_UP], err == BF_OK);
    if (err)
        registry_count(METRIC_FEED_FAILURES);
    if (err && !feed->down)
        bf_warn("feed.down", BF_E(err));
    if (!err && feed->down)
        bf_info("feed.up", BF_I("seq", feed->sent.seq));
    feed->down = err != BF_OK;
}

static enum bf_err feed_listen(struct feed *feed, struct bf_ticker *ticker)
{
    bool notified = false, more = true;
    enum bf_err err = bf_db_listener_wait(feed->listener, WAIT_MS, &notified);

    if (err)
        return err;
    bool heartbeat = bf_mono_ms() - feed->sent_ms >= HEARTBEAT_MS;
    if (!notified && !heartbeat)
        return BF_OK;
    while (!err && more && !bf_ticker_stopping(ticker))
        err = feed_step(feed, heartbeat, &more);
    return err;
}

static int64_t feed_turn(void *ctx, struct bf_ticker *ticker)
{
    struct feed *feed = ctx;
    enum bf_err err = feed_listen(feed, ticker);

    feed_note(feed, err);
    return err ? RETRY_MS : 0;
}

static void feed_free(struct feed *feed)
{
    bf_db_listener_close(feed->listener);
    bf_bus_publisher_close(feed->publisher);
    bf_buf_release(&feed->message);
    free(feed);
}

enum bf_err feed_start(struct registry *registry, struct feed **ret_feed)
{
    struct feed *feed = bf_xcalloc(1, sizeof(*feed));

    feed->registry = registry;
    bf_buf_init(&feed->message, MESSAGE_BYTES);
    enum bf_err err = bf_bus_publisher_open(registry->settings.feed_listen, &feed->publisher);
    if (!err)
        err = bf_db_listener_open(&registry->settings.db, CHANNEL, &feed->listener);
    if (!err)
        err = bf_ticker_start(feed_turn, feed, &feed->ticker);
    if (err) {
        feed_free(feed);
        return err;
    }
    *ret_feed = feed;
    return BF_OK;
}

void feed_stop(struct feed *feed)
{
    if (!feed)
        return;
    bf_ticker_stop(feed->ticker);
    feed_free(feed);
}
