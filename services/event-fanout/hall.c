// libwebsockets' thread.
#include "hall.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "authority.h"
#include "bf_clock.h"
#include "door.h"
#include "fanout_metrics.h"
#include "porter.h"
#include "steward.h"

#define TURN_MS     1000
#define SEND_BYTES  (64 << 10) // the kernel's share of a slow peer's backlog
#define OTHER_FILES 1024       // than sockets

static_assert(LIVE_FRAME_ROOM >= LWS_PRE, "the room before a text is what libwebsockets asks for");

struct hall {
    struct fanout *fanout;
    struct porter *porter;
    struct mailbox *mailbox;
    struct door *door;      // the thread's
    struct steward steward; // the thread's
    struct seats *seats;    // the thread's
    struct lws_context *context;
    lws_retry_bo_t validity;
    lws_sorted_usec_list_t timer;
    pthread_t thread;
    bool running;
    _Atomic bool stop;
    _Atomic uint64_t stop_ms; // monotonic; before stop
    bool leaving;             // the thread's: it was told to stop
};

// ---- what others have to say

static void put(struct hall *hall, struct mail mail)
{
    if (mailbox_put(hall->mailbox, &mail))
        lws_cancel_service(hall->context);
}

void hall_take(struct hall *hall, const struct live_event *event)
{
    put(hall, (struct mail){.kind = MAIL_EVENT, .live = live_new(event)});
}

void hall_judged(struct hall *hall, const struct mail_verdict *verdict)
{
    put(hall, (struct mail){.kind = MAIL_VERDICT, .verdict = *verdict});
}

void hall_missed(struct hall *hall, const struct mail_missed *missed)
{
    put(hall, (struct mail){.kind = MAIL_MISSED, .missed = *missed});
}

static void changed(void *ctx, const struct authority_change *change)
{
    struct mail mail = {.kind = MAIL_ENDS,
                        .ends = {.tenant = change->tenant, .extension = change->extension}};
    size_t len = strlen(change->number);

    if (len >= sizeof(mail.ends.number))
        return;
    memcpy(mail.ends.number, change->number, len + 1);
    put(ctx, mail);
}

static void unsure(void *ctx)
{
    put(ctx, (struct mail){.kind = MAIL_UNSURE});
}

static void collect(struct hall *hall)
{
    bool lost;

    for (struct mail *mail = mailbox_collect(hall->mailbox, &lost), *next; mail; mail = next) {
        next = mail->next;
        steward_read(&hall->steward, mail);
        mail_free(mail);
    }
    if (lost)
        steward_close_all(&hall->steward, SOCKET_SLOW, "events were lost here: connect again with after=");
    if (hall->stop && !hall->leaving) {
        hall->leaving = true;
        steward_close_all(&hall->steward, SOCKET_AWAY, "this replica ends: connect again with after=");
    }
}

static void hall_turn(lws_sorted_usec_list_t *timer)
{
    struct hall *hall = lws_container_of(timer, struct hall, timer);

    steward_turn(&hall->steward);
    lws_sul_schedule(hall->context, 0, &hall->timer, hall_turn, TURN_MS * LWS_US_PER_MS);
}

// ---- one connection

static int arrive(struct hall *hall, struct lws *wsi)
{
    struct handshake handshake;
    struct handshake_problem problem;
    bool good = handshake_read(wsi, &handshake, &problem);
    struct seat *seat = good ? door_admit(hall->door, &handshake, hall->leaving, &problem) : NULL;

    explicit_bzero(&handshake, sizeof(handshake));
    if (!seat) {
        fanout_count(problem.err == BF_UNAUTHENTICATED ? FANOUT_AUTH_FAILURES : FANOUT_HANDSHAKES_REFUSED, 1);
        return handshake_refuse(wsi, &problem) ? -1 : 1;
    }
    lws_set_opaque_user_data(wsi, seat);
    return 0;
}

