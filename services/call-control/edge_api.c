// REST: the edges, whether what they say agrees with what is kept of them, and the end of one that is gone.
#include "api.h"
#include "bf_clock.h"
#include "call_json.h"
#include "directory.h"
#include "edge_store.h"
#include "forget.h"

// By Redis' own clock the heartbeat is age_ms old; people see it on ours.
static json_t *edge_json(const struct edge *edge, const struct directory_head *head, int64_t indexed_bindings,
                         int64_t indexed_calls)
{
    bool has_table = edge->table_epoch && (!head || edge->table_epoch == head->epoch);

    return json_pack("{s:s, s:b, s:o, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:o}", "id", edge->id, "alive",
                     (int)edge->alive, "seen_at",
                     edge->seen_ms ? bf_json_time(bf_unix_ms() - edge->age_ms) : json_null(), "age_ms",
                     (json_int_t)edge->age_ms, "internal", edge->internal, "bus", edge->bus, "bindings",
                     (json_int_t)edge->bindings, "indexed_bindings", (json_int_t)indexed_bindings, "calls",
                     (json_int_t)edge->calls, "indexed_calls", (json_int_t)indexed_calls, "table_seq",
                     has_table ? json_integer((json_int_t)edge->table_seq) : json_null(), "registry_seq",
                     head ? json_integer((json_int_t)head->seq) : json_null());
}

static enum bf_err edge_list(struct api_work *work)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(work->control->redis);
    bf_autofree struct edge *edges = NULL;
    struct directory_head head;
    bool heard = directory_head(work->control->directory, &head);
    char key[EDGE_KEY_SIZE];
    size_t count;
    enum bf_err err = edge_store_list(work->control, &edges, &count);

    for (size_t i = 0; !err && i < count; i++) {
        bf_redis_cmd(batch, "SCARD", BF_R_TEXT(edge_key("eb", edges[i].id, key)));
        bf_redis_cmd(batch, "SCARD", BF_R_TEXT(edge_key("ec", edges[i].id, key)));
    }
    if (!err)
        err = bf_redis_run(batch);
    if (err)
        return err;
    json_t *items = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(items, edge_json(&edges[i], heard ? &head : NULL,
                                               bf_redis_int(bf_redis_reply(batch, 2 * i)),
                                               bf_redis_int(bf_redis_reply(batch, 2 * i + 1))));
    return api_list(work, items, "", false);
}

static enum bf_err edge_forget(struct api_work *work)
{
    const char *id = bf_http_param(work->call, "id");
    struct forgotten forgotten;
    enum bf_err err = forget_edge(work->control, id, &forgotten);

    if (err == BF_NOT_FOUND)
        return bf_http_problem(work->call, err, NULL, "there is no such edge");
    if (err == BF_CONFLICT)
        return bf_http_problem(work->call, err, NULL,
                               "this edge is running, or was until %d s ago: stop it first, then forget it",
                               FORGET_SILENT_MS / 1000);
    if (err)
        return err;
    bf_info("edge.forgotten", BF_S("edge", id), BF_I("calls", forgotten.calls),
            BF_I("bindings", forgotten.bindings), BF_I("silent_ms", forgotten.age_ms),
            BF_S("request_id", bf_http_request_id(work->call)));
    work->status = 204;
    return BF_OK;
}

const struct api_route edge_api_routes[] = {
    {"GET", "/v1/edges", edge_list, .flags = BF_GATE_OPERATORS},
    {"DELETE", "/v1/edges/{id}", edge_forget, .flags = BF_GATE_OPERATORS},
};
const size_t edge_api_route_count = BF_LEN(edge_api_routes);
