// From a push to its outcome.
#include "push_sender.h"

#include <pthread.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_ticker.h"
#include "event_store.h"
#include "fanout_metrics.h"
#include "push_event.h"
#include "push_lanes.h"
#include "push_line.h"
#include "push_receipts.h"
#include "push_teller.h"
#include "sender.h"

#define SETTLE_MAX      PUSH_LINES_MAX // outcomes in one transaction
#define SETTLE_AGAIN_MS 200            // ms
#define LOOK_MS         1000

struct ended { // a push and what came of it, until that is durable
    struct push *push;
    struct push_outcome outcome;
    struct ended *next;
};

struct push_sender {
    struct fanout *fanout;
    struct courier *courier;
    struct bf_ticker *ticker;
    struct push_receipts *receipts;
    struct push_bases bases;
    struct push_flight_options flights;
    pthread_mutex_t lock;
    struct push_list inbox, doubt;            // under lock
    struct push_flight *landed, **landed_end; // under lock
    size_t count;                             // under lock: pushes in memory
    bool stop;                                // under lock: the ticker ends, nothing is taken
    // The ticker's thread alone.
    struct push_lanes lanes;
    struct ended *ended, **ended_end;
    uint64_t look_ms; // monotonic: when to look for what is due
};

// ---- memory

static void count_change(struct push_sender *sender, int64_t by)
{
    pthread_mutex_lock(&sender->lock);
    sender->count = (size_t)((int64_t)sender->count + by);
    bf_metric_set(&fanout_metrics[FANOUT_PUSHES_IN_MEMORY], (int64_t)sender->count);
    pthread_mutex_unlock(&sender->lock);
}

static size_t room(struct push_sender *sender)
{
    size_t max = (size_t)sender->fanout->settings.pushes_max;

    pthread_mutex_lock(&sender->lock);
    size_t left = sender->stop || sender->count >= max ? 0 : max - sender->count;
    pthread_mutex_unlock(&sender->lock);
    return left;
}

static void end(void *ctx, struct push *push, const struct push_outcome *outcome)
{
    struct push_sender *sender = ctx;
    struct ended *ended = bf_xcalloc(1, sizeof(*ended));

    *ended = (struct ended){.push = push, .outcome = *outcome};
    *sender->ended_end = ended;
    sender->ended_end = &ended->next;
}

// ---- answers

static void landed(void *ctx, struct push_flight *flight)
{
    struct push_sender *sender = ctx;

    pthread_mutex_lock(&sender->lock);
    flight->next = NULL;
    *sender->landed_end = flight;
    sender->landed_end = &flight->next;
    if (!sender->stop)
        bf_ticker_poke(sender->ticker);
    pthread_mutex_unlock(&sender->lock);
}

static bool in_trouble(const struct push_flight *flight)
{
    return flight->answer.code == 0 || flight->answer.code >= 500;
}

// How long the provider as a whole wants to be left alone.
static uint64_t pause_of(const struct push_flight *flight)
{
    if (flight->answer.code != 429 && flight->answer.code != 503)
        return 0;
    return flight->answer.retry_after_s > 0 ? (uint64_t)flight->answer.retry_after_s * 1000 : 0;
}

static void pushes_landed(struct push_sender *sender, struct push_flight *flight)
{
    bf_autofree struct push_outcome *outcomes = bf_xcalloc(flight->pushes.count, sizeof(*outcomes));
    struct push_lane *lane = flight->lane;
    uint64_t now_ms = bf_mono_ms();

    push_flight_judge(flight, outcomes);
    push_lane_ended(lane, in_trouble(flight), pause_of(flight), now_ms);
    bf_metric_observe_us(&fanout_metrics[FANOUT_PUSH_ANSWER_SECONDS], (uint64_t)flight->latency_ms * 1000);
    for (size_t i = 0; flight->pushes.first; i++) {
        struct push *push = push_list_take(&flight->pushes);
        struct push_outcome *outcome = &outcomes[i];
        if (*outcome->detail)
            memcpy(lane->why, outcome->detail, sizeof(lane->why));
        if (outcome->verdict == PUSH_SPLIT) {
            push->alone = true;
            push_list_add(&lane->queue, push);
            continue;
        }
        if (outcome->verdict == PUSH_REAUTH) {
            push_lane_refused(lane, flight->began_ms, now_ms);
            outcome->verdict = PUSH_AGAIN;
        }
        end(sender, push, outcome);
    }
}

