// One WebSocket's rules.
#include "socket.h"

#include <string.h>

#define ROOM_FIRST 8

void socket_release(struct socket *socket)
{
    for (uint32_t i = 0; i < socket->count; i++)
        live_unref(socket->queue[(socket->first + i) % socket->room]);
    free(socket->queue);
    socket->queue = NULL;
    socket->first = socket->count = socket->room = socket->extra = socket->bytes = 0;
}

void socket_forget(struct socket *socket)
{
    free(socket->replayed);
    socket->replayed = NULL;
    socket->replayed_count = 0;
}

bool socket_is_of(const struct socket_who *who, struct bf_id extension)
{
    return bf_id_is_nil(who->extension) || bf_id_is_nil(extension) || bf_id_eq(who->extension, extension);
}

bool socket_sees(const struct socket_who *who, const struct live *live)
{
    return bf_id_eq(who->tenant, live->tenant) && (!*who->number || live_names(live, who->number));
}

static void make_room(struct socket *socket)
{
    uint32_t room = socket->room ? socket->room * 2 : ROOM_FIRST;
    struct live **queue = bf_xcalloc(room, sizeof(struct live *));

    for (uint32_t i = 0; i < socket->count; i++)
        queue[i] = socket->queue[(socket->first + i) % socket->room];
    free(socket->queue);
    socket->queue = queue;
    socket->room = room;
    socket->first = 0;
}

static void append(struct socket *socket, struct live *live)
{
    if (socket->count == socket->room)
        make_room(socket);
    socket->queue[(socket->first + socket->count++) % socket->room] = live_ref(live);
    socket->bytes += (uint32_t)live->len;
}

static bool was_replayed(const struct socket *socket, struct bf_id id)
{
    for (size_t i = 0; i < socket->replayed_count; i++)
        if (bf_id_eq(socket->replayed[i], id))
            return true;
    return false;
}

bool socket_queue(struct socket *socket, struct live *live, uint32_t max)
{
    if (socket->state == SOCKET_CLOSING || was_replayed(socket, live->id))
        return true;
    if (socket->state == SOCKET_JOINED)
        max *= 2;
    if (socket->count >= max + socket->extra ||
        (!socket->extra && socket->count && socket->bytes + live->len > SOCKET_BYTES_MAX))
        return false;
    append(socket, live);
    return true;
}

static bool among(struct live *const *list, size_t count, struct bf_id id)
{
    for (size_t i = 0; i < count; i++)
        if (!bf_id_is_nil(id) && bf_id_eq(list[i]->id, id))
            return true;
    return false;
}

void socket_replay(struct socket *socket, struct live *const *missed, size_t count)
{
    struct socket before = *socket;

    if (socket->state != SOCKET_JOINED)
        return;
    socket->state = SOCKET_OPEN;
    socket->queue = NULL;
    socket->first = socket->count = socket->room = socket->bytes = 0;
    for (size_t i = 0; i < count; i++)
        append(socket, missed[i]);
    for (uint32_t i = 0; i < before.count; i++) {
        struct live *live = before.queue[(before.first + i) % before.room];
        if (!among(missed, count, live->id))
            append(socket, live);
    }
    socket->extra = socket->count;
    socket_release(&before);
    if (count == 0)
        return;
    socket->replayed_count = count;
    socket->replayed = bf_xcalloc(count, sizeof(socket->replayed[0]));
    for (size_t i = 0; i < count; i++)
        socket->replayed[i] = missed[i]->id;
}

struct live *socket_next(struct socket *socket)
{
    if (socket->state != SOCKET_OPEN || !socket->count)
        return NULL;
    struct live *live = socket->queue[socket->first];
    socket->first = (socket->first + 1) % socket->room;
    socket->count--;
    socket->bytes -= (uint32_t)live->len;
    if (socket->extra)
        socket->extra--;
    if (!socket->count) // idle sockets are what there are most of
        socket_release(socket);
    return live;
}

void socket_end(struct socket *socket, enum socket_close close, const char *reason)
{
    if (socket->state == SOCKET_CLOSING)
        return;
    socket_release(socket);
    socket_forget(socket);
    socket->state = SOCKET_CLOSING;
    socket->close = close;
    socket->reason = reason;
}

bool socket_heard(struct socket *socket, uint64_t unix_ms)
{
    uint64_t minute = unix_ms / 60000;

    if (minute != socket->minute)
        socket->messages = 0;
    socket->minute = minute;
    return ++socket->messages <= SOCKET_MESSAGES_MAX;
}
