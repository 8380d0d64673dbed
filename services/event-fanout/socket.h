// One WebSocket as far as rules go: who it is, what it may see, what waits to be sent, when it ends. No I/O,
// no lock: the hall's thread has them.
//
// Life: ASKED (the registry is being asked whether it may) -> JOINED (events are kept for it while what it
// missed is read) -> OPEN -> CLOSING. Events that come while it is JOINED stand behind what it missed, each
// once.
#ifndef SOCKET_H
#define SOCKET_H

#include "bf_app_token.h"
#include "live.h"

#define SOCKET_BYTES_MAX    (4u << 20) // waiting to be sent to one socket
#define SOCKET_MESSAGES_MAX 120 // a minute, from a client, or pieces of 512 bytes: there is nothing to say
#define SOCKET_REASON_SIZE  96

// Why a socket is closed, as the client sees it.
enum socket_close {
    SOCKET_STAYS = 0,
    SOCKET_AWAY = 1001,      // this replica ends: connect again
    SOCKET_CHATTY = 1008,    // it sends too much
    SOCKET_LATER = 1013,     // who it is cannot be found out now: try again later
    SOCKET_REFUSED = 4401,   // its token or key is not good, or no longer
    SOCKET_SUSPENDED = 4403, // its tenant is suspended, or it has none
    SOCKET_SLOW = 4408,      // it did not take its events; connect again with after=
    SOCKET_TOO_MANY = 4429,  // its tenant has too many sockets
};

enum socket_state { SOCKET_ASKED, SOCKET_JOINED, SOCKET_OPEN, SOCKET_CLOSING };

// Who it is.
struct socket_who {
    struct bf_id tenant;             // nil: not known yet
    char number[BF_APP_NUMBER_SIZE]; // "": a key's, sees all of its tenant
    struct bf_id extension;          // of the number; nil: its token does not say
    uint64_t expires_ms;             // Unix; 0: a key's
    bool old_app;                    // did not ask for belfry.v1: gets incoming_call too
};

struct socket {
    struct socket_who who;
    enum socket_state state;
    enum socket_close close;
    const char *reason;  // static text
    struct live **queue; // a ring; NULL while nothing waits
    uint32_t first, count, room;
    uint32_t extra; // what it missed and waits still: not its own fault, on top of the limit
    uint32_t bytes;
    uint32_t messages; // that came in this minute
    uint64_t minute;   // which
    // What it missed and got: the relay may find these later than who read them for it.
    struct bf_id *replayed;
    size_t replayed_count;
};

void socket_release(struct socket *socket); // what waits
void socket_forget(struct socket *socket);  // what was replayed: whoever comes by it has done so long ago

// Is this number's extension the one that its token was made for? Not, when it was deleted and made again.
bool socket_is_of(const struct socket_who *who, struct bf_id extension);
bool socket_sees(const struct socket_who *who, const struct live *live);
// Takes a reference of its own. False: more waits than `max` (twice that while it is JOINED); it is to be
// closed as SOCKET_SLOW.
bool socket_queue(struct socket *socket, struct live *live, uint32_t max);
// JOINED -> OPEN: what it missed, in order, then what has come meanwhile and is not among it; nor does that
// come again until it is forgotten. References of its own.
void socket_replay(struct socket *socket, struct live *const *missed, size_t count);
// The next to send; the caller unrefs it. NULL: nothing waits, or it does not yet get anything.
struct live *socket_next(struct socket *socket);
// Nothing more is sent but the reason. The first reason stays.
void socket_end(struct socket *socket, enum socket_close close, const char *reason);
// A message came. False: too many.
bool socket_heard(struct socket *socket, uint64_t unix_ms);

#endif
