// May devices that are new to their edge register?
#include "admit.h"

#include <string.h>

#include "bf_clock.h"
#include "control.h"
#include "control_metrics.h"
#include "edges.h"
#include "location_store.h"

#define REDIS_MS 400 // later than that the edge has let them through

// A device that moved to another edge, or lost its own: by its instance, else by its contact.
static bool is_known(const struct bindings *bindings, const struct wire_device *device)
{
    for (size_t i = 0; i < bindings->count; i++) {
        const struct binding *binding = &bindings->at[i];
        bool instances = device->instance[0] && binding->instance[0];
        if (instances ? strcmp(device->instance, binding->instance) == 0
                      : strcmp(device->contact, binding->contact) == 0)
            return true;
    }
    return false;
}

static bool all_known(const struct bindings *bindings, const struct wire_admit *asked)
{
    for (size_t i = 0; i < asked->device_count; i++)
        if (!is_known(bindings, &asked->devices[i]))
            return false;
    return true;
}

// The asking edge lives, whatever its heartbeat says.
static size_t living(const struct edge *edges, size_t count, const char *own, const char **ret_ids)
{
    size_t alive = 0;

    ret_ids[alive++] = own;
    for (size_t i = 0; i < count; i++)
        if (edges[i].alive && strcmp(edges[i].id, own) != 0)
            ret_ids[alive++] = edges[i].id;
    return alive;
}

static enum bf_err ask_redis(struct control *control, const struct wire_admit *asked,
                             struct bindings *bindings, struct admit_verdict *ret_verdict)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    bf_autofree struct edge *edges = NULL;
    size_t edge_count = edges_list(control->edges, &edges);
    bf_autofree const char **ids = bf_xcalloc(edge_count + 1, sizeof(*ids));
    struct admit_ask ask = {.tenant = asked->tenant,
                            .edge = asked->edge,
                            .number = asked->number,
                            .contact_count = asked->device_count,
                            .max = asked->max_registrations,
                            .edges = ids,
                            .edge_count = living(edges, edge_count, asked->edge, ids)};

    for (size_t i = 0; i < asked->device_count; i++)
        ask.contacts[i] = asked->devices[i].contact;
    bf_redis_hurry(batch, REDIS_MS);
    size_t bound = location_store_ask(batch, asked->tenant, asked->number);
    size_t taken = admit_store_take(batch, &ask);
    enum bf_err err = bf_redis_run(batch);
    if (err)
        return err;
    location_store_read(bf_redis_reply(batch, bound), asked->tenant, bf_unix_ms(), bindings);
    *ret_verdict = admit_store_verdict(bf_redis_reply(batch, taken));
    return BF_OK;
}

enum bf_err admit(struct control *control, const struct wire_admit *asked, struct admit_verdict *ret_verdict)
{
    struct admit_verdict verdict;
    struct bindings bindings;

    bindings_init(&bindings);
    enum bf_err err = ask_redis(control, asked, &bindings, &verdict);
    bool known = !err && all_known(&bindings, asked);
    location_store_release(&bindings);
    if (err) {
        control_count(CONTROL_ADMIT_FAILED, 1);
        return err;
    }
    verdict.refused = verdict.refused && !known;
    control_count(verdict.refused ? CONTROL_ADMIT_REFUSED
                  : known         ? CONTROL_ADMIT_KNOWN
                                  : CONTROL_ADMIT_NEW,
                  1);
    control_count(CONTROL_LIMIT_REGISTRATIONS, verdict.refused);
    *ret_verdict = verdict;
    return BF_OK;
}
