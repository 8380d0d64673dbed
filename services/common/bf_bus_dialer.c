// A dialer and the timer that looks after it.
#include "bf_bus_dialer.h"

#include <pthread.h>
#include <stdatomic.h>

#define LOOK_MS          1000
#define RECONNECT_MIN_MS 50
#define RECONNECT_MAX_MS 500

struct bf_bus_dialer {
    nng_socket socket;
    char *url;
    nng_aio *look;
    pthread_mutex_t lock;
    nng_dialer dialer; // under lock
    _Atomic int pipe;  // the connection there is; 0: none
    int64_t away_ms;   // the timer's: for so long there was none
};

// Under the lock: who hears of its connection waits until its number is known.
static int dial(struct bf_bus_dialer *dialer)
{
    return nng_dial(dialer->socket, dialer->url, &dialer->dialer, NNG_FLAG_NONBLOCK);
}

static void replace(struct bf_bus_dialer *dialer)
{
    pthread_mutex_lock(&dialer->lock);
    nng_dialer_close(dialer->dialer);
    (void)dial(dialer); // it failed for want of memory: the next look tries again
    pthread_mutex_unlock(&dialer->lock);
}

static void look(void *at)
{
    struct bf_bus_dialer *dialer = at;

    if (nng_aio_result(dialer->look)) // stopped
        return;
    dialer->away_ms = dialer->pipe ? 0 : dialer->away_ms + LOOK_MS;
    if (dialer->away_ms >= BF_BUS_DIALER_PATIENCE_MS) {
        dialer->away_ms = 0;
        replace(dialer);
    }
    nng_sleep_aio(LOOK_MS, dialer->look);
}

enum bf_err bf_bus_dialer_new(nng_socket socket, const char *url, struct bf_bus_dialer **ret_dialer)
{
    struct bf_bus_dialer *dialer = bf_xcalloc(1, sizeof(*dialer));
    dialer->socket = socket;
    int failed = nng_socket_set_ms(socket, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    if (!failed)
        failed = nng_socket_set_ms(socket, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    if (!failed)
        failed = nng_aio_alloc(&dialer->look, look, dialer);
    if (failed) {
        free(dialer);
        return bf_bus_err(failed);
    }
    dialer->url = bf_xstrdup(url);
    pthread_mutex_init(&dialer->lock, NULL);
    *ret_dialer = dialer;
    return BF_OK;
}

enum bf_err bf_bus_dialer_start(struct bf_bus_dialer *dialer)
{
    pthread_mutex_lock(&dialer->lock);
    int failed = dial(dialer);
    pthread_mutex_unlock(&dialer->lock);
    if (!failed)
        nng_sleep_aio(LOOK_MS, dialer->look);
    return bf_bus_err(failed);
}

// One dialer has one connection at a time. nng 1.5 also tells the end of connections whose beginning it has
// not told (closed while they were set up), and of an old one after the new one's beginning.
bool bf_bus_dialer_heard(struct bf_bus_dialer *dialer, nng_pipe pipe, nng_pipe_ev event)
{
    int id = nng_pipe_id(pipe);

    if (event != NNG_PIPE_EV_ADD_POST)
        return atomic_compare_exchange_strong(&dialer->pipe, &id, 0);
    pthread_mutex_lock(&dialer->lock);
    bool own = nng_dialer_id(nng_pipe_dialer(pipe)) == nng_dialer_id(dialer->dialer);
    if (own)
        dialer->pipe = id;
    pthread_mutex_unlock(&dialer->lock);
    return own;
}

bool bf_bus_dialer_connected(const struct bf_bus_dialer *dialer)
{
    return dialer->pipe != 0;
}

void bf_bus_dialer_stop(struct bf_bus_dialer *dialer)
{
    if (dialer)
        nng_aio_stop(dialer->look); // waits for a look under way
}

void bf_bus_dialer_free(struct bf_bus_dialer *dialer)
{
    if (!dialer)
        return;
    nng_aio_free(dialer->look);
    pthread_mutex_destroy(&dialer->lock);
    free(dialer->url);
    free(dialer);
}
