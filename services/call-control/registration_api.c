// REST: devices that are registered.
//
// A page has at most `limit` devices, ordered by number, then by edge and record id, and may end within a
// number. Devices of an edge that is dead cannot be reached and are not shown.
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "call_json.h"
#include "edges.h"
#include "location_store.h"

#define DEVICE_SIZE 160 // an edge, a slash and a record id; with a number in front it fits a cursor

static void device_name(const struct binding *binding, char name[DEVICE_SIZE])
{
    snprintf(name, DEVICE_SIZE, "%s/%s", binding->edge, binding->ruid);
}

static int by_number_and_device(const void *a, const void *b)
{
    const struct binding *x = a, *y = b;
    int order = strcmp(x->number, y->number);

    if (order == 0)
        order = strcmp(x->edge, y->edge);
    return order ? order : strcmp(x->ruid, y->ruid);
}

static json_t *binding_json(const struct binding *binding)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:f}", "number", binding->number,
                     "edge", binding->edge, "id", binding->ruid, "contact", binding->contact, "transport",
                     binding->transport, "received", bf_json_text(binding->received), "path",
                     bf_json_text(binding->path), "instance", bf_json_text(binding->instance), "user_agent",
                     bf_json_text(binding->user_agent), "expires_at", bf_json_time(binding->expires_ms), "q",
                     binding->q / 1000.0);
}

struct listing {
    struct api_work *work;
    const struct cursor_device *after;
    json_t *items;
    char last[BF_PLACE_SIZE];
    bool more;
};

static bool is_shown(const struct listing *listing, const struct binding *binding)
{
    char device[DEVICE_SIZE];
    struct edge edge;

    device_name(binding, device);
    if (*listing->after->device && strcmp(binding->number, listing->after->number) == 0 &&
        strcmp(device, listing->after->device) <= 0)
        return false;
    return edges_find(listing->work->control->edges, binding->edge, &edge) && edge.alive;
}

// Adds what fits; `more` when something did not.
static void list_add(struct listing *listing, struct bindings *bindings)
{
    char device[DEVICE_SIZE];

    if (bindings->count == 0) // and perhaps no array at all
        return;
    qsort(bindings->at, bindings->count, sizeof(bindings->at[0]), by_number_and_device);
    for (size_t i = 0; i < bindings->count && !listing->more; i++) {
        const struct binding *binding = &bindings->at[i];
        json_t *item = is_shown(listing, binding) ? binding_json(binding) : NULL;
        if (!item) // another edge's, or texts that are no UTF-8
            continue;
        if (json_array_size(listing->items) == (size_t)listing->work->page.limit) {
            listing->more = true;
            json_decref(item);
            continue;
        }
        json_array_append_new(listing->items, item);
        device_name(binding, device);
        snprintf(listing->last, sizeof(listing->last), "%.64s %s", binding->number, device);
    }
}

static enum bf_err list_number(struct listing *listing, const char *number)
{
    struct bindings bindings;

    bindings_init(&bindings);
    enum bf_err err =
        location_store_number(listing->work->control, listing->work->tenant->id, number, &bindings);
    if (!err)
        list_add(listing, &bindings);
    location_store_release(&bindings);
    return err;
}

static enum bf_err list_numbers(struct listing *listing, const char *after)
{
    char last[LOCATION_NEXT_SIZE * 3], from[BF_PLACE_SIZE];
    bool further = true;
    enum bf_err err = BF_OK;

    snprintf(from, sizeof(from), "%s", after);
    while (!err && further && !listing->more) {
        struct bindings bindings;
        bindings_init(&bindings);
        err = location_store_tenant(listing->work->control, listing->work->tenant->id, from,
                                    (size_t)listing->work->page.limit + 1, &bindings, last, &further);
        if (!err)
            list_add(listing, &bindings);
        location_store_release(&bindings);
        snprintf(from, sizeof(from), "%s", last);
    }
    return err;
}

static enum bf_err registration_list(struct api_work *work)
{
    const char *number = bf_http_query(work->call, "number");
    const char *wrong = number ? api_number_check(bf_str(number)) : NULL;
    struct cursor_device after;
    struct listing listing = {.work = work, .after = &after};
    enum bf_err err = BF_OK;

    if (wrong)
        return bf_http_problem(work->call, BF_INVALID, "number", "%s", wrong);
    if (!cursor_device(work->page.after, &after))
        return BF_INVALID;
    listing.items = json_array();
    if (number)
        err = list_number(&listing, number);
    else {
        if (*after.device)
            err = list_number(&listing, after.number);
        if (!err && !listing.more)
            err = list_numbers(&listing, after.number);
    }
    if (err) {
        json_decref(listing.items);
        return err;
    }
    return api_list(work, listing.items, listing.last, listing.more);
}

const struct api_route registration_api_routes[] = {
    {"GET", "/v1/tenants/{t}/registrations", registration_list, .list = &cursor_registrations,
     .queries = {"number"}},
};
const size_t registration_api_route_count = BF_LEN(registration_api_routes);
