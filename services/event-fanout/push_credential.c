// Credentials of push providers.
#include "push_credential.h"

#include <string.h>

#include "bf_vault.h"

struct fault {
    const char *field, *wrong;
};

static bool is(const char *text)
{
    return text && *text;
}

static struct fault key_fault(enum push_jwt_alg alg, const char *field, const char *pem)
{
    struct push_jwt_key *key = push_jwt_key_new(alg, pem);

    if (key) {
        push_jwt_key_free(key);
        return (struct fault){NULL, NULL};
    }
    return (struct fault){field, alg == PUSH_JWT_ES256
                                     ? "must be Apple's .p8 file: a PEM private key on the curve P-256"
                                     : "must be a PEM private key, RSA of at least 2048 bits"};
}

static struct fault expo_fault(const struct push_credential_texts *texts)
{
    if (!is(texts->access_token))
        return (struct fault){"expo", "must be there, with its access_token"};
    // It goes into a header.
    return push_device_id_check(bf_str(texts->access_token))
               ? (struct fault){"expo.access_token", "must be printable ASCII without spaces"}
               : (struct fault){NULL, NULL};
}

static struct fault fcm_fault(const struct push_credential_texts *texts)
{
    if (!is(texts->private_key))
        return (struct fault){"fcm", "must be there: the service account's JSON file as Google gives it"};
    if (push_topic_check(bf_str(texts->project_id)))
        return (struct fault){"fcm.project_id", "must be a project's id"};
    if (!is(texts->client_email))
        return (struct fault){"fcm.client_email", "must be there"};
    return key_fault(PUSH_JWT_RS256, "fcm.private_key", texts->private_key);
}

static struct fault apns_fault(const struct push_credential_texts *texts)
{
    if (!is(texts->apns_key))
        return (struct fault){"apns", "must be there: team_id, key_id and private_key"};
    if (is(texts->apns_topic) && push_topic_check(bf_str(texts->apns_topic)))
        return (struct fault){"apns.topic", "must be the app's bundle id"};
    if (is(texts->apns_environment) && strcmp(texts->apns_environment, "production") != 0 &&
        strcmp(texts->apns_environment, "sandbox") != 0)
        return (struct fault){"apns.environment", "must be \"production\" or \"sandbox\""};
    return key_fault(PUSH_JWT_ES256, "apns.private_key", texts->apns_key);
}

static json_t *object_of(enum push_provider provider, const struct push_credential_texts *texts)
{
    switch (provider) {
    case PUSH_EXPO:
        return json_pack("{s:s}", "access_token", texts->access_token);
    case PUSH_FCM:
        return json_pack("{s:s, s:s, s:s, s:s}", "project_id", texts->project_id, "client_email",
                         texts->client_email, "key_id", texts->key_id ? texts->key_id : "", "private_key",
                         texts->private_key);
    default:
        return json_pack("{s:s, s:s, s:s, s:s, s:b}", "team_id", texts->apns_team, "key_id",
                         texts->apns_key_id, "private_key", texts->apns_key, "topic",
                         texts->apns_topic ? texts->apns_topic : "", "sandbox",
                         is(texts->apns_environment) && strcmp(texts->apns_environment, "sandbox") == 0);
    }
}

char *push_credential_pack(enum push_provider provider, const struct push_credential_texts *texts,
                           const char **ret_field, const char **ret_wrong)
{
    static struct fault (*const faults[PUSH_PROVIDERS])(const struct push_credential_texts *) = {
        [PUSH_EXPO] = expo_fault, [PUSH_FCM] = fcm_fault, [PUSH_APNS] = apns_fault};
    static const char *const foreign[PUSH_PROVIDERS] = {
        [PUSH_EXPO] = "expo", [PUSH_FCM] = "fcm", [PUSH_APNS] = "apns"};
    const bool given[PUSH_PROVIDERS] = {
        [PUSH_EXPO] = texts->access_token, [PUSH_FCM] = texts->private_key, [PUSH_APNS] = texts->apns_key};
    struct fault fault = faults[provider](texts);

    for (size_t i = 0; !fault.field && i < PUSH_PROVIDERS; i++)
        if (given[i] && i != provider)
            fault = (struct fault){foreign[i], "belongs to another provider"};
    if (fault.field) {
        *ret_field = fault.field;
        *ret_wrong = fault.wrong;
        return NULL;
    }
    json_t *object = object_of(provider, texts);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return text;
}

// ---- in use

static char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return bf_xstrdup(text ? text : "");
}

struct push_credential *push_credential_new(enum push_provider provider, const char *text)
{
    json_t *object = json_loads(text, 0, NULL);

    if (!object)
        return NULL;
    struct push_credential *credential = bf_xcalloc(1, sizeof(*credential));
    char *pem = member(object, "private_key");
    credential->provider = provider;
    credential->access_token = member(object, "access_token");
    credential->project_id = member(object, "project_id");
    credential->client_email = member(object, "client_email");
    credential->team_id = member(object, "team_id");
    credential->topic = member(object, "topic");
    credential->key_id = member(object, "key_id");
    credential->sandbox = json_is_true(json_object_get(object, "sandbox"));
    if (provider != PUSH_EXPO)
        credential->key = push_jwt_key_new(provider == PUSH_APNS ? PUSH_JWT_ES256 : PUSH_JWT_RS256, pem);
    bf_vault_forget(pem);
    json_decref(object);
    if (provider == PUSH_EXPO || credential->key)
        return credential;
    push_credential_free(credential);
    return NULL;
}

void push_credential_free(struct push_credential *credential)
{
    if (!credential)
        return;
    bf_vault_forget(credential->access_token);
    free(credential->project_id);
    free(credential->client_email);
    free(credential->team_id);
    free(credential->topic);
    free(credential->key_id);
    push_jwt_key_free(credential->key);
    free(credential);
}

json_t *push_credential_show(const struct push_credential *credential)
{
    switch (credential->provider) {
    case PUSH_FCM:
        return json_pack("{s:s, s:s, s:s}", "project_id", credential->project_id, "client_email",
                         credential->client_email, "key_id", credential->key_id);
    case PUSH_APNS:
        return json_pack("{s:s, s:s, s:s, s:s}", "team_id", credential->team_id, "key_id", credential->key_id,
                         "topic", credential->topic, "environment",
                         credential->sandbox ? "sandbox" : "production");
    default:
        return json_object();
    }
}
