// From a delivery to its outcome.
#include "sender.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "courier.h"
#include "delivery_store.h"
#include "fanout_metrics.h"
#include "lanes.h"
#include "webhook.h"

#define SETTLE_MAX      200 // outcomes in one transaction
#define SETTLE_AGAIN_MS 200

struct sending { // an attempt, from its request to its outcome in the database
    struct sender *sender;
    struct delivery *delivery; // the lanes'
    struct curl_slist *headers;
    struct delivery_outcome outcome;
    struct sending *next; // of those that wait to be settled
};

struct sender {
    struct fanout *fanout;
    struct courier *courier;
    pthread_t settler;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    void (*due)(void *ctx); // under lock, also while it runs
    void *due_ctx;
    struct lanes *lanes;                      // under lock
    struct sending *outcomes, **outcomes_end; // under lock
    bool stop;                                // under lock: no new requests
    bool end;                                 // under lock: the settler ends when there is nothing left
};

// ---- requests

static void header(struct sending *sending, const char *name, const char *value)
{
    bf_autofree char *line = bf_xasprintf("%s: %s", name, value);

    sending->headers = curl_slist_append(sending->headers, line);
}

static void headers_make(struct sending *sending)
{
    const struct delivery *delivery = sending->delivery;
    bf_cleanup(bf_buf_release) struct bf_buf signature;
    char id[BF_ID_TEXT_SIZE], number[24];

    bf_buf_init(&signature, 512);
    webhook_sign(&signature, sending->outcome.at_ms / 1000, delivery->secret, delivery->secret_before,
                 bf_str(delivery->body));
    snprintf(number, sizeof(number), "%" PRId64, delivery->attempts + 1);
    header(sending, "Content-Type", "application/json");
    header(sending, "User-Agent", "Belfry-Webhooks/1");
    header(sending, "Belfry-Event-Id", bf_id_text(delivery->event, id));
    header(sending, "Belfry-Delivery-Id", bf_id_text(delivery->id, id));
    header(sending, "Belfry-Attempt", number);
    header(sending, "Belfry-Signature", signature.at);
    header(sending, "Expect", ""); // curl's own would cost a round trip
}

static void done(void *ctx, const struct courier_answer *answer)
{
    struct sending *sending = ctx;
    struct sender *sender = sending->sender;
    struct delivery_outcome *outcome = &sending->outcome;

    outcome->code = answer->code;
    outcome->latency_ms = answer->latency_ms;
    outcome->answer_len =
        answer->body.len < sizeof(outcome->answer) ? answer->body.len : sizeof(outcome->answer);
    memcpy(outcome->answer, answer->body.at, outcome->answer_len);
    snprintf(outcome->error, sizeof(outcome->error), "%s", answer->error);
    bf_metric_observe_us(&fanout_metrics[FANOUT_SENT_SECONDS], (uint64_t)answer->latency_ms * 1000);
    curl_slist_free_all(sending->headers);
    sending->headers = NULL;
    pthread_mutex_lock(&sender->lock);
    sending->next = NULL;
    *sender->outcomes_end = sending;
    sender->outcomes_end = &sending->next;
    pthread_cond_signal(&sender->wake);
    pthread_mutex_unlock(&sender->lock);
}

static void send_one(struct sender *sender, struct delivery *delivery)
{
    struct sending *sending = bf_xcalloc(1, sizeof(*sending));

    sending->sender = sender;
    sending->delivery = delivery;
    sending->outcome.at_ms = bf_unix_ms();
    headers_make(sending);
    courier_send(sender->courier,
                 &(struct courier_job){.url = delivery->url,
                                       .headers = sending->headers,
                                       .body = bf_str(delivery->body),
                                       .timeout_ms = sender->fanout->settings.webhook_timeout_ms,
                                       .done = done,
                                       .ctx = sending});
}

