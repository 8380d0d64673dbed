// From a delivery to its outcome.
#include "sender.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "courier.h"
#include "endpoint.h"
#include "fanout_metrics.h"
#include "lanes.h"
#include "settler.h"
#include "webhook.h"

enum { HEADER_EVENT, HEADER_DELIVERY, HEADER_ATTEMPT, HEADER_SIGNATURE, HEADERS };

struct sending {
    struct attempt attempt; // first: the settler has it by this
    struct sender *sender;
    struct curl_slist headers[HEADERS]; // of `lines`; what all have in common comes behind
    struct bf_buf lines;
};

struct sender {
    struct fanout *fanout;
    struct courier *courier;
    struct settler *settler;
    pthread_mutex_t lock;
    void (*due)(void *ctx); // under lock, also while it runs
    void *due_ctx;
    struct lanes *lanes;         // under lock
    struct endpoints *endpoints; // under lock
    bool stop;                   // under lock: no new requests
    bool left;                   // under lock: something was left to the table because memory was full
    uint64_t blocked_ms;    // under lock: monotonic, when something was last left there behind another one
    unsigned short dice[3]; // under lock, jrand48's
    // Under lock. What is being settled, and while the table is looked at what has been since.
    struct attempt *settling;
    bool looking;
    struct bf_id *settled;
    size_t settled_count, settled_room;
};

// Under lock. For spreading things out in time, which need not surprise anybody.
static uint32_t random_now(struct sender *sender)
{
    return (uint32_t)jrand48(sender->dice);
}

// ---- requests

// The end of each list of headers: curl only reads it.
static struct curl_slist common_headers[] = {
    {(char *)"Content-Type: application/json", &common_headers[1]},
    {(char *)"User-Agent: Belfry-Webhooks/1", NULL},
};

#define LINES_BYTES_MAX 512

static void lines_write(struct bf_buf *lines, const struct attempt *attempt, size_t begins[HEADERS])
{
    const struct delivery *delivery = attempt->delivery;
    char id[BF_ID_TEXT_SIZE];

    begins[HEADER_EVENT] = lines->len;
    bf_buf_str(lines, "Belfry-Event-Id: ");
    bf_buf_add(lines, bf_id_text(delivery->event, id), sizeof(id)); // with its end
    begins[HEADER_DELIVERY] = lines->len;
    bf_buf_str(lines, "Belfry-Delivery-Id: ");
    bf_buf_add(lines, bf_id_text(delivery->id, id), sizeof(id));
    begins[HEADER_ATTEMPT] = lines->len;
    bf_buf_str(lines, "Belfry-Attempt: ");
    bf_buf_int(lines, delivery->attempts + 1);
    bf_buf_add(lines, "", 1);
    begins[HEADER_SIGNATURE] = lines->len;
    bf_buf_str(lines, "Belfry-Signature: ");
    webhook_sign(lines, attempt->outcome.at_ms / 1000, delivery->secret, delivery->secret_before,
                 bf_str(delivery->body));
}

static void headers_make(struct sending *sending)
{
    size_t begins[HEADERS];

    bf_buf_init(&sending->lines, LINES_BYTES_MAX);
    lines_write(&sending->lines, &sending->attempt, begins);
    assert(bf_buf_ok(&sending->lines));
    for (size_t i = 0; i < HEADERS; i++)
        sending->headers[i] = (struct curl_slist){
            sending->lines.at + begins[i], i + 1 < HEADERS ? &sending->headers[i + 1] : common_headers};
}

static void done(void *ctx, const struct courier_answer *answer);

static void send_one(struct sender *sender, struct delivery *delivery)
{
    struct sending *sending = bf_xcalloc(1, sizeof(*sending));

    sending->sender = sender;
    sending->attempt.delivery = delivery;
    sending->attempt.outcome.at_ms = bf_unix_ms();
    headers_make(sending);
    courier_send(sender->courier,
                 &(struct courier_job){.url = delivery->url,
                                       .headers = sending->headers,
                                       .body = bf_str(delivery->body),
                                       .timeout_ms = sender->fanout->settings.webhook_timeout_ms,
                                       .done = done,
                                       .ctx = sending});
}

// As many as may go now.
static void dispatch(struct sender *sender)
{
    for (;;) {
        pthread_mutex_lock(&sender->lock);
        struct delivery *delivery = sender->stop ? NULL : endpoints_next(sender->endpoints);
        pthread_mutex_unlock(&sender->lock);
        if (!delivery)
            return;
        send_one(sender, delivery);
    }
}

// ---- out of memory, back to the table. Under lock.

static void measure(struct sender *sender)
{
    bf_metric_set(&fanout_metrics[FANOUT_IN_MEMORY], (int64_t)lanes_count(sender->lanes));
}

