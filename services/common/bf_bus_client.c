// Calling. A call is sent to one of the addresses; when that one does not answer in time, or is left out and
// to be tried again, also to others. The first answer counts, what comes later only says who is well.
#include <pthread.h>
#include <stdatomic.h>

#include "bf_bus_choice.h"
#include "bf_bus_line.h"
#include "bf_clock.h"
#include "bf_id.h"
#include "bf_metrics.h"

#define CALLS_MAX 16384

typedef void call_done(void *ctx, enum bf_err err, const Belfry__Bus__V1__Reply *reply);

struct attempt {
    struct call *call;
    int address;
    uint64_t sent_ms;
};

struct call {
    struct bf_bus_client *client;
    struct call *next_all; // every call there is, until the client goes
    struct call *next_idle;
    nng_aio *timer; // until it is sent once more
    uint64_t began_us;
    uint64_t deadline_mono_ms;
    nng_msg *message; // each attempt sends a copy
    call_done *done;
    void *done_ctx;
    // The rest is under the client's lock.
    unsigned holders;     // its beginner, its timer, its attempts under way: the last one gives it back
    uint32_t tried, open; // sets of addresses: that it was sent to, that have not answered yet
    bool over;            // `done` was called, or is about to be
    struct attempt attempts[BF_BUS_URLS_MAX]; // by address
};

struct bf_bus_client {
    struct bf_bus_line *lines[BF_BUS_URLS_MAX];
    size_t line_count;
    int64_t hedge_ms; // 0: never
    _Atomic bool closing;
    _Atomic uint64_t hedges;
    pthread_mutex_t lock;
    pthread_cond_t fewer;
    struct bf_bus_choice choice;
    struct call *all;
    struct call *idle;
    size_t call_count;
    size_t users; // calls that are not idle
};

enum {
    CALLS,
    CALL_ERRORS,
    CALL_TIMEOUTS,
    CALLS_REFUSED,
    CALLS_UNDER_WAY,
    SECONDS,
    HEDGES,
    HEDGES_REFUSED,
    LEFT_OUT
};

static struct bf_metric metrics[] = {
    [CALLS] = {.name = "belfry_bus_calls_total", .help = "Bus calls", .labels = "result=\"answered\""},
    [CALL_ERRORS] = {.name = "belfry_bus_calls_total",
                     .help = "Bus calls",
                     .labels = "result=\"unavailable\""},
    [CALL_TIMEOUTS] = {.name = "belfry_bus_calls_total", .help = "Bus calls", .labels = "result=\"timeout\""},
    [CALLS_REFUSED] = {.name = "belfry_bus_calls_refused_total",
                       .help = "Bus calls over the limit of calls at once"},
    [CALLS_UNDER_WAY] = {.name = "belfry_bus_calls_under_way", .kind = BF_GAUGE, .help = "Bus calls waiting"},
    [SECONDS] = {.name = "belfry_bus_call_seconds",
                 .kind = BF_HISTOGRAM,
                 .help = "From a bus call to its answer"},
    [HEDGES] = {.name = "belfry_bus_hedges_total",
                .help = "Bus calls sent to a further address because the first one was slow or could not"},
    [HEDGES_REFUSED] = {.name = "belfry_bus_hedges_refused_total",
                        .help = "Bus calls not sent once more, as too many were: all addresses are slow"},
    [LEFT_OUT] = {.name = "belfry_bus_addresses_left_out",
                  .kind = BF_GAUGE,
                  .help = "Connected addresses that do not answer and are left out for a while"},
};

// ---- addresses; under the lock

static uint32_t bit(int address)
{
    return 1u << address;
}

static uint32_t connected(const struct bf_bus_client *client)
{
    uint32_t set = 0;
    for (size_t i = 0; i < client->line_count; i++)
        if (bf_bus_line_connected(client->lines[i]))
            set |= bit((int)i);
    return set;
}

