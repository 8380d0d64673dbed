// Who comes in.
#include "door.h"

#include <arpa/inet.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_rate.h"

#define SOURCES_MAX 16384

struct door {
    const struct fanout_settings *settings;
    struct authority *authority;
    const struct seats *seats;
    struct bf_rate *failures; // by source
};

struct door *door_new(const struct fanout_settings *settings, struct authority *authority,
                      const struct seats *seats)
{
    struct door *door = bf_xcalloc(1, sizeof(*door));

    *door = (struct door){settings, authority, seats, bf_rate_new(SOURCES_MAX)};
    return door;
}

void door_free(struct door *door)
{
    if (!door)
        return;
    bf_rate_free(door->failures);
    free(door);
}

static size_t source_key(const char *source, uint8_t key[16])
{
    return inet_pton(AF_INET, source, key) == 1 ? 4 : inet_pton(AF_INET6, source, key) == 1 ? 8 : 0;
}

static bool source_ok(struct door *door, const struct handshake *handshake, bool failed)
{
    int64_t per_minute = door->settings->rest.auth_failures_per_minute;
    uint8_t key[16];
    size_t len = source_key(handshake->source, key);

    return failed ? !bf_rate_take(door->failures, key, len, per_minute, bf_mono_ms())
                  : !bf_rate_peek(door->failures, key, len, per_minute, bf_mono_ms());
}

// What can be known at once. BF_APP_UNKNOWN_KEY: the porter asks.
static enum bf_app_verdict seat_verify(struct door *door, struct seat *seat,
                                       const struct handshake *handshake)
{
    struct socket_who *who = &seat->socket.who;
    struct bf_app_token token;

    if (handshake->is_key) {
        seat->key = bf_xstrdup(handshake->bearer);
        return BF_APP_GOOD;
    }
    enum bf_app_verdict verdict = authority_token(door->authority, bf_str(handshake->bearer), &token);
    if (verdict == BF_APP_UNKNOWN_KEY)
        seat->token = bf_xstrdup(handshake->bearer);
    if (verdict)
        return verdict;
    who->tenant = token.tenant;
    who->extension = token.extension;
    memcpy(who->number, token.number, sizeof(who->number));
    who->expires_ms = token.expires_s * 1000;
    return BF_APP_GOOD;
}

struct seat *door_admit(struct door *door, const struct handshake *handshake, bool leaving,
                        struct handshake_problem *problem)
{
    *problem = (struct handshake_problem){BF_UNAVAILABLE, "", "this replica ends: try again", 1};
    if (leaving)
        return NULL;
    *problem = (struct handshake_problem){BF_UNAVAILABLE, "", "there are too many WebSockets here", 5};
    if (seats_count(door->seats) >= seats_places(door->seats))
        return NULL;
    *problem =
        (struct handshake_problem){BF_LIMIT, "", "too many failed authentications from your address", 60};
    if (!source_ok(door, handshake, false))
        return NULL;
    struct seat *seat = bf_xcalloc(1, sizeof(*seat));
    seat->after = handshake->after;
    seat->socket.who.old_app = !handshake->named_protocol;
    enum bf_app_verdict verdict = seat_verify(door, seat, handshake);
    if (verdict == BF_APP_GOOD || verdict == BF_APP_UNKNOWN_KEY)
        return seat;
    (void)source_ok(door, handshake, true);
    *problem = (struct handshake_problem){BF_UNAUTHENTICATED, "", bf_app_verdicts[verdict], 0};
    seat_free(seat);
    return NULL;
}
