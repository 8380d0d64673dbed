// Edges in Redis: heartbeat, and how far the stream of each is taken.
//
// e:<edge> is a hash: boot seq bus internal calls bindings seen_ms, of the stream also lost synced sync gap
// lock lock_until. Every time in it is by Redis' clock.
#ifndef EDGE_STORE_H
#define EDGE_STORE_H

#include "bf_redis.h"

struct control;

#define EDGE_ID_SIZE  65
#define EDGE_URL_SIZE 129
#define EDGE_ALIVE_MS 3000
#define EDGES_MAX     1000 // more are not looked at, and counted

struct edge {
    char id[EDGE_ID_SIZE]; // [A-Za-z0-9._-]
    uint64_t boot;
    char bus[EDGE_URL_SIZE];
    char internal[EDGE_URL_SIZE]; // host:port
    uint32_t calls, bindings;
    uint64_t seen_ms; // of the last heartbeat
    uint64_t age_ms;  // since then, when it was read
    bool alive;
};

// NULL when the text is good for an edge's id, else what would be.
const char *edge_id_check(struct bf_str text);
// "edge-1" into "e:edge-1" and the like: `kind` is e, eb, eo or ec.
#define EDGE_KEY_SIZE (EDGE_ID_SIZE + 4)
const char *edge_key(const char *kind, const char *edge, char key[EDGE_KEY_SIZE]);

// All edges that Redis knows. The caller frees *ret_list.
bf_must_check enum bf_err edge_store_list(struct control *control, struct edge **ret_list, size_t *ret_count);

#endif