// The first of its lane and all behind it: the caller's.
static struct delivery *drop(struct sender *sender, struct delivery *first)
{
    struct delivery *dropped = lanes_drop(sender->lanes, first);
    struct endpoint *endpoint = endpoints_of(sender->endpoints, first);

    for (const struct delivery *each = dropped; each; each = each->next)
        endpoint_count(endpoint, -1);
    return dropped;
}

static void free_all(struct delivery *dropped)
{
    for (struct delivery *next; dropped; dropped = next) {
        next = dropped->next;
        delivery_free(dropped);
    }
}

// What was ready at an endpoint that rests from now on. `gone`: it is dead in the table already.
static void flush(struct sender *sender, struct endpoint *endpoint, uint64_t now_ms, bool gone)
{
    uint64_t wait_ms = 0;

    for (struct delivery *ready = endpoint_flush(sender->endpoints, endpoint), *next; ready; ready = next) {
        next = ready->ready_next;
        struct delivery *dropped = drop(sender, ready);
        (void)endpoint_room(sender->endpoints, endpoint, now_ms, random_now(sender), &wait_ms);
        for (const struct delivery *each = dropped; each && !gone; each = each->next)
            settler_postpone(sender->settler, each, wait_ms);
        free_all(dropped);
    }
}

// ---- what came of it

