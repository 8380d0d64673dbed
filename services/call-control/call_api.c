// REST: running calls, and what can be done to them.
#include <string.h>

#include "api.h"
#include "bf_clock.h"
#include "call_json.h"
#include "call_store.h"
#include "command_wire.h"
#include "edges.h"
#include "location_store.h"
#include "media.h"
#include "timeline_store.h"

#define COMMAND_MS  4000
#define REQUEST_MAX 1024
#define REPLY_MAX   1024
#define ERROR_MAX   256

#define TEXT(name, required, bytes_max, check)                                                            \
    {                                                                                                     \
#name, BF_JSON_TEXT, required, offsetof(struct api_call_body, name), 1, bytes_max, check, NULL, 0 \
    }

// ---- looking

struct calls {
    json_t *items;
    char last[BF_ID_TEXT_SIZE];
};

static void call_add(void *ctx, const struct call *call)
{
    struct calls *calls = ctx;

    bf_id_text(call->id, calls->last);
    json_array_append_new(calls->items, call_json_live(call, bf_unix_ms()));
}

static enum bf_err call_list(struct api_work *work)
{
    struct calls calls = {.items = json_array()};
    struct bf_id before;
    bool more;
    enum bf_err err = cursor_id(work->page.after, &before) ? BF_OK : BF_INVALID;

    if (!err)
        err = call_store_list(work->control, work->tenant->id, before, work->page.limit, call_add, &calls,
                              &more);
    if (err) {
        json_decref(calls.items);
        return err;
    }
    return api_list(work, calls.items, calls.last, more);
}

static enum bf_err call_find(struct api_work *work, struct call *ret_call)
{
    struct bf_id id;
    enum bf_err err = api_call_id(work, &id);

    if (err)
        return err;
    err = call_store_find(work->control, work->tenant->id, id, ret_call);
    return err == BF_NOT_FOUND ? api_no_such_call(work) : err;
}

// null: its relay is not known or does not say. Branches that were never answered have no figures.
static json_t *media_json(struct call *call)
{
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count;

    if (!*call->relay || media_ask(call->relay, call->call_id, legs, &count))
        return json_null();
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const char *party = call_leg_party(call, &legs[i]);
        if (*party || legs[i].packets)
            json_array_append_new(list, call_json_leg(&legs[i], party));
    }
    return list;
}

static enum bf_err call_get(struct api_work *work)
{
    struct call call;
    enum bf_err err = call_find(work, &call);

    if (err)
        return err;
    work->status = 200;
    work->answer = call_json_live(&call, bf_unix_ms());
    json_object_set_new(work->answer, "media", media_json(&call));
    return BF_OK;
}

// ---- commands

// Who did it belongs to the story. It must not keep it from being done.
static void note(struct api_work *work, const struct call *call, const char *text)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct call_event event = {.call = call->id,
                               .tenant = call->tenant,
                               .seq = -(int64_t)(bf_unix_ms() * 1000 + bf_mono_us() % 1000),
                               .kind = CALL_NOTE,
                               .at_ms = bf_unix_ms(),
                               .reason = text};
    struct call_spare spare;
    size_t lines;

    call_event_clean(&event, &spare);
    enum bf_err err = api_begin(work, &tx);
    if (!err)
        err = timeline_store_add(tx, &event, 1, false, &lines);
    if (!err)
        err = bf_tx_commit(tx);
    if (err)
        bf_warn("api.note_lost", BF_E(err), BF_S("request_id", bf_http_request_id(work->call)));
    call_spare_release(&spare);
}

static enum bf_err command(struct api_work *work, const char *edge, const char *method,
                           const struct bf_buf *request)
{
    bf_cleanup(bf_buf_release) struct bf_buf reply, error;

    bf_buf_init(&reply, REPLY_MAX);
    bf_buf_init(&error, ERROR_MAX);
    enum bf_err err = edges_call(work->control->edges, edge, method, bf_http_request_id(work->call),
                                 COMMAND_MS, (struct bf_str){request->at, request->len}, &reply, &error);
    if (err)
        bf_info("api.command_failed", BF_E(err), BF_S("method", method), BF_S("edge", edge),
                BF_S("why", error.at), BF_S("request_id", bf_http_request_id(work->call)));
    if (err == BF_CONFLICT && error.len)
        return bf_http_problem(work->call, err, NULL, "%s", error.at);
    return err;
}

static enum bf_err call_command(struct api_work *work, const struct call *call, const char *method,
                                const struct bf_buf *request)
{
    enum bf_err err = command(work, call->edge, method, request);

    if (err == BF_NOT_FOUND) // it has just ended
        return api_no_such_call(work);
    if (err == BF_UNAVAILABLE)
        return bf_http_problem(work->call, err, NULL, "the edge %s, which has this call, does not answer",
                               call->edge);
    return err;
}

