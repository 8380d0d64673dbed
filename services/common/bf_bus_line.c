// One address of a client: each attempt under way has its own nng context; contexts are kept for the next
// one.
//
// An attempt is sent, then received, by one aio. When the connection goes, every attempt under way is
// aborted: nng itself would let it wait for its deadline.
#include "bf_bus_line.h"

#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdatomic.h>

#include "bf_clock.h"

enum phase {
    PHASE_IDLE,
    PHASE_SENDING,
    PHASE_RECEIVING,
};

struct attempt {
    struct bf_bus_line *line;
    struct attempt *next_all; // every attempt there is, until the line goes
    struct attempt *next_idle;
    nng_ctx ctx;
    nng_aio *aio;
    _Atomic enum phase phase;
    uint64_t deadline_mono_ms;
    bf_bus_line_done *done;
    void *done_ctx;
};

struct bf_bus_line {
    nng_socket socket;
    _Atomic int pipe; // the connection there is; 0: none
    pthread_mutex_t lock;
    pthread_cond_t fewer;
    struct attempt *all;
    struct attempt *idle;
    size_t users; // attempts under way, and threads that are just beginning one
    _Atomic bool closing;
};

// ---- an attempt's end

static void give_back(struct attempt *attempt)
{
    struct bf_bus_line *line = attempt->line;
    pthread_mutex_lock(&line->lock);
    attempt->next_idle = line->idle;
    line->idle = attempt;
    line->users--;
    pthread_cond_signal(&line->fewer);
    pthread_mutex_unlock(&line->lock);
}

// `done` runs before the attempt is given back, so that stopping waits for it.
static void end(struct attempt *attempt, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    attempt->phase = PHASE_IDLE;
    attempt->done(attempt->done_ctx, err, reply);
    give_back(attempt);
}

static void end_with_message(struct attempt *attempt, nng_msg *message)
{
    size_t len = nng_msg_len(message);
    Belfry__Bus__V1__Reply *reply = NULL;
    if (len <= BF_BUS_FRAME_BYTES)
        reply = belfry__bus__v1__reply__unpack(NULL, len, nng_msg_body(message));
    nng_msg_free(message);
    end(attempt, reply ? bf_err_from_bus(reply->status) : BF_PROTOCOL, reply);
    if (reply)
        belfry__bus__v1__reply__free_unpacked(reply, NULL);
}

static nng_duration left_ms(const struct attempt *attempt)
{
    uint64_t now = bf_mono_ms();
    return now >= attempt->deadline_mono_ms ? 0 : (nng_duration)(attempt->deadline_mono_ms - now);
}

static bool hopeless(const struct bf_bus_line *line)
{
    return line->pipe == 0 || line->closing;
}

static void on_aio(void *at)
{
    struct attempt *attempt = at;
    int failed = nng_aio_result(attempt->aio);
    if (failed) {
        if (attempt->phase == PHASE_SENDING)
            nng_msg_free(nng_aio_get_msg(attempt->aio));
        end(attempt, bf_bus_err(failed), NULL);
    } else if (attempt->phase == PHASE_RECEIVING) {
        end_with_message(attempt, nng_aio_get_msg(attempt->aio));
    } else {
        attempt->phase = PHASE_RECEIVING;
        nng_aio_set_timeout(attempt->aio, left_ms(attempt));
        nng_ctx_recv(attempt->ctx, attempt->aio);
        if (hopeless(attempt->line)) // the connection went between the two
            nng_aio_abort(attempt->aio, NNG_ECONNABORTED);
    }
}

// ---- an attempt's start

static struct attempt *new_attempt(struct bf_bus_line *line)
{
    struct attempt *attempt = bf_xcalloc(1, sizeof(*attempt));
    attempt->line = line;
    if (nng_ctx_open(&attempt->ctx, line->socket)) {
        free(attempt);
        return NULL;
    }
    if (nng_aio_alloc(&attempt->aio, on_aio, attempt)) {
        nng_ctx_close(attempt->ctx);
        free(attempt);
        return NULL;
    }
    attempt->next_all = line->all;
    line->all = attempt;
    return attempt;
}

static struct attempt *borrow(struct bf_bus_line *line)
{
    struct attempt *attempt = NULL;
    pthread_mutex_lock(&line->lock);
    if (!line->closing) {
        attempt = line->idle;
        if (attempt)
            line->idle = attempt->next_idle;
        else
            attempt = new_attempt(line);
    }
    if (attempt)
        line->users += 2; // the attempt, and whoever begins it: see leave()
    pthread_mutex_unlock(&line->lock);
    return attempt;
}

