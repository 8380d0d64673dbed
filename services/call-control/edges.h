// The edges as this process knows them: read from Redis twice a second, and a bus connection to each.
//
// An edge lives while its heartbeat is younger than EDGE_ALIVE_MS by Redis' clock. When Redis is away the
// last table stays as it is. Any thread.
#ifndef EDGES_H
#define EDGES_H

#include "bf_buf.h"
#include "bf_bus.h"
#include "edge_store.h"

struct edges;

bf_must_check enum bf_err edges_start(struct control *control, struct edges **ret_edges);
void edges_stop(struct edges *edges); // NULL is fine

// False when there is no such edge.
bool edges_find(struct edges *edges, const char *id, struct edge *ret_edge);
// All of them; the caller frees *ret_list.
size_t edges_list(struct edges *edges, struct edge **ret_list);
// What Report learned of an edge just now, so that this replica need not wait for its next look.
void edges_saw(struct edges *edges, const struct edge *edge);

// As wire_internal (call_wire.h): the internal socket of an edge; NULL: not known. The text lives until the
// next question.
struct edges_internal {
    struct edges *edges;
    struct edge found;
};
const char *edges_internal(void *ctx, const char *edge);

// Calls a method of the edge's own endpoint (edge.v1). BF_UNAVAILABLE when the edge is unknown or dead.
bf_must_check enum bf_err edges_call(struct edges *edges, const char *id, const char *method,
                                     const char *request_id, int64_t timeout_ms, struct bf_str body,
                                     struct bf_buf *ret_body, struct bf_buf *error);

#endif
