// REST: finished calls, and what happened in a call.
#include "api.h"
#include "bf_clock.h"
#include "call_json.h"
#include "call_store.h"
#include "cdr_store.h"
#include "timeline_store.h"

// ---- CDRs

struct cdrs {
    json_t *items;
    char last[BF_ID_TEXT_SIZE];
};

static void cdr_add(void *ctx, struct bf_id call, json_t *cdr)
{
    struct cdrs *cdrs = ctx;

    bf_id_text(call, cdrs->last);
    json_array_append(cdrs->items, cdr);
}

static enum bf_err time_read(struct api_work *work, const char *name, uint64_t *ret_ms)
{
    const char *text = bf_http_query(work->call, name);

    if (text && !bf_rfc3339_parse(bf_str(text), ret_ms))
        return bf_http_problem(work->call, BF_INVALID, name,
                               "must be a time in UTC like 2027-01-31T23:59:59Z");
    return BF_OK;
}

static enum bf_err query_read(struct api_work *work, struct cdr_query *query)
{
    const char *number = bf_http_query(work->call, "number");
    const char *wrong = number ? api_number_check(bf_str(number)) : NULL;

    *query = (struct cdr_query){.tenant = work->tenant->id, .number = number, .limit = work->page.limit};
    if (wrong)
        return bf_http_problem(work->call, BF_INVALID, "number", "%s", wrong);
    enum bf_err err = time_read(work, "from", &query->from_ms);
    if (!err)
        err = time_read(work, "to", &query->to_ms);
    if (!err && !cursor_id(work->page.after, &query->before))
        err = BF_INVALID;
    return err;
}

static enum bf_err cdr_list(struct api_work *work)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct cdrs cdrs = {.items = json_array()};
    struct cdr_query query;
    bool more;
    enum bf_err err = query_read(work, &query);

    if (!err)
        err = api_begin(work, &tx);
    if (!err)
        err = cdr_store_list(tx, &query, cdr_add, &cdrs, &more);
    if (!err)
        err = bf_tx_commit(tx);
    if (err) {
        json_decref(cdrs.items);
        return err;
    }
    return api_list(work, cdrs.items, cdrs.last, more);
}

static void cdr_take(void *ctx, struct bf_id call, json_t *cdr)
{
    *(json_t **)ctx = json_incref(cdr);
}

static enum bf_err cdr_get(struct api_work *work)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct bf_id call;
    enum bf_err err = api_call_id(work, &call);

    if (!err)
        err = api_begin(work, &tx);
    if (!err)
        err = cdr_store_find(tx, work->tenant->id, call, cdr_take, &work->answer);
    if (err)
        return err == BF_NOT_FOUND ? api_no_such_call(work) : err;
    work->status = 200;
    return bf_tx_commit(tx);
}

// ---- timelines

struct lines {
    json_t *items;
    char last[BF_PLACE_SIZE];
};

static void line_add(void *ctx, const struct call_event *event)
{
    struct lines *lines = ctx;

    cursor_line_place(event->at_ms, event->seq, lines->last);
    json_array_append_new(lines->items, call_json_event(event));
}

// A call without a line yet is one all the same.
static enum bf_err must_be_known(struct api_work *work, struct bf_id call)
{
    struct call live;
    enum bf_err err = call_store_find(work->control, work->tenant->id, call, &live);

    return err == BF_NOT_FOUND ? api_no_such_call(work) : err;
}

static enum bf_err timeline_get(struct api_work *work)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct lines lines = {.items = json_array()};
    struct timeline_position after;
    struct bf_id call;
    bool more;
    enum bf_err err = api_call_id(work, &call);

    if (!err && !cursor_line(work->page.after, &after.at_ms, &after.seq))
        err = BF_INVALID;
    if (!err)
        err = api_begin(work, &tx);
    if (!err)
        err =
            timeline_store_list(tx, work->tenant->id, call, after, work->page.limit, line_add, &lines, &more);
    if (!err)
        err = bf_tx_commit(tx);
    if (!err && json_array_size(lines.items) == 0 && !*work->page.after)
        err = must_be_known(work, call);
    if (err) {
        json_decref(lines.items);
        return err;
    }
    return api_list(work, lines.items, lines.last, more);
}

const struct api_route cdr_api_routes[] = {
    {"GET", "/v1/tenants/{t}/cdrs", cdr_list, .list = &cursor_cdrs, .queries = {"from", "to", "number"}},
    {"GET", "/v1/tenants/{t}/cdrs/{id}", cdr_get, .list = NULL},
    {"GET", "/v1/tenants/{t}/calls/{id}/timeline", timeline_get, .list = &cursor_timeline},
};
const size_t cdr_api_route_count = BF_LEN(cdr_api_routes);