static void mark(struct call *call, int address)
{
    if (address == BF_BUS_NO_CHOICE)
        return;
    call->tried |= bit(address);
    call->open |= bit(address);
    call->holders++;
    call->attempts[address] = (struct attempt){call, address, bf_mono_ms()};
}

static int next_address(struct call *call)
{
    struct bf_bus_client *client = call->client;
    if (call->over || client->closing)
        return BF_BUS_NO_CHOICE;
    int address = bf_bus_choice_next(&client->choice, connected(client) & ~call->tried);
    mark(call, address);
    return address;
}

static void note_overdue(struct call *call, int address)
{
    uint64_t sent_ms = call->attempts[address].sent_ms;
    if (bf_bus_choice_overdue(&call->client->choice, address, sent_ms, bf_mono_ms()))
        bf_metric_add(&metrics[LEFT_OUT], 1);
}

static void note_answered(struct call *call, int address)
{
    if (bf_bus_choice_answered(&call->client->choice, address, bf_mono_ms()))
        bf_metric_add(&metrics[LEFT_OUT], -1);
}

// ---- a call's end

static void give_back(struct call *call)
{
    struct bf_bus_client *client = call->client;
    nng_msg_free(call->message);
    pthread_mutex_lock(&client->lock);
    call->next_idle = client->idle;
    client->idle = call;
    client->users--;
    pthread_cond_signal(&client->fewer);
    pthread_mutex_unlock(&client->lock);
}

static void release(struct call *call)
{
    pthread_mutex_lock(&call->client->lock);
    bool last = --call->holders == 0;
    pthread_mutex_unlock(&call->client->lock);
    if (last)
        give_back(call);
}

// The caller is a holder, so that hanging up waits for `done`.
static void tell(struct call *call, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    bf_metric_add(&metrics[reply ? CALLS : err == BF_TIMEOUT ? CALL_TIMEOUTS : CALL_ERRORS], 1);
    bf_metric_observe_us(&metrics[SECONDS], bf_mono_us() - call->began_us);
    bf_metric_add(&metrics[CALLS_UNDER_WAY], -1);
    call->done(call->done_ctx, err, reply);
    nng_aio_abort(call->timer, NNG_ECANCELED);
}

// ---- attempts

static void send_to(struct call *call, int address);

// Who says that he cannot does not have the last word while another one is at it.
static bool is_last_word(const struct call *call, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    return (reply && err != BF_UNAVAILABLE) || call->open == 0;
}

static bool has_another(const struct call *call)
{
    return !call->over && (connected(call->client) & ~call->tried);
}

static int send_once_more(struct call *call)
{
    bf_metric_add(&metrics[HEDGES], 1);
    call->client->hedges++;
    return next_address(call);
}

// Under the lock. A connection that went is nobody's answer; what one address cannot now, another one may. It
// has said so at once, so asking another one costs no credit: that is for when everybody is slow.
static int after_unavailable(struct call *call, bool said_so)
{
    if (!said_so)
        return next_address(call);
    return call->client->hedge_ms > 0 && has_another(call) ? send_once_more(call) : BF_BUS_NO_CHOICE;
}

static void on_answer(void *at, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    struct attempt *attempt = at;
    struct call *call = attempt->call;
    int next = BF_BUS_NO_CHOICE;
    pthread_mutex_lock(&call->client->lock);
    call->open &= ~bit(attempt->address);
    if (reply)
        note_answered(call, attempt->address);
    else if (err == BF_TIMEOUT)
        note_overdue(call, attempt->address);
    if (err == BF_UNAVAILABLE)
        next = after_unavailable(call, reply != NULL);
    bool ours = !call->over && is_last_word(call, err, reply);
    call->over = call->over || ours;
    pthread_mutex_unlock(&call->client->lock);
    if (next != BF_BUS_NO_CHOICE)
        send_to(call, next);
    if (ours)
        tell(call, err, reply);
    release(call);
}

static int64_t left_ms(const struct call *call)
{
    uint64_t now = bf_mono_ms();
    return now >= call->deadline_mono_ms ? 0 : (int64_t)(call->deadline_mono_ms - now);
}

