// REST: push devices, and the old apps' /push/register.
#include <string.h>

#include "api.h"
#include "authority.h"
#include "bf_page.h"
#include "push_device_store.h"
#include "push_mark.h"
#include "push_store.h"
#include "push_wire.h"

#define ASK_MS 2000

static const char *id_check(struct bf_str place)
{
    struct bf_id id;

    return bf_id_parse(place, &id) ? NULL : "is no id";
}

static const struct bf_page_kind devices_kind = {'p', id_check};

static enum bf_err no_such_device(struct api_work *work)
{
    return bf_http_problem(work->call, BF_NOT_FOUND, NULL, "there is no such push device");
}

static enum bf_err device_of(struct api_work *work, struct bf_id *ret_id)
{
    return bf_id_parse(bf_str(bf_http_param(work->call, "device")), ret_id) ? BF_OK : no_such_device(work);
}

// ---- whose number it is

// BF_NOT_FOUND: no tenant of this domain has that extension.
static enum bf_err owner_by_domain(struct api_work *work, const char *domain, const char *number,
                                   struct bf_id *ret_tenant, struct bf_id *ret_extension)
{
    bf_cleanup(bf_buf_release) struct bf_buf body, reply;

    bf_buf_init(&body, 1024);
    bf_buf_init(&reply, 4096);
    push_wire_ask_owner(&body, domain, number);
    enum bf_err err = bf_bus_call(work->fanout->registry, "Owner", "", bf_http_request_id(work->call), ASK_MS,
                                  (struct bf_str){body.at, body.len}, &reply, NULL);
    return err ? err : push_wire_read_owner((struct bf_str){reply.at, reply.len}, ret_tenant, ret_extension);
}

// Which extension of the work's tenant it is now. A group has no devices.
static enum bf_err owner_of(struct api_work *work, const char *field, const char *number,
                            struct bf_id *ret_extension)
{
    struct authority_number found;
    enum bf_err err = authority_extension(work->fanout->authority, work->tenant->id, number, &found);

    if (err == BF_NOT_FOUND)
        return bf_http_problem(work->call, BF_INVALID, field, "there is no extension %s: make it first",
                               number);
    if (!err)
        *ret_extension = found.extension;
    return err;
}

// ---- registering

// The fields: what the route's body calls them.
static enum bf_err put(struct api_work *work, const struct push_device *device, const char *number_field,
                       const char *token_field, struct bf_id *ret_id)
{
    struct push_device_fault fault = push_device_check(device);
    enum bf_err err;

    if (fault.field) {
        const char *field = strcmp(fault.field, "number") == 0  ? number_field
                            : strcmp(fault.field, "token") == 0 ? token_field
                                                                : fault.field;
        return bf_http_problem(work->call, BF_INVALID, field, "%s", fault.wrong);
    }
    err = push_mark_some(work->fanout, device->tenant);
    if (!err)
        err = push_device_store_put(work->tx, device, ret_id);
    if (err == BF_NOT_FOUND)
        return bf_http_problem(work->call, BF_CONFLICT, number_field,
                               "this number was deleted and made again in this moment: try again");
    if (err == BF_LIMIT)
        return bf_http_problem(work->call, BF_CONFLICT, number_field,
                               "this number has %d push devices already: delete one first", PUSH_DEVICES_MAX);
    return err;
}

static enum bf_err device_post(struct api_work *work)
{
    const struct api_body *body = &work->body;
    struct push_device device = {.id = bf_id_new(),
                                 .tenant = work->tenant->id,
                                 .number = body->number,
                                 .platform = body->platform,
                                 .device_id = body->device_id,
                                 .token = body->token,
                                 .topic = body->topic ? body->topic : "",
                                 .prid = "",
                                 .source = "rest"};
    struct bf_id id;

    if (!push_provider_parse(bf_str(body->provider), &device.provider))
        return BF_INVALID; // checked when the body was read
    enum bf_err err = owner_of(work, "number", body->number, &device.extension);
    if (!err)
        err = put(work, &device, "number", "token", &id);
    if (!err)
        err = push_device_store_get(work->tx, work->tenant->id, id, &work->answer);
    work->status = 201;
    return err;
}

