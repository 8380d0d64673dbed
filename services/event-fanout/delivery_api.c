// REST: the log of deliveries, and sending again.
#include "api.h"
#include "bf_clock.h"
#include "event.h"
#include "log_store.h"
#include "webhook_store.h"

static const char *time_check(struct bf_str text)
{
    uint64_t ms;

    return bf_rfc3339_parse(text, &ms) ? NULL : "must be a time in UTC like 2027-01-31T23:59:59Z";
}

static const char *state_check(struct bf_str text)
{
    bool good = bf_str_eq(text, BF_STR("pending")) || bf_str_eq(text, BF_STR("delivered")) ||
                bf_str_eq(text, BF_STR("dead")) || bf_str_eq(text, BF_STR("dropped"));

    return good ? NULL : "must be pending, delivered, dead or dropped";
}

static const char *ended_check(struct bf_str text)
{
    bool good = bf_str_eq(text, BF_STR("delivered")) || bf_str_eq(text, BF_STR("dead"));

    return good ? NULL : "must be delivered or dead";
}

static const struct bf_json_field range_fields[] = {
    {"from", BF_JSON_TEXT, true, offsetof(struct api_body, from), 1, 64, time_check, NULL, 0},
    {"to", BF_JSON_TEXT, false, offsetof(struct api_body, to), 1, 64, time_check, NULL, 0},
    {"state", BF_JSON_TEXT, false, offsetof(struct api_body, state), 1, 16, ended_check, NULL, 0},
};

// ---- the log

static enum bf_err id_query(struct api_work *work, const char *name, struct bf_id *ret_id)
{
    const char *text = bf_http_query(work->call, name);

    if (text && !bf_id_parse(bf_str(text), ret_id))
        return bf_http_problem(work->call, BF_INVALID, name, "must be a UUID");
    return BF_OK;
}

static enum bf_err delivery_list(struct api_work *work)
{
    struct log_query query = {.tenant = work->tenant->id,
                              .before = api_after(work),
                              .state = bf_http_query(work->call, "state"),
                              .type = bf_http_query(work->call, "type"),
                              .limit = work->page.limit};
    const char *wrong = query.state ? state_check(bf_str(query.state)) : NULL;
    json_t *items = NULL;

    if (wrong)
        return bf_http_problem(work->call, BF_INVALID, "state", "%s", wrong);
    if (query.type && !event_type_ok(bf_str(query.type)))
        return bf_http_problem(work->call, BF_INVALID, "type", "must be an event type like call.ended");
    enum bf_err err = id_query(work, "webhook", &query.webhook);
    if (!err)
        err = id_query(work, "event", &query.event);
    if (!err)
        err = log_store_list(work->tx, &query, &items);
    return err ? err : api_list(work, items);
}

static enum bf_err no_such_delivery(struct api_work *work)
{
    return bf_http_problem(work->call, BF_NOT_FOUND, NULL, "there is no such delivery");
}

static enum bf_err delivery_id(struct api_work *work, struct bf_id *ret_id)
{
    return bf_id_parse(bf_str(bf_http_param(work->call, "id")), ret_id) ? BF_OK : no_such_delivery(work);
}

static enum bf_err find(struct api_work *work, struct bf_id id, int status)
{
    enum bf_err err = log_store_find(work->tx, work->tenant->id, id, &work->answer);

    work->status = status;
    return err == BF_NOT_FOUND ? no_such_delivery(work) : err;
}

static enum bf_err delivery_get(struct api_work *work)
{
    struct bf_id id;
    enum bf_err err = delivery_id(work, &id);

    return err ? err : find(work, id, 200);
}

// ---- sending again

static enum bf_err not_active(struct api_work *work)
{
    return bf_http_problem(work->call, BF_CONFLICT, NULL,
                           "the webhook is not active: nothing is sent to it. PATCH its status first");
}

static enum bf_err delivery_replay(struct api_work *work)
{
    struct bf_id id, made;
    enum bf_err err = delivery_id(work, &id);

    if (!err)
        err = log_store_replay(work->tx, work->fanout->replica, work->tenant->id, id, &made);
    if (err == BF_NOT_FOUND)
        return no_such_delivery(work);
    if (err == BF_CONFLICT)
        return not_active(work);
    return err ? err : find(work, made, 202);
}

static enum bf_err range_replay(struct api_work *work, const struct log_range *range)
{
    struct log_replayed replayed;
    enum bf_err err = log_store_replay_range(work->tx, work->fanout->replica, range, &replayed);

    if (err == BF_CONFLICT)
        return not_active(work);
    if (err)
        return err;
    work->status = 202;
    work->answer = json_pack("{s:I, s:o}", "replayed", (json_int_t)replayed.count, "next_from",
                             bf_json_time(replayed.more ? replayed.next_ms : 0));
    return BF_OK;
}

// That the webhook is the tenant's is seen by its row.
static enum bf_err webhook_replay(struct api_work *work)
{
    const struct api_body *body = &work->body;
    struct log_range range = {
        .tenant = work->tenant->id, .to_ms = bf_unix_ms(), .state = body->state ? body->state : "dead"};
    enum bf_err err = api_webhook_id(work, &range.webhook);

    if (err)
        return err;
    if (!bf_rfc3339_parse(bf_str(body->from), &range.from_ms) ||
        (body->to && !bf_rfc3339_parse(bf_str(body->to), &range.to_ms)) || range.to_ms <= range.from_ms)
        return bf_http_problem(work->call, BF_INVALID, "from",
                               "must be before `to`, which is now when absent");
    err = range_replay(work, &range);
    return err == BF_NOT_FOUND ? api_no_such_webhook(work) : err;
}

static enum bf_err webhook_test(struct api_work *work)
{
    char webhook_text[BF_ID_TEXT_SIZE];
    struct bf_id webhook, made;
    enum bf_err err = api_webhook_id(work, &webhook);

    if (err)
        return err;
    bf_autofree char *data = bf_xasprintf("{\"webhook\":\"%s\"}", bf_id_text(webhook, webhook_text));
    struct event event = {.id = bf_id_new(),
                          .tenant = work->tenant->id,
                          .type = "webhook.test",
                          .at_ms = bf_unix_ms(),
                          .data = data};
    bf_autofree char *envelope = event_envelope(&event);
    err = log_store_test(work->tx, work->fanout->replica, webhook, &event, envelope, &made);
    if (err == BF_NOT_FOUND)
        return api_no_such_webhook(work);
    if (err == BF_CONFLICT)
        return not_active(work);
    return err ? err : find(work, made, 202);
}

const struct api_route delivery_api_routes[] = {
    {"GET", "/v1/tenants/{t}/deliveries", delivery_list, .list = &api_page_deliveries,
     .queries = {"webhook", "event", "state", "type"}},
    {"GET", "/v1/tenants/{t}/deliveries/{id}", delivery_get, .list = NULL},
    {"POST", "/v1/tenants/{t}/deliveries/{id}/replay", delivery_replay, .list = NULL},
    {"POST", "/v1/tenants/{t}/webhooks/{id}/replay", webhook_replay, API_FIELDS(range_fields)},
    {"POST", "/v1/tenants/{t}/webhooks/{id}/test", webhook_test, .list = NULL},
};
const size_t delivery_api_route_count = BF_LEN(delivery_api_routes);
