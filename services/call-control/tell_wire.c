// event.v1's protobuf.
#include "tell_wire.h"

#include "belfry/event/v1/event.pb-c.h"

// It is only read.
static ProtobufCBinaryData bytes_of(const struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), (uint8_t *)id->bytes};
}

bool tell_wire_entry(struct bf_buf *into, const struct tell_event *event)
{
    Belfry__Event__V1__Entry entry = BELFRY__EVENT__V1__ENTRY__INIT;
    Belfry__Event__V1__Event message = BELFRY__EVENT__V1__EVENT__INIT;

    message.id = bytes_of(&event->id);
    message.tenant_id = bytes_of(&event->tenant);
    message.call = bytes_of(&event->call);
    message.type = (char *)event->type;
    message.at_ms = event->at_ms;
    message.seq = event->seq > 0 ? (uint64_t)event->seq : 0;
    message.n_numbers = event->number_count;
    message.numbers = (char **)event->numbers;
    message.data = (char *)event->data;
    entry.what_case = BELFRY__EVENT__V1__ENTRY__WHAT_EVENT;
    entry.event = &message;
    bf_autofree uint8_t *bytes = bf_xcalloc(belfry__event__v1__entry__get_packed_size(&entry) + 1, 1);
    bf_buf_add(into, bytes, belfry__event__v1__entry__pack(&entry, bytes));
    return bf_buf_ok(into);
}

void tell_wire_refused(struct bf_str reply, void (*refused)(const char *why))
{
    Belfry__Event__V1__PublishReply *answer =
        belfry__event__v1__publish_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);

    if (!answer)
        return;
    for (size_t i = 0; i < answer->n_refused; i++)
        refused(answer->refused[i]->why);
    belfry__event__v1__publish_reply__free_unpacked(answer, NULL);
}
