// Calls as JSON.
#include "call_json.h"

#include <string.h>

#include "bf_clock.h"

// ---- details: numbers as they came

static const struct text_member {
    const char *name;
    size_t offset;
} texts[] = {
    {"call_id", offsetof(struct call_event, call_id)},
    {"caller", offsetof(struct call_event, caller)},
    {"callee", offsetof(struct call_event, callee)},
    {"from_tag", offsetof(struct call_event, from_tag)},
    {"to_tag", offsetof(struct call_event, to_tag)},
    {"relay", offsetof(struct call_event, relay)},
    {"user_agent", offsetof(struct call_event, user_agent)},
};

// Kinds whose lines make up a call's state; the others would only say the same again.
static bool has_details(enum call_kind kind)
{
    return kind == CALL_STARTED || kind == CALL_ANSWERED || kind == CALL_ENDED;
}

static json_t *leg_keep(const struct bf_leg *leg)
{
    char tag[CALL_TEXT_SIZE], codec[BF_LEG_CODEC_SIZE];

    bf_text_clean(leg->tag, tag, sizeof(tag));
    bf_text_clean(leg->codec, codec, sizeof(codec));
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "tag", tag, "codec", codec, "packets",
                     (json_int_t)leg->packets, "octets", (json_int_t)leg->octets, "lost",
                     (json_int_t)leg->lost, "jitter_us", (json_int_t)leg->jitter_us, "mos_x10",
                     (json_int_t)leg->mos_x10, "round_trip_us", (json_int_t)leg->round_trip_us);
}

char *call_json_details(const struct call_event *event)
{
    bool all = has_details(event->kind);

    if (!all && !event->local_plan && event->leg_count == 0)
        return NULL;
    json_t *json = json_object();
    char *text = NULL;
    for (size_t i = 0; i < BF_LEN(texts) && all; i++) {
        const char *value = *(const char *const *)((const char *)event + texts[i].offset);
        if (value && *value)
            json_object_set_new(json, texts[i].name, json_string(value));
    }
    if (event->local_plan)
        json_object_set_new(json, "local_plan", json_true());
    if (event->leg_count) {
        json_t *legs = json_array();
        for (size_t i = 0; i < event->leg_count && i < BF_LEGS_MAX; i++)
            json_array_append_new(legs, leg_keep(&event->legs[i]));
        json_object_set_new(json, "legs", legs);
    }
    if (json_object_size(json) > 0)
        text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static uint64_t number_of(const json_t *json, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(json, name));

    return value > 0 ? (uint64_t)value : 0;
}

static void leg_read(const json_t *json, struct bf_leg *leg)
{
    *leg = (struct bf_leg){
        .packets = number_of(json, "packets"),
        .octets = number_of(json, "octets"),
        .lost = number_of(json, "lost"),
        .jitter_us = (uint32_t)number_of(json, "jitter_us"),
        .mos_x10 = (uint32_t)number_of(json, "mos_x10"),
        .round_trip_us = (uint32_t)number_of(json, "round_trip_us"),
    };
    bf_text_clean(json_string_value(json_object_get(json, "tag")), leg->tag, sizeof(leg->tag));
    bf_text_clean(json_string_value(json_object_get(json, "codec")), leg->codec, sizeof(leg->codec));
}

void call_json_details_read(const char *text, struct call_details *details, struct call_event *event)
{
    details->json = *text ? json_loads(text, 0, NULL) : NULL;
    for (size_t i = 0; i < BF_LEN(texts); i++) {
        const char *value = json_string_value(json_object_get(details->json, texts[i].name));
        *(const char **)((char *)event + texts[i].offset) = value ? value : "";
    }
    event->local_plan = json_is_true(json_object_get(details->json, "local_plan"));
    const json_t *legs = json_object_get(details->json, "legs");
    event->legs = details->legs;
    event->leg_count = json_array_size(legs) < BF_LEGS_MAX ? json_array_size(legs) : BF_LEGS_MAX;
    for (size_t i = 0; i < event->leg_count; i++)
        leg_read(json_array_get(legs, i), &details->legs[i]);
}

void call_json_details_release(struct call_details *details)
{
    json_decref(details->json);
    details->json = NULL;
}

// ---- for people

static json_t *real_if(bool known, double value)
{
    return known ? json_real(value) : json_null();
}

json_t *call_json_leg(const struct bf_leg *leg, const char *party)
{
    uint64_t expected = leg->packets + leg->lost;
    bool known = bf_leg_reported(leg);

    return json_pack(
        "{s:o, s:o, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "party", bf_json_text(party), "tag",
        bf_json_text(leg->tag), "codec", bf_json_text(leg->codec), "packets", (json_int_t)leg->packets,
        "octets", (json_int_t)leg->octets, "lost_packets",
        known ? json_integer((json_int_t)leg->lost) : json_null(), "loss_percent",
        real_if(known && expected, 100.0 * (double)leg->lost / (double)(expected ? expected : 1)),
        "jitter_ms", real_if(known, leg->jitter_us / 1000.0), "mos", real_if(known, leg->mos_x10 / 10.0),
        "round_trip_ms", real_if(known && leg->round_trip_us, leg->round_trip_us / 1000.0));
}

json_t *call_json_legs(const struct call *call)
{
    json_t *legs = json_array();

    for (size_t i = 0; i < call->leg_count; i++)
        json_array_append_new(legs, call_json_leg(&call->legs[i], call_leg_party(call, &call->legs[i])));
    return legs;
}

json_t *call_json_live(const struct call *call, uint64_t now_ms)
{
    uint64_t talk_ms = call->answered_ms && now_ms > call->answered_ms ? now_ms - call->answered_ms : 0;

    return json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:s, s:o, s:o, s:b}", "id",
                     bf_json_id(call->id), "state", call_state_name(call->state), "caller", call->caller,
                     "callee", call->callee, "number", bf_json_text(call->number), "device",
                     bf_json_text(call->device), "user_agent", bf_json_text(call->user_agent), "started_at",
                     bf_json_time(call->started_ms), "ringing_at", bf_json_time(call->ringing_ms),
                     "answered_at", bf_json_time(call->answered_ms), "talk_ms", (json_int_t)talk_ms, "edge",
                     call->edge, "relay", bf_json_text(call->relay), "sip_call_id",
                     bf_json_text(call->call_id), "local_plan", call->local_plan);
}

json_t *call_json_event(const struct call_event *event)
{
    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "seq", (json_int_t)event->seq, "time",
                     bf_json_time(event->at_ms), "kind", call_kind_name(event->kind), "number",
                     bf_json_text(event->number), "device", bf_json_text(event->device), "code",
                     event->code ? json_integer(event->code) : json_null(), "text",
                     bf_json_text(event->reason), "edge", bf_json_text(event->edge));
}
