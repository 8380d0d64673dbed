// Asking for WebSockets, and having events kept for them.
#include "porter.h"

#include <pthread.h>
#include <string.h>

#include "authority.h"
#include "bf_clock.h"
#include "bf_memo.h"
#include "fanout_metrics.h"
#include "hall.h"
#include "listener_store.h"
#include "socket_store.h"

#define THREADS         4
#define LISTENERS       16384 // tenants whose row is known to be fresh
#define LISTENER_NEW_MS 60000 // as long as that
#define LISTENER_KEEP_S 900   // and what they may miss: each socket is asked about every 5 minutes, at least

struct errand {
    struct porter_job job;
    struct errand *next;
};

struct porter {
    struct fanout *fanout;
    struct hall *hall;
    struct bf_memo *listeners; // tenants
    pthread_t threads[THREADS];
    size_t running;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct errand *queue, **queue_end; // under lock: at most two for each socket
    bool stop;                         // under lock
};

static void errand_free(struct errand *errand)
{
    char *secrets[] = {errand->job.key, errand->job.token};

    for (size_t i = 0; i < BF_LEN(secrets); i++) {
        if (secrets[i])
            explicit_bzero(secrets[i], strlen(secrets[i]));
        free(secrets[i]);
    }
    free(errand);
}

// ---- whether it may stay

// A token whose key is not known here may be of a new one.
static enum socket_close verify(struct porter *porter, const struct porter_job *job, struct socket_who *who,
                                const char **ret_reason)
{
    struct bf_app_token token;

    authority_refresh(porter->fanout->authority);
    enum bf_app_verdict verdict = authority_token(porter->fanout->authority, bf_str(job->token), &token);
    *ret_reason = bf_app_verdicts[verdict];
    if (verdict)
        return SOCKET_REFUSED;
    who->tenant = token.tenant;
    who->extension = token.extension;
    memcpy(who->number, token.number, sizeof(who->number));
    who->expires_ms = token.expires_s * 1000;
    return SOCKET_STAYS;
}

static enum bf_err listener_write(struct porter *porter, struct bf_id tenant)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(porter->fanout->db, BF_SCOPE_TENANT, tenant, &tx);

    if (!err)
        err = listener_store_keep(tx, tenant, porter->fanout->settings.replay_s + LISTENER_KEEP_S);
    if (!err)
        err = bf_tx_commit(tx);
    if (err == BF_INTERNAL)
        bf_error("socket.listener", BF_E(err), BF_S("database", bf_tx_error(tx)));
    return err;
}

// Before a socket is told that it misses nothing from now on.
static enum socket_close listen_for(struct porter *porter, struct bf_id tenant, const char **ret_reason)
{
    uint64_t now_ms = bf_mono_ms(), age_ms;
    char none;

    if (bf_memo_get(porter->listeners, &tenant, sizeof(tenant), now_ms, &none, &age_ms) &&
        age_ms < LISTENER_NEW_MS)
        return SOCKET_STAYS;
    if (listener_write(porter, tenant)) {
        *ret_reason = "events cannot be kept for you now: try again";
        return SOCKET_LATER;
    }
    bf_memo_put(porter->listeners, &tenant, sizeof(tenant), now_ms, "");
    return SOCKET_STAYS;
}

static void judge(struct porter *porter, const struct porter_job *job)
{
    struct mail_verdict verdict = {.ref = job->ref, .who = job->who, .close = SOCKET_STAYS, .reason = ""};

    if (job->token)
        verdict.close = verify(porter, job, &verdict.who, &verdict.reason);
    if (!verdict.close)
        verdict.close = authority_judge(porter->fanout->authority, job->key, &verdict.who, &verdict.reason);
    if (!verdict.close)
        verdict.close = listen_for(porter, verdict.who.tenant, &verdict.reason);
    hall_judged(porter->hall, &verdict);
}

// ---- what it missed

static enum bf_err read_missed(struct porter *porter, const struct porter_job *job, struct live **lives,
                               size_t *ret_count)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(porter->fanout->db, BF_SCOPE_TENANT, job->who.tenant, &tx);

    if (!err)
        err = socket_store_missed(tx, job->who.tenant, job->who.number, job->after,
                                  porter->fanout->settings.replay_s, PORTER_MISSED_MAX, lives, ret_count);
    if (err == BF_INTERNAL)
        bf_error("socket.missed", BF_E(err), BF_S("database", bf_tx_error(tx)));
    return err;
}

static void replay(struct porter *porter, const struct porter_job *job)
{
    struct mail_missed missed = {.ref = job->ref,
                                 .lives = bf_xcalloc(PORTER_MISSED_MAX + 1, sizeof(struct live *))};

    missed.err = read_missed(porter, job, missed.lives, &missed.count);
    fanout_count(missed.err ? FANOUT_REPLAY_GAPS : FANOUT_REPLAYED, missed.err ? 1 : (int64_t)missed.count);
    hall_missed(porter->hall, &missed);
}

// ---- the threads

static struct errand *take(struct porter *porter)
{
    pthread_mutex_lock(&porter->lock);
    while (!porter->queue && !porter->stop)
        pthread_cond_wait(&porter->wake, &porter->lock);
    struct errand *errand = porter->stop ? NULL : porter->queue;
    if (errand) {
        porter->queue = errand->next;
        if (!porter->queue)
            porter->queue_end = &porter->queue;
    }
    pthread_mutex_unlock(&porter->lock);
    return errand;
}

static void *porter_run(void *at)
{
    struct porter *porter = at;

    for (struct errand *errand; (errand = take(porter));) {
        if (bf_id_is_nil(errand->job.after))
            judge(porter, &errand->job);
        else
            replay(porter, &errand->job);
        errand_free(errand);
    }
    return NULL;
}

void porter_ask(struct porter *porter, const struct porter_job *job)
{
    struct errand *errand = bf_xcalloc(1, sizeof(*errand));

    errand->job = *job;
    pthread_mutex_lock(&porter->lock);
    *porter->queue_end = errand;
    porter->queue_end = &errand->next;
    pthread_cond_signal(&porter->wake);
    pthread_mutex_unlock(&porter->lock);
}

enum bf_err porter_start(struct fanout *fanout, struct hall *hall, struct porter **ret_porter)
{
    struct porter *porter = bf_xcalloc(1, sizeof(*porter));

    *porter = (struct porter){.fanout = fanout, .hall = hall};
    porter->queue_end = &porter->queue;
    porter->listeners = bf_memo_new(LISTENERS, 1);
    pthread_mutex_init(&porter->lock, NULL);
    pthread_cond_init(&porter->wake, NULL);
    while (porter->running < THREADS &&
           pthread_create(&porter->threads[porter->running], NULL, porter_run, porter) == 0)
        porter->running++;
    if (porter->running == 0) {
        porter_stop(porter);
        return BF_INTERNAL;
    }
    *ret_porter = porter;
    return BF_OK;
}

void porter_stop(struct porter *porter)
{
    if (!porter)
        return;
    pthread_mutex_lock(&porter->lock);
    porter->stop = true;
    pthread_cond_broadcast(&porter->wake);
    pthread_mutex_unlock(&porter->lock);
    for (size_t i = 0; i < porter->running; i++)
        pthread_join(porter->threads[i], NULL);
    for (struct errand *errand = porter->queue, *next; errand; errand = next) {
        next = errand->next;
        errand_free(errand);
    }
    pthread_cond_destroy(&porter->wake);
    pthread_mutex_destroy(&porter->lock);
    bf_memo_free(porter->listeners);
    free(porter);
}
