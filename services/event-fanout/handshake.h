// The HTTP request before a WebSocket: what it shows, and the answer when it gets none. libwebsockets' thread
// only.
//
// A token or key comes in `Authorization: Bearer`. Browsers, which cannot set that, send it as a second
// subprotocol, `belfry.v1, token.<it>`, and the gateway makes a header of it: libwebsockets hangs up on lists
// of subprotocols from HANDSHAKE_PROTOCOLS_MAX bytes on. Old apps send `?token=<JWT>`: URLs get into logs, so
// an API key is refused there.
#ifndef HANDSHAKE_H
#define HANDSHAKE_H

#include <libwebsockets.h>

#include "bf_err.h"
#include "bf_id.h"

#define HANDSHAKE_PROTOCOL      "belfry.v1"
#define HANDSHAKE_PROTOCOLS_MAX 127
#define HANDSHAKE_BEARER_SIZE   1280
#define HANDSHAKE_SOURCE_SIZE   48

struct handshake {
    char bearer[HANDSHAKE_BEARER_SIZE]; // wipe it
    bool is_key;                        // an API key's form; else a token
    bool by_url;
    bool named_protocol;                // belfry.v1: an app of today
    struct bf_id after;                 // nil: none
    char source[HANDSHAKE_SOURCE_SIZE]; // X-Real-IP from the gateway, else the peer
};

// An HTTP error, as a problem.
struct handshake_problem {
    enum bf_err err;
    const char *field, *detail; // field "": none
    int retry_after_s;          // 0: none
};

// False: *ret_problem says why not.
bool handshake_read(struct lws *wsi, struct handshake *ret_handshake, struct handshake_problem *ret_problem);
// For LWS_CALLBACK_HTTP: what a request that is no handshake is answered.
struct handshake_problem handshake_none(struct lws *wsi);
// The answer, whole. Not 0: the connection is to be closed.
int handshake_refuse(struct lws *wsi, const struct handshake_problem *problem);

#endif
