// What tenants are told of a call.
#include "tell.h"

#include <jansson.h>
#include <string.h>

#include "bf_crypto.h"
#include "bf_json.h"
#include "tell_wire.h"

#define NUMBERS_MAX 3

// By kind. Of those by number there is one for each number in a call, of the others one.
static const struct {
    const char *type;
    bool by_number;
} told[] = {
    [CALL_STARTED] = {"call.started", false}, [CALL_BRANCH] = {"call.incoming", true},
    [CALL_RINGING] = {"call.ringing", true},  [CALL_ANSWERED] = {"call.answered", false},
    [CALL_ENDED] = {"call.ended", false},
};

const char *tell_type(enum call_kind kind)
{
    return (size_t)kind < BF_LEN(told) ? told[kind].type : NULL;
}

struct bf_id tell_id(struct bf_id call, const char *type, const char *text)
{
    bf_cleanup(bf_buf_release) struct bf_buf all;
    uint8_t hash[BF_SHA256_BYTES];
    struct bf_id id = call; // its first 6 bytes stay: the call's time

    bf_buf_init(&all, 1024);
    bf_buf_add(&all, call.bytes, sizeof(call.bytes));
    bf_buf_add(&all, type, strlen(type) + 1);
    bf_buf_str(&all, text);
    bf_sha256(all.at, all.len, hash);
    memcpy(id.bytes + 6, hash, sizeof(id.bytes) - 6);
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80); // version 8
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}

static json_t *ended_data(json_t *data, const struct call *call)
{
    struct cdr cdr = call_cdr(call);

    json_object_set_new(data, "answered_by", bf_json_text(call->answered_ms ? call->number : ""));
    json_object_set_new(data, "result", json_string(cdr.result));
    json_object_set_new(data, "code", json_integer(cdr.code));
    json_object_set_new(data, "reason", bf_json_text(call->reason));
    json_object_set_new(data, "hung_up_by", bf_json_text(cdr.hung_up_by));
    json_object_set_new(data, "ring_ms", json_integer((json_int_t)cdr.ring_ms));
    json_object_set_new(data, "talk_ms", json_integer((json_int_t)cdr.talk_ms));
    return data;
}

static char *data_text(const struct call_event *event, const struct call *call)
{
    json_t *data = json_pack("{s:s, s:s}", "caller", call->caller, "callee", call->callee);

    if (event->kind == CALL_STARTED)
        json_object_set_new(data, "sip_call_id", bf_json_text(call->call_id));
    else if (event->kind == CALL_ENDED)
        ended_data(data, call);
    else
        json_object_set_new(data, "number", bf_json_text(event->number));
    char *text = json_dumps(data, JSON_COMPACT);
    json_decref(data);
    return text;
}

// What is dialled may be longer than a number, or no extension: then nobody has a token for it.
static size_t numbers_of(const struct call_event *event, const struct call *call,
                         const char *numbers[NUMBERS_MAX])
{
    const char *parties[NUMBERS_MAX] = {call->caller, call->callee, event->number ? event->number : ""};
    size_t count = 0;

    for (size_t i = 0; i < NUMBERS_MAX; i++) {
        bool known = !*parties[i] || strlen(parties[i]) > 32 ||
                     parties[i][strspn(parties[i],
                                       "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._+-")];
        for (size_t j = 0; j < count; j++)
            known = known || strcmp(numbers[j], parties[i]) == 0;
        if (!known)
            numbers[count++] = parties[i];
    }
    return count;
}

bool tell_entry(const struct call_event *event, const struct call *call, struct bf_buf *into)
{
    const char *type = tell_type(event->kind), *numbers[NUMBERS_MAX];

    if (!type || (told[event->kind].by_number && !*event->number))
        return false;
    bf_autofree char *data = data_text(event, call);
    struct tell_event tell = {
        .id = tell_id(event->call, type, told[event->kind].by_number ? event->number : ""),
        .tenant = event->tenant,
        .call = event->call,
        .type = type,
        .at_ms = event->at_ms,
        .seq = event->seq,
        .numbers = numbers,
        .number_count = numbers_of(event, call, numbers),
        .data = data};
    return tell_wire_entry(into, &tell);
}

// ---- for those who push

static enum tell_wake_why why_of(const struct call_event *event)
{
    if (event->kind == CALL_WOKEN)
        return TELL_WAKE_REGISTERED;
    if (event->kind == CALL_WAKE_ENDED && strcmp(event->reason, "timeout") == 0)
        return TELL_WAKE_TIMED_OUT;
    if (event->kind == CALL_WAKE_ENDED && strcmp(event->reason, "answered") == 0)
        return TELL_WAKE_ANSWERED;
    return TELL_WAKE_CANCELLED;
}

static bool wake_end(const struct call_event *event, struct bf_buf *into)
{
    return tell_wire_wake_end(into, &(struct tell_wake_end){.tenant = event->tenant,
                                                            .call = event->call,
                                                            .device = event->push,
                                                            .at_ms = event->at_ms,
                                                            .why = why_of(event)});
}

static bool wake_begin(const struct call_event *event, const struct call *call, const struct tell_wake *wake,
                       struct bf_buf *into)
{
    return tell_wire_wake(into, &(struct tell_wake_begin){.tenant = event->tenant,
                                                          .call = event->call,
                                                          .device = event->push,
                                                          .number = event->number,
                                                          .caller = call->caller,
                                                          .caller_name = wake->caller_name,
                                                          .callee = call->callee,
                                                          .sip_call_id = call->call_id,
                                                          .token = wake->token,
                                                          .at_ms = event->at_ms,
                                                          .until_ms = event->until_ms});
}

bool tell_wake_entry(const struct call_event *event, const struct call *call, const struct tell_wake *wake,
                     struct bf_buf *into)
{
    switch (event->kind) {
    case CALL_WAKING:
        return wake && wake_begin(event, call, wake, into);
    case CALL_WOKEN:
    case CALL_WAKE_ENDED:
        return !bf_id_is_nil(event->push) && wake_end(event, into);
    case CALL_ENDED: // an edge tells the end of each wait before
        return event->seq == CALL_SEQ_CLOSED && call->waited && wake_end(event, into);
    default:
        return false;
    }
}