// An app speaks for the extension of its token alone, and only as long as that is the number's.
static enum bf_err app_owner(struct api_work *work, const char *domain, struct push_device *device)
{
    const struct bf_app_token *app = work->app;
    struct authority_number number;
    struct bf_id tenant = app->tenant, extension;
    enum bf_err err = BF_OK;

    if (strcmp(device->number, app->number) == 0 && *domain)
        err = owner_by_domain(work, domain, device->number, &tenant, &extension);
    if (err && err != BF_NOT_FOUND && err != BF_INVALID)
        return err;
    if (err || strcmp(device->number, app->number) != 0 || !bf_id_eq(tenant, app->tenant))
        return bf_http_problem(work->call, BF_FORBIDDEN, "userId",
                               "this token is of extension %s and registers no other's devices", app->number);
    err = authority_extension(work->fanout->authority, app->tenant, app->number, &number);
    if (err == BF_NOT_FOUND || (!err && !bf_id_eq(number.extension, app->extension)))
        return bf_http_problem(work->call, BF_UNAUTHENTICATED, NULL, "the extension of this token is gone");
    if (!err && number.suspended)
        return bf_http_problem(work->call, BF_FORBIDDEN, NULL, "this tenant is suspended");
    if (err)
        return err;
    device->tenant = app->tenant;
    device->extension = app->extension;
    return BF_OK;
}

// The tenant is the token's or the key's. Without one it is found by the domain: of the user id
// ("101@acme.example"), or the one that the request was sent to.
static enum bf_err register_owner(struct api_work *work, const char *domain, struct push_device *device)
{
    const char *host = bf_http_header(work->call, "Host");
    bf_autofree char *sent_to = bf_xstrndup(host ? host : "", host ? strcspn(host, ":") : 0);

    if (work->app)
        return app_owner(work, domain, device);
    if (bf_access_caller_of(work->call)) {
        if (bf_id_is_nil(work->tenant->id))
            return bf_http_problem(work->call, BF_FORBIDDEN, NULL, "this needs a key of the tenant");
        device->tenant = work->tenant->id;
        return owner_of(work, "userId", device->number, &device->extension);
    }
    enum bf_err err = owner_by_domain(work, *domain ? domain : sent_to, device->number, &device->tenant,
                                      &device->extension);
    if (err == BF_NOT_FOUND || err == BF_INVALID)
        return bf_http_problem(work->call, BF_INVALID, "userId", "there is no such user");
    return err;
}

static enum bf_err register_post(struct api_work *work)
{
    const struct api_body *body = &work->body;
    const char *at = strchr(body->number, '@');
    bf_autofree char *number =
        bf_xstrndup(body->number, at ? (size_t)(at - body->number) : strlen(body->number));
    struct push_device device = {.id = bf_id_new(),
                                 .provider = PUSH_EXPO,
                                 .number = number,
                                 .platform = body->platform,
                                 .device_id = body->device_id,
                                 .token = body->token,
                                 .topic = "",
                                 .prid = "",
                                 .source = "app"};
    struct bf_id id;
    enum bf_err err = register_owner(work, at ? at + 1 : "", &device);

    if (!err)
        err = put(work, &device, "userId", "expoPushToken", &id);
    work->status = 200;
    if (!err)
        work->answer = json_pack("{s:b}", "ok", 1);
    return err;
}

// ---- looking

static enum bf_err device_list(struct api_work *work)
{
    const char *number = bf_http_query(work->call, "number"), *last = "";
    struct bf_page page;
    struct bf_id after = {{0}};
    json_t *items = NULL;
    enum bf_err err = bf_page_of(work->call, &devices_kind, &page);

    if (!err && *page.after && !bf_id_parse(bf_str(page.after), &after))
        err = BF_INVALID;
    if (!err)
        err = push_device_store_list(work->tx, work->tenant->id, number, after, page.limit + 1, &items);
    if (err)
        return err;
    bool more = json_array_size(items) > (size_t)page.limit;
    if (more)
        json_array_remove(items, json_array_size(items) - 1);
    const char *id = json_string_value(
        json_object_get(json_array_get(items, json_array_size(items) - (json_array_size(items) > 0)), "id"));
    last = id ? id : "";
    bf_autofree char *place = bf_xstrdup(last);
    work->status = 200;
    work->answer = bf_page_json(&page, items, place, more);
    return BF_OK;
}

