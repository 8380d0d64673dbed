// REST: a tenant's extensions.
#include <string.h>

#include "api.h"
#include "change_store.h"
#include "extension_store.h"
#include "group_store.h"

#define BODY(member) offsetof(union api_body, extension.member)

#define NUMBER_FIELD                                                                      \
    {                                                                                     \
        .name = "number", .kind = BF_JSON_TEXT, .required = true, .offset = BODY(number), \
        .max = EXTENSION_NUMBER_BYTES_MAX, .check = extension_number_check                \
    }
#define KIND_FIELD(need)                                                                           \
    {                                                                                              \
        .name = "kind", .kind = BF_JSON_TEXT, .required = (need), .offset = BODY(kind), .max = 16, \
        .check = extension_kind_check                                                              \
    }
#define DISPLAY_FIELD                                                               \
    {                                                                               \
        .name = "display_name", .kind = BF_JSON_TEXT, .offset = BODY(display_name), \
        .max = EXTENSION_DISPLAY_BYTES_MAX, .check = extension_display_check        \
    }
#define CONTACTS_FIELD                                                                       \
    {                                                                                        \
        .name = "max_contacts", .kind = BF_JSON_INT, .offset = BODY(max_contacts), .min = 1, \
        .max = EXTENSION_CONTACTS_MAX                                                        \
    }
#define PASSWORD_FIELD                                                                                     \
    {                                                                                                      \
        .name = "password", .kind = BF_JSON_TEXT, .offset = BODY(password), .max = EXTENSION_PASSWORD_MAX, \
        .check = extension_password_check                                                                  \
    }

#define DISTURB_FIELD                                                                  \
    {                                                                                  \
        .name = "do_not_disturb", .kind = BF_JSON_BOOL, .offset = BODY(do_not_disturb) \
    }
#define FORWARD_FIELD(field)                                                 \
    {                                                                        \
        .name = #field, .kind = BF_JSON_TEXT_OR_NULL, .offset = BODY(field), \
        .max = EXTENSION_NUMBER_BYTES_MAX, .check = extension_forward_check  \
    }
#define RING_FIELD                                                                           \
    {                                                                                        \
        .name = "ring_seconds", .kind = BF_JSON_INT, .offset = BODY(ring_seconds), .min = 1, \
        .max = EXTENSION_RING_SECONDS_MAX                                                    \
    }
#define CALLS_FIELDS                                                           \
    DISTURB_FIELD, FORWARD_FIELD(forward_always), FORWARD_FIELD(forward_busy), \
        FORWARD_FIELD(forward_no_answer), RING_FIELD

static const struct bf_json_field create_fields[] = {NUMBER_FIELD,   KIND_FIELD(true), DISPLAY_FIELD,
                                                     CONTACTS_FIELD, PASSWORD_FIELD,   CALLS_FIELDS};
static const struct bf_json_field patch_fields[] = {KIND_FIELD(false), DISPLAY_FIELD, CONTACTS_FIELD,
                                                    CALLS_FIELDS};
static const struct bf_json_field password_fields[] = {PASSWORD_FIELD};

static json_t *number_or_null(const char *number)
{
    return number[0] ? json_string(number) : json_null();
}

static json_t *extension_json(const struct extension *extension)
{
    const struct extension_calls *calls = &extension->calls;

    return json_pack("{s:s, s:s, s:s, s:I, s:b, s:o, s:o, s:o, s:I, s:o, s:o}", "number", extension->number,
                     "kind", extension_kind_name(extension->kind), "display_name", extension->display_name,
                     "max_contacts", (json_int_t)extension->max_contacts, "do_not_disturb",
                     calls->do_not_disturb, "forward_always", number_or_null(calls->forward_always),
                     "forward_busy", number_or_null(calls->forward_busy), "forward_no_answer",
                     number_or_null(calls->forward_no_answer), "ring_seconds",
                     (json_int_t)calls->ring_seconds, "created_at", bf_json_time(extension->created_ms),
                     "updated_at", bf_json_time(extension->updated_ms));
}

