// Asking Expo for receipts.
#include "push_receipts.h"

#include <pthread.h>

#include "bf_clock.h"
#include "bf_ticker.h"
#include "fanout_metrics.h"
#include "push_credential_store.h"

#define LOOK_MS  1000
#define AGAIN_MS 600000 // what has no receipt yet, or could not be asked for

struct push_receipts {
    struct fanout *fanout;
    struct push_flight_options flights;
    struct bf_ticker *ticker;
    pthread_mutex_t lock;
    struct push_flight *landed; // under lock: one at a time
    bool stop;                  // under lock
    bool asking;                // the ticker's
};

static void complain(enum bf_err err, struct bf_tx *tx)
{
    if (err && err != BF_UNAVAILABLE)
        bf_error("push.receipts", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
}

// ---- answers

static void landed(void *ctx, struct push_flight *flight)
{
    struct push_receipts *us = ctx;

    pthread_mutex_lock(&us->lock);
    us->landed = flight;
    if (!us->stop)
        bf_ticker_poke(us->ticker);
    pthread_mutex_unlock(&us->lock);
}

static void write_down(struct push_receipts *us, const struct push_flight *flight,
                       const enum push_receipt *receipts, char (*details)[PUSH_DETAIL_SIZE])
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(us->fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = push_receipt_store_settle(tx, &flight->tickets, receipts, details);
    if (!err)
        err = bf_tx_commit(tx);
    complain(err, tx);
}

// What could not be asked or written is asked again: it is still due in the table, later.
static void read_answer(struct push_receipts *us, const struct push_flight *flight)
{
    size_t count = flight->tickets.count;
    bf_autofree enum push_receipt *receipts = bf_xcalloc(count + 1, sizeof(*receipts));
    bf_autofree char(*details)[PUSH_DETAIL_SIZE] = bf_xcalloc(count + 1, sizeof(*details));
    bf_autofree const char **ids = bf_xcalloc(count + 1, sizeof(*ids));

    for (size_t i = 0; i < count; i++)
        ids[i] = flight->tickets.list[i].ticket;
    if (push_answer_receipts(&flight->answer, ids, count, receipts, details))
        write_down(us, flight, receipts, details);
    else
        fanout_count(FANOUT_PUSH_RECEIPTS_FAILED, 1);
}

// ---- asking

// False: there is nothing to ask for, or the database is away.
static bool ask(struct push_receipts *us)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct push_tickets tickets = {.count = 0};
    enum bf_err err = bf_tx_begin(us->fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = push_receipt_store_due(tx, PUSH_RECEIPTS_MAX, AGAIN_MS, &tickets);
    if (!err)
        err = bf_tx_commit(tx);
    complain(err, tx);
    bool any = !err && tickets.count > 0;
    if (any) {
        struct push_credential *credential = push_credential_open(
            &us->fanout->seal, PUSH_EXPO, tickets.credential, tickets.sealed, tickets.sealed_len);
        push_flight_receipts(&us->flights, credential ? credential->access_token : "", &tickets);
        push_credential_free(credential);
    }
    push_tickets_release(&tickets);
    return any;
}

static int64_t turn(void *ctx, struct bf_ticker *ticker)
{
    struct push_receipts *us = ctx;

    pthread_mutex_lock(&us->lock);
    struct push_flight *flight = BF_TAKE(us->landed);
    pthread_mutex_unlock(&us->lock);
    if (flight) {
        read_answer(us, flight);
        push_flight_free(flight);
        us->asking = false;
    }
    if (!us->asking)
        us->asking = ask(us);
    return LOOK_MS;
}

// ---- for others

enum bf_err push_receipts_start(struct fanout *fanout, const struct push_flight_options *flights,
                                struct push_receipts **ret_receipts)
{
    struct push_receipts *us = bf_xcalloc(1, sizeof(*us));

    us->fanout = fanout;
    us->flights = *flights;
    us->flights.landed = landed;
    us->flights.ctx = us;
    pthread_mutex_init(&us->lock, NULL);
    pthread_mutex_lock(&us->lock); // what lands at once finds the ticker
    enum bf_err err = bf_ticker_start(turn, us, &us->ticker);
    pthread_mutex_unlock(&us->lock);
    if (err)
        push_receipts_free(us);
    else
        *ret_receipts = us;
    return err;
}

void push_receipts_stop(struct push_receipts *receipts)
{
    if (!receipts)
        return;
    pthread_mutex_lock(&receipts->lock);
    receipts->stop = true;
    pthread_mutex_unlock(&receipts->lock);
    bf_ticker_stop(receipts->ticker);
}

void push_receipts_free(struct push_receipts *receipts)
{
    if (!receipts)
        return;
    push_flight_free(receipts->landed);
    pthread_mutex_destroy(&receipts->lock);
    free(receipts);
}