// Sends it when it is the first of its lane.
static enum lanes_added take(struct sender *sender, struct delivery *delivery, int64_t behind)
{
    pthread_mutex_lock(&sender->lock);
    enum lanes_added added = sender->stop ? LANES_FULL : lanes_add(sender->lanes, delivery, behind);
    bf_metric_set(&fanout_metrics[FANOUT_IN_MEMORY], (int64_t)lanes_count(sender->lanes));
    pthread_mutex_unlock(&sender->lock);
    if (added == LANES_FULL)
        fanout_count(FANOUT_MEMORY_FULL, 1);
    if (added == LANES_GO)
        send_one(sender, delivery);
    return added;
}

static bool is_taken(enum lanes_added added)
{
    return added == LANES_GO || added == LANES_WAITS;
}

// ---- outcomes

struct settling {
    struct sending *list[SETTLE_MAX];
    struct delivery_settled settled[SETTLE_MAX];
    size_t count;
    struct delivery *dropped[SETTLE_MAX]; // by the same place: what had to wait, with all behind it
    struct bf_id *behind;                 // those behind
    size_t behind_count;
    bool freed; // a lane that may have more in the table than in memory
};

// False: the end.
static bool outcomes_wait(struct sender *sender, struct settling *settling)
{
    pthread_mutex_lock(&sender->lock);
    while (!sender->outcomes && !sender->end)
        pthread_cond_wait(&sender->wake, &sender->lock);
    while (sender->outcomes && settling->count < SETTLE_MAX) {
        struct sending *sending = sender->outcomes;
        sender->outcomes = sending->next;
        settling->list[settling->count++] = sending;
    }
    if (!sender->outcomes)
        sender->outcomes_end = &sender->outcomes;
    pthread_mutex_unlock(&sender->lock);
    return settling->count > 0;
}

static void judge(struct settling *settling)
{
    static const enum fanout_metric metrics[] = {[DELIVERY_DONE] = FANOUT_ATTEMPTS_DONE,
                                                 [DELIVERY_AGAIN] = FANOUT_ATTEMPTS_AGAIN,
                                                 [DELIVERY_DEAD] = FANOUT_ATTEMPTS_DEAD,
                                                 [DELIVERY_GONE] = FANOUT_ATTEMPTS_DEAD};
    uint64_t now_ms = bf_unix_ms();
    uint32_t random;

    for (size_t i = 0; i < settling->count; i++) {
        const struct sending *sending = settling->list[i];
        struct delivery_settled *settled = &settling->settled[i];
        bf_random(&random, sizeof(random));
        *settled = (struct delivery_settled){.delivery = sending->delivery, .outcome = &sending->outcome};
        settled->verdict = delivery_judge(sending->delivery, &sending->outcome, now_ms);
        settled->wait_ms = delivery_wait_ms(sending->delivery->attempts + 1, random);
        fanout_count(metrics[settled->verdict], 1);
    }
}

// Before the outcome is written: from then on nobody may join the lane in memory.
static void drop_waiting(struct sender *sender, struct settling *settling)
{
    size_t behind = 0;

    pthread_mutex_lock(&sender->lock);
    for (size_t i = 0; i < settling->count; i++)
        if (settling->settled[i].verdict == DELIVERY_AGAIN) {
            settling->dropped[i] = lanes_drop(sender->lanes, settling->list[i]->delivery);
            for (const struct delivery *each = settling->dropped[i]->next; each; each = each->next)
                behind++;
        }
    pthread_mutex_unlock(&sender->lock);
    settling->behind = bf_xcalloc(behind + 1, sizeof(settling->behind[0]));
    for (size_t i = 0; i < settling->count; i++)
        if (settling->dropped[i])
            for (const struct delivery *each = settling->dropped[i]->next; each; each = each->next)
                settling->behind[settling->behind_count++] = each->id;
}