// What the body says, over what is there.
static void extension_merge(const struct api_extension_body *body, struct extension *extension)
{
    struct extension_calls *calls = &extension->calls;
    const struct {
        const char *from;
        char *to;
    } texts[] = {
        {body->display_name, extension->display_name},
        {body->forward_always, calls->forward_always},
        {body->forward_busy, calls->forward_busy},
        {body->forward_no_answer, calls->forward_no_answer},
    };

    for (size_t i = 0; i < BF_LEN(texts); i++)
        if (texts[i].from)
            memcpy(texts[i].to, texts[i].from, strlen(texts[i].from) + 1);
    if (body->kind)
        extension->kind = extension_kind_parse(bf_str(body->kind));
    if (body->max_contacts != BF_JSON_ABSENT)
        extension->max_contacts = body->max_contacts;
    if (body->do_not_disturb != BF_JSON_ABSENT)
        calls->do_not_disturb = body->do_not_disturb;
    if (body->ring_seconds != BF_JSON_ABSENT)
        calls->ring_seconds = body->ring_seconds;
}

// The extension of the path.
static enum bf_err extension_of_path(struct api_work *work, struct extension *ret_extension)
{
    const char *number = bf_http_param(work->call, "number");
    enum bf_err err = BF_NOT_FOUND;

    if (!extension_number_check(bf_str(number)))
        err = extension_store_find(work->tx, work->tenant.id, number, ret_extension);
    return err == BF_NOT_FOUND ? bf_http_problem(work->call, err, NULL, "this tenant has no such extension")
                               : err;
}

// The password that counts: the one given, or a new one in `made`.
static const char *password_of(const struct api_work *work, char made[EXTENSION_PASSWORD_MADE + 1])
{
    if (work->body.extension.password)
        return work->body.extension.password;
    extension_password_make(made);
    return made;
}

static enum bf_err extension_insert(struct api_work *work, const struct extension *extension,
                                    const char *password)
{
    struct extension_ha1 ha1 = extension_ha1(extension->number, work->tenant.realm, password);
    int64_t count;
    enum bf_err err = extension_store_count(work->tx, work->tenant.id, &count);

    if (err)
        return err;
    if (count >= TENANT_EXTENSIONS_MAX)
        return bf_http_problem(work->call, BF_CONFLICT, "number",
                               "a tenant has at most %d extensions; delete one first", TENANT_EXTENSIONS_MAX);
    err = extension_store_add(work->tx, work->tenant.id, extension, &ha1);
    if (err == BF_CONFLICT)
        return bf_http_problem(work->call, err, "number",
                               "this tenant has an extension or a group %s already", extension->number);
    return err;
}

static enum bf_err extension_create(struct api_work *work)
{
    const struct api_extension_body *body = &work->body.extension;
    char made[EXTENSION_PASSWORD_MADE + 1];
    struct extension extension = {.max_contacts = EXTENSION_CONTACTS_DEFAULT,
                                  .calls = {.ring_seconds = EXTENSION_RING_SECONDS_DEFAULT}};

    memcpy(extension.number, body->number, strlen(body->number) + 1);
    extension_merge(body, &extension);
    enum bf_err err = extension_insert(work, &extension, password_of(work, made));
    if (!err)
        err = extension_store_find(work->tx, work->tenant.id, body->number, &extension);
    if (!err)
        err =
            api_audit(work, "extension.create", "extension", body->number, NULL, extension_json(&extension));
    if (!err)
        err = change_store_note(work->tx, CHANGE_EXTENSION, work->tenant.id, body->number);
    if (err)
        return err;
    work->status = 201;
    work->answer = extension_json(&extension);
    if (!body->password)
        json_object_set_new(work->answer, "password", json_string(made));
    return BF_OK;
}

struct listing {
    json_t *items;
    char last[EXTENSION_NUMBER_BYTES_MAX + 1];
};