// To an address that is marked.
static void send_to(struct call *call, int address)
{
    struct attempt *attempt = &call->attempts[address];
    nng_msg *copy = NULL;
    enum bf_err err = BF_UNAVAILABLE;
    if (!nng_msg_dup(&copy, call->message))
        err = bf_bus_line_send(call->client->lines[address], copy, left_ms(call), on_answer, attempt);
    if (err)
        on_answer(attempt, err, NULL);
}

// ---- the second sending

// The caller has made the timer a holder.
static void arm(struct call *call)
{
    nng_sleep_aio((nng_duration)call->client->hedge_ms, call->timer);
    if (call->client->closing)
        nng_aio_abort(call->timer, NNG_ECANCELED);
}

// Under the lock: whom it is sent to besides those that are late.
static int hedge(struct call *call)
{
    struct bf_bus_client *client = call->client;
    for (int i = 0; i < (int)client->line_count; i++)
        if (call->open & bit(i))
            note_overdue(call, i);
    if (!has_another(call))
        return BF_BUS_NO_CHOICE;
    if (!bf_bus_choice_spend(&client->choice)) {
        bf_metric_add(&metrics[HEDGES_REFUSED], 1);
        return BF_BUS_NO_CHOICE;
    }
    return send_once_more(call);
}

static void on_timer(void *at)
{
    struct call *call = at;
    struct bf_bus_client *client = call->client;
    int next = BF_BUS_NO_CHOICE;
    pthread_mutex_lock(&client->lock);
    if (!nng_aio_result(call->timer) && !call->over && !client->closing)
        next = hedge(call);
    bool again = next != BF_BUS_NO_CHOICE && (connected(client) & ~call->tried);
    pthread_mutex_unlock(&client->lock);
    if (next != BF_BUS_NO_CHOICE)
        send_to(call, next);
    if (again)
        arm(call);
    else
        release(call);
}

// ---- a call's start

static bool hopeless(const struct bf_bus_client *client)
{
    return client->closing || !connected(client);
}

// Under the lock.
static struct call *take_call(struct bf_bus_client *client)
{
    struct call *call = client->idle;
    if (call) {
        client->idle = call->next_idle;
        return call;
    }
    if (client->call_count == CALLS_MAX)
        return NULL;
    call = bf_xcalloc(1, sizeof(*call));
    call->client = client;
    if (nng_aio_alloc(&call->timer, on_timer, call)) {
        free(call);
        return NULL;
    }
    call->next_all = client->all;
    client->all = call;
    client->call_count++;
    return call;
}

static struct call *borrow(struct bf_bus_client *client)
{
    struct call *call = NULL;
    pthread_mutex_lock(&client->lock);
    bool closing = client->closing;
    if (!closing)
        call = take_call(client);
    client->users += call != NULL;
    pthread_mutex_unlock(&client->lock);
    bf_metric_add(&metrics[CALLS_REFUSED], !closing && !call);
    return call;
}

static nng_msg *pack_request(const char *method, const char *tenant_id, const char *request_id,
                             int64_t timeout_ms, struct bf_str body)
{
    char fresh_id[BF_ID_TEXT_SIZE];
    Belfry__Bus__V1__Request request = BELFRY__BUS__V1__REQUEST__INIT;
    request.method = (char *)method;
    request.request_id = (char *)(request_id ? request_id : bf_id_text(bf_id_new(), fresh_id));
    request.deadline_ms = bf_unix_ms() + (uint64_t)timeout_ms;
    request.tenant_id = (char *)(tenant_id ? tenant_id : "");
    request.body.data = (uint8_t *)body.at;
    request.body.len = body.len;
    nng_msg *message = NULL;
    if (nng_msg_alloc(&message, belfry__bus__v1__request__get_packed_size(&request)))
        return NULL;
    belfry__bus__v1__request__pack(&request, nng_msg_body(message));
    return message;
}

