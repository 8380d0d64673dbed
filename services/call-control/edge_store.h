// Edges in Redis: heartbeat, and how far the stream of each is taken.
//
// e:<edge> is a hash, of the stream of call events v:<edge> a further one: boot seq bus internal calls
// bindings table_epoch table_seq seen_ms, of the stream also lost synced sync gap lock lock_until. Every time
// in it is by Redis' clock.
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
    uint64_t table_epoch, table_seq; // the registry's feed up to which its table is; 0: none yet
    uint64_t seen_ms;                // of the last heartbeat
    uint64_t age_ms;                 // since then, when it was read
    bool alive;
};

// NULL when the text is good for an edge's id, else what would be.
const char *edge_id_check(struct bf_str text);
// "edge-1" into "e:edge-1" and the like: `kind` is e, v, eb, eo or ec.
#define EDGE_KEY_SIZE (EDGE_ID_SIZE + 4)
const char *edge_key(const char *kind, const char *edge, char key[EDGE_KEY_SIZE]);

// All edges that Redis knows. The caller frees *ret_list.
bf_must_check enum bf_err edge_store_list(struct control *control, struct edge **ret_list, size_t *ret_count);
const struct edge *edge_in_list(const struct edge *list, size_t count, const char *id); // NULL: it is not
// Out of the list, heartbeat and stream position. BF_CONFLICT: it was heard within silent_ms; then it stays,
// and is asked to send all its bindings again.
bf_must_check enum bf_err edge_store_remove(struct control *control, const char *edge, uint64_t silent_ms);

// ---- how far an edge's stream is taken

#define EDGE_LOCK_MS    5000 // one batch of an edge at a time; a replica that died in it delays it so long
#define EDGE_TOKEN_SIZE 33
#define EDGE_EPOCH_SIZE 33

extern struct bf_redis_script edge_begin_script, edge_commit_script, edge_remove_script;

enum edge_stream_kind { // an edge's streams
    EDGE_STREAM_BINDINGS,
    EDGE_STREAM_CALLS,
};

struct edge_stream {
    enum edge_stream_kind kind;
    bool known;     // Redis knows of this boot's stream; else seq says nothing
    bool restarted; // nothing of this boot is taken yet, and there was another one before
    uint64_t seq;   // the last one taken
    uint64_t lost;
    uint64_t sync; // the sync that is under way; 0: none
    uint64_t gap;  // first_seq of the last Report that left a gap; 0: none
    bool synced;   // all of its bindings came since Redis last lost its data
    char epoch[EDGE_EPOCH_SIZE];
    char token[EDGE_TOKEN_SIZE]; // of the lock
};

// A heartbeat, and the lock. BF_UNAVAILABLE: Redis is away, or somebody else has the lock. BF_CONFLICT:
// another process runs under this edge's id since then.
bf_must_check enum bf_err edge_store_begin(struct control *control, const struct edge *edge,
                                           enum edge_stream_kind kind, struct edge_stream *ret_stream);
// Keeps the stream and gives up the lock. The reply's number is 1, or 0 when the lock had been lost.
size_t edge_store_commit(struct bf_redis_batch *batch, const char *edge, const struct edge_stream *stream);
// Gives up the lock and keeps nothing; best effort.
void edge_store_abandon(struct control *control, const char *edge, const struct edge_stream *stream);

#endif
