// REST: what pushes are sent with. The same for tenants and, without {t}, for the operator.
#include "api.h"
#include "push_credential_store.h"

static enum bf_err no_such_credential(struct api_work *work)
{
    return bf_http_problem(work->call, BF_NOT_FOUND, NULL, "there is no such push credential");
}

static enum bf_err find(struct api_work *work, struct bf_id id)
{
    json_t *items = NULL;
    enum bf_err err = push_credential_store_list(work->tx, &work->fanout->seal, work->tenant->id, id, &items);

    if (err)
        return err;
    work->answer = json_incref(json_array_get(items, 0));
    json_decref(items);
    return work->answer ? BF_OK : no_such_credential(work);
}

static enum bf_err credential_post(struct api_work *work)
{
    const char *field = NULL, *wrong = NULL;
    struct push_credential_new credential = {.tenant = work->tenant->id,
                                             .name = work->body.name ? work->body.name : ""};
    struct bf_id id;

    if (!push_provider_parse(bf_str(work->body.provider), &credential.provider))
        return BF_INVALID; // checked when the body was read
    char *text = push_credential_pack(credential.provider, &work->body.credential, &field, &wrong);
    if (!text)
        return bf_http_problem(work->call, BF_INVALID, field, "%s", wrong);
    credential.text = text;
    enum bf_err err = push_credential_store_put(work->tx, &work->fanout->seal, &credential, &id);
    bf_vault_forget(text);
    if (err == BF_LIMIT)
        return bf_http_problem(work->call, BF_CONFLICT, NULL,
                               "there are %d push credentials already: delete one first",
                               PUSH_CREDENTIALS_MAX);
    work->status = 201;
    return err ? err : find(work, id);
}

static enum bf_err credential_list(struct api_work *work)
{
    json_t *items = NULL;
    enum bf_err err = push_credential_store_list(work->tx, &work->fanout->seal, work->tenant->id,
                                                 (struct bf_id){{0}}, &items);

    if (err)
        return err;
    work->status = 200;
    work->answer = json_pack("{s:o, s:n}", "items", items, "next");
    return BF_OK;
}

static enum bf_err credential_delete(struct api_work *work)
{
    struct bf_id id;

    if (!bf_id_parse(bf_str(bf_http_param(work->call, "credential")), &id))
        return no_such_credential(work);
    enum bf_err err = push_credential_store_remove(work->tx, work->tenant->id, id);
    work->status = 204;
    return err == BF_NOT_FOUND ? no_such_credential(work) : err;
}

#define TEXT(name_, member, required_, max_)                                 \
    {                                                                        \
        .name = (name_), .kind = BF_JSON_TEXT, .required = (required_),      \
        .offset = offsetof(struct api_body, member), .min = 1, .max = (max_) \
    }
#define OBJECT(name_, fields_)                                                           \
    {                                                                                    \
        .name = (name_), .kind = BF_JSON_OBJECT, .required = false, .fields = (fields_), \
        .field_count = BF_LEN(fields_)                                                   \
    }

static const struct bf_json_field expo_fields[] = {
    TEXT("access_token", credential.access_token, true, 512),
};

// The file as Google gives it: what is not used is taken and forgotten.
static const struct bf_json_field fcm_fields[] = {
    TEXT("project_id", credential.project_id, true, 128),
    TEXT("client_email", credential.client_email, true, 256),
    TEXT("private_key", credential.private_key, true, 8192),
    TEXT("private_key_id", credential.key_id, true, 128),
    TEXT("type", ignored, false, 64),
    TEXT("client_id", ignored, false, 128),
    TEXT("auth_uri", ignored, false, 512),
    TEXT("token_uri", ignored, false, 512),
    TEXT("auth_provider_x509_cert_url", ignored, false, 512),
    TEXT("client_x509_cert_url", ignored, false, 512),
    TEXT("universe_domain", ignored, false, 256),
};

static const struct bf_json_field apns_fields[] = {
    TEXT("team_id", credential.apns_team, true, 32),
    TEXT("key_id", credential.apns_key_id, true, 32),
    TEXT("private_key", credential.apns_key, true, 4096),
    TEXT("topic", credential.apns_topic, false, PUSH_TOPIC_BYTES_MAX),
    TEXT("environment", credential.apns_environment, false, 16),
};

static const struct bf_json_field credential_fields[] = {
    {.name = "provider",
     .kind = BF_JSON_TEXT,
     .required = true,
     .offset = offsetof(struct api_body, provider),
     .min = 1,
     .max = 8,
     .check = push_provider_check},
    {.name = "name",
     .kind = BF_JSON_TEXT,
     .offset = offsetof(struct api_body, name),
     .min = 1,
     .max = PUSH_TOPIC_BYTES_MAX,
     .check = push_topic_check},
    OBJECT("expo", expo_fields),
    OBJECT("fcm", fcm_fields),
    OBJECT("apns", apns_fields),
};

const struct api_route push_credential_api_routes[] = {
    {"POST", "/v1/push-credentials", credential_post, BF_GATE_OPERATORS, API_FIELDS(credential_fields)},
    {"GET", "/v1/push-credentials", credential_list, BF_GATE_OPERATORS, .fields = NULL},
    {"DELETE", "/v1/push-credentials/{credential}", credential_delete, BF_GATE_OPERATORS, .fields = NULL},
    {"POST", "/v1/tenants/{t}/push-credentials", credential_post, API_FIELDS(credential_fields)},
    {"GET", "/v1/tenants/{t}/push-credentials", credential_list, .flags = 0},
    {"DELETE", "/v1/tenants/{t}/push-credentials/{credential}", credential_delete, .flags = 0},
};
const size_t push_credential_api_route_count = BF_LEN(push_credential_api_routes);
