// REST: webhooks.
#include "api.h"
#include "webhook.h"
#include "webhook_store.h"

static const struct bf_json_field new_fields[] = {
    {"url", BF_JSON_TEXT, true, offsetof(struct api_body, url), 1, WEBHOOK_URL_BYTES_MAX, webhook_url_check,
     NULL, 0},
    {"events", BF_JSON_TEXTS, true, offsetof(struct api_body, events), 1, WEBHOOK_TYPES_MAX,
     webhook_type_check, NULL, 0},
};

static enum bf_err no_such_webhook(struct api_work *work)
{
    return bf_http_problem(work->call, BF_NOT_FOUND, NULL, "there is no such webhook");
}

static enum bf_err find(struct api_work *work, struct bf_id id, json_t **ret_webhook)
{
    json_t *items = NULL;
    enum bf_err err = webhook_store_list(work->tx, work->tenant->id, id, &items);

    if (err)
        return err;
    json_t *webhook = json_incref(json_array_get(items, 0));
    json_decref(items);
    if (!webhook)
        return no_such_webhook(work);
    *ret_webhook = webhook;
    return BF_OK;
}

static enum bf_err webhook_id(struct api_work *work, struct bf_id *ret_id)
{
    return bf_id_parse(bf_str(bf_http_param(work->call, "id")), ret_id) ? BF_OK : no_such_webhook(work);
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
        err = find(work, webhook.id, &work->answer);
    if (!err) {
        json_object_set_new(work->answer, "secret", json_string(secret));
        work->status = 201;
    }
    seal_forget(secret);
    return err;
}

static enum bf_err webhook_list(struct api_work *work)
{
    json_t *items = NULL;
    enum bf_err err = webhook_store_list(work->tx, work->tenant->id, (struct bf_id){{0}}, &items);

    if (err)
        return err;
    work->status = 200;
    work->answer = json_pack("{s:o, s:n}", "items", items, "next");
    return BF_OK;
}

static enum bf_err webhook_get(struct api_work *work)
{
    struct bf_id id;
    enum bf_err err = webhook_id(work, &id);

    work->status = 200;
    return err ? err : find(work, id, &work->answer);
}

static enum bf_err webhook_delete(struct api_work *work)
{
    struct bf_id id;
    enum bf_err err = webhook_id(work, &id);

    if (!err)
        err = webhook_store_remove(work->tx, work->tenant->id, id);
    work->status = 204;
    return err == BF_NOT_FOUND ? no_such_webhook(work) : err;
}

const struct api_route webhook_api_routes[] = {
    {"POST", "/v1/tenants/{t}/webhooks", webhook_post, API_FIELDS(new_fields)},
    {"GET", "/v1/tenants/{t}/webhooks", webhook_list, .flags = 0},
    {"GET", "/v1/tenants/{t}/webhooks/{id}", webhook_get, .flags = 0},
    {"DELETE", "/v1/tenants/{t}/webhooks/{id}", webhook_delete, .flags = 0},
};
const size_t webhook_api_route_count = BF_LEN(webhook_api_routes);
