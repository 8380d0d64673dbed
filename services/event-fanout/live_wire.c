// Protobuf of events from replica to replica.
#include "live_wire.h"

#include <string.h>

#include "belfry/event/v1/event.pb-c.h"

void live_wire_add(struct bf_buf *into, const struct live_event *event)
{
    Belfry__Event__V1__Live part = BELFRY__EVENT__V1__LIVE__INIT;
    Belfry__Event__V1__LiveEvent message = BELFRY__EVENT__V1__LIVE_EVENT__INIT;
    Belfry__Event__V1__LiveEvent *list[] = {&message};

    message.id = (ProtobufCBinaryData){sizeof(event->id.bytes), (uint8_t *)event->id.bytes};
    message.tenant_id = (ProtobufCBinaryData){sizeof(event->tenant.bytes), (uint8_t *)event->tenant.bytes};
    message.type = (char *)event->type;
    message.numbers = (char *)event->numbers;
    message.body = (char *)event->body;
    part.events = list;
    part.n_events = 1;
    bf_autofree uint8_t *bytes = bf_xcalloc(1, belfry__event__v1__live__get_packed_size(&part) + 1);
    size_t size = belfry__event__v1__live__pack(&part, bytes);
    bf_buf_add(into, bytes, size);
}

bool live_wire_read(struct bf_str message, void (*each)(void *ctx, const struct live_event *event), void *ctx)
{
    Belfry__Event__V1__Live *live =
        belfry__event__v1__live__unpack(NULL, message.len, (const uint8_t *)message.at);

    if (!live)
        return false;
    for (size_t i = 0; i < live->n_events; i++) {
        const Belfry__Event__V1__LiveEvent *from = live->events[i];
        struct live_event event = {.type = from->type, .numbers = from->numbers, .body = from->body};
        if (from->id.len != sizeof(event.id.bytes) || from->tenant_id.len != sizeof(event.tenant.bytes) ||
            !bf_utf8_valid(bf_str(from->body)))
            continue;
        memcpy(event.id.bytes, from->id.data, sizeof(event.id.bytes));
        memcpy(event.tenant.bytes, from->tenant_id.data, sizeof(event.tenant.bytes));
        each(ctx, &event);
    }
    belfry__event__v1__live__free_unpacked(live, NULL);
    return true;
}