// Without a token nothing goes: what can never be asked for ends all that wait for it.
static void bearer_landed(struct push_sender *sender, struct push_flight *flight)
{
    struct push_lane *lane = flight->lane;
    struct push_outcome outcome = {.verdict = PUSH_SENT};
    uint64_t now_ms = bf_mono_ms();
    int64_t life_s = 0;
    char *bearer = NULL;

    lane->asking = false;
    if (push_answer_oauth(&flight->answer, &bearer, &life_s, &outcome)) {
        push_lane_ended(lane, false, 0, now_ms);
        if (flight->version == lane->version)
            push_lane_bearer(lane, bearer, (uint64_t)life_s * 1000, now_ms);
        else
            bf_vault_forget(bearer); // of credentials that were replaced meanwhile
        return;
    }
    uint64_t wait_ms = outcome.wait_ms > PUSH_LANE_OPEN_MS ? outcome.wait_ms : PUSH_LANE_OPEN_MS;
    push_lane_ended(lane, true, wait_ms, now_ms);
    memcpy(lane->why, outcome.detail, sizeof(lane->why));
    fanout_count(FANOUT_PUSH_BEARERS_REFUSED, 1);
    bf_warn("push.no_access_token", BF_I("code", flight->answer.code), BF_S("detail", outcome.detail));
    if (outcome.verdict == PUSH_DROPPED && flight->version == lane->version)
        for (struct push *push; (push = push_list_take(&lane->queue));)
            push_lanes_drop(&sender->lanes, push, "Google gives no access token: ", outcome.detail);
}