static enum bf_err write_down(struct sender *sender, const struct settling *settling)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(sender->fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = delivery_store_settle(tx, settling->settled, settling->count);
    if (!err && settling->behind_count)
        err = delivery_store_due_now(tx, settling->behind, settling->behind_count);
    if (!err)
        err = bf_tx_commit(tx);
    if (err && err != BF_UNAVAILABLE)
        bf_error("sender.settle", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    return err;
}

// While the database is away the outcomes wait here; nothing of their lanes goes on.
static bool write_until_down(struct sender *sender, const struct settling *settling)
{
    while (write_down(sender, settling)) {
        struct timespec pause = {0, SETTLE_AGAIN_MS * 1000000L};
        pthread_mutex_lock(&sender->lock);
        bool end = sender->end;
        pthread_mutex_unlock(&sender->lock);
        if (end)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

static void go_on(struct sender *sender, struct settling *settling, size_t i)
{
    struct delivery *delivery = settling->list[i]->delivery, *next;

    if (settling->dropped[i]) {
        for (struct delivery *each = settling->dropped[i]; each; each = next) {
            next = each->next;
            delivery_free(each);
        }
        return;
    }
    pthread_mutex_lock(&sender->lock);
    next = lanes_next(sender->lanes, delivery);
    bool stop = sender->stop;
    pthread_mutex_unlock(&sender->lock);
    settling->freed = settling->freed || (!next && delivery->from_table);
    delivery_free(delivery);
    if (next && !stop)
        send_one(sender, next);
}

static void tell_due(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    if (sender->due)
        sender->due(sender->due_ctx);
    pthread_mutex_unlock(&sender->lock);
}

static void *settler_run(void *at)
{
    struct sender *sender = at;

    for (;;) {
        struct settling settling = {.count = 0};
        if (!outcomes_wait(sender, &settling))
            return NULL;
        judge(&settling);
        drop_waiting(sender, &settling);
        bool written = write_until_down(sender, &settling);
        for (size_t i = 0; i < settling.count; i++) {
            if (written || settling.dropped[i])
                go_on(sender, &settling, i);
            free(settling.list[i]);
        }
        free(settling.behind);
        if (settling.freed)
            tell_due(sender);
    }
}

// ---- for others

enum bf_err sender_start(struct fanout *fanout, struct sender **ret_sender)
{
    const struct fanout_settings *settings = &fanout->settings;
    struct courier_options options = {.connections_max = settings->connections_max,
                                      .host_connections = settings->host_connections};
    enum bf_err err = targets_parse(settings->targets, &options.targets);

    if (err)
        return err;
    struct sender *sender = bf_xcalloc(1, sizeof(*sender));
    sender->fanout = fanout;
    sender->outcomes_end = &sender->outcomes;
    pthread_mutex_init(&sender->lock, NULL);
    pthread_cond_init(&sender->wake, NULL);
    sender->lanes = lanes_new((size_t)settings->deliveries_max);
    err = courier_start(&options, &sender->courier);
    if (!err && pthread_create(&sender->settler, NULL, settler_run, sender) != 0) {
        courier_stop(sender->courier, 0);
        err = BF_INTERNAL;
    }
    if (!err) {
        *ret_sender = sender;
        return BF_OK;
    }
    lanes_free(sender->lanes);
    free(sender);
    return err;
}

void sender_stop(struct sender *sender, int64_t drain_ms)
{
    if (!sender)
        return;
    pthread_mutex_lock(&sender->lock);
    sender->stop = true;
    pthread_mutex_unlock(&sender->lock);
    courier_stop(sender->courier, drain_ms);
    pthread_mutex_lock(&sender->lock);
    sender->end = true;
    pthread_cond_signal(&sender->wake);
    pthread_mutex_unlock(&sender->lock);
    pthread_join(sender->settler, NULL);
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    lanes_free(sender->lanes);
    pthread_cond_destroy(&sender->wake);
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

// Where memory is full the rest stays out, too: it may be of the same lanes.
void sender_take_made(struct sender *sender, struct event_stored *stored)
{
    enum lanes_added added = LANES_GO;

    for (size_t i = 0; i < stored->made_count && added != LANES_FULL; i++) {
        struct event_made *made = &stored->made[i];
        added = made->ours ? take(sender, made->ours, made->behind) : LANES_LATER;
        if (is_taken(added))
            made->ours = NULL;
    }
}

void sender_take_due(struct sender *sender, struct delivery **list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        list[i]->from_table = true;
        if (!is_taken(take(sender, list[i], 0)))
            delivery_free(list[i]);
    }
}
