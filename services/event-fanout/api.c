// From a REST request to a handler and back.
#include "api.h"

#include <string.h>

#include "authority.h"
#include "bf_clock.h"
#include "bf_idempotency.h"
#include "bf_rate.h"
#include "fanout_metrics.h"
#include "openapi.h"

#define ROUTES_MAX      64
#define KEYLESS_SOURCES 4096

struct api {
    struct fanout *fanout;
    struct bf_access *access;
    struct bf_http_server *http;
    struct bf_rate *keyless;
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
    routes_add(webhook_api_routes, webhook_api_route_count);
    routes_add(push_api_routes, push_api_route_count);
    routes_add(push_credential_api_routes, push_credential_api_route_count);
    routes_add(delivery_api_routes, delivery_api_route_count);
    table.http[table.count++] =
        (struct bf_http_route){"GET", "/openapi-events.yaml", api_openapi, BF_GATE_ANYBODY};
}

static enum bf_err api_openapi(struct bf_http_call *call, void *ctx)
{
    return bf_http_text(call, 200, "application/yaml", openapi_yaml());
}

static enum bf_err keyless_check(struct api *api, struct bf_http_call *call)
{
    const char *source = bf_http_remote(call);
    uint64_t wait_ms = bf_rate_take(api->keyless, source, strlen(source),
                                    api->fanout->settings.rest.auth_failures_per_minute, bf_mono_ms());

    if (!wait_ms)
        return BF_OK;
    fanout_count(FANOUT_RATE_SOURCE, 1);
    return bf_http_problem(call, BF_LIMIT, NULL, "too many requests without a key from this address");
}

// An app is a caller too, without a role. Its requests repeat nothing of another token's.
struct app_caller {
    struct bf_access_caller caller;
    struct bf_app_token token;
};

static const struct bf_app_token *app_of(const struct bf_access_caller *caller)
{
    return caller && caller->who.role == BF_ROLE_NONE ? &((const struct app_caller *)caller)->token : NULL;
}

static bool is_app_token(const char *bearer)
{
    return bearer && strncmp(bearer, "bfk_", 4) != 0 && strchr(bearer, '.');
}

static enum bf_err app_check(struct api *api, struct bf_http_call *call, const char *bearer)
{
    struct authority *authority = api->fanout->authority;
    struct bf_app_token token;
    enum bf_err err = keyless_check(api, call);

    if (err)
        return err;
    enum bf_app_verdict verdict = authority_token(authority, bf_str(bearer), &token);
    if (verdict == BF_APP_UNKNOWN_KEY) {
        authority_refresh(authority);
        verdict = authority_token(authority, bf_str(bearer), &token);
    }
    if (verdict) {
        fanout_count(FANOUT_AUTH_FAILURES, 1);
        return bf_http_problem(call, BF_UNAUTHENTICATED, NULL, "%s", bf_app_verdicts[verdict]);
    }
    struct app_caller *app = bf_xcalloc(1, sizeof(*app));
    app->caller.who.key_id = token.id;
    app->caller.tenant.id = token.tenant;
    app->token = token;
    bf_http_set_user(call, app, free);
    return BF_OK;
}

static enum bf_err api_before(struct bf_http_call *call, void *ctx)
{
    struct api *api = ctx;
    unsigned flags = bf_http_route(call)->flags;
    const char *bearer = bf_http_bearer(call);

    if ((flags & API_KEYLESS) && api->fanout->settings.push_register_open &&
        !bf_http_header(call, "Authorization"))
        return keyless_check(api, call);
    if ((flags & API_APPS) && is_app_token(bearer))
        return app_check(api, call, bearer);
    return bf_access_check(api->access, call);
}

// ---- for the handlers

static const char *id_check(struct bf_str place)
{
    struct bf_id id;

    return bf_id_parse(place, &id) ? NULL : "is no place of this list";
}

const struct bf_page_kind api_page_webhooks = {'w', id_check};
const struct bf_page_kind api_page_deliveries = {'d', id_check};

struct bf_id api_after(const struct api_work *work)
{
    struct bf_id id;

    return bf_id_parse(bf_str(work->page.after), &id) ? id : (struct bf_id){{0}};
}

enum bf_err api_list(struct api_work *work, json_t *items)
{
    size_t limit = (size_t)work->page.limit;
    bool more = json_array_size(items) > limit;

    if (more)
        json_array_remove(items, limit);
    const char *last =
        json_string_value(json_object_get(json_array_get(items, json_array_size(items) - 1), "id"));
    bf_autofree char *place = bf_xstrdup(last ? last : "");
    work->status = 200;
    work->answer = bf_page_json(&work->page, items, place, more);
    return BF_OK;
}