static void complain(const char *event, enum bf_err err, struct bf_tx *tx)
{
    if (err && err != BF_UNAVAILABLE)
        bf_error(event, BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
}

static void take_landed(struct push_sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    struct push_flight *list = sender->landed, *next;
    sender->landed = NULL;
    sender->landed_end = &sender->landed;
    pthread_mutex_unlock(&sender->lock);
    for (struct push_flight *flight = list; flight; flight = next) {
        next = flight->next;
        switch (flight->kind) {
        case PUSH_FLIGHT_PUSHES:
            pushes_landed(sender, flight);
            break;
        case PUSH_FLIGHT_BEARER:
            bearer_landed(sender, flight);
            break;
        case PUSH_FLIGHT_RECEIPTS: // push_receipts.c's
            break;
        }
        push_flight_free(flight);
    }
}

// ---- outcomes

struct settling {
    struct ended *list[SETTLE_MAX];
    struct push_settled settled[SETTLE_MAX];
    size_t count;
    bool more; // something is due at once
    struct event_stored stored;
};

static void settling_make(const struct push_sender *sender, struct settling *settling)
{
    uint64_t now_ms = bf_unix_ms();
    uint32_t random;

    for (struct ended *each = sender->ended; each && settling->count < SETTLE_MAX; each = each->next) {
        struct push_settled *settled = &settling->settled[settling->count];
        bf_random(&random, sizeof(random));
        *settled = (struct push_settled){.push = each->push, .outcome = &each->outcome};
        push_settle(each->push, &each->outcome, now_ms, random, &settled->wait_ms);
        if (each->outcome.verdict == PUSH_SENT && each->push->provider == PUSH_EXPO && *each->outcome.ref)
            settled->receipt_ms = sender->fanout->settings.push_receipt_ms;
        settling->list[settling->count++] = each;
    }
}

static enum bf_err settling_write(struct push_sender *sender, struct settling *settling)
{
    struct fanout *fanout = sender->fanout;
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = push_store_settle(tx, settling->settled, settling->count, &settling->more);
    if (!err)
        err = push_event_store(tx, fanout, settling->settled, settling->count, &settling->stored);
    if (!err)
        err = bf_tx_commit(tx);
    complain("push.settle", err, tx);
    return err;
}

static void ended_count(const struct ended *ended)
{
    static const enum fanout_metric metrics[PUSH_PROVIDERS][4] = {
        [PUSH_EXPO] = {FANOUT_PUSHES_EXPO_SENT, FANOUT_PUSHES_EXPO_AGAIN, FANOUT_PUSHES_EXPO_DEAD,
                       FANOUT_PUSHES_EXPO_DROPPED},
        [PUSH_FCM] = {FANOUT_PUSHES_FCM_SENT, FANOUT_PUSHES_FCM_AGAIN, FANOUT_PUSHES_FCM_DEAD,
                      FANOUT_PUSHES_FCM_DROPPED},
        [PUSH_APNS] = {FANOUT_PUSHES_APNS_SENT, FANOUT_PUSHES_APNS_AGAIN, FANOUT_PUSHES_APNS_DEAD,
                       FANOUT_PUSHES_APNS_DROPPED},
    };

    fanout_count(metrics[ended->push->provider][ended->outcome.verdict], 1);
}

static void settled_forget(struct push_sender *sender, const struct settling *settling)
{
    for (size_t i = 0; i < settling->count; i++) {
        struct ended *ended = settling->list[i];
        uint64_t again_ms = bf_mono_ms() + settling->settled[i].wait_ms;
        if (ended->outcome.verdict == PUSH_AGAIN && again_ms < sender->look_ms)
            sender->look_ms = again_ms;
        ended_count(ended);
        sender->ended = ended->next;
        push_free(ended->push);
        free(ended);
    }
    if (!sender->ended)
        sender->ended_end = &sender->ended;
    count_change(sender, -(int64_t)settling->count);
}

// While the database is away the outcomes wait here. False: try again soon.
static bool settle(struct push_sender *sender)
{
    while (sender->ended) {
        struct settling settling = {.count = 0};
        settling_make(sender, &settling);
        enum bf_err err = settling_write(sender, &settling);
        if (!err) {
            sender_take_made(sender->fanout->sender, &settling.stored);
            push_teller_poke(sender->fanout->teller);
        }
        event_stored_release(&settling.stored);
        if (err)
            return false;
        settled_forget(sender, &settling);
        if (settling.more)
            sender->look_ms = 0;
    }
    return true;
}

// ---- what is due

static void take_inbox(struct push_sender *sender)
{
    struct push_list list;

    push_list_init(&list);
    pthread_mutex_lock(&sender->lock);
    push_list_move(&sender->inbox, &list);
    pthread_mutex_unlock(&sender->lock);
    for (struct push *push; (push = push_list_take(&list));)
        push_lanes_add(&sender->lanes, push);
}

static void look(struct push_sender *sender)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct fanout *fanout = sender->fanout;
    struct push_list list, doubt;
    size_t max = room(sender);

    sender->look_ms = bf_mono_ms() + LOOK_MS;
    push_lanes_expire(&sender->lanes);
    if (max == 0) {
        fanout_count(FANOUT_PUSH_MEMORY_FULL, 1);
        return;
    }
    push_list_init(&list);
    push_list_init(&doubt);
    pthread_mutex_lock(&sender->lock);
    push_list_move(&sender->doubt, &doubt);
    pthread_mutex_unlock(&sender->lock);
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);
    if (!err && doubt.count)
        err = push_store_release(tx, &doubt);
    if (!err)
        err = push_store_due(tx, fanout->replica, max < SETTLE_MAX ? max : SETTLE_MAX, &list);
    if (!err)
        err = bf_tx_commit(tx);
    complain("push.due", err, tx);
    if (err) {
        push_sender_doubt(sender, &doubt);
        push_sender_doubt(sender, &list);
        return;
    }
    push_list_free(&doubt);
    if (list.count == SETTLE_MAX)
        sender->look_ms = 0;
    count_change(sender, (int64_t)list.count);
    for (struct push *push; (push = push_list_take(&list));)
        push_lanes_add(&sender->lanes, push);
}

// ---- the thread

