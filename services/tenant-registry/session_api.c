// REST: logins and sessions. A login is a key that lives for minutes and is good for one thing, once:
// becoming a session, a key of the same role that lives for hours. So a link with a login in it is worthless
// after its first use.
#include <string.h>

#include "api.h"
#include "bf_clock.h"
#include "key_store.h"
#include "session.h"
#include "tenant_store.h"

#define BODY(member) offsetof(union api_body, session.member)

static const struct bf_json_field login_fields[] = {
    {.name = "expires_in_seconds",
     .kind = BF_JSON_INT,
     .offset = BODY(expires_in_seconds),
     .min = 1,
     .max = SESSION_LOGIN_LIFE_MAX_S},
};

// Of the same role and tenant as who asks.
static enum bf_err key_add(struct api_work *work, const char *name, int64_t life_s, struct key *key,
                           char text[KEY_TEXT_BYTES + 1])
{
    *key = (struct key){
        .id = bf_id_new(), .role = work->caller->role, .expires_ms = bf_unix_ms() + (uint64_t)life_s * 1000};
    memcpy(key->name, name, strlen(name) + 1);
    return key_api_add(work, work->caller->tenant_id, key, text);
}

static enum bf_err session_audit(struct api_work *work, const char *action, const struct key *key)
{
    char id[BF_ID_TEXT_SIZE];

    work->tenant.id = work->caller->tenant_id;
    return api_audit(work, action, "key", bf_id_text(key->id, id), NULL,
                     json_pack("{s:s, s:o}", "role", key_role_name(key->role), "expires_at",
                               bf_json_time(key->expires_ms)));
}

static enum bf_err login_create(struct api_work *work)
{
    int64_t life_s = work->body.session.expires_in_seconds;
    char text[KEY_TEXT_BYTES + 1];
    struct key key;
    enum bf_err err = key_add(work, SESSION_LOGIN_NAME,
                              life_s == BF_JSON_ABSENT ? SESSION_LOGIN_LIFE_S : life_s, &key, text);

    if (!err)
        err = session_audit(work, "login.create", &key);
    if (err)
        return err;
    bf_autofree char *path = bf_xasprintf("/#login=%s", text);
    work->status = 201;
    work->answer =
        json_pack("{s:s, s:s, s:o}", "login", text, "path", path, "expires_at", bf_json_time(key.expires_ms));
    return BF_OK;
}

// The caller's own key. A key that was deleted since it was authenticated counts as unknown.
static enum bf_err own_key(struct api_work *work, struct key *ret_key)
{
    enum bf_err err = key_store_own(work->tx, work->caller->key_id, ret_key);

    return err == BF_NOT_FOUND ? BF_UNAUTHENTICATED : err;
}

// Of two who come with the same login at the same time one finds it spent.
static enum bf_err session_create(struct api_work *work)
{
    struct key login, key;
    char text[KEY_TEXT_BYTES + 1];
    bool spent = false;

    if (bf_http_header(work->call, "Idempotency-Key"))
        return bf_http_problem(work->call, BF_INVALID, "Idempotency-Key",
                               "is not for logins: each is good once");
    enum bf_err err = own_key(work, &login);
    if (!err && strcmp(login.name, SESSION_LOGIN_NAME) != 0)
        return bf_http_problem(work->call, BF_CONFLICT, NULL,
                               "this key is no login; POST /v1/logins makes one");
    if (!err)
        err = key_store_spend(work->tx, login.id, &spent);
    if (!err && !spent)
        err = BF_UNAUTHENTICATED;
    if (!err)
        err = key_add(work, SESSION_NAME, SESSION_LIFE_S, &key, text);
    if (!err)
        err = session_audit(work, "session.create", &key);
    if (err)
        return err;
    work->status = 201;
    work->answer = json_pack("{s:s, s:o}", "api_key", text, "expires_at", bf_json_time(key.expires_ms));
    return BF_OK;
}

static json_t *tenant_brief(const struct tenant *tenant)
{
    return json_pack("{s:o, s:s, s:s, s:s}", "id", bf_json_id(tenant->id), "slug", tenant->slug, "name",
                     tenant->name, "status", tenant_status_name(tenant->status));
}

static enum bf_err session_get(struct api_work *work)
{
    char id[BF_ID_TEXT_SIZE];
    struct key key;
    enum bf_err err = own_key(work, &key);

    if (!err && work->caller->role != BF_ROLE_OPERATOR)
        err =
            tenant_store_find(work->tx, bf_id_text(work->caller->tenant_id, id), TENANT_READ, &work->tenant);
    if (err)
        return err;
    work->status = 200;
    work->answer =
        json_pack("{s:s, s:o, s:s, s:o, s:o}", "role", key_role_name(key.role), "key_id", bf_json_id(key.id),
                  "name", key.name, "expires_at", bf_json_time(key.expires_ms), "tenant",
                  work->caller->role == BF_ROLE_OPERATOR ? json_null() : tenant_brief(&work->tenant));
    return BF_OK;
}

static enum bf_err session_delete(struct api_work *work)
{
    struct key key;
    bool spent = false;
    enum bf_err err = own_key(work, &key);

    if (!err && strcmp(key.name, SESSION_NAME) != 0)
        return bf_http_problem(
            work->call, BF_CONFLICT, NULL,
            "this key was not made by a login; a tenant's keys end by DELETE .../keys/{id}");
    if (!err)
        err = key_store_spend(work->tx, key.id, &spent);
    if (!err)
        err = session_audit(work, "session.delete", &key);
    work->status = 204;
    return err;
}

const struct api_route session_api_routes[] = {
    {"POST", "/v1/logins", login_create, 0, API_FIELDS(login_fields)},
    {"POST", "/v1/session", session_create, 0, .page = NULL},
    {"GET", "/v1/session", session_get, 0, .page = NULL},
    {"DELETE", "/v1/session", session_delete, 0, .page = NULL},
};
const size_t session_api_route_count = BF_LEN(session_api_routes);
