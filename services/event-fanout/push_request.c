// What is sent to the providers.
#include "push_request.h"

#include <inttypes.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_vault.h"

#define FORM_BYTES_MAX 16384

static const char *const types[] = {
    [PUSH_WAKE] = "incoming_call", [PUSH_CANCEL] = "call_cancelled", [PUSH_TEST] = "test"};

// ---- what all have in common

static void request_begin(struct push_request *request, const char *content_type)
{
    *request = (struct push_request){.url = NULL};
    request->headers[request->header_count++] = bf_xasprintf("content-type: %s", content_type);
    request->headers[request->header_count++] = bf_xstrdup("expect:"); // curl's own would cost a round trip
}

static void header(struct push_request *request, const char *name, const char *value)
{
    if (request->header_count < PUSH_HEADERS_MAX)
        request->headers[request->header_count++] = bf_xasprintf("%s: %s", name, value);
}

static void bearer_header(struct push_request *request, const char *bearer)
{
    bf_autofree char *value = NULL;

    if (!*bearer)
        return;
    value = bf_xasprintf("Bearer %s", bearer);
    header(request, "authorization", value);
    explicit_bzero(value, strlen(value));
}

static char *dump_take(json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return text;
}

void push_request_release(struct push_request *request)
{
    free(request->url);
    for (size_t i = 0; i < request->header_count; i++)
        bf_vault_forget(request->headers[i]);
    bf_vault_forget(request->body);
    *request = (struct push_request){.url = NULL};
}

static void set(json_t *object, const char *name, const char *value)
{
    if (value && *value)
        json_object_set_new(object, name, json_string(value));
}

// What the app reads.
static json_t *data_of(const struct push *push)
{
    char id[BF_ID_TEXT_SIZE], until[BF_RFC3339_SIZE];
    json_t *data = json_pack("{s:s, s:s}", "type", types[push->kind], "call_id", bf_id_text(push->call, id));

    set(data, "number", push->number);
    if (push->kind == PUSH_TEST)
        return data;
    set(data, "sip_call_id", push->sip_call_id);
    set(data, "caller", push->caller);
    set(data, "caller_name", push->caller_name);
    set(data, "callee", push->callee);
    if (push->kind == PUSH_CANCEL)
        return data;
    set(data, "wake_token", push->wake_token);
    set(data, "until", bf_rfc3339(push->until_ms, until));
    return data;
}

static uint64_t seconds_left(const struct push *push, uint64_t now_ms)
{
    return push->until_ms > now_ms ? (push->until_ms - now_ms + 999) / 1000 : 0;
}

// What a person reads where the provider shows something by itself.
static const char *title_of(const struct push *push)
{
    switch (push->kind) {
    case PUSH_TEST:
        return "Test";
    case PUSH_CANCEL:
        return "Missed call";
    default:
        return "Incoming call";
    }
}

static const char *who(const struct push *push)
{
    if (push->kind == PUSH_TEST)
        return "Pushes reach this device.";
    return push->caller_name && *push->caller_name ? push->caller_name : push->caller ? push->caller : "";
}

// ---- Apple

static bool is_voip(const char *topic)
{
    size_t len = strlen(topic);

    return len > 5 && strcmp(topic + len - 5, ".voip") == 0;
}

char *push_apns_topic(const char *device_topic, const struct push_credential *credential)
{
    if (*device_topic)
        return bf_xstrdup(device_topic);
    if (!*credential->topic || is_voip(credential->topic))
        return bf_xstrdup(credential->topic);
    return bf_xasprintf("%s.voip", credential->topic);
}

static char *apns_body(const struct push *push, bool voip)
{
    json_t *body = data_of(push);
    json_t *aps = voip ? json_object()
                       : json_pack("{s:{s:s, s:s}, s:s, s:s}", "alert", "title", title_of(push), "body",
                                   who(push), "sound", "default", "interruption-level", "time-sensitive");

    json_object_set_new(body, "aps", aps);
    return dump_take(body);
}

void push_request_apns(const struct push_bases *bases, const struct push_credential *credential,
                       const char *bearer, const struct push *push, struct bf_id id, uint64_t now_ms,
                       struct push_request *ret_request)
{
    bf_autofree char *topic = push_apns_topic(push->topic, credential);
    bf_autofree char *until =
        bf_xasprintf("%" PRIu64, push->until_ms > now_ms ? (push->until_ms + 999) / 1000 : 0);
    bool voip = is_voip(topic);
    char text[BF_ID_TEXT_SIZE];

    request_begin(ret_request, "application/json");
    ret_request->url =
        bf_xasprintf("%s/3/device/%s", credential->sandbox ? bases->apns_sandbox : bases->apns, push->token);
    bearer_header(ret_request, bearer);
    header(ret_request, "apns-topic", topic);
    header(ret_request, "apns-push-type", voip ? "voip" : "alert");
    header(ret_request, "apns-priority", "10");
    header(ret_request, "apns-expiration", until);
    header(ret_request, "apns-id", bf_id_text(id, text));
    // The cancel takes the place of a wake that is still on its way.
    header(ret_request, "apns-collapse-id", bf_id_text(push->call, text));
    ret_request->body = apns_body(push, voip);
}

