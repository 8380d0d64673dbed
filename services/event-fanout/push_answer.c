// What the providers' answers mean.
#include "push_answer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define RETRY_AFTER_S_MAX 600
#define OAUTH_LIFE_S_MAX  3600

struct meaning {
    const char *reason;
    enum push_verdict verdict;
};

// Only what a provider says of the token itself ends a device. What is wrong with us (credentials, topics)
// would end all of them at once.
static const struct meaning apns_meanings[] = {
    {"BadDeviceToken", PUSH_DEAD},
    {"Unregistered", PUSH_DEAD},
    {"ExpiredToken", PUSH_DEAD},
    {"ExpiredProviderToken", PUSH_REAUTH},
    {"TooManyProviderTokenUpdates", PUSH_AGAIN},
    {"TooManyRequests", PUSH_AGAIN},
    {"IdleTimeout", PUSH_AGAIN},
    {"InternalServerError", PUSH_AGAIN},
    {"ServiceUnavailable", PUSH_AGAIN},
    {"Shutdown", PUSH_AGAIN},
};

static const struct meaning fcm_meanings[] = {
    {"UNREGISTERED", PUSH_DEAD},       {"QUOTA_EXCEEDED", PUSH_AGAIN},   {"UNAVAILABLE", PUSH_AGAIN},
    {"INTERNAL", PUSH_AGAIN},          {"UNAUTHENTICATED", PUSH_REAUTH}, {"RESOURCE_EXHAUSTED", PUSH_AGAIN},
    {"DEADLINE_EXCEEDED", PUSH_AGAIN},
};

static const struct meaning expo_meanings[] = {
    {"DeviceNotRegistered", PUSH_DEAD},
    {"MessageRateExceeded", PUSH_AGAIN},
    {"ExpoError", PUSH_AGAIN},
    {"ProviderError", PUSH_AGAIN},
};

// ---- what all have in common

// By the reason if it is known, else by the status.
static enum push_verdict verdict_of(const struct meaning *meanings, size_t count, const char *reason,
                                    int code)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(meanings[i].reason, reason) == 0)
            return meanings[i].verdict;
    return code == 0 || code == 408 || code == 429 || code >= 500 ? PUSH_AGAIN : PUSH_DROPPED;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

// Expo names the token that it complains of, also in receipts, where we do not have it:
// "ExponentPushToken[...]".
static void hide_expo_tokens(char *text)
{
    for (char *at = text; (at = strstr(at, "PushToken["));) {
        at += strlen("PushToken[");
        size_t len = strcspn(at, "]");
        memmove(at, at + len, strlen(at + len) + 1);
    }
}

static void detail_set(char detail[PUSH_DETAIL_SIZE], const char *reason, const char *words)
{
    bf_autofree char *text =
        *reason && *words ? bf_xasprintf("%s: %s", reason, words) : bf_xstrdup(*reason ? reason : words);

    hide_expo_tokens(text);
    bf_text_clean(text, detail, PUSH_DETAIL_SIZE);
}

static json_t *body_of(const struct push_answer *answer)
{
    return json_loadb(answer->body.at, answer->body.len, 0, NULL);
}

static uint64_t wait_of(const struct push_answer *answer)
{
    int64_t wait_s = answer->retry_after_s > 0 ? answer->retry_after_s : 0;

    return (uint64_t)(wait_s < RETRY_AFTER_S_MAX ? wait_s : RETRY_AFTER_S_MAX) * 1000;
}

// Everything that failed. `words` may be "".
static void failed(const struct push_answer *answer, enum push_verdict verdict, const char *reason,
                   const char *words, struct push_outcome *outcome)
{
    bf_autofree char *status = bf_xasprintf("HTTP status %d", answer->code);

    outcome->verdict = verdict;
    outcome->code = answer->code;
    outcome->wait_ms = wait_of(answer);
    if (*reason || *words)
        detail_set(outcome->detail, reason, words);
    else
        detail_set(outcome->detail, "", *answer->error ? answer->error : status);
}

static bool is_success(const struct push_answer *answer)
{
    return answer->code >= 200 && answer->code <= 299 && !*answer->error;
}

// ---- Apple: {"reason":"Unregistered","timestamp":1700000000000}

void push_answer_apns(const struct push_answer *answer, struct push_outcome *ret_outcome)
{
    json_t *body = is_success(answer) ? NULL : body_of(answer);
    const char *reason = text_of(body, "reason");

    if (is_success(answer)) {
        ret_outcome->verdict = PUSH_SENT;
        ret_outcome->code = answer->code;
        return;
    }
    failed(answer, verdict_of(apns_meanings, BF_LEN(apns_meanings), reason, answer->code), reason, "",
           ret_outcome);
    if (answer->code == 410) {
        ret_outcome->verdict = PUSH_DEAD;
        json_int_t dead_ms = json_integer_value(json_object_get(body, "timestamp"));
        ret_outcome->dead_ms = dead_ms > 0 ? (uint64_t)dead_ms : 0;
    }
    json_decref(body);
}

// ---- Google: {"error":{"code","message","status","details":[{"@type","errorCode"},{"fieldViolations"}]}}

