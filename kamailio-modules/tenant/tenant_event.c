// Of the generated names, those of call events are known here.
#include "tenant_event.h"

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

static void leg_set(pb_leg *message, const struct bf_leg *leg)
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
    pb_leg legs[BF_LEGS_MAX], *leg_pointers[BF_LEGS_MAX];

    message.call = (ProtobufCBinaryData){sizeof(event->call.bytes), (uint8_t *)event->call.bytes};
    message.tenant_id = (ProtobufCBinaryData){sizeof(event->tenant.bytes), (uint8_t *)event->tenant.bytes};
    message.seq = event->seq;
    message.kind = (Belfry__Call__V1__CallEvent__Kind)event->kind;
    message.code = event->code;
    message.local_plan = event->local_plan;
    if (!bf_id_is_nil(event->device))
        message.device = (ProtobufCBinaryData){sizeof(event->device.bytes), (uint8_t *)event->device.bytes};
    message.until_ms = event->until_ms;
    texts_set(&message, event, &texts);
    for (size_t i = 0; i < event->leg_count && i < BF_LEGS_MAX; i++) {
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