// The attempt may be over before its beginner has looked at the line for the last time; stopping waits for
// both.
static void leave(struct bf_bus_line *line)
{
    pthread_mutex_lock(&line->lock);
    line->users--;
    pthread_cond_signal(&line->fewer);
    pthread_mutex_unlock(&line->lock);
}

enum bf_err bf_bus_line_send(struct bf_bus_line *line, nng_msg *message, int64_t timeout_ms,
                             bf_bus_line_done *done, void *ctx)
{
    struct attempt *attempt = hopeless(line) ? NULL : borrow(line);
    if (!attempt) {
        nng_msg_free(message);
        return BF_UNAVAILABLE;
    }
    attempt->deadline_mono_ms = bf_mono_ms() + (uint64_t)timeout_ms;
    attempt->done = done;
    attempt->done_ctx = ctx;
    attempt->phase = PHASE_SENDING;
    nng_aio *aio = attempt->aio;
    nng_aio_set_timeout(aio, (nng_duration)timeout_ms);
    nng_aio_set_msg(aio, message);
    nng_ctx_send(attempt->ctx, aio);
    // From here on the attempt may already be over and belong to somebody else, whom an abort would hit; but
    // when nothing is connected, that one is as hopeless.
    if (hopeless(line))
        nng_aio_abort(aio, NNG_ECONNABORTED);
    leave(line);
    return BF_OK;
}

// ---- the connection

// Under the lock: ending an attempt only queues its callback, which then waits for the lock.
static void abort_all(struct bf_bus_line *line)
{
    for (struct attempt *attempt = line->all; attempt; attempt = attempt->next_all)
        if (attempt->phase != PHASE_IDLE)
            nng_aio_abort(attempt->aio, NNG_ECONNABORTED);
}

// A line has one dialer, so one connection at a time. nng 1.5 also tells the end of connections whose
// beginning it has not told (closed while they were set up), and of an old one after the new one's beginning.
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *at)
{
    struct bf_bus_line *line = at;
    int id = nng_pipe_id(pipe);
    if (event == NNG_PIPE_EV_ADD_POST) {
        line->pipe = id;
        return;
    }
    if (!atomic_compare_exchange_strong(&line->pipe, &id, 0))
        return;
    pthread_mutex_lock(&line->lock);
    abort_all(line);
    pthread_mutex_unlock(&line->lock);
}

static enum bf_err connect_to(struct bf_bus_line *line, const char *url)
{
    int failed = nng_socket_set_ms(line->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    if (!failed)
        failed = nng_socket_set_size(line->socket, NNG_OPT_RECVMAXSZ, BF_BUS_FRAME_BYTES);
    if (!failed)
        failed = nng_pipe_notify(line->socket, NNG_PIPE_EV_ADD_POST, on_pipe, line);
    if (!failed)
        failed = nng_pipe_notify(line->socket, NNG_PIPE_EV_REM_POST, on_pipe, line);
    return failed ? bf_bus_err(failed) : bf_bus_dial_all(line->socket, url);
}

enum bf_err bf_bus_line_open(const char *url, struct bf_bus_line **ret_line)
{
    struct bf_bus_line *line = bf_xcalloc(1, sizeof(*line));
    int failed = nng_req0_open(&line->socket);
    if (failed) {
        free(line);
        return bf_bus_err(failed);
    }
    pthread_mutex_init(&line->lock, NULL);
    pthread_cond_init(&line->fewer, NULL);
    enum bf_err err = connect_to(line, url);
    if (err) {
        bf_bus_line_close(line);
        return err;
    }
    *ret_line = line;
    return BF_OK;
}

// A callback may still be on its way out of nng or give_back(): freeing its aio waits for it. All this comes
// before the socket is closed, because nng 1.5 crashes when a socket goes while a thread is inside
// nng_ctx_recv or nng_ctx_send.
static void free_attempts(struct bf_bus_line *line)
{
    for (struct attempt *attempt = line->all, *next; attempt; attempt = next) {
        next = attempt->next_all;
        nng_aio_free(attempt->aio);
        nng_ctx_close(attempt->ctx);
        free(attempt);
    }
    line->all = NULL; // the connection's callback comes once more
}

void bf_bus_line_stop(struct bf_bus_line *line)
{
    pthread_mutex_lock(&line->lock);
    line->closing = true;
    abort_all(line);
    while (line->users > 0)
        pthread_cond_wait(&line->fewer, &line->lock);
    pthread_mutex_unlock(&line->lock);
}

void bf_bus_line_close(struct bf_bus_line *line)
{
    if (!line)
        return;
    bf_bus_line_stop(line);
    free_attempts(line);
    nng_close(line->socket);
    pthread_cond_destroy(&line->fewer);
    pthread_mutex_destroy(&line->lock);
    free(line);
}

bool bf_bus_line_connected(const struct bf_bus_line *line)
{
    return line->pipe != 0;
}
