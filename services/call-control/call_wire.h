// call.v1's protobuf <-> our structs. What comes in is checked here: ids, sizes, counts; texts may be
// anything.
#ifndef CALL_WIRE_H
#define CALL_WIRE_H

#include "bf_arena.h"
#include "bf_buf.h"
#include "bf_err.h"
#include "binding.h"
#include "call.h"
#include "edge_store.h"
#include "plan.h"

#define WIRE_ENTRIES_MAX 5000 // of one Report

// ---- Report

enum wire_entry_kind {
    WIRE_ENTRY_UNKNOWN, // from a newer edge, or nonsense: counted and left out
    WIRE_ENTRY_BINDING,
    WIRE_ENTRY_BINDING_GONE,
    WIRE_ENTRY_CALL,
    WIRE_ENTRY_SYNC_BEGIN,
    WIRE_ENTRY_SYNC_END,
};

struct wire_entry {
    enum wire_entry_kind kind;
    struct binding binding; // BINDING; of BINDING_GONE tenant, edge, number and ruid
    struct bf_str packed;   // BINDING: as it is kept
    size_t packed_at;       // where in the report's `packed` that begins
    uint64_t at_ms;         // BINDING: when the edge saw it
    struct call_event event;
    uint64_t sync;
};

struct wire_report {
    struct edge edge; // without seen_ms, age_ms
    bool calls;       // the stream of call events, not that of bindings
    uint64_t first_seq, lost;
    struct wire_entry *entries;
    size_t entry_count;
    struct bf_arena message; // what the texts point into
    struct bf_buf packed;
    struct bf_leg *legs;
};

// BF_INVALID says why in `error`.
bf_must_check enum bf_err wire_read_report(struct bf_str body, struct wire_report *ret_report,
                                           struct bf_buf *error);
void wire_release_report(struct wire_report *report);
void wire_write_report(struct bf_buf *into, uint64_t taken_seq, bool resync);

// ---- bindings as they are kept

bf_must_check enum bf_err wire_unpack_binding(struct bf_str packed, struct bf_str edge,
                                              struct binding *ret_binding, void **ret_owned);
void wire_free_binding(void *owned);

// ---- Restore

struct wire_restore {
    char edge[EDGE_ID_SIZE];
    char after[32];
    size_t limit;
};
bf_must_check enum bf_err wire_read_restore(struct bf_str body, struct wire_restore *ret_restore,
                                            struct bf_buf *error);
void wire_write_restore(struct bf_buf *into, const struct bindings *bindings, const char *next);

// ---- Plan

struct wire_plan {
    struct edge edge;
    struct bf_id tenant;
    struct bf_id call; // nil: not named by the edge
    const char *call_id, *user_agent;
    struct plan_request request;
    void *message;
};
bf_must_check enum bf_err wire_read_plan(struct bf_str body, struct wire_plan *ret_plan,
                                         struct bf_buf *error);
void wire_release_plan(struct wire_plan *plan);

#define WIRE_PLANS_MAX 16
struct wire_plans {
    struct wire_plan at[WIRE_PLANS_MAX];
    size_t count;
};
bf_must_check enum bf_err wire_read_plans(struct bf_str body, struct wire_plans *ret_plans,
                                          struct bf_buf *error);
void wire_release_plans(struct wire_plans *plans);

struct wire_plan_result {
    enum bf_err err;
    struct bf_str plan; // a packed PlanReply
};
void wire_write_plans(struct bf_buf *into, const struct wire_plan_result *results, size_t count);

// `internal` tells the internal socket ("host:port") of an edge that a target hangs on; NULL: not known.
typedef const char *wire_internal(void *ctx, const char *edge);
// AddBranch of edge.v1: the binding as a target of that edge.
void wire_write_branch(struct bf_buf *into, struct bf_id call, struct bf_id device,
                       const struct binding *binding, const char *own_edge, wire_internal *internal,
                       void *ctx);
void wire_write_plan(struct bf_buf *into, const struct plan *plan, struct bf_id call, const char *own_edge,
                     wire_internal *internal, void *ctx);

#endif