// For people's eyes and for a column of text: printable.
static void error_keep(struct delivery_outcome *outcome, const char *error)
{
    snprintf(outcome->error, sizeof(outcome->error), "%s", error);
    for (char *at = outcome->error; *at; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
}

static void judge(struct attempt *attempt, uint64_t now_ms)
{
    static const enum fanout_metric metrics[] = {[DELIVERY_DONE] = FANOUT_ATTEMPTS_DONE,
                                                 [DELIVERY_AGAIN] = FANOUT_ATTEMPTS_AGAIN,
                                                 [DELIVERY_DEAD] = FANOUT_ATTEMPTS_DEAD,
                                                 [DELIVERY_GONE] = FANOUT_ATTEMPTS_DEAD};

    attempt->verdict = delivery_judge(attempt->delivery, &attempt->outcome, now_ms);
    fanout_count(metrics[attempt->verdict], 1);
}

// Under lock. Its endpoint hears of it at once, the lane when it is durable.
static void endpoint_hears(struct sender *sender, struct attempt *attempt, uint64_t now_ms)
{
    struct endpoint *endpoint = endpoints_of(sender->endpoints, attempt->delivery);
    uint64_t rest_ms = 0;
    bool opened;

    attempt->health_changed = endpoints_done(sender->endpoints, endpoint, attempt->verdict == DELIVERY_DONE,
                                             now_ms, random_now(sender), &attempt->health, &opened);
    attempt->wait_ms = delivery_wait_ms(attempt->delivery->attempts + 1, random_now(sender));
    if (endpoint_room(sender->endpoints, endpoint, now_ms, random_now(sender), &rest_ms) == ENDPOINT_RESTS &&
        rest_ms > attempt->wait_ms)
        attempt->wait_ms = rest_ms;
    if (opened)
        fanout_count(FANOUT_CIRCUITS_OPENED, 1);
    if (opened || attempt->verdict == DELIVERY_GONE)
        flush(sender, endpoint, now_ms, attempt->verdict == DELIVERY_GONE);
    bf_metric_set(&fanout_metrics[FANOUT_CIRCUITS_OPEN], (int64_t)endpoints_resting(sender->endpoints));
}

static void done(void *ctx, const struct courier_answer *answer)
{
    struct sending *sending = ctx;
    struct sender *sender = sending->sender;
    struct delivery_outcome *outcome = &sending->attempt.outcome;
    uint64_t now_ms = bf_unix_ms();

    bf_buf_release(&sending->lines);
    if (answer->stopped) { // nothing came of it: it stays pending
        free(sending);
        return;
    }
    outcome->code = answer->code;
    outcome->latency_ms = answer->latency_ms;
    outcome->answer_len =
        answer->body.len < sizeof(outcome->answer) ? answer->body.len : sizeof(outcome->answer);
    memcpy(outcome->answer, answer->body.at, outcome->answer_len);
    error_keep(outcome, answer->error);
    bf_metric_observe_us(&fanout_metrics[FANOUT_SENT_SECONDS], (uint64_t)answer->latency_ms * 1000);
    judge(&sending->attempt, now_ms);
    pthread_mutex_lock(&sender->lock);
    endpoint_hears(sender, &sending->attempt, now_ms);
    bool hurry = sending->attempt.delivery->next != NULL;
    pthread_mutex_unlock(&sender->lock);
    settler_add(sender->settler, &sending->attempt, hurry);
    dispatch(sender);
}

// ---- settling

// What waits in the table behind a delivery in memory is looked at each 2 s, and found waiting again. When
// nothing has been for so long, nobody waits there, and what was settled need not be looked behind.
#define BLOCKED_MS 10000

// Before the outcome is written: from then on nobody may join the lane in memory.
static void before_settled(void *ctx, struct attempt *attempts)
{
    struct sender *sender = ctx;

    pthread_mutex_lock(&sender->lock);
    sender->settling = attempts;
    bool blocked = sender->blocked_ms && bf_mono_ms() - sender->blocked_ms < BLOCKED_MS;
    for (struct attempt *each = attempts; each; each = each->next) {
        each->last = blocked && !each->delivery->next;
        if (each->verdict == DELIVERY_DONE || each->verdict == DELIVERY_DEAD)
            continue;
        each->dropped = drop(sender, each->delivery);
        for (const struct delivery *behind = each->delivery->next; behind; behind = behind->next)
            if (each->verdict == DELIVERY_AGAIN)
                settler_postpone(sender->settler, behind, each->wait_ms);
    }
    measure(sender);
    pthread_mutex_unlock(&sender->lock);
}

// Under lock.
static void remember(struct sender *sender, struct bf_id id)
{
    if (sender->settled_count == sender->settled_room) {
        struct bf_id *more = bf_xcalloc(sender->settled_room * 2 + 256, sizeof(*more));
        if (sender->settled_count)
            memcpy(more, sender->settled, sender->settled_count * sizeof(*more));
        free(sender->settled);
        sender->settled = more;
        sender->settled_room = sender->settled_room * 2 + 256;
    }
    sender->settled[sender->settled_count++] = id;
}

// Under lock.
static void go_on(struct sender *sender, struct attempt *attempt, bool written)
{
    struct delivery *delivery = attempt->delivery;

    if (sender->looking)
        remember(sender, delivery->id);
    if (attempt->dropped) {
        free_all(attempt->dropped);
        return;
    }
    if (!written) // it stays the first of its lane: nothing of that goes on
        return;
    struct endpoint *endpoint = endpoints_of(sender->endpoints, delivery);
    struct delivery *next = lanes_next(sender->lanes, delivery);
    endpoint_count(endpoint, -1);
    if (next)
        endpoint_ready(sender->endpoints, endpoint, next);
    if (endpoint_rests(endpoint, bf_unix_ms()))
        flush(sender, endpoint, bf_unix_ms(), false);
    delivery_free(delivery);
}

static void tell_due(void *ctx)
{
    struct sender *sender = ctx;

    pthread_mutex_lock(&sender->lock);
    if (sender->due)
        sender->due(sender->due_ctx);
    pthread_mutex_unlock(&sender->lock);
}

static void after_settled(void *ctx, struct attempt *attempts, bool written)
{
    struct sender *sender = ctx;

    pthread_mutex_lock(&sender->lock);
    for (struct attempt *each = attempts, *next; each; each = next) {
        next = each->next;
        go_on(sender, each, written);
        free((struct sending *)each);
    }
    sender->settling = NULL;
    bool room =
        sender->left && lanes_count(sender->lanes) < (size_t)sender->fanout->settings.deliveries_max / 2;
    sender->left = sender->left && !room;
    measure(sender);
    pthread_mutex_unlock(&sender->lock);
    dispatch(sender);
    if (room)
        tell_due(sender);
}

// ---- for others

static enum bf_err threads_start(struct sender *sender)
{
    const struct fanout_settings *settings = &sender->fanout->settings;
    struct courier_options options = {.connections_max = settings->requests_max};
    struct settler_hooks hooks = {
        .before = before_settled, .after = after_settled, .due = tell_due, .ctx = sender};
    enum bf_err err = targets_parse(settings->targets, &options.targets);

    if (!err)
        err = settler_start(sender->fanout->db, &hooks, &sender->settler);
    if (!err)
        err = courier_start(&options, &sender->courier);
    return err;
}

enum bf_err sender_start(struct fanout *fanout, struct sender **ret_sender)
{
    const struct fanout_settings *settings = &fanout->settings;
    struct endpoints_options options = {.requests_max = settings->requests_max,
                                        .each_max = settings->webhook_requests,
                                        .queue_max = (size_t)settings->webhook_queue};
    struct sender *sender = bf_xcalloc(1, sizeof(*sender));

    sender->fanout = fanout;
    pthread_mutex_init(&sender->lock, NULL);
    bf_random(sender->dice, sizeof(sender->dice));
    sender->lanes = lanes_new((size_t)settings->deliveries_max);
    sender->endpoints = endpoints_new(&options);
    enum bf_err err = threads_start(sender);
    if (err) {
        sender_stop(sender, 0);
        sender_free(sender);
        return err;
    }
    *ret_sender = sender;
    return BF_OK;
}

void sender_stop(struct sender *sender, int64_t drain_ms)
{
    if (!sender)
        return;
    pthread_mutex_lock(&sender->lock);
    sender->stop = true;
    pthread_mutex_unlock(&sender->lock);
    courier_stop(sender->courier, drain_ms);
    settler_stop(sender->settler);
    sender->courier = NULL;
    sender->settler = NULL;
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    endpoints_free(sender->endpoints);
    lanes_free(sender->lanes);
    free(sender->settled);
    pthread_mutex_destroy(&sender->lock);
    free(sender);
}

void sender_on_due(struct sender *sender, void (*due)(void *ctx), void *ctx)
{
    pthread_mutex_lock(&sender->lock);
    sender->due = due;
    sender->due_ctx = ctx;
    pthread_mutex_unlock(&sender->lock);
}

// ---- taking. Under lock; false: it stays the caller's.

static bool postpone(struct sender *sender, const struct delivery *delivery, uint64_t wait_ms)
{
    settler_postpone(sender->settler, delivery, wait_ms);
    return false;
}

static bool take_into_lane(struct sender *sender, struct endpoint *endpoint, struct delivery *delivery,
                           int64_t behind)
{
    switch (lanes_add(sender->lanes, delivery, behind)) {
    case LANES_GO:
        endpoint_count(endpoint, 1);
        endpoint_ready(sender->endpoints, endpoint, delivery);
        return true;
    case LANES_WAITS:
        endpoint_count(endpoint, 1);
        return true;
    case LANES_KNOWN:
        return false;
    case LANES_LATER:
        sender->blocked_ms = bf_mono_ms();
        return postpone(sender, delivery, 0);
    case LANES_FULL:
        break;
    }
    sender->blocked_ms = bf_mono_ms();
    fanout_count(FANOUT_MEMORY_FULL, 1);
    sender->left = true;
    return postpone(sender, delivery, 0);
}

static bool take(struct sender *sender, struct delivery *delivery, int64_t behind)
{
    uint64_t wait_ms = 0;

    if (sender->stop)
        return false;
    struct endpoint *endpoint = endpoints_of(sender->endpoints, delivery);
    switch (endpoint_room(sender->endpoints, endpoint, bf_unix_ms(), random_now(sender), &wait_ms)) {
    case ENDPOINT_ROOM:
        return take_into_lane(sender, endpoint, delivery, behind);
    case ENDPOINT_RESTS:
        break;
    case ENDPOINT_FULL:
        fanout_count(FANOUT_ENDPOINT_FULL, 1);
        break;
    }
    sender->blocked_ms = bf_mono_ms();
    return postpone(sender, delivery, wait_ms);
}

void sender_take_made(struct sender *sender, struct event_stored *stored)
{
    pthread_mutex_lock(&sender->lock);
    for (size_t i = 0; i < stored->made_count; i++) {
        struct event_made *made = &stored->made[i];
        if (made->ours && take(sender, made->ours, made->behind))
            made->ours = NULL;
    }
    measure(sender);
    pthread_mutex_unlock(&sender->lock);
    dispatch(sender);
}

size_t sender_due_begin(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    size_t max = (size_t)sender->fanout->settings.deliveries_max, count = lanes_count(sender->lanes);
    sender->looking = true;
    sender->settled_count = 0;
    sender->left = sender->left || count >= max;
    pthread_mutex_unlock(&sender->lock);
    return count < max ? max - count : 0;
}

// Under lock. While it was looked up it may have been settled.
static bool is_settled(const struct sender *sender, struct bf_id id)
{
    for (const struct attempt *each = sender->settling; each; each = each->next)
        if (bf_id_eq(each->delivery->id, id))
            return true;
    for (size_t i = 0; i < sender->settled_count; i++)
        if (bf_id_eq(sender->settled[i], id))
            return true;
    return false;
}

void sender_due_end(struct sender *sender, struct delivery **list, size_t count, bool blocked)
{
    pthread_mutex_lock(&sender->lock);
    if (blocked)
        sender->blocked_ms = bf_mono_ms();
    for (size_t i = 0; i < count; i++)
        if (is_settled(sender, list[i]->id) || !take(sender, list[i], 0))
            delivery_free(list[i]);
    sender->looking = false;
    measure(sender);
    pthread_mutex_unlock(&sender->lock);
    dispatch(sender);
}