enum bf_err api_no_such_webhook(struct api_work *work)
{
    return bf_http_problem(work->call, BF_NOT_FOUND, NULL, "there is no such webhook");
}

enum bf_err api_webhook_id(struct api_work *work, struct bf_id *ret_id)
{
    return bf_id_parse(bf_str(bf_http_param(work->call, "id")), ret_id) ? BF_OK : api_no_such_webhook(work);
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

static enum bf_err answer(struct api_work *work, const struct bf_idempotency *idempotency)
{
    bf_autofree char *text = work->answer ? json_dumps(work->answer, JSON_COMPACT) : bf_xstrdup("");
    enum bf_err err =
        bf_idempotency_keep(work->tx, idempotency, work->tenant->id, work->status, bf_str(text));

    if (!err)
        err = bf_tx_commit(work->tx);
    if (err)
        return err;
    return work->answer ? bf_http_json(work->call, work->status, BF_TAKE(work->answer))
                        : bf_http_empty(work->call, work->status);
}

static enum bf_err work_do(struct api_work *work, const struct api_route *route)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    struct bf_idempotency idempotency = {.asked = false};
    const struct bf_access_caller *caller =
        bf_access_caller_of(work->call); // NULL: nobody, and he repeats nothing
    bool done = false;
    enum bf_err err = read_request(work, route);

    if (!err && caller)
        err = bf_idempotency_of(work->call, "events.idempotency", caller->who.key_id, &idempotency);
    if (!err && !work->fanout->known)
        err = BF_UNAVAILABLE;
    if (!err)
        err =
            bf_tx_begin(work->fanout->db, bf_id_is_nil(work->tenant->id) ? BF_SCOPE_SYSTEM : BF_SCOPE_TENANT,
                        work->tenant->id, &tx);
    if (!err)
        err = bf_idempotency_replay(work->call, tx, &idempotency, &done);
    if (err || done)
        return err;
    work->tx = tx;
    err = route->handle(work);
    if (!err)
        err = answer(work, &idempotency);
    if (err == BF_INTERNAL)
        bf_error("api.failed", BF_S("request_id", bf_http_request_id(work->call)),
                 BF_S("route", route->pattern), BF_S("database", bf_tx_error(tx)));
    return err;
}

static enum bf_err api_run(struct bf_http_call *call, void *ctx)
{
    struct api *api = ctx;
    const struct api_route *route = table.ours[bf_http_route(call) - table.http];
    static const struct bf_access_tenant no_tenant;
    const struct bf_access_caller *caller = bf_access_caller_of(call);
    struct api_work work = {.fanout = api->fanout,
                            .call = call,
                            .tenant = caller ? &caller->tenant : &no_tenant,
                            .app = app_of(caller)};

    if (route->fields)
        bf_json_clear(route->fields, route->field_count, &work.body);
    enum bf_err err = work_do(&work, route);
    json_decref(work.answer);
    if (route->fields)
        bf_json_release(route->fields, route->field_count, &work.body);
    return err;
}

// ---- the server

struct bf_access *api_access_new(struct fanout *fanout)
{
    const struct bf_rest_settings *rest = &fanout->settings.rest;
    struct bf_gate_options gate = {.requests_per_minute = rest->requests_per_minute,
                                   .auth_failures_per_minute = rest->auth_failures_per_minute,
                                   .auth_failures = &fanout_metrics[FANOUT_AUTH_FAILURES],
                                   .refused_tenant = &fanout_metrics[FANOUT_RATE_TENANT],
                                   .refused_source = &fanout_metrics[FANOUT_RATE_SOURCE]};

    return bf_access_new(fanout->registry, &gate);
}

enum bf_err api_start(struct fanout *fanout, struct api **ret_api)
{
    const struct bf_rest_settings *rest = &fanout->settings.rest;
    struct api *api = bf_xcalloc(1, sizeof(*api));
    struct bf_http_options options = {.host = rest->host,
                                      .port = rest->port,
                                      .threads = rest->threads,
                                      .connections_max = rest->connections_max,
                                      .before = api_before,
                                      .ctx = api};

    routes_make();
    options.routes = table.http;
    options.route_count = table.count;
    *api = (struct api){.fanout = fanout, .access = fanout->access, .keyless = bf_rate_new(KEYLESS_SOURCES)};
    enum bf_err err = bf_http_start(&options, &api->http);
    if (err) {
        bf_rate_free(api->keyless);
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
    bf_rate_free(api->keyless);
    free(api);
}
