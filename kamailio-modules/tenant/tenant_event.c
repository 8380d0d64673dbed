// Of the generated names, those of call events are known here.
#include "tenant_event.h"

#include <jansson.h>
#include <string.h>
#include "belfry/call/v1/call.pb-c.h"

typedef Belfry__Call__V1__CallEvent pb_event;
typedef Belfry__Call__V1__MediaLeg pb_leg;

#define TEXTS 10

// ---- packing ----------------------------------------------------------------------------------------------

struct texts {
    char *owned[TEXTS];
    size_t count;
};

static char *text_add(struct texts *texts, struct bf_str text)
{
    return texts->owned[texts->count++] = bf_xstrndup(text.at ? text.at : "", text.len);
}

static void texts_set(pb_event *message, const struct tenant_event *event, struct texts *texts)
{
    message->call_id = text_add(texts, event->call_id);
    message->caller = text_add(texts, event->caller);
    message->callee = text_add(texts, event->callee);
    message->number = text_add(texts, event->number);
    message->ruid = text_add(texts, event->ruid);
    message->reason = text_add(texts, event->reason);
    message->from_tag = text_add(texts, event->from_tag);
    message->to_tag = text_add(texts, event->to_tag);
    message->relay = text_add(texts, event->relay);
    message->user_agent = text_add(texts, event->user_agent);
}

static void leg_set(pb_leg *message, const struct tenant_event_leg *leg)
{
    belfry__call__v1__media_leg__init(message);
    message->tag = (char *)leg->tag;
    message->codec = (char *)leg->codec;
    message->packets = leg->packets;
    message->octets = leg->octets;
    message->lost = leg->lost;
    message->jitter_us = leg->jitter_us;
    message->mos_x10 = leg->mos_x10;
    message->round_trip_us = leg->round_trip_us;
}

static void entry_pack(Belfry__Call__V1__Entry *entry, struct bf_buf *into)
{
    size_t len = belfry__call__v1__entry__get_packed_size(entry);
    uint8_t *bytes = calloc(1, len + 1);

    if (bytes)
        bf_buf_add(into, bytes, belfry__call__v1__entry__pack(entry, bytes));
    else
        into->over = true;
    free(bytes);
}

void tenant_event_pack(const struct tenant_event *event, struct bf_buf *into)
{
    Belfry__Call__V1__Entry entry = BELFRY__CALL__V1__ENTRY__INIT;
    pb_event message = BELFRY__CALL__V1__CALL_EVENT__INIT;
    struct texts texts = {0};
    pb_leg legs[TENANT_EVENT_LEGS_MAX], *leg_pointers[TENANT_EVENT_LEGS_MAX];

    message.call = (ProtobufCBinaryData){sizeof(event->call.bytes), (uint8_t *)event->call.bytes};
    message.tenant_id = (ProtobufCBinaryData){sizeof(event->tenant.bytes), (uint8_t *)event->tenant.bytes};
    message.seq = event->seq;
    message.kind = (Belfry__Call__V1__CallEvent__Kind)event->kind;
    message.code = event->code;
    message.local_plan = event->local_plan;
    texts_set(&message, event, &texts);
    for (size_t i = 0; i < event->leg_count && i < TENANT_EVENT_LEGS_MAX; i++) {
        leg_set(&legs[i], &event->legs[i]);
        leg_pointers[i] = &legs[i];
        message.n_media = i + 1;
    }
    message.media = leg_pointers;
    entry.at_ms = event->at_ms;
    entry.what_case = BELFRY__CALL__V1__ENTRY__WHAT_CALL;
    entry.call = &message;
    entry_pack(&entry, into);
    for (size_t i = 0; i < texts.count; i++)
        free(texts.owned[i]);
}

// ---- media figures ----------------------------------------------------------------------------------------

static uint64_t number_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    double number = json_is_number(value) ? json_number_value(value) : 0;

    return number > 0 && number < 9e15 ? (uint64_t)number : 0;
}

static void text_copy(const json_t *value, char *into, size_t max)
{
    const char *text = json_is_string(value) ? json_string_value(value) : "";

    snprintf(into, max + 1, "%s", text);
}

// The relay keeps times in ms (jitter) and us (round trip), MOS x 10, loss in percent.
static void leg_quality(const json_t *ssrcs, uint64_t ssrc, struct tenant_event_leg *leg)
{
    char name[24];
    const json_t *average, *record;

    snprintf(name, sizeof(name), "%llu", (unsigned long long)ssrc);
    record = json_object_get(ssrcs, name);
    average = json_object_get(record, "average MOS");
    leg->mos_x10 = (uint32_t)number_of(average, "MOS");
    leg->jitter_us = (uint32_t)number_of(average, "jitter") * 1000u;
    leg->round_trip_us = (uint32_t)number_of(average, "round-trip time");
    leg->lost += number_of(average, "packet loss") * number_of(record, "packets") / 100u;
}

static bool is_rtp(const json_t *stream)
{
    const json_t *flags = json_object_get(stream, "flags");

    for (size_t i = 0; i < json_array_size(flags); i++) {
        const json_t *flag = json_array_get(flags, i);
        if (json_is_string(flag) && strcmp(json_string_value(flag), "RTP") == 0)
            return true;
    }
    return false;
}

static void media_add(const json_t *media, const json_t *ssrcs, struct tenant_event_leg *leg)
{
    const json_t *streams = json_object_get(media, "streams");

    if (!leg->codec[0])
        text_copy(json_object_get(media, "codec"), leg->codec, TENANT_EVENT_CODEC_MAX);
    for (size_t i = 0; i < json_array_size(streams); i++) {
        const json_t *stream = json_array_get(streams, i);
        const json_t *stats = json_object_get(stream, "stats");
        if (!is_rtp(stream) || number_of(stats, "packets") == 0)
            continue;
        leg->packets += number_of(stats, "packets");
        leg->octets += number_of(stats, "bytes");
        leg_quality(ssrcs, number_of(stream, "SSRC"), leg);
    }
}

size_t tenant_event_legs(struct bf_str json, struct tenant_event_leg legs[TENANT_EVENT_LEGS_MAX])
{
    json_t *root = json_loadb(json.at ? json.at : "", json.len, 0, NULL);
    json_t *tag;
    const char *name;
    size_t count = 0;

    json_object_foreach(json_object_get(root, "tags"), name, tag)
    {
        const json_t *medias = json_object_get(tag, "medias");
        struct tenant_event_leg leg = {0};
        snprintf(leg.tag, sizeof(leg.tag), "%s", name);
        for (size_t i = 0; i < json_array_size(medias); i++)
            media_add(json_array_get(medias, i), json_object_get(root, "SSRC"), &leg);
        if (leg.packets > 0 && count < TENANT_EVENT_LEGS_MAX)
            legs[count++] = leg;
    }
    json_decref(root);
    return count;
}
