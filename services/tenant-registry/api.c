// From a REST request to a transaction and back.
#include "api.h"

#include <string.h>

#include "bf_idempotency.h"
#include "openapi.h"
#include "provision_api.h"
#include "tenant_store.h"

#define ROUTES_MAX 40

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

const struct bf_http_route *api_routes(size_t *ret_count)
{
    if (table.count == 0) {
        routes_add(tenant_api_routes, tenant_api_route_count);
        routes_add(domain_api_routes, domain_api_route_count);
        routes_add(extension_api_routes, extension_api_route_count);
        routes_add(group_api_routes, group_api_route_count);
        routes_add(key_api_routes, key_api_route_count);
        routes_add(token_api_routes, token_api_route_count);
        routes_add(ice_api_routes, ice_api_route_count);
        routes_add(audit_api_routes, audit_api_route_count);
        routes_add(session_api_routes, session_api_route_count);
        routes_add(provision_api_routes, provision_api_route_count);
        table.http[table.count++] =
            (struct bf_http_route){"GET", "/provision/{code}", provision_api_serve, BF_GATE_ANYBODY};
        table.http[table.count++] =
            (struct bf_http_route){"GET", "/openapi.yaml", api_openapi, BF_GATE_ANYBODY};
    }
    *ret_count = table.count;
    return table.http;
}

static enum bf_err api_openapi(struct bf_http_call *call, void *ctx)
{
    return bf_http_text(call, 200, "application/yaml", openapi_yaml());
}

enum bf_err api_list(struct api_work *work, json_t *items, const char *last, bool more)
{
    work->status = 200;
    work->answer = bf_page_json(&work->page, items, last, more);
    return BF_OK;
}

enum bf_err api_audit(struct api_work *work, const char *action, const char *kind, const char *name,
                      json_t *before, json_t *after)
{
    bf_autofree char *target = bf_xasprintf("%s/%s", kind, name);
    enum bf_err err = audit_store_add(work->tx, &(struct audit){
                                                    .tenant = work->tenant.id,
                                                    .key_id = work->caller->key_id,
                                                    .role = work->caller->role,
                                                    .request_id = bf_http_request_id(work->call),
                                                    .remote = bf_http_remote(work->call),
                                                    .action = action,
                                                    .target = target,
                                                    .before = before,
                                                    .after = after,
                                                });

    json_decref(before);
    json_decref(after);
    return err;
}

// ---- the steps of api_run

static const char *const page_queries[] = {"limit", "after", NULL};
static const char *const no_queries[] = {NULL};

static enum bf_err read_request(struct api_work *work, const struct api_route *route)
{
    const char *const *queries = route->page ? page_queries : route->queries ? route->queries : no_queries;
    enum bf_err err = bf_http_query_only(work->call, queries);

    if (!err && route->page)
        err = bf_page_of(work->call, route->page, &work->page);
    if (err)
        return err;
    return route->fields ? bf_http_read(work->call, route->fields, route->field_count, &work->body) : BF_OK;
}

static enum bf_err begin(struct api_work *work, const struct api_route *route)
{
    bool operates = work->caller->role == BF_ROLE_OPERATOR;
    enum bf_err err = bf_tx_begin(work->registry->db, operates ? BF_SCOPE_SYSTEM : BF_SCOPE_TENANT,
                                  work->caller->tenant_id, &work->tx);

    if (err || (route->flags & API_NO_TENANT_LOOKUP) || !strstr(route->pattern, "{t}"))
        return err;
    err = tenant_store_find(work->tx, bf_http_param(work->call, "t"),
                            strcmp(route->method, "GET") == 0 ? TENANT_READ : TENANT_WRITE, &work->tenant);
    return err == BF_NOT_FOUND ? bf_http_problem(work->call, err, NULL, "there is no such tenant") : err;
}

static enum bf_err finish(struct api_work *work, const struct bf_idempotency *idempotency)
{
    bf_autofree char *text = work->answer ? json_dumps(work->answer, JSON_COMPACT) : bf_xstrdup("");
    enum bf_err err = bf_idempotency_keep(work->tx, idempotency, work->tenant.id, work->status, bf_str(text));

    if (!err)
        err = bf_tx_commit(work->tx);
    if (err)
        return err;
    if (!work->answer)
        return bf_http_empty(work->call, work->status);
    return bf_http_json(work->call, work->status, BF_TAKE(work->answer));
}

static enum bf_err work_do(struct api_work *work, const struct api_route *route)
{
    struct bf_idempotency idempotency;
    bool done;
    enum bf_err err = read_request(work, route);

    if (!err)
        err = bf_idempotency_of(work->call, "registry.idempotency", work->caller->key_id, &idempotency);
    if (!err)
        err = begin(work, route);
    if (!err)
        err = bf_idempotency_replay(work->call, work->tx, &idempotency, &done);
    if (!err && done)
        registry_count(METRIC_IDEMPOTENT_REPLAYS);
    if (err || done)
        return err;
    err = route->handle(work);
    return err ? err : finish(work, &idempotency);
}

static enum bf_err api_run(struct bf_http_call *call, void *ctx)
{
    const struct api_route *route = table.ours[bf_http_route(call) - table.http];
    struct api_work work = {.registry = ctx, .call = call, .caller = caller_of(call)};
    enum bf_err err = work_do(&work, route);

    if (err == BF_INTERNAL)
        bf_error("api.failed", BF_S("request_id", bf_http_request_id(call)), BF_S("route", route->pattern),
                 BF_S("database", work.tx ? bf_tx_error(work.tx) : ""));
    bf_tx_release(work.tx);
    tenant_release(&work.tenant);
    json_decref(work.answer);
    if (route->fields)
        bf_json_release(route->fields, route->field_count, &work.body);
    return err;
}