static int sit(struct hall *hall, struct lws *wsi, struct seat *seat)
{
    int bytes = SEND_BYTES;

    if (!seat || !seats_add(hall->seats, seat))
        return -1;
    seat->wsi = wsi;
    setsockopt(lws_get_socket_fd(wsi), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
    fanout_count(FANOUT_SOCKETS_OPENED, 1);
    bf_metric_set(&fanout_metrics[FANOUT_SOCKETS], (int64_t)seats_count(hall->seats));
    steward_welcome(&hall->steward, seat);
    return 0;
}

static void leave(struct hall *hall, struct lws *wsi, struct seat *seat)
{
    if (!seat)
        return;
    lws_set_opaque_user_data(wsi, NULL);
    if (seat->wsi)
        seats_leave(hall->seats, seat);
    bf_metric_set(&fanout_metrics[FANOUT_SOCKETS], (int64_t)seats_count(hall->seats));
    seat_free(seat);
}

static int hear(struct seat *seat)
{
    if (!socket_heard(&seat->socket, bf_unix_ms()))
        steward_close(seat, SOCKET_CHATTY, "nothing is expected from you");
    return 0;
}

static int callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len)
{
    struct hall *hall = lws_context_user(lws_get_context(wsi));
    struct seat *seat = lws_get_opaque_user_data(wsi);
    struct handshake_problem problem;

    switch (reason) {
    case LWS_CALLBACK_HTTP:
        problem = handshake_none(wsi);
        return handshake_refuse(wsi, &problem) || lws_http_transaction_completed(wsi) ? -1 : 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return arrive(hall, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return sit(hall, wsi, seat);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return seat ? steward_write(seat) : -1;
    case LWS_CALLBACK_RECEIVE:
        return seat ? hear(seat) : -1;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        leave(hall, wsi, seat);
        return 0;
    default:
        return 0;
    }
}

// ---- the thread

static const struct lws_protocols protocols[] = {
    {"http", callback, 0, 512, 0, NULL, 32768}, // also WebSockets without a subprotocol
    {HANDSHAKE_PROTOCOL, callback, 0, 512, 0, NULL, 32768},
    {NULL, NULL, 0, 0, 0, NULL, 0},
};

static void library_says(int level, const char *line)
{
    bf_warn("socket.library", BF_SN("text", ((struct bf_str){line, strcspn(line, "\n")})));
}

static bool done(const struct hall *hall)
{
    return hall->leaving && (seats_count(hall->seats) == 0 || bf_mono_ms() >= hall->stop_ms);
}

static void *hall_run(void *at)
{
    struct hall *hall = at;

    lws_sul_schedule(hall->context, 0, &hall->timer, hall_turn, TURN_MS * LWS_US_PER_MS);
    while (!done(hall)) {
        if (lws_service(hall->context, 0) < 0)
            break;
        collect(hall);
    }
    lws_sul_cancel(&hall->timer);
    return NULL;
}

// As many files as it may have; fewer than sockets are said at the start and not when it is full.
static void raise_files(int64_t sockets_max)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files))
        return;
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) || files.rlim_cur < (rlim_t)sockets_max + OTHER_FILES)
        bf_warn("hall.few_files", BF_I("files", files.rlim_cur), BF_I("sockets", sockets_max),
                BF_S("cure", "raise the limit of open files, or lower BELFRY_SOCKETS"));
}

static enum bf_err listen_on(struct hall *hall)
{
    const struct fanout_settings *settings = &hall->fanout->settings;
    struct lws_context_creation_info info = {
        .port = (int)settings->socket_port,
        .iface = settings->socket_host,
        .protocols = protocols,
        .gid = -1,
        .uid = -1,
        .user = hall,
        .options = LWS_SERVER_OPTION_DISABLE_IPV6 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
        .fd_limit_per_thread = (unsigned)settings->sockets_max + OTHER_FILES,
        .max_http_header_data = 8192,
        .max_http_header_pool = 256,
        .pt_serv_buf_size = 8192,
        .timeout_secs = 15,
        .keepalive_timeout = 15,
        .retry_and_idle_policy = &hall->validity,
        .server_string = "belfry",
    };

    hall->validity = (lws_retry_bo_t){.secs_since_valid_ping = (uint16_t)settings->socket_ping_s,
                                      .secs_since_valid_hangup = (uint16_t)(settings->socket_ping_s + 15)};
    if (strchr(settings->socket_host, ':'))
        info.options &= ~(uint64_t)LWS_SERVER_OPTION_DISABLE_IPV6;
    raise_files(settings->sockets_max);
    lws_set_log_level(LLL_ERR, library_says);
    hall->context = lws_create_context(&info);
    return hall->context ? BF_OK : BF_UNAVAILABLE;
}

enum bf_err hall_start(struct fanout *fanout, struct hall **ret_hall)
{
    struct hall *hall = bf_xcalloc(1, sizeof(*hall));
    struct authority_ear ear = {.changed = changed, .unsure = unsure, .ctx = hall};

    hall->fanout = fanout;
    hall->mailbox = mailbox_new();
    hall->seats = seats_new((size_t)fanout->settings.sockets_max);
    enum bf_err err = listen_on(hall);
    if (!err)
        err = porter_start(fanout, hall, &hall->porter);
    if (!err) {
        authority_listen(fanout->authority, &ear);
        hall->door = door_new(&fanout->settings, fanout->authority, hall->seats);
        hall->steward = (struct steward){&fanout->settings, hall->seats, hall->porter};
    }
    if (!err)
        hall->running = pthread_create(&hall->thread, NULL, hall_run, hall) == 0;
    if (!err && !hall->running)
        err = BF_INTERNAL;
    if (err) {
        hall_stop(hall, 0);
        return err;
    }
    *ret_hall = hall;
    return BF_OK;
}

void hall_stop(struct hall *hall, int64_t drain_ms)
{
    if (!hall)
        return;
    hall->stop_ms = bf_mono_ms() + (uint64_t)drain_ms;
    hall->stop = true;
    if (hall->running) {
        lws_cancel_service(hall->context);
        pthread_join(hall->thread, NULL);
    }
    porter_stop(hall->porter);
    if (hall->context)
        lws_context_destroy(hall->context);
    mailbox_free(hall->mailbox);
    door_free(hall->door);
    seats_free(hall->seats);
    free(hall);
}
