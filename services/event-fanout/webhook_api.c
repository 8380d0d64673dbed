// REST: webhooks.
#include "api.h"
#include "webhook.h"
#include "webhook_store.h"

#define OVERLAP_SECONDS     86400
#define OVERLAP_SECONDS_MAX 604800

static const char *status_check(struct bf_str status)
{
    bool good = bf_str_eq(status, BF_STR("active")) || bf_str_eq(status, BF_STR("paused"));

    return good ? NULL : "must be \"active\" or \"paused\"";
}

static const struct bf_json_field new_fields[] = {
    {"url", BF_JSON_TEXT, true, offsetof(struct api_body, url), 1, WEBHOOK_URL_BYTES_MAX, webhook_url_check,
     NULL, 0},
    {"events", BF_JSON_TEXTS, true, offsetof(struct api_body, events), 1, WEBHOOK_TYPES_MAX,
     webhook_type_check, NULL, 0},
};
static const struct bf_json_field change_fields[] = {
    {"url", BF_JSON_TEXT, false, offsetof(struct api_body, url), 1, WEBHOOK_URL_BYTES_MAX, webhook_url_check,
     NULL, 0},
    {"events", BF_JSON_TEXTS, false, offsetof(struct api_body, events), 1, WEBHOOK_TYPES_MAX,
     webhook_type_check, NULL, 0},
    {"status", BF_JSON_TEXT, false, offsetof(struct api_body, status), 1, 16, status_check, NULL, 0},
};
static const struct bf_json_field secret_fields[] = {
    {"overlap_seconds", BF_JSON_INT, false, offsetof(struct api_body, overlap_seconds), 0,
     OVERLAP_SECONDS_MAX, NULL, NULL, 0},
};

static enum bf_err find(struct api_work *work, struct bf_id id)
{
    enum bf_err err = webhook_store_find(work->tx, work->tenant->id, id, &work->answer);

    work->status = 200;
    return err == BF_NOT_FOUND ? api_no_such_webhook(work) : err;
}

static enum bf_err webhook_post(struct api_work *work)
{
    char *secret = bf_secret_new("whsec_", WEBHOOK_SECRET_BYTES);
    struct webhook_new webhook = {.id = bf_id_new(),
                                  .tenant = work->tenant->id,
                                  .url = work->body.url,
                                  .types = (const char *const *)work->body.events.items,
                                  .type_count = work->body.events.count,
                                  .secret = secret};
    enum bf_err err = webhook_store_add(work->tx, &work->fanout->seal, &webhook);

    if (err == BF_LIMIT)
        err = bf_http_problem(work->call, BF_CONFLICT, NULL,
                              "this tenant has %d webhooks already: delete one first", WEBHOOK_COUNT_MAX);
    if (!err)
        err = find(work, webhook.id);
    if (!err) {
        json_object_set_new(work->answer, "secret", json_string(secret));
        work->status = 201;
    }
    bf_vault_forget(secret);
    return err;
}

static enum bf_err webhook_list(struct api_work *work)
{
    json_t *items = NULL;
    enum bf_err err =
        webhook_store_list(work->tx, work->tenant->id, api_after(work), work->page.limit, &items);

    return err ? err : api_list(work, items);
}

static enum bf_err webhook_get(struct api_work *work)
{
    struct bf_id id;
    enum bf_err err = api_webhook_id(work, &id);

    return err ? err : find(work, id);
}

static enum bf_err webhook_patch(struct api_work *work)
{
    const struct api_body *body = &work->body;
    struct webhook_change change = {.url = body->url,
                                    .status = body->status,
                                    .types = (const char *const *)body->events.items,
                                    .type_count = body->events.count};
    struct bf_id id;
    enum bf_err err = api_webhook_id(work, &id);

    if (!err && !body->url && !body->status && !body->events.count)
        return bf_http_problem(work->call, BF_INVALID, NULL, "nothing to change: give url, events or status");
    if (!err)
        err = webhook_store_change(work->tx, work->tenant->id, id, &change);
    if (err == BF_NOT_FOUND)
        return api_no_such_webhook(work);
    return err ? err : find(work, id);
}

static enum bf_err webhook_secret(struct api_work *work)
{
    int64_t overlap =
        work->body.overlap_seconds == BF_JSON_ABSENT ? OVERLAP_SECONDS : work->body.overlap_seconds;
    char *secret = bf_secret_new("whsec_", WEBHOOK_SECRET_BYTES);
    struct bf_id id;
    enum bf_err err = api_webhook_id(work, &id);

    if (!err)
        err = webhook_store_rotate(work->tx, &work->fanout->seal, work->tenant->id, id, secret, overlap);
    if (err == BF_NOT_FOUND)
        err = api_no_such_webhook(work);
    if (!err)
        err = find(work, id);
    if (!err)
        json_object_set_new(work->answer, "secret", json_string(secret));
    bf_vault_forget(secret);
    return err;
}

static enum bf_err webhook_delete(struct api_work *work)
{
    struct bf_id id;
    enum bf_err err = api_webhook_id(work, &id);

    if (!err)
        err = webhook_store_remove(work->tx, work->tenant->id, id);
    work->status = 204;
    return err == BF_NOT_FOUND ? api_no_such_webhook(work) : err;
}

const struct api_route webhook_api_routes[] = {
    {"POST", "/v1/tenants/{t}/webhooks", webhook_post, API_FIELDS(new_fields)},
    {"GET", "/v1/tenants/{t}/webhooks", webhook_list, .list = &api_page_webhooks},
    {"GET", "/v1/tenants/{t}/webhooks/{id}", webhook_get, .flags = 0},
    {"PATCH", "/v1/tenants/{t}/webhooks/{id}", webhook_patch, API_FIELDS(change_fields)},
    {"POST", "/v1/tenants/{t}/webhooks/{id}/secret", webhook_secret, API_FIELDS(secret_fields)},
    {"DELETE", "/v1/tenants/{t}/webhooks/{id}", webhook_delete, .flags = 0},
};
const size_t webhook_api_route_count = BF_LEN(webhook_api_routes);
