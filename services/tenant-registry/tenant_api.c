// REST: tenants.
#include <string.h>

#include "api.h"
#include "change_store.h"
#include "tenant_store.h"

#define BODY(member) offsetof(union api_body, tenant.member)

static const struct bf_json_field limit_fields[] = {
    {"max_calls", BF_JSON_INT, .offset = BODY(limits.max_calls), .min = 0, .max = TENANT_LIMIT_MAX},
    {"max_registrations", BF_JSON_INT, .offset = BODY(limits.max_registrations), .min = 0,
     .max = TENANT_LIMIT_MAX},
    {"calls_per_second", BF_JSON_INT, .offset = BODY(limits.calls_per_second), .min = 0,
     .max = TENANT_LIMIT_MAX},
    {"requests_per_minute", BF_JSON_INT, .offset = BODY(limits.requests_per_minute), .min = 0,
     .max = TENANT_LIMIT_MAX},
};

#define TEXT_FIELD(field, need, bytes_max, how)                                                              \
    {                                                                                                        \
        .name = #field, .kind = BF_JSON_TEXT, .required = (need), .offset = BODY(field), .max = (bytes_max), \
        .check = (how)                                                                                       \
    }
#define LIMITS_FIELD                                                      \
    {                                                                     \
        .name = "limits", .kind = BF_JSON_OBJECT, .fields = limit_fields, \
        .field_count = BF_LEN(limit_fields)                               \
    }

static const struct bf_json_field create_fields[] = {
    TEXT_FIELD(slug, true, TENANT_SLUG_BYTES_MAX, tenant_slug_check),
    TEXT_FIELD(name, true, TENANT_NAME_BYTES_MAX, tenant_name_check),
    {.name = "domains",
     .kind = BF_JSON_TEXTS,
     .required = true,
     .offset = BODY(domains),
     .min = 1,
     .max = TENANT_DOMAINS_MAX,
     .check = domain_check},
    LIMITS_FIELD,
};

static const struct bf_json_field patch_fields[] = {
    TEXT_FIELD(name, false, TENANT_NAME_BYTES_MAX, tenant_name_check),
    TEXT_FIELD(status, false, 9, tenant_status_check),
    LIMITS_FIELD,
};

json_t *tenant_api_json(const struct tenant *tenant)
{
    json_t *domains = json_array();
    const struct tenant_limits *limits = &tenant->limits;

    for (const char *at = tenant->domains; at && *at;) {
        size_t len = strcspn(at, " ");
        json_array_append_new(domains, json_stringn(at, len));
        at += len + (at[len] == ' ');
    }
    return json_pack(
        "{s:o, s:s, s:s, s:s, s:s, s:o, s:{s:I, s:I, s:I, s:I}, s:o, s:o}", "id", bf_json_id(tenant->id),
        "slug", tenant->slug, "name", tenant->name, "status", tenant_status_name(tenant->status), "realm",
        tenant->realm, "domains", domains, "limits", "max_calls", (json_int_t)limits->max_calls,
        "max_registrations", (json_int_t)limits->max_registrations, "calls_per_second",
        (json_int_t)limits->calls_per_second, "requests_per_minute", (json_int_t)limits->requests_per_minute,
        "created_at", bf_json_time(tenant->created_ms), "updated_at", bf_json_time(tenant->updated_ms));
}

static void limits_merge(struct tenant_limits *limits, const struct tenant_limits *given)
{
    int64_t *to[] = {&limits->max_calls, &limits->max_registrations, &limits->calls_per_second,
                     &limits->requests_per_minute};
    const int64_t from[] = {given->max_calls, given->max_registrations, given->calls_per_second,
                            given->requests_per_minute};

    for (size_t i = 0; i < BF_LEN(to); i++)
        if (from[i] != BF_JSON_ABSENT)
            *to[i] = from[i];
}

static bool limits_given(const struct tenant_limits *given)
{
    return given->max_calls != BF_JSON_ABSENT || given->max_registrations != BF_JSON_ABSENT ||
           given->calls_per_second != BF_JSON_ABSENT || given->requests_per_minute != BF_JSON_ABSENT;
}

// Reads back what the database made of it.
static enum bf_err tenant_reload(struct api_work *work)
{
    struct tenant fresh;
    char id[BF_ID_TEXT_SIZE];
    enum bf_err err = tenant_store_find(work->tx, bf_id_text(work->tenant.id, id), TENANT_READ, &fresh);

    if (err)
        return err;
    tenant_release(&work->tenant);
    work->tenant = fresh;
    return BF_OK;
}

static bool domains_differ(const struct bf_json_texts *domains)
{
    for (size_t i = 0; i < domains->count; i++)
        for (size_t j = 0; j < i; j++)
            if (bf_str_case_eq(bf_str(domains->items[i]), bf_str(domains->items[j])))
                return false;
    return true;
}

static enum bf_err create_rows(struct api_work *work, char key_text[KEY_TEXT_BYTES + 1])
{
    const struct api_tenant_body *body = &work->body.tenant;
    struct key key = {.id = bf_id_new(), .role = BF_ROLE_ADMIN, .name = "first key"};
    enum bf_err err = tenant_store_add(work->tx, &work->tenant);