static const char *fcm_reason(const json_t *error)
{
    const char *reason = "";
    json_t *detail;
    size_t i;

    json_array_foreach(json_object_get(error, "details"), i, detail) if (*text_of(detail, "errorCode"))
        reason = text_of(detail, "errorCode");
    return *reason ? reason : text_of(error, "status");
}

// A token that is none is as dead as one that was.
static bool fcm_blames_token(const json_t *error)
{
    json_t *detail, *violation;
    size_t i, j;

    json_array_foreach(json_object_get(error, "details"), i, detail) json_array_foreach(
        json_object_get(detail, "fieldViolations"), j,
        violation) if (strcmp(text_of(violation, "field"), "message.token") == 0) return true;
    return false;
}

void push_answer_fcm(const struct push_answer *answer, struct push_outcome *ret_outcome)
{
    json_t *body = body_of(answer);

    if (is_success(answer)) {
        ret_outcome->verdict = PUSH_SENT;
        ret_outcome->code = answer->code;
        bf_text_clean(text_of(body, "name"), ret_outcome->ref, sizeof(ret_outcome->ref));
    } else {
        const json_t *error = json_object_get(body, "error");
        const char *reason = fcm_reason(error);
        enum push_verdict verdict =
            fcm_blames_token(error) ? PUSH_DEAD
            : answer->code == 401   ? PUSH_REAUTH
                                    : verdict_of(fcm_meanings, BF_LEN(fcm_meanings), reason, answer->code);
        failed(answer, verdict, reason, text_of(error, "message"), ret_outcome);
    }
    json_decref(body);
}

bool push_answer_oauth(const struct push_answer *answer, char **ret_token, int64_t *ret_life_s,
                       struct push_outcome *ret_outcome)
{
    json_t *body = body_of(answer);
    const char *token = text_of(body, "access_token");
    json_int_t life_s = json_integer_value(json_object_get(body, "expires_in"));
    bool good = is_success(answer) && *token && life_s > 0 && !strpbrk(token, "\r\n");

    if (good) {
        *ret_token = bf_xstrdup(token);
        *ret_life_s = life_s < OAUTH_LIFE_S_MAX ? life_s : OAUTH_LIFE_S_MAX;
    } else {
        const char *reason = text_of(body, "error");
        failed(answer, verdict_of(NULL, 0, "", is_success(answer) ? 502 : answer->code),
               *reason ? reason : "no access token", text_of(body, "error_description"), ret_outcome);
    }
    json_decref(body);
    return good;
}

// ---- Expo:
// {"data":[{"status":"ok","id"},{"status":"error","message","details":{"error"}}],"errors":[{"code"}]}

static const char *expo_reason(const json_t *ticket)
{
    return text_of(json_object_get(ticket, "details"), "error");
}

static void expo_ticket(const struct push_answer *answer, const json_t *ticket, struct push_outcome *outcome)
{
    const char *status = text_of(ticket, "status"), *reason = expo_reason(ticket);

    if (strcmp(status, "ok") == 0) {
        outcome->verdict = PUSH_SENT;
        outcome->code = answer->code;
        bf_text_clean(text_of(ticket, "id"), outcome->ref, sizeof(outcome->ref));
        return;
    }
    failed(answer, verdict_of(expo_meanings, BF_LEN(expo_meanings), reason, *status ? answer->code : 502),
           reason, *status ? text_of(ticket, "message") : "the answer has no ticket for this message",
           outcome);
}

void push_answer_expo(const struct push_answer *answer, struct push_outcome *ret_outcomes, size_t count)
{
    json_t *body = body_of(answer);
    const json_t *tickets = json_object_get(body, "data");
    const json_t *error = json_array_get(json_object_get(body, "errors"), 0);
    const char *reason = text_of(error, "code");

    for (size_t i = 0; i < count; i++) {
        if (is_success(answer) && !error) {
            expo_ticket(answer, json_array_get(tickets, i), &ret_outcomes[i]);
            continue;
        }
        // Tokens of several projects in one request, or one that is none, spoil it for all.
        bool spoiled = answer->code == 400 && count > 1;
        failed(answer,
               spoiled ? PUSH_SPLIT
                       : verdict_of(expo_meanings, BF_LEN(expo_meanings), reason,
                                    is_success(answer) ? 502 : answer->code),
               reason, text_of(error, "message"), &ret_outcomes[i]);
    }
    json_decref(body);
}

bool push_answer_receipts(const struct push_answer *answer, const char *const *tickets, size_t count,
                          enum push_receipt *ret_receipts, char (*ret_details)[PUSH_DETAIL_SIZE])
{
    json_t *body = is_success(answer) ? body_of(answer) : NULL;
    const json_t *data = json_object_get(body, "data");
    bool answered = json_is_object(data);

    for (size_t i = 0; answered && i < count; i++) {
        const json_t *receipt = json_object_get(data, tickets[i]);
        const char *status = text_of(receipt, "status"), *reason = expo_reason(receipt);
        ret_receipts[i] = !*status                                     ? PUSH_RECEIPT_NONE
                          : strcmp(status, "ok") == 0                  ? PUSH_RECEIPT_DELIVERED
                          : strcmp(reason, "DeviceNotRegistered") == 0 ? PUSH_RECEIPT_DEAD
                                                                       : PUSH_RECEIPT_FAILED;
        detail_set(ret_details[i], reason, text_of(receipt, "message"));
    }
    json_decref(body);
    return answered;
}
