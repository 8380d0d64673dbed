// Outcomes into PostgreSQL.
#include "settler.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "bf_log.h"
#include "bf_wait.h"

#define AGAIN_MS        200
#define WAITS_BATCH_MAX 2000

struct settler {
    struct bf_db *db;
    struct settler_hooks hooks;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct attempt *attempts, **attempts_end; // under lock
    size_t attempt_count;                     // under lock
    bool hurry;                               // under lock: something waits for one of them
    struct delivery_wait *waits;              // under lock
    size_t wait_count;                        // under lock
    bool end;                                 // under lock
};

struct turn { // what is written together
    struct attempt *attempts;
    struct delivery_wait waits[WAITS_BATCH_MAX];
    size_t wait_count;
    bool due; // one of them now
};

// Under lock.
static void attempts_take(struct settler *settler, struct turn *turn)
{
    struct attempt **end = &settler->attempts;

    for (size_t i = 0; i < SETTLER_BATCH_MAX && *end; i++) {
        end = &(*end)->next;
        settler->attempt_count--;
    }
    struct attempt *rest = *end;
    *end = NULL;
    turn->attempts = settler->attempts;
    settler->attempts = rest;
    if (!rest)
        settler->attempts_end = &settler->attempts;
    settler->hurry = rest && settler->hurry;
}

// Under lock.
static void waits_take(struct settler *settler, struct turn *turn)
{
    size_t count = settler->wait_count < WAITS_BATCH_MAX ? settler->wait_count : WAITS_BATCH_MAX;

    memcpy(turn->waits, settler->waits, count * sizeof(turn->waits[0]));
    settler->wait_count -= count;
    memmove(settler->waits, settler->waits + count, settler->wait_count * sizeof(turn->waits[0]));
    turn->wait_count = count;
    for (size_t i = 0; i < count; i++)
        turn->due = turn->due || turn->waits[i].wait_ms == 0;
}

// False: the end.
static bool turn_wait(struct settler *settler, struct turn *turn)
{
    *turn = (struct turn){.attempts = NULL};
    pthread_mutex_lock(&settler->lock);
    while (!settler->attempts && !settler->wait_count && !settler->end)
        pthread_cond_wait(&settler->wake, &settler->lock);
    struct timespec until = bf_wait_until(SETTLER_LINGER_MS);
    while (!settler->hurry && settler->attempt_count < SETTLER_BATCH_MAX && !settler->end &&
           pthread_cond_timedwait(&settler->wake, &settler->lock, &until) == 0)
        continue;
    attempts_take(settler, turn);
    waits_take(settler, turn);
    pthread_mutex_unlock(&settler->lock);
    return turn->attempts || turn->wait_count;
}

static enum bf_err turn_write(struct settler *settler, struct turn *turn)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    size_t woken = 0;
    enum bf_err err = bf_tx_begin_keyed(settler->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err && turn->attempts)
        err = delivery_store_settle(tx, turn->attempts, &woken);
    if (!err && turn->wait_count)
        err = delivery_store_postpone(tx, turn->waits, turn->wait_count);
    if (!err)
        err = bf_tx_commit(tx);
    if (err && err != BF_UNAVAILABLE)
        bf_error("settler.failed", BF_E(err), BF_S("database", tx ? bf_tx_error(tx) : ""));
    turn->due = turn->due || woken;
    return err;
}

static bool is_end(struct settler *settler)
{
    pthread_mutex_lock(&settler->lock);
    bool end = settler->end;
    pthread_mutex_unlock(&settler->lock);
    return end;
}

static void *settler_run(void *at)
{
    struct timespec pause = {0, AGAIN_MS * 1000000L};
    struct settler *settler = at;
    struct turn *turn = bf_xcalloc(1, sizeof(*turn));

    while (turn_wait(settler, turn)) {
        enum bf_err err;
        settler->hooks.before(settler->hooks.ctx, turn->attempts);
        while ((err = turn_write(settler, turn)) && !is_end(settler))
            nanosleep(&pause, NULL);
        settler->hooks.after(settler->hooks.ctx, turn->attempts, !err);
        if (!err && turn->due)
            settler->hooks.due(settler->hooks.ctx);
    }
    free(turn);
    return NULL;
}

// ---- for others

enum bf_err settler_start(struct bf_db *db, const struct settler_hooks *hooks, struct settler **ret_settler)
{
    struct settler *settler = bf_xcalloc(1, sizeof(*settler));

    *settler = (struct settler){.db = db, .hooks = *hooks, .attempts_end = &settler->attempts};
    settler->waits = bf_xcalloc(SETTLER_WAITS_MAX, sizeof(settler->waits[0]));
    pthread_mutex_init(&settler->lock, NULL);
    bf_wait_init(&settler->wake);
    if (pthread_create(&settler->thread, NULL, settler_run, settler) != 0) {
        free(settler->waits);
        free(settler);
        return BF_INTERNAL;
    }
    *ret_settler = settler;
    return BF_OK;
}

void settler_stop(struct settler *settler)
{
    if (!settler)
        return;
    pthread_mutex_lock(&settler->lock);
    settler->end = true;
    pthread_cond_signal(&settler->wake);
    pthread_mutex_unlock(&settler->lock);
    pthread_join(settler->thread, NULL);
    pthread_cond_destroy(&settler->wake);
    pthread_mutex_destroy(&settler->lock);
    free(settler->waits);
    free(settler);
}

void settler_add(struct settler *settler, struct attempt *attempt, bool hurry)
{
    pthread_mutex_lock(&settler->lock);
    bool tell = !settler->attempts || (hurry && !settler->hurry);
    attempt->next = NULL;
    *settler->attempts_end = attempt;
    settler->attempts_end = &attempt->next;
    settler->attempt_count++;
    settler->hurry = settler->hurry || hurry;
    if (tell || settler->attempt_count == SETTLER_BATCH_MAX)
        pthread_cond_signal(&settler->wake);
    pthread_mutex_unlock(&settler->lock);
}

void settler_postpone(struct settler *settler, const struct delivery *delivery, uint64_t wait_ms)
{
    pthread_mutex_lock(&settler->lock);
    if (settler->wait_count < SETTLER_WAITS_MAX) {
        settler->waits[settler->wait_count++] =
            (struct delivery_wait){delivery->webhook, delivery->lane, delivery->position, wait_ms};
        pthread_cond_signal(&settler->wake);
    }
    pthread_mutex_unlock(&settler->lock);
}
