// Feeds: PUB on one side, SUB on the other.
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <string.h>

#include "bf_bus_nng.h"
#include "bf_metrics.h"

struct bf_bus_publisher {
    nng_socket socket;
};

struct bf_bus_subscriber {
    nng_socket socket;
    nng_aio *aio;
    bf_bus_got *got;
    void *ctx;
};

enum { PUBLISHED, PUBLISH_ERRORS, RECEIVED, RECEIVED_TOO_LARGE };

static struct bf_metric metrics[] = {
    [PUBLISHED] = {.name = "belfry_bus_published_total", .help = "Feed messages published"},
    [PUBLISH_ERRORS] = {.name = "belfry_bus_publish_errors_total",
                        .help = "Feed messages that could not be published"},
    [RECEIVED] = {.name = "belfry_bus_feed_received_total", .help = "Feed messages received"},
    [RECEIVED_TOO_LARGE] = {.name = "belfry_bus_feed_too_large_total",
                            .help = "Feed messages thrown away: over 4 MiB"},
};

// ---- publishing

enum bf_err bf_bus_publisher_open(const char *urls, struct bf_bus_publisher **ret_publisher)
{
    bf_metrics_register(metrics, BF_LEN(metrics));
    struct bf_bus_publisher *publisher = bf_xcalloc(1, sizeof(*publisher));
    int failed = nng_pub0_open(&publisher->socket);
    if (failed) {
        free(publisher);
        return bf_bus_err(failed);
    }
    enum bf_err err = bf_bus_err(nng_socket_set_int(publisher->socket, NNG_OPT_SENDBUF, BF_BUS_QUEUE_MAX));
    if (!err)
        err = bf_bus_listen(publisher->socket, urls);
    if (err) {
        bf_bus_publisher_close(publisher);
        return err;
    }
    *ret_publisher = publisher;
    return BF_OK;
}

void bf_bus_publisher_close(struct bf_bus_publisher *publisher)
{
    if (!publisher)
        return;
    nng_close(publisher->socket);
    free(publisher);
}

static enum bf_err publish(struct bf_bus_publisher *publisher, struct bf_str bytes)
{
    if (bytes.len > BF_BUS_BYTES_MAX)
        return BF_TOO_LARGE;
    nng_msg *message = NULL;
    int failed = nng_msg_alloc(&message, bytes.len);
    if (failed)
        return bf_bus_err(failed);
    if (bytes.len)
        memcpy(nng_msg_body(message), bytes.at, bytes.len);
    failed = nng_sendmsg(publisher->socket, message, NNG_FLAG_NONBLOCK);
    if (failed)
        nng_msg_free(message);
    return bf_bus_err(failed);
}

enum bf_err bf_bus_publish(struct bf_bus_publisher *publisher, struct bf_str message)
{
    enum bf_err err = publish(publisher, message);
    bf_metric_add(&metrics[err ? PUBLISH_ERRORS : PUBLISHED], 1);
    return err;
}

// ---- subscribing

static void on_message(void *at)
{
    struct bf_bus_subscriber *subscriber = at;
    if (nng_aio_result(subscriber->aio))
        return; // closed
    nng_msg *message = nng_aio_get_msg(subscriber->aio);
    size_t len = nng_msg_len(message);
    if (len <= BF_BUS_BYTES_MAX) {
        bf_metric_add(&metrics[RECEIVED], 1);
        subscriber->got(subscriber->ctx, (struct bf_str){nng_msg_body(message), len});
    } else {
        bf_metric_add(&metrics[RECEIVED_TOO_LARGE], 1);
    }
    nng_msg_free(message);
    nng_recv_aio(subscriber->socket, subscriber->aio);
}

static enum bf_err start(struct bf_bus_subscriber *subscriber, const char *urls)
{
    int failed = nng_socket_set(subscriber->socket, NNG_OPT_SUB_SUBSCRIBE, "", 0);
    if (!failed)
        failed = nng_socket_set_int(subscriber->socket, NNG_OPT_RECVBUF, BF_BUS_QUEUE_MAX);
    if (!failed)
        failed = nng_socket_set_size(subscriber->socket, NNG_OPT_RECVMAXSZ, BF_BUS_FRAME_BYTES);
    if (!failed)
        failed = nng_aio_alloc(&subscriber->aio, on_message, subscriber);
    if (failed)
        return bf_bus_err(failed);
    nng_aio_set_timeout(subscriber->aio, NNG_DURATION_INFINITE);
    enum bf_err err = bf_bus_dial_all(subscriber->socket, urls);
    if (!err)
        nng_recv_aio(subscriber->socket, subscriber->aio);
    return err;
}

enum bf_err bf_bus_subscribe(const char *urls, bf_bus_got *got, void *ctx,
                             struct bf_bus_subscriber **ret_subscriber)
{
    bf_metrics_register(metrics, BF_LEN(metrics));
    struct bf_bus_subscriber *subscriber = bf_xcalloc(1, sizeof(*subscriber));
    subscriber->got = got;
    subscriber->ctx = ctx;
    int failed = nng_sub0_open(&subscriber->socket);
    if (failed) {
        free(subscriber);
        return bf_bus_err(failed);
    }
    enum bf_err err = start(subscriber, urls);
    if (err) {
        bf_bus_unsubscribe(subscriber);
        return err;
    }
    *ret_subscriber = subscriber;
    return BF_OK;
}

void bf_bus_unsubscribe(struct bf_bus_subscriber *subscriber)
{
    if (!subscriber)
        return;
    if (subscriber->aio)
        nng_aio_stop(subscriber->aio); // waits for a callback under way
    nng_close(subscriber->socket);
    if (subscriber->aio)
        nng_aio_free(subscriber->aio);
    free(subscriber);
}