static void list_add(void *ctx, const struct extension *extension)
{
    struct listing *listing = ctx;

    json_array_append_new(listing->items, extension_json(extension));
    memcpy(listing->last, extension->number, sizeof(listing->last));
}

static enum bf_err extension_list(struct api_work *work)
{
    struct listing listing = {.items = json_array()};
    bool more;
    enum bf_err err = extension_store_list(work->tx, work->tenant.id, &work->page, list_add, &listing, &more);

    if (err) {
        json_decref(listing.items);
        return err;
    }
    return api_list(work, listing.items, listing.last, more);
}

static enum bf_err extension_get(struct api_work *work)
{
    struct extension extension = {.number = ""};
    enum bf_err err = extension_of_path(work, &extension);

    if (err)
        return err;
    work->status = 200;
    work->answer = extension_json(&extension);
    return BF_OK;
}

static enum bf_err extension_patch(struct api_work *work)
{
    struct extension before = {.number = ""}, extension;
    enum bf_err err = extension_of_path(work, &before);

    if (err)
        return err;
    extension = before;
    extension_merge(&work->body.extension, &extension);
    err = extension_store_update(work->tx, work->tenant.id, &extension);
    if (!err)
        err = extension_store_find(work->tx, work->tenant.id, before.number, &extension);
    if (!err)
        err = api_audit(work, "extension.change", "extension", before.number, extension_json(&before),
                        extension_json(&extension));
    if (!err)
        err = change_store_note(work->tx, CHANGE_EXTENSION, work->tenant.id, before.number);
    if (err)
        return err;
    work->status = 200;
    work->answer = extension_json(&extension);
    return BF_OK;
}

static enum bf_err extension_delete(struct api_work *work)
{
    struct extension extension = {.number = ""};
    enum bf_err err = extension_of_path(work, &extension);

    if (!err)
        err = group_store_leave_all(work->tx, work->tenant.id, extension.number);
    if (!err)
        err = extension_store_remove(work->tx, work->tenant.id, extension.number);
    if (!err)
        err = api_audit(work, "extension.delete", "extension", extension.number, extension_json(&extension),
                        NULL);
    if (!err)
        err = change_store_note(work->tx, CHANGE_EXTENSION, work->tenant.id, extension.number);
    work->status = 204;
    return err;
}

static enum bf_err password_reset(struct api_work *work)
{
    char made[EXTENSION_PASSWORD_MADE + 1];
    struct extension extension = {.number = ""};
    enum bf_err err = extension_of_path(work, &extension);

    if (err)
        return err;
    struct extension_ha1 ha1 = extension_ha1(extension.number, work->tenant.realm, password_of(work, made));
    err = extension_store_password(work->tx, work->tenant.id, extension.number, &ha1);
    if (!err)
        err = api_audit(work, "extension.password", "extension", extension.number, NULL, NULL);
    if (!err)
        err = change_store_note(work->tx, CHANGE_EXTENSION, work->tenant.id, extension.number);
    if (err)
        return err;
    work->status = 200;
    work->answer = json_pack("{s:s}", "number", extension.number);
    if (!work->body.extension.password)
        json_object_set_new(work->answer, "password", json_string(made));
    return BF_OK;
}

const struct api_route extension_api_routes[] = {
    {"POST", "/v1/tenants/{t}/extensions", extension_create, 0, API_FIELDS(create_fields)},
    {"GET", "/v1/tenants/{t}/extensions", extension_list, 0, .page = &page_extensions},
    {"GET", "/v1/tenants/{t}/extensions/{number}", extension_get, 0, .page = NULL},
    {"PATCH", "/v1/tenants/{t}/extensions/{number}", extension_patch, 0, API_FIELDS(patch_fields)},
    {"DELETE", "/v1/tenants/{t}/extensions/{number}", extension_delete, 0, .page = NULL},
    {"POST", "/v1/tenants/{t}/extensions/{number}/password", password_reset, 0, API_FIELDS(password_fields)},
};
const size_t extension_api_route_count = BF_LEN(extension_api_routes);
