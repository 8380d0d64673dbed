// What becomes of the WebSockets.
#include "steward.h"

#include <libwebsockets.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_json.h"
#include "fanout_metrics.h"
#include "porter.h"

#define CHECK_KEY_MS   5000   // keys: their end is not on the feed
#define CHECK_TOKEN_MS 300000 // numbers: it is
#define CHECK_SPREAD   10000  // ms, when all are to be asked about: the registry has others to answer too
#define END_S          5      // a peer that does not take the reason for its end
#define FRAMES_AT_ONCE 16

// ---- closing and sending

static void close_metric(enum socket_close close)
{
    static const struct {
        enum socket_close close;
        enum fanout_metric metric;
    } rows[] = {
        {SOCKET_AWAY, FANOUT_SOCKETS_AWAY},       {SOCKET_LATER, FANOUT_SOCKETS_LATER},
        {SOCKET_REFUSED, FANOUT_SOCKETS_REFUSED}, {SOCKET_SUSPENDED, FANOUT_SOCKETS_SUSPENDED},
        {SOCKET_SLOW, FANOUT_SOCKETS_SLOW},       {SOCKET_TOO_MANY, FANOUT_SOCKETS_TOO_MANY},
        {SOCKET_CHATTY, FANOUT_SOCKETS_CHATTY},
    };

    for (size_t i = 0; i < BF_LEN(rows); i++)
        if (rows[i].close == close)
            fanout_count(rows[i].metric, 1);
}

void steward_close(struct seat *seat, enum socket_close close, const char *reason)
{
    if (seat->socket.state == SOCKET_CLOSING)
        return;
    close_metric(close);
    socket_end(&seat->socket, close, reason);
    lws_set_timeout(seat->wsi, PENDING_TIMEOUT_USER_OK, END_S);
    lws_callback_on_writable(seat->wsi);
}

static void seat_send(struct steward *steward, struct seat *seat, struct live *live)
{
    if (!socket_queue(&seat->socket, live, (uint32_t)steward->settings->socket_queue))
        steward_close(seat, SOCKET_SLOW, "events wait unread: connect again with after=");
    else if (seat->socket.state == SOCKET_OPEN)
        lws_callback_on_writable(seat->wsi);
}

static void seat_say(struct steward *steward, struct seat *seat, json_t *message)
{
    bf_autofree char *text = json_dumps(message, JSON_COMPACT);
    struct live *live = live_message(text);

    json_decref(message);
    seat_send(steward, seat, live);
    live_unref(live);
}

static void seat_ready(struct steward *steward, struct seat *seat)
{
    const struct socket_who *who = &seat->socket.who;

    seat_say(steward, seat,
             json_pack("{s:s, s:o, s:o}", "type", "ready", "tenant", bf_json_id(who->tenant), "number",
                       bf_json_text(who->number)));
}

int steward_write(struct seat *seat)
{
    struct live *live;

    if (seat->socket.state == SOCKET_CLOSING) {
        lws_close_reason(seat->wsi, (enum lws_close_status)seat->socket.close,
                         (unsigned char *)seat->socket.reason, strlen(seat->socket.reason));
        return -1;
    }
    for (int i = 0; i < FRAMES_AT_ONCE && !lws_send_pipe_choked(seat->wsi); i++) {
        live = socket_next(&seat->socket);
        if (!live)
            return 0;
        int sent = lws_write(seat->wsi, (unsigned char *)live->text, live->len, LWS_WRITE_TEXT);
        live_unref(live);
        if (sent < 0)
            return -1;
        fanout_count(FANOUT_SOCKET_MESSAGES, 1);
    }
    if (seat->socket.count)
        lws_callback_on_writable(seat->wsi);
    return 0;
}

// ---- what mail brings about

static void event_take(struct steward *steward, struct live *live)
{
    for (struct seat *seat = seats_of(steward->seats, live->tenant); seat; seat = seat->next) {
        const struct socket_who *who = &seat->socket.who;
        if (!socket_sees(who, live))
            continue;
        seat_send(steward, seat, live);
        struct live *old = who->old_app && *who->number ? live_incoming_call(live, who->number) : NULL;
        if (old)
            seat_send(steward, seat, old);
        live_unref(old);
    }
}

static char *copy_of(const char *text)
{
    return text ? bf_xstrdup(text) : NULL;
}

static void seat_ask(struct steward *steward, struct seat *seat, struct bf_id after)
{
    porter_ask(steward->porter, &(struct porter_job){.ref = seat->ref,
                                                     .who = seat->socket.who,
                                                     .key = copy_of(seat->key),
                                                     .token = BF_TAKE(seat->token),
                                                     .after = after});
    seat->check_ms = bf_mono_ms() + (seat->key ? CHECK_KEY_MS : CHECK_TOKEN_MS);
}

