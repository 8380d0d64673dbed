// REST: a tenant's API keys.
#include <string.h>

#include "api.h"
#include "bf_clock.h"
#include "key_store.h"

#define BODY(member) offsetof(union api_body, key.member)

static const struct bf_json_field create_fields[] = {
    {.name = "role",
     .kind = BF_JSON_TEXT,
     .required = true,
     .offset = BODY(role),
     .max = 16,
     .check = key_role_check},
    {.name = "name",
     .kind = BF_JSON_TEXT,
     .offset = BODY(name),
     .max = KEY_NAME_BYTES_MAX,
     .check = key_name_check},
    {.name = "expires_at",
     .kind = BF_JSON_TEXT,
     .offset = BODY(expires_at),
     .max = 40,
     .check = key_expiry_check},
};

static json_t *key_json(const struct key *key)
{
    return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o}", "id", bf_json_id(key->id), "role",
                     key_role_name(key->role), "name", key->name, "created_at", bf_json_time(key->created_ms),
                     "expires_at", bf_json_time(key->expires_ms), "last_used_at",
                     bf_json_time(key->last_used_ms));
}

enum bf_err key_api_add(struct api_work *work, struct bf_id tenant, const struct key *key,
                        char text[KEY_TEXT_BYTES + 1])
{
    uint8_t hash[BF_SHA256_BYTES];

    key_make(text);
    key_hash(bf_str(text), hash);
    return key_store_add(work->tx, tenant, key, hash);
}

static enum bf_err key_create(struct api_work *work)
{
    const struct api_key_body *body = &work->body.key;
    struct key key = {.id = bf_id_new(), .role = key_role_parse(bf_str(body->role))};
    char text[KEY_TEXT_BYTES + 1];
    char id[BF_ID_TEXT_SIZE];
    int64_t count;

    if (body->name)
        memcpy(key.name, body->name, strlen(body->name) + 1);
    if (body->expires_at &&
        (!bf_rfc3339_parse(bf_str(body->expires_at), &key.expires_ms) || key.expires_ms <= bf_unix_ms()))
        return bf_http_problem(work->call, BF_INVALID, "expires_at", "must be in the future");
    enum bf_err err = key_store_count(work->tx, work->tenant.id, &count);
    if (err)
        return err;
    if (count >= TENANT_KEYS_MAX)
        return bf_http_problem(work->call, BF_CONFLICT, NULL,
                               "a tenant has at most %d keys; delete one first", TENANT_KEYS_MAX);
    err = key_api_add(work, work->tenant.id, &key, text);
    if (!err)
        err = key_store_find(work->tx, work->tenant.id, key.id, &key);
    if (!err)
        err = api_audit(work, "key.create", "key", bf_id_text(key.id, id), NULL, key_json(&key));
    if (err)
        return err;
    work->status = 201;
    work->answer = key_json(&key);
    json_object_set_new(work->answer, "api_key", json_string(text));
    return BF_OK;
}

struct listing {
    json_t *items;
    char last[BF_ID_TEXT_SIZE];
};

static void list_add(void *ctx, const struct key *key)
{
    struct listing *listing = ctx;

    json_array_append_new(listing->items, key_json(key));
    bf_id_text(key->id, listing->last);
}

static enum bf_err key_list(struct api_work *work)
{
    struct listing listing = {.items = json_array()};
    bool more;
    enum bf_err err = key_store_list(work->tx, work->tenant.id, &work->page, list_add, &listing, &more);

    if (err) {
        json_decref(listing.items);
        return err;
    }
    return api_list(work, listing.items, listing.last, more);
}

static enum bf_err key_of_path(struct api_work *work, struct key *ret_key)
{
    struct bf_id id;
    enum bf_err err = BF_NOT_FOUND;

    if (bf_id_parse(bf_str(bf_http_param(work->call, "id")), &id))
        err = key_store_find(work->tx, work->tenant.id, id, ret_key);
    return err == BF_NOT_FOUND ? bf_http_problem(work->call, err, NULL, "this tenant has no such key") : err;
}

static enum bf_err key_get(struct api_work *work)
{
    struct key key = {.name = ""};
    enum bf_err err = key_of_path(work, &key);

    if (err)
        return err;
    work->status = 200;
    work->answer = key_json(&key);
    return BF_OK;
}

static enum bf_err key_delete(struct api_work *work)
{
    char id[BF_ID_TEXT_SIZE];
    struct key key = {.name = ""};
    enum bf_err err = key_of_path(work, &key);

    if (!err)
        err = key_store_remove(work->tx, work->tenant.id, key.id);
    if (!err)
        err = api_audit(work, "key.delete", "key", bf_id_text(key.id, id), key_json(&key), NULL);
    work->status = 204;
    return err;
}

const struct api_route key_api_routes[] = {
    {"POST", "/v1/tenants/{t}/keys", key_create, 0, API_FIELDS(create_fields)},
    {"GET", "/v1/tenants/{t}/keys", key_list, 0, .page = &page_ids},
    {"GET", "/v1/tenants/{t}/keys/{id}", key_get, 0, .page = NULL},
    {"DELETE", "/v1/tenants/{t}/keys/{id}", key_delete, 0, .page = NULL},
};
const size_t key_api_route_count = BF_LEN(key_api_routes);