char *push_apns_bearer(const struct push_credential *credential, uint64_t now_ms)
{
    bf_autofree char *header = dump_take(json_pack("{s:s, s:s}", "alg", "ES256", "kid", credential->key_id));
    bf_autofree char *claims =
        dump_take(json_pack("{s:s, s:I}", "iss", credential->team_id, "iat", (json_int_t)(now_ms / 1000)));

    return push_jwt_sign(credential->key, header, claims);
}

// ---- Google

void push_request_fcm(const struct push_bases *bases, const struct push_credential *credential,
                      const char *bearer, const struct push *push, uint64_t now_ms,
                      struct push_request *ret_request)
{
    bf_autofree char *ttl = bf_xasprintf("%" PRIu64 "s", seconds_left(push, now_ms));

    request_begin(ret_request, "application/json");
    ret_request->url = bf_xasprintf("%s/v1/projects/%s/messages:send", bases->fcm, credential->project_id);
    bearer_header(ret_request, bearer);
    ret_request->body =
        dump_take(json_pack("{s:{s:s, s:o, s:{s:s, s:s}}}", "message", "token", push->token, "data",
                            data_of(push), "android", "priority", "HIGH", "ttl", ttl));
}

// For a form: everything but letters and digits as %XX.
static void add_form_value(struct bf_buf *into, const char *value)
{
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '_' || c == '.';
        if (plain)
            bf_buf_add(into, value, 1);
        else
            bf_buf_fmt(into, "%%%02X", c);
    }
}

bool push_request_oauth(const struct push_bases *bases, const struct push_credential *credential,
                        uint64_t now_ms, struct push_request *ret_request)
{
    bf_cleanup(bf_buf_release) struct bf_buf form;
    bf_autofree char *header =
        dump_take(json_pack("{s:s, s:s, s:s}", "alg", "RS256", "typ", "JWT", "kid", credential->key_id));
    bf_autofree char *claims = dump_take(
        json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", credential->client_email, "scope",
                  "https://www.googleapis.com/auth/firebase.messaging", "aud", bases->fcm_token, "iat",
                  (json_int_t)(now_ms / 1000), "exp", (json_int_t)(now_ms / 1000) + PUSH_JWT_LIFE_S));
    char *jwt = push_jwt_sign(credential->key, header, claims);

    if (!jwt)
        return false;
    bf_buf_init(&form, FORM_BYTES_MAX);
    bf_buf_str(&form, "grant_type=");
    add_form_value(&form, "urn:ietf:params:oauth:grant-type:jwt-bearer");
    bf_buf_str(&form, "&assertion=");
    add_form_value(&form, jwt);
    bf_vault_forget(jwt);
    request_begin(ret_request, "application/x-www-form-urlencoded");
    ret_request->url = bf_xstrdup(bases->fcm_token);
    ret_request->body = bf_xstrdup(form.at);
    explicit_bzero(form.at, form.len);
    return true;
}

// ---- Expo

// A cancel shows nothing by itself: the app takes the ringing away.
static json_t *expo_message(const struct push *push, uint64_t now_ms)
{
    json_t *message = json_pack("{s:s, s:o, s:s, s:I}", "to", push->token, "data", data_of(push), "priority",
                                "high", "ttl", (json_int_t)seconds_left(push, now_ms));

    if (push->kind == PUSH_CANCEL) {
        json_object_set_new(message, "_contentAvailable", json_true());
        return message;
    }
    set(message, "title", title_of(push));
    set(message, "body", who(push));
    set(message, "sound", "default");
    return message;
}

void push_request_expo(const struct push_bases *bases, const char *bearer, const struct push *pushes,
                       uint64_t now_ms, struct push_request *ret_request)
{
    json_t *messages = json_array();

    for (const struct push *each = pushes; each; each = each->next)
        json_array_append_new(messages, expo_message(each, now_ms));
    request_begin(ret_request, "application/json");
    ret_request->url = bf_xasprintf("%s/--/api/v2/push/send", bases->expo);
    header(ret_request, "accept", "application/json");
    bearer_header(ret_request, bearer);
    ret_request->body = dump_take(messages);
}

void push_request_receipts(const struct push_bases *bases, const char *bearer, const char *const *tickets,
                           size_t count, struct push_request *ret_request)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(ids, json_string(tickets[i]));
    request_begin(ret_request, "application/json");
    ret_request->url = bf_xasprintf("%s/--/api/v2/push/getReceipts", bases->expo);
    header(ret_request, "accept", "application/json");
    bearer_header(ret_request, bearer);
    ret_request->body = dump_take(json_pack("{s:o}", "ids", ids));
}