// Under the lock. *ret_also: an address that is left out and gets the call too, as something to answer. A
// call that may be sent but once goes there instead.
static int first_addresses(struct call *call, int *ret_also)
{
    struct bf_bus_client *client = call->client;
    uint32_t usable = connected(client);
    int probe = bf_bus_choice_probe(&client->choice, usable, bf_mono_ms());
    int first = probe;
    bf_bus_choice_earn(&client->choice);
    if (client->hedge_ms > 0 || probe == BF_BUS_NO_CHOICE)
        first = bf_bus_choice_next(&client->choice, usable);
    *ret_also = probe == first ? BF_BUS_NO_CHOICE : probe;
    mark(call, first);
    mark(call, *ret_also);
    return first;
}

static void start(struct call *call)
{
    struct bf_bus_client *client = call->client;
    int also;
    pthread_mutex_lock(&client->lock);
    int first = first_addresses(call, &also);
    bool timed =
        client->hedge_ms > 0 && left_ms(call) > client->hedge_ms && (connected(client) & ~call->tried);
    call->holders += timed;
    pthread_mutex_unlock(&client->lock);
    if (timed) // before it is sent: the answer ends the timer
        arm(call);
    if (also != BF_BUS_NO_CHOICE)
        send_to(call, also);
    if (first != BF_BUS_NO_CHOICE)
        send_to(call, first);
    else
        tell(call, BF_UNAVAILABLE, NULL); // the last connection went just now
    release(call);
}

// Everything that is wrong at once is told by the return value; otherwise `done` runs once.
static enum bf_err begin(struct bf_bus_client *client, const char *method, const char *tenant_id,
                         const char *request_id, int64_t timeout_ms, struct bf_str body, call_done *done,
                         void *ctx)
{
    if (body.len > BF_BUS_BYTES_MAX)
        return BF_TOO_LARGE;
    if (timeout_ms <= 0)
        return BF_TIMEOUT;
    timeout_ms = timeout_ms > INT32_MAX ? INT32_MAX : timeout_ms;
    if (hopeless(client)) {
        bf_metric_add(&metrics[CALL_ERRORS], 1);
        return BF_UNAVAILABLE;
    }
    nng_msg *message = pack_request(method, tenant_id, request_id, timeout_ms, body);
    struct call *call = message ? borrow(client) : NULL;
    if (!call) {
        nng_msg_free(message);
        return BF_UNAVAILABLE;
    }
    call->message = message;
    call->began_us = bf_mono_us();
    call->deadline_mono_ms = bf_mono_ms() + (uint64_t)timeout_ms;
    call->done = done;
    call->done_ctx = ctx;
    call->holders = 1;
    call->tried = call->open = 0;
    call->over = false;
    bf_metric_add(&metrics[CALLS_UNDER_WAY], 1);
    start(call);
    return BF_OK;
}

// ---- the two ways to call

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    enum bf_err err;
    struct bf_buf *body;
    struct bf_buf *error;
};

static void wake(void *at, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    struct waiter *waiter = at;
    if (reply && !err)
        bf_buf_add(waiter->body, reply->body.data, reply->body.len);
    if (reply && waiter->error)
        bf_buf_str(waiter->error, reply->error);
    pthread_mutex_lock(&waiter->lock);
    waiter->err = err;
    waiter->over = true;
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

enum bf_err bf_bus_call(struct bf_bus_client *client, const char *method, const char *tenant_id,
                        const char *request_id, int64_t timeout_ms, struct bf_str body,
                        struct bf_buf *ret_body, struct bf_buf *error)
{
    struct waiter waiter = {.body = ret_body, .error = error};
    pthread_mutex_init(&waiter.lock, NULL);
    pthread_cond_init(&waiter.ended, NULL);
    enum bf_err err = begin(client, method, tenant_id, request_id, timeout_ms, body, wake, &waiter);
    if (!err) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.over)
            pthread_cond_wait(&waiter.ended, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        err = waiter.err;
    }
    pthread_cond_destroy(&waiter.ended);
    pthread_mutex_destroy(&waiter.lock);
    if (!err && !bf_buf_ok(ret_body))
        return BF_TOO_LARGE;
    return err;
}