    if (err == BF_CONFLICT)
        return bf_http_problem(work->call, err, "slug",
                               "another tenant has this slug; choose a different one");
    for (size_t i = 0; i < body->domains.count && !err; i++)
        err = domain_api_add(work, work->tenant.id, "domains", body->domains.items[i]);
    if (!err)
        err = key_api_add(work, work->tenant.id, &key, key_text);
    if (!err)
        err = tenant_reload(work);
    return err;
}

static enum bf_err tenant_create(struct api_work *work)
{
    const struct api_tenant_body *body = &work->body.tenant;
    struct tenant *tenant = &work->tenant;
    char key_text[KEY_TEXT_BYTES + 1];

    if (!domains_differ(&body->domains))
        return bf_http_problem(work->call, BF_INVALID, "domains", "must not name a domain twice");
    tenant->id = bf_id_new();
    tenant->status = TENANT_ACTIVE;
    memcpy(tenant->slug, body->slug, strlen(body->slug) + 1);
    memcpy(tenant->name, body->name, strlen(body->name) + 1);
    domain_normalise(bf_str(body->domains.items[0]), tenant->realm);
    limits_merge(&tenant->limits, &body->limits);
    enum bf_err err = create_rows(work, key_text);
    if (!err)
        err = api_audit(work, "tenant.create", "tenant", tenant->slug, NULL, tenant_api_json(tenant));
    if (!err)
        err = change_store_note(work->tx, CHANGE_TENANT, tenant->id, NULL);
    for (size_t i = 0; i < body->domains.count && !err; i++) {
        char name[DOMAIN_BYTES_MAX + 1];

        domain_normalise(bf_str(body->domains.items[i]), name);
        err = change_store_note(work->tx, CHANGE_DOMAIN, tenant->id, name);
    }
    if (err)
        return err;
    work->status = 201;
    work->answer = tenant_api_json(tenant);
    json_object_set_new(work->answer, "api_key", json_string(key_text));
    return BF_OK;
}

struct listing {
    json_t *items;
    char last[BF_PLACE_SIZE];
};

static void list_add(void *ctx, const struct tenant *tenant)
{
    struct listing *listing = ctx;

    json_array_append_new(listing->items, tenant_api_json(tenant));
    memcpy(listing->last, tenant->slug, sizeof(tenant->slug));
}

static enum bf_err tenant_list(struct api_work *work)
{
    struct listing listing = {.items = json_array()};
    bool more;
    enum bf_err err = tenant_store_list(work->tx, &work->page, list_add, &listing, &more);

    if (err) {
        json_decref(listing.items);
        return err;
    }
    return api_list(work, listing.items, listing.last, more);
}

static enum bf_err tenant_get(struct api_work *work)
{
    work->status = 200;
    work->answer = tenant_api_json(&work->tenant);
    return BF_OK;
}

static enum bf_err tenant_patch(struct api_work *work)
{
    const struct api_tenant_body *body = &work->body.tenant;
    struct tenant *tenant = &work->tenant;

    if (work->caller->role != BF_ROLE_OPERATOR && (body->status || limits_given(&body->limits)))
        return bf_http_problem(
            work->call, BF_FORBIDDEN, body->status ? "status" : "limits",
            "only an operator's key may change a tenant's status and limits; a tenant's may change name");
    json_t *before = tenant_api_json(tenant);
    if (body->name)
        memcpy(tenant->name, body->name, strlen(body->name) + 1);
    if (body->status)
        tenant->status = tenant_status_parse(bf_str(body->status));
    limits_merge(&tenant->limits, &body->limits);
    enum bf_err err = tenant_store_update(work->tx, tenant);
    if (!err)
        err = tenant_reload(work);
    if (err) {
        json_decref(before);
        return err;
    }
    err = api_audit(work, "tenant.change", "tenant", tenant->slug, before, tenant_api_json(tenant));
    if (!err)
        err = change_store_note(work->tx, CHANGE_TENANT, tenant->id, NULL);
    return err ? err : tenant_get(work);
}

static enum bf_err tenant_delete(struct api_work *work)
{
    struct tenant *tenant = &work->tenant;
    enum bf_err err = api_audit(work, "tenant.delete", "tenant", tenant->slug, tenant_api_json(tenant), NULL);

    if (!err)
        err = tenant_store_remove(work->tx, tenant->id);
    if (!err)
        err = change_store_note(work->tx, CHANGE_TENANT, tenant->id, NULL);
    work->status = 204;
    return err;
}

const struct api_route tenant_api_routes[] = {
    {"POST", "/v1/tenants", tenant_create, BF_GATE_OPERATORS, API_FIELDS(create_fields)},
    {"GET", "/v1/tenants", tenant_list, 0, .page = &page_tenants},
    {"GET", "/v1/tenants/{t}", tenant_get, 0, .page = NULL},
    {"PATCH", "/v1/tenants/{t}", tenant_patch, 0, API_FIELDS(patch_fields)},
    {"DELETE", "/v1/tenants/{t}", tenant_delete, BF_GATE_OPERATORS, .page = NULL},
};
const size_t tenant_api_route_count = BF_LEN(tenant_api_routes);
