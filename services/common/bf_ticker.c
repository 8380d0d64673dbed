// A thread that takes turns.
#include "bf_ticker.h"

#include "bf_wait.h"

struct bf_ticker {
    bf_ticker_turn *turn;
    void *ctx;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, poked; // under lock
};

bool bf_ticker_stopping(struct bf_ticker *ticker)
{
    pthread_mutex_lock(&ticker->lock);
    bool stop = ticker->stop;
    pthread_mutex_unlock(&ticker->lock);
    return stop;
}

static void ticker_sleep(struct bf_ticker *ticker, int64_t ms)
{
    struct timespec until = bf_wait_until(ms);

    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stop && !ticker->poked &&
           pthread_cond_timedwait(&ticker->wake, &ticker->lock, &until) == 0)
        ;
    ticker->poked = false;
    pthread_mutex_unlock(&ticker->lock);
}

static void *ticker_run(void *at)
{
    struct bf_ticker *ticker = at;

    while (!bf_ticker_stopping(ticker)) {
        int64_t ms = ticker->turn(ticker->ctx, ticker);
        if (ms > 0)
            ticker_sleep(ticker, ms);
    }
    return NULL;
}

static void ticker_free(struct bf_ticker *ticker)
{
    pthread_cond_destroy(&ticker->wake);
    pthread_mutex_destroy(&ticker->lock);
    free(ticker);
}

enum bf_err bf_ticker_start(bf_ticker_turn *turn, void *ctx, struct bf_ticker **ret_ticker)
{
    struct bf_ticker *ticker = bf_xcalloc(1, sizeof(*ticker));

    ticker->turn = turn;
    ticker->ctx = ctx;
    pthread_mutex_init(&ticker->lock, NULL);
    bf_wait_init(&ticker->wake);
    if (pthread_create(&ticker->thread, NULL, ticker_run, ticker) != 0) {
        ticker_free(ticker);
        return BF_INTERNAL;
    }
    *ret_ticker = ticker;
    return BF_OK;
}

void bf_ticker_poke(struct bf_ticker *ticker)
{
    pthread_mutex_lock(&ticker->lock);
    ticker->poked = true;
    pthread_cond_signal(&ticker->wake);
    pthread_mutex_unlock(&ticker->lock);
}

void bf_ticker_stop(struct bf_ticker *ticker)
{
    if (!ticker)
        return;
    pthread_mutex_lock(&ticker->lock);
    ticker->stop = true;
    pthread_cond_signal(&ticker->wake);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    ticker_free(ticker);
}