static void seat_open(struct steward *steward, struct seat *seat)
{
    socket_replay(&seat->socket, NULL, 0);
    seat_ready(steward, seat);
}

static void seat_join(struct steward *steward, struct seat *seat, const struct socket_who *who)
{
    seat->socket.who = *who;
    if (!seats_join(steward->seats, seat, (size_t)steward->settings->sockets_per_tenant)) {
        steward_close(seat, SOCKET_TOO_MANY, "this tenant has too many WebSockets: close some");
        return;
    }
    seat->socket.state = SOCKET_JOINED;
    if (bf_id_is_nil(seat->after))
        seat_open(steward, seat);
    else
        seat_ask(steward, seat, seat->after);
}

static void verdict_take(struct steward *steward, const struct mail_verdict *verdict)
{
    struct seat *seat = seats_find(steward->seats, verdict->ref);

    if (!seat)
        return;
    bool asked = seat->socket.state == SOCKET_ASKED;
    // One that is in stays while nobody knows better.
    if (verdict->close && (asked || verdict->close != SOCKET_LATER))
        steward_close(seat, verdict->close, verdict->reason);
    else if (asked)
        seat_join(steward, seat, &verdict->who);
}

static void missed_take(struct steward *steward, const struct mail_missed *missed)
{
    struct seat *seat = seats_find(steward->seats, missed->ref);
    char after[BF_ID_TEXT_SIZE];

    if (!seat || seat->socket.state != SOCKET_JOINED)
        return;
    socket_replay(&seat->socket, missed->lives, missed->err ? 0 : missed->count);
    if (missed->err)
        seat_say(steward, seat,
                 json_pack("{s:s, s:s, s:s}", "type", "replay_gap", "after", bf_id_text(seat->after, after),
                           "detail",
                           missed->err == BF_NOT_FOUND   ? "this event is too old, or is none of yours"
                           : missed->err == BF_TOO_LARGE ? "you have missed too much"
                                                         : "what you have missed cannot be read now"));
    seat_ready(steward, seat);
}

static bool is_gone(const struct socket_who *who, const char *number, struct bf_id extension)
{
    return strcmp(who->number, number) == 0 && (bf_id_is_nil(extension) || !socket_is_of(who, extension));
}

static void ends_take(struct steward *steward, const struct mail *mail)
{
    for (struct seat *seat = seats_of(steward->seats, mail->ends.tenant); seat; seat = seat->next)
        if (!*mail->ends.number)
            steward_close(seat, SOCKET_SUSPENDED, "this tenant is suspended or gone");
        else if (is_gone(&seat->socket.who, mail->ends.number, mail->ends.extension))
            steward_close(seat, SOCKET_REFUSED, "the extension of this token is gone");
}

static void each_seat(struct steward *steward, void (*act)(struct steward *steward, struct seat *seat))
{
    for (size_t i = 0; i < seats_places(steward->seats); i++)
        if (seats_at(steward->seats, i))
            act(steward, seats_at(steward->seats, i));
}

static void seat_doubt(struct steward *steward, struct seat *seat)
{
    uint64_t at_ms = bf_mono_ms() + seat->ref.place % CHECK_SPREAD;

    if (seat->check_ms > at_ms)
        seat->check_ms = at_ms;
}

void steward_read(struct steward *steward, const struct mail *mail)
{
    switch (mail->kind) {
    case MAIL_EVENT:
        event_take(steward, mail->live);
        break;
    case MAIL_VERDICT:
        verdict_take(steward, &mail->verdict);
        break;
    case MAIL_MISSED:
        missed_take(steward, &mail->missed);
        break;
    case MAIL_ENDS:
        ends_take(steward, mail);
        break;
    case MAIL_UNSURE:
        each_seat(steward, seat_doubt);
        break;
    }
}

void steward_welcome(struct steward *steward, struct seat *seat)
{
    seat_ask(steward, seat, (struct bf_id){{0}});
}

static void seat_turn(struct steward *steward, struct seat *seat)
{
    const struct socket_who *who = &seat->socket.who;

    if (seat->socket.state == SOCKET_ASKED || seat->socket.state == SOCKET_CLOSING)
        return;
    if (who->expires_ms && who->expires_ms <= bf_unix_ms())
        steward_close(seat, SOCKET_REFUSED, bf_app_verdicts[BF_APP_EXPIRED]);
    else if (seat->check_ms <= bf_mono_ms()) {
        socket_forget(&seat->socket);
        seat_ask(steward, seat, (struct bf_id){{0}});
    }
}

void steward_turn(struct steward *steward)
{
    each_seat(steward, seat_turn);
}

void steward_close_all(struct steward *steward, enum socket_close close, const char *reason)
{
    for (size_t i = 0; i < seats_places(steward->seats); i++)
        if (seats_at(steward->seats, i))
            steward_close(seats_at(steward->seats, i), close, reason);
}