static int64_t turn(void *ctx, struct bf_ticker *ticker)
{
    struct push_sender *sender = ctx;

    take_inbox(sender);
    push_lanes_send(&sender->lanes);
    take_landed(sender);
    push_lanes_send(&sender->lanes); // before the database is waited for
    bool settled = settle(sender);
    if (bf_mono_ms() >= sender->look_ms) {
        look(sender);
        push_lanes_send(&sender->lanes);
    }
    uint64_t now_ms = bf_mono_ms();
    int64_t wait_ms = sender->look_ms > now_ms ? (int64_t)(sender->look_ms - now_ms) : 0;
    return settled || wait_ms < SETTLE_AGAIN_MS ? wait_ms : SETTLE_AGAIN_MS;
}

// ---- for others

enum bf_err push_sender_start(struct fanout *fanout, struct push_sender **ret_sender)
{
    const struct fanout_settings *settings = &fanout->settings;
    struct courier_options courier = {.connections_max = settings->push_connections,
                                      .host_connections = settings->push_connections};
    struct push_sender *sender = bf_xcalloc(1, sizeof(*sender));

    sender->fanout = fanout;
    sender->bases =
        (struct push_bases){settings->push_expo_url, settings->push_fcm_url, settings->push_fcm_token_url,
                            settings->push_apns_url, settings->push_apns_sandbox_url};
    pthread_mutex_init(&sender->lock, NULL);
    push_list_init(&sender->inbox);
    push_list_init(&sender->doubt);
    sender->landed_end = &sender->landed;
    sender->ended_end = &sender->ended;
    enum bf_err err = courier_start(&courier, &sender->courier);
    sender->flights =
        (struct push_flight_options){.courier = sender->courier,
                                     .bases = &sender->bases,
                                     .ca_file = *settings->push_ca_file ? settings->push_ca_file : NULL,
                                     .timeout_ms = settings->push_timeout_ms,
                                     .landed = landed,
                                     .ctx = sender};
    sender->lanes =
        (struct push_lanes){.fanout = fanout, .flights = &sender->flights, .ended = end, .ctx = sender};
    if (!err)
        err = push_receipts_start(fanout, &sender->flights, &sender->receipts);
    pthread_mutex_lock(&sender->lock); // what lands at once finds the ticker
    if (!err)
        err = bf_ticker_start(turn, sender, &sender->ticker);
    pthread_mutex_unlock(&sender->lock);
    if (err) {
        push_sender_stop(sender, 0);
        return err;
    }
    *ret_sender = sender;
    return BF_OK;
}

static void sender_free_all(struct push_sender *sender)
{
    push_lanes_release(&sender->lanes);
    push_receipts_free(sender->receipts);
    for (struct ended *ended = sender->ended, *next; ended; ended = next) {
        next = ended->next;
        push_free(ended->push);
        free(ended);
    }
    push_list_free(&sender->inbox);
    push_list_free(&sender->doubt);
    pthread_mutex_destroy(&sender->lock);
    free(sender);
}

// The ticker first: nobody else begins requests, and what lands afterwards is written here.
void push_sender_stop(struct push_sender *sender, int64_t drain_ms)
{
    if (!sender)
        return;
    pthread_mutex_lock(&sender->lock);
    sender->stop = true;
    pthread_mutex_unlock(&sender->lock);
    bf_ticker_stop(sender->ticker);
    push_receipts_stop(sender->receipts);
    courier_stop(sender->courier, drain_ms);
    take_landed(sender);
    if (!settle(sender))
        bf_warn("push.not_settled");
    sender_free_all(sender);
}

bool push_sender_has_room(struct push_sender *sender)
{
    return room(sender) > 0;
}

void push_sender_doubt(struct push_sender *sender, struct push_list *list)
{
    pthread_mutex_lock(&sender->lock);
    push_list_move(list, &sender->doubt);
    while (sender->doubt.count > (size_t)sender->fanout->settings.pushes_max)
        push_free(push_list_take(&sender->doubt)); // the table finds them when they are held no longer
    pthread_mutex_unlock(&sender->lock);
}

void push_sender_take(struct push_sender *sender, struct push_list *list)
{
    if (!list->count)
        return;
    count_change(sender, (int64_t)list->count);
    pthread_mutex_lock(&sender->lock);
    push_list_move(list, &sender->inbox);
    if (!sender->stop)
        bf_ticker_poke(sender->ticker);
    pthread_mutex_unlock(&sender->lock);
}