static enum bf_err device_get(struct api_work *work)
{
    struct bf_id id;
    enum bf_err err = device_of(work, &id);

    if (!err)
        err = push_device_store_get(work->tx, work->tenant->id, id, &work->answer);
    work->status = 200;
    return err == BF_NOT_FOUND ? no_such_device(work) : err;
}

static enum bf_err device_delete(struct api_work *work)
{
    struct bf_id id;
    enum bf_err err = device_of(work, &id);

    if (!err)
        err = push_device_store_remove(work->tx, work->tenant->id, id);
    work->status = 204;
    return err == BF_NOT_FOUND ? no_such_device(work) : err;
}

static enum bf_err device_pushes(struct api_work *work)
{
    json_t *items = NULL, *device = NULL;
    struct bf_id id;
    enum bf_err err = device_of(work, &id);

    if (!err)
        err = push_device_store_get(work->tx, work->tenant->id, id, &device);
    json_decref(device);
    if (!err)
        err = push_device_store_attempts(work->tx, work->tenant->id, id, &items);
    if (err)
        return err == BF_NOT_FOUND ? no_such_device(work) : err;
    work->status = 200;
    work->answer = json_pack("{s:o, s:n}", "items", items, "next");
    return BF_OK;
}

// It goes out within a second: this replica finds it when it is committed.
static enum bf_err device_test(struct api_work *work)
{
    struct bf_id id, push = bf_id_new();
    char text[BF_ID_TEXT_SIZE];
    enum bf_err err = device_of(work, &id);

    if (!err)
        err = push_store_test(work->tx, work->fanout->replica, work->tenant->id, id, push);
    if (err)
        return err == BF_NOT_FOUND ? no_such_device(work) : err;
    work->status = 202;
    work->answer = json_pack("{s:s}", "push", bf_id_text(push, text));
    return BF_OK;
}

#define TEXT(name_, member, required_, max_, check_)                                            \
    {                                                                                           \
        .name = (name_), .kind = BF_JSON_TEXT, .required = (required_),                         \
        .offset = offsetof(struct api_body, member), .min = 1, .max = (max_), .check = (check_) \
    }

static const struct bf_json_field device_fields[] = {
    TEXT("number", number, true, 32, push_number_check),
    TEXT("provider", provider, true, 8, push_provider_check),
    TEXT("token", token, true, PUSH_TOKEN_BYTES_MAX, NULL),
    TEXT("device_id", device_id, true, PUSH_DEVICE_ID_BYTES_MAX, push_device_id_check),
    TEXT("platform", platform, true, 8, push_platform_check),
    TEXT("topic", topic, false, PUSH_TOPIC_BYTES_MAX, push_topic_check),
};

static const struct bf_json_field register_fields[] = {
    TEXT("userId", number, true, 300, NULL),
    TEXT("expoPushToken", token, true, PUSH_TOKEN_BYTES_MAX, push_expo_token_check),
    TEXT("platform", platform, true, 8, push_platform_check),
    TEXT("deviceId", device_id, true, PUSH_DEVICE_ID_BYTES_MAX, push_device_id_check),
};

const struct api_route push_api_routes[] = {
    {"POST", "/push/register", register_post, API_KEYLESS | API_APPS, API_FIELDS(register_fields)},
    {"POST", "/v1/tenants/{t}/push-devices", device_post, API_FIELDS(device_fields)},
    {"GET", "/v1/tenants/{t}/push-devices", device_list, .queries = {"limit", "after", "number"}},
    {"GET", "/v1/tenants/{t}/push-devices/{device}", device_get, .flags = 0},
    {"DELETE", "/v1/tenants/{t}/push-devices/{device}", device_delete, .flags = 0},
    {"GET", "/v1/tenants/{t}/push-devices/{device}/pushes", device_pushes, .flags = 0},
    {"POST", "/v1/tenants/{t}/push-devices/{device}/test", device_test, .flags = 0},
};
const size_t push_api_route_count = BF_LEN(push_api_routes);