struct async {
    bf_bus_done *done;
    void *ctx;
};

static void pass_on(void *at, enum bf_err err, const Belfry__Bus__V1__Reply *reply)
{
    struct async *async = at;
    struct bf_str body = {NULL, 0};
    if (reply && !err)
        body = (struct bf_str){(const char *)reply->body.data, reply->body.len};
    async->done(async->ctx, err, body);
    free(async);
}

void bf_bus_call_async(struct bf_bus_client *client, const char *method, const char *tenant_id,
                       const char *request_id, int64_t timeout_ms, struct bf_str body, bf_bus_done *done,
                       void *ctx)
{
    struct async *async = bf_xcalloc(1, sizeof(*async));
    *async = (struct async){done, ctx};
    enum bf_err err = begin(client, method, tenant_id, request_id, timeout_ms, body, pass_on, async);
    if (err)
        pass_on(async, err, NULL);
}

// ---- the client

static enum bf_err add_line(void *ctx, const char *url)
{
    struct bf_bus_client *client = ctx;
    enum bf_err err = bf_bus_line_open(url, &client->lines[client->line_count]);
    client->line_count += err == BF_OK;
    return err;
}

enum bf_err bf_bus_dial(const char *urls, struct bf_bus_client **ret_client)
{
    bf_metrics_register(metrics, BF_LEN(metrics));
    struct bf_bus_client *client = bf_xcalloc(1, sizeof(*client));
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->fewer, NULL);
    enum bf_err err = bf_bus_each_url(urls, add_line, client);
    bf_bus_choice_init(&client->choice, client->line_count);
    if (err) {
        bf_bus_hang_up(client);
        return err;
    }
    *ret_client = client;
    return BF_OK;
}

void bf_bus_hedge(struct bf_bus_client *client, int64_t after_ms)
{
    client->hedge_ms = after_ms;
}

// Timers that are armed meanwhile see `closing`.
static void end_timers(struct bf_bus_client *client)
{
    client->closing = true;
    pthread_mutex_lock(&client->lock);
    for (struct call *call = client->all; call; call = call->next_all)
        nng_aio_abort(call->timer, NNG_ECANCELED);
    pthread_mutex_unlock(&client->lock);
}

static void free_calls(struct bf_bus_client *client)
{
    for (struct call *call = client->all, *next; call; call = next) {
        next = call->next_all;
        nng_aio_free(call->timer); // waits for a callback on its way out
        free(call);
    }
}

static int64_t left_out(const struct bf_bus_client *client)
{
    int64_t count = 0;
    for (size_t i = 0; i < client->line_count; i++)
        count += client->choice.at[i].out;
    return count;
}

void bf_bus_hang_up(struct bf_bus_client *client)
{
    if (!client)
        return;
    end_timers(client);
    for (size_t i = 0; i < client->line_count; i++)
        bf_bus_line_stop(client->lines[i]);
    pthread_mutex_lock(&client->lock);
    while (client->users > 0)
        pthread_cond_wait(&client->fewer, &client->lock);
    pthread_mutex_unlock(&client->lock);
    free_calls(client);
    for (size_t i = 0; i < client->line_count; i++)
        bf_bus_line_close(client->lines[i]);
    bf_metric_add(&metrics[LEFT_OUT], -left_out(client));
    pthread_cond_destroy(&client->fewer);
    pthread_mutex_destroy(&client->lock);
    free(client);
}

bool bf_bus_connected(const struct bf_bus_client *client)
{
    return connected(client) != 0;
}

struct bf_bus_figures bf_bus_figures(struct bf_bus_client *client)
{
    struct bf_bus_figures figures = {.hedges = client->hedges};
    pthread_mutex_lock(&client->lock);
    figures.left_out = (uint32_t)left_out(client);
    pthread_mutex_unlock(&client->lock);
    return figures;
}
