// Taking away what an edge leaves behind.
#include "forget.h"

#include "call_events.h"
#include "control.h"
#include "edge_store.h"
#include "location_store.h"

enum bf_err forget_bindings(struct control *control, const char *edge, size_t *ret_gone)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);

    location_store_sync_begin(batch, edge);
    enum bf_err err = bf_redis_run(batch);
    return err ? err : location_store_sync_end(control, edge, ret_gone);
}

static enum bf_err find_age(struct control *control, const char *id, uint64_t *ret_age_ms)
{
    bf_autofree struct edge *edges = NULL;
    size_t count;
    enum bf_err err = edge_store_list(control, &edges, &count);

    if (err)
        return err;
    const struct edge *found = edge_in_list(edges, count, id);
    if (!found)
        return BF_NOT_FOUND;
    *ret_age_ms = found->age_ms;
    return BF_OK;
}

// The heartbeat goes last: until then the edge is listed, and who was interrupted can forget it again.
enum bf_err forget_edge(struct control *control, const char *edge, struct forgotten *ret_forgotten)
{
    struct forgotten forgotten = {0};
    enum bf_err err = find_age(control, edge, &forgotten.age_ms);

    if (err)
        return err;
    if (forgotten.age_ms < FORGET_SILENT_MS)
        err = BF_CONFLICT;
    if (!err)
        err = call_events_close_edge(control, edge, "edge-lost", &forgotten.calls);
    if (!err)
        err = forget_bindings(control, edge, &forgotten.bindings);
    if (!err)
        err = edge_store_remove(control, edge, FORGET_SILENT_MS);
    *ret_forgotten = forgotten;
    return err;
}
