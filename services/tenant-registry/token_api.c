// REST: app tokens.
#include <string.h>

#include "api.h"
#include "app_key_store.h"
#include "bf_clock.h"
#include "extension_store.h"

#define BODY(member) offsetof(union api_body, token.member)

static const struct bf_json_field create_fields[] = {
    {.name = "number",
     .kind = BF_JSON_TEXT,
     .required = true,
     .offset = BODY(number),
     .max = EXTENSION_NUMBER_BYTES_MAX,
     .check = extension_number_check},
    {.name = "expires_in_seconds",
     .kind = BF_JSON_INT,
     .offset = BODY(expires_in_seconds),
     .min = 1,
     .max = BF_APP_TOKEN_LIFE_S},
};

static enum bf_err sign(struct api_work *work, const struct bf_app_token *token, char **ret_text)
{
    struct app_key keys[BF_APP_KEYS_MAX];
    size_t count;
    enum bf_err err = app_key_store_list(work->tx, &work->registry->vault, keys, &count);

    if (err)
        return err;
    const struct app_key *key = app_key_signing(keys, count, bf_unix_ms());
    if (key)
        *ret_text = bf_app_token_sign(token, key->public.kid, key->private_key);
    explicit_bzero(keys, sizeof(keys));
    return key ? BF_OK
               : bf_http_problem(work->call, BF_UNAVAILABLE, NULL,
                                 "there is no key to sign with yet; try again in a minute");
}

// The token itself is in no log and no audit row: its id is.
static json_t *audit_json(const struct bf_app_token *token)
{
    return json_pack("{s:s, s:o, s:o}", "number", token->number, "id", bf_json_id(token->id), "expires_at",
                     bf_json_time(token->expires_s * 1000));
}

static enum bf_err token_create(struct api_work *work)
{
    const struct api_token_body *body = &work->body.token;
    struct bf_app_token token = {
        .tenant = work->tenant.id, .id = bf_id_new(), .issued_s = bf_unix_ms() / 1000};
    struct extension extension;
    bf_autofree char *text = NULL;
    enum bf_err err = extension_store_find(work->tx, work->tenant.id, body->number, &extension);

    if (err == BF_NOT_FOUND)
        return bf_http_problem(work->call, BF_INVALID, "number", "must be an extension of this tenant");
    if (err)
        return err;
    token.extension = extension.id;
    memcpy(token.number, extension.number, strlen(extension.number) + 1);
    token.expires_s =
        token.issued_s + (body->expires_in_seconds == BF_JSON_ABSENT ? BF_APP_TOKEN_LIFE_S
                                                                     : (uint64_t)body->expires_in_seconds);
    err = sign(work, &token, &text);
    if (!err)
        err = api_audit(work, "token.create", "extension", token.number, NULL, audit_json(&token));
    if (err)
        return err;
    work->status = 201;
    work->answer = audit_json(&token);
    json_object_set_new(work->answer, "token", json_string(text));
    return BF_OK;
}

const struct api_route token_api_routes[] = {
    {"POST", "/v1/tenants/{t}/tokens", token_create, 0, API_FIELDS(create_fields)},
};
const size_t token_api_route_count = BF_LEN(token_api_routes);