static enum bf_err call_end(struct api_work *work)
{
    bf_cleanup(bf_buf_release) struct bf_buf request;
    struct call call;

    bf_buf_init(&request, REQUEST_MAX);
    enum bf_err err = call_find(work, &call);
    if (err)
        return err;
    note(work, &call, "hang-up asked for by REST");
    command_wire_end(&request, call.id, "api");
    err = call_command(work, &call, "EndCall", &request);
    if (!err)
        work->status = 204;
    return err;
}

static const char *party_check(struct bf_str text)
{
    return bf_str_eq(text, BF_STR("caller")) || bf_str_eq(text, BF_STR("callee"))
               ? NULL
               : "must be caller or callee: who is asked to call the other number";
}

static const struct bf_json_field transfer_fields[] = {
    TEXT(to, true, 32, api_number_check),
    TEXT(party, false, 6, party_check),
};

static enum bf_err call_transfer(struct api_work *work)
{
    bf_cleanup(bf_buf_release) struct bf_buf request;
    const char *party = work->body.party ? work->body.party : "caller";
    struct call call;

    bf_buf_init(&request, REQUEST_MAX);
    enum bf_err err = call_find(work, &call);
    if (err)
        return err;
    if (call.state != CALL_STATE_ANSWERED)
        return bf_http_problem(work->call, BF_CONFLICT, NULL,
                               "only an answered call can be transferred; this one is %s",
                               call_state_name(call.state));
    bf_autofree char *text = bf_xasprintf("transfer of the %s to %s asked for by REST", party, work->body.to);
    note(work, &call, text);
    command_wire_transfer(&request, call.id, work->body.to, strcmp(party, "callee") == 0);
    err = call_command(work, &call, "TransferCall", &request);
    if (!err)
        work->status = 202;
    return err;
}

// ---- click-to-call

static const struct bf_json_field dial_fields[] = {
    TEXT(from, true, 32, api_number_check),
    TEXT(to, true, 32, api_number_check),
};

// A living edge that has a device of the number: the one registered last.
static enum bf_err dial_edge(struct api_work *work, struct edge *ret_edge)
{
    struct bindings bindings;
    uint64_t newest_ms = 0;
    struct edge edge;

    bindings_init(&bindings);
    enum bf_err err = location_store_number(work->control, work->tenant->id, work->body.from, &bindings);
    for (size_t i = 0; !err && i < bindings.count; i++)
        if (bindings.at[i].expires_ms > newest_ms &&
            edges_find(work->control->edges, bindings.at[i].edge, &edge) && edge.alive) {
            newest_ms = bindings.at[i].expires_ms;
            *ret_edge = edge;
        }
    location_store_release(&bindings);
    if (!err && newest_ms == 0)
        err = bf_http_problem(work->call, BF_CONFLICT, "from", "no device of %s is registered now",
                              work->body.from);
    return err;
}

static enum bf_err call_dial(struct api_work *work)
{
    bf_cleanup(bf_buf_release) struct bf_buf request;
    struct command_dial dial = {.tenant = work->tenant->id,
                                .call = bf_id_new(),
                                .domain = work->tenant->domain,
                                .from = work->body.from,
                                .to = work->body.to};
    struct edge edge;

    bf_buf_init(&request, REQUEST_MAX);
    if (!*dial.domain)
        return bf_http_problem(work->call, BF_CONFLICT, NULL, "this tenant has no domain to call under");
    enum bf_err err = dial_edge(work, &edge);
    if (err)
        return err;
    command_wire_dial(&request, &dial);
    err = command(work, edge.id, "Originate", &request);
    if (err == BF_UNAVAILABLE)
        return bf_http_problem(work->call, err, NULL, "the edge %s does not answer", edge.id);
    if (err == BF_NOT_FOUND)
        return bf_http_problem(work->call, BF_CONFLICT, "from", "no device of %s is registered now",
                               dial.from);
    if (err)
        return err;
    work->status = 202;
    work->answer = json_pack("{s:o, s:s, s:s, s:s}", "id", bf_json_id(dial.call), "from", dial.from, "to",
                             dial.to, "edge", edge.id);
    return BF_OK;
}

const struct api_route call_api_routes[] = {
    {"GET", "/v1/tenants/{t}/calls", call_list, .list = &cursor_calls},
    {"GET", "/v1/tenants/{t}/calls/{id}", call_get, .list = NULL},
    {"DELETE", "/v1/tenants/{t}/calls/{id}", call_end, .list = NULL},
    {"POST", "/v1/tenants/{t}/calls/{id}/transfer", call_transfer, API_FIELDS(transfer_fields)},
    {"POST", "/v1/tenants/{t}/calls", call_dial, API_FIELDS(dial_fields)},
};
const size_t call_api_route_count = BF_LEN(call_api_routes);
