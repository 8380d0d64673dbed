// From a REST request to a handler and back.
#include "api.h"

#include <string.h>

#include "call_metrics.h"
#include "openapi.h"
#include "repeat.h"

#define ROUTES_MAX       24
#define NUMBER_BYTES_MAX 32

struct api {
    struct control *control;
    struct bf_access *access;
    struct bf_http_server *http;
};

static enum bf_err api_run(struct bf_http_call *call, void *ctx);
static enum bf_err api_openapi(struct bf_http_call *call, void *ctx);

static struct {
    struct bf_http_route http[ROUTES_MAX];
    const struct api_route *ours[ROUTES_MAX];
    size_t count;
} table;

static void routes_add(const struct api_route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        table.ours[table.count] = &routes[i];
        table.http[table.count++] =
            (struct bf_http_route){routes[i].method, routes[i].pattern, api_run, routes[i].flags};
    }
}

static void routes_make(void)
{
    if (table.count)
        return;
    routes_add(registration_api_routes, registration_api_route_count);
    routes_add(call_api_routes, call_api_route_count);
    routes_add(cdr_api_routes, cdr_api_route_count);
    routes_add(edge_api_routes, edge_api_route_count);
    routes_add(process_api_routes, process_api_route_count);
    table.http[table.count++] =
        (struct bf_http_route){"GET", "/openapi-calls.yaml", api_openapi, BF_GATE_ANYBODY};
}

static enum bf_err api_openapi(struct bf_http_call *call, void *ctx)
{
    return bf_http_text(call, 200, "application/yaml", openapi_yaml());
}

static enum bf_err api_before(struct bf_http_call *call, void *ctx)
{
    return bf_access_check(((struct api *)ctx)->access, call);
}

// ---- for the handlers

enum bf_err api_list(struct api_work *work, json_t *items, const char *last, bool more)
{
    work->status = 200;
    work->answer = bf_page_json(&work->page, items, last, more);
    return BF_OK;
}

enum bf_err api_no_such_call(struct api_work *work)
{
    return bf_http_problem(work->call, BF_NOT_FOUND, NULL, "there is no such call");
}

enum bf_err api_call_id(struct api_work *work, struct bf_id *ret_call)
{
    return bf_id_parse(bf_str(bf_http_param(work->call, "id")), ret_call) ? BF_OK : api_no_such_call(work);
}

enum bf_err api_begin(struct api_work *work, struct bf_tx **ret_tx)
{
    return bf_tx_begin(work->control->db, BF_SCOPE_TENANT, work->tenant->id, ret_tx);
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

const char *api_number_check(struct bf_str text)
{
    bool good = text.len >= 1 && text.len <= NUMBER_BYTES_MAX && (is_alnum(text.at[0]) || text.at[0] == '+');

    for (size_t i = 1; good && i < text.len; i++)
        good = is_alnum(text.at[i]) || memchr("._+-", text.at[i], 4);
    return good ? NULL
                : "must be 1 to 32 letters, digits, '.', '_', '+' or '-', beginning with a letter, digit or "
                  "'+'";
}

// ---- the steps of api_run

static enum bf_err read_request(struct api_work *work, const struct api_route *route)
{
    const char *names[API_QUERIES_MAX + 3] = {NULL};
    size_t count = 0;

    for (size_t i = 0; i < API_QUERIES_MAX && route->queries[i]; i++)
        names[count++] = route->queries[i];
    if (route->list) {
        names[count++] = "limit";
        names[count++] = "after";
    }
    enum bf_err err = bf_http_query_only(work->call, names);
    if (!err && route->list)
        err = bf_page_of(work->call, route->list, &work->page);
    if (!err && route->fields)
        err = bf_http_read(work->call, route->fields, route->field_count, &work->body);
    return err;
}

static enum bf_err answer(struct api_work *work)
{
    return work->answer ? bf_http_json(work->call, work->status, BF_TAKE(work->answer))
                        : bf_http_empty(work->call, work->status);
}

static enum bf_err work_do(struct api_work *work, const struct api_route *route)
{
    struct repeat repeat;
    bool done = false;
    enum bf_err err = read_request(work, route);

    if (!err)
        err = repeat_begin(work, &repeat, &done);
    if (err || done)
        return err;
    err = route->handle(work);
    repeat_end(work, &repeat, err);
    return err ? err : answer(work);
}

static enum bf_err api_run(struct bf_http_call *call, void *ctx)
{
    struct api *api = ctx;
    const struct api_route *route = table.ours[bf_http_route(call) - table.http];
    const struct bf_access_caller *caller = bf_access_caller_of(call);
    struct api_work work = {
        .control = api->control, .call = call, .caller = caller, .tenant = &caller->tenant};
    enum bf_err err = work_do(&work, route);

    if (err == BF_INTERNAL)
        bf_error("api.failed", BF_S("request_id", bf_http_request_id(call)), BF_S("route", route->pattern));
    json_decref(work.answer);
    if (route->fields)
        bf_json_release(route->fields, route->field_count, &work.body);
    return err;
}

// ---- the server

enum bf_err api_start(struct control *control, struct api **ret_api)
{
    const struct control_settings *settings = &control->settings;
    struct api *api = bf_xcalloc(1, sizeof(*api));
    struct bf_http_options options = {.host = settings->rest.host,
                                      .port = settings->rest.port,
                                      .threads = settings->rest.threads,
                                      .connections_max = settings->rest.connections_max,
                                      .before = api_before,
                                      .ctx = api};
    struct bf_gate_options gate = {.requests_per_minute = settings->rest.requests_per_minute,
                                   .auth_failures_per_minute = settings->rest.auth_failures_per_minute,
                                   .auth_failures = &call_metrics[CALLS_AUTH_FAILURES],
                                   .refused_tenant = &call_metrics[CALLS_RATE_TENANT],
                                   .refused_source = &call_metrics[CALLS_RATE_SOURCE]};

    routes_make();
    bf_metrics_register(call_metrics, CALLS_METRICS);
    options.routes = table.http;
    options.route_count = table.count;
    *api = (struct api){.control = control, .access = bf_access_new(control->registry, &gate)};
    enum bf_err err = bf_http_start(&options, &api->http);
    if (err) {
        bf_access_free(api->access);
        free(api);
        return err;
    }
    *ret_api = api;
    return BF_OK;
}

void api_stop(struct api *api, int64_t drain_ms)
{
    if (!api)
        return;
    bf_http_stop(api->http, drain_ms);
    bf_access_free(api->access);
    free(api);
}
