// event.v1's protobuf.
#include "tell_wire.h"

#include "belfry/event/v1/event.pb-c.h"

// It is only read.
static ProtobufCBinaryData bytes_of(const struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), (uint8_t *)id->bytes};
}

static bool entry_add(struct bf_buf *into, const Belfry__Event__V1__Entry *entry)
{
    bf_autofree uint8_t *bytes = bf_xcalloc(belfry__event__v1__entry__get_packed_size(entry) + 1, 1);

    bf_buf_add(into, bytes, belfry__event__v1__entry__pack(entry, bytes));
    return bf_buf_ok(into);
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
    return entry_add(into, &entry);
}

bool tell_wire_wake(struct bf_buf *into, const struct tell_wake_begin *wake)
{
    Belfry__Event__V1__Entry entry = BELFRY__EVENT__V1__ENTRY__INIT;
    Belfry__Event__V1__Wake message = BELFRY__EVENT__V1__WAKE__INIT;

    message.tenant_id = bytes_of(&wake->tenant);
    message.call = bytes_of(&wake->call);
    message.device = bytes_of(&wake->device);
    message.number = (char *)wake->number;
    message.caller = (char *)wake->caller;
    message.caller_name = (char *)wake->caller_name;
    message.callee = (char *)wake->callee;
    message.sip_call_id = (char *)wake->sip_call_id;
    message.token = (char *)wake->token;
    message.at_ms = wake->at_ms;
    message.until_ms = wake->until_ms;
    entry.what_case = BELFRY__EVENT__V1__ENTRY__WHAT_WAKE;
    entry.wake = &message;
    return entry_add(into, &entry);
}

bool tell_wire_wake_end(struct bf_buf *into, const struct tell_wake_end *end)
{
    static const Belfry__Event__V1__WakeEnd__Why whys[] = {
        [TELL_WAKE_REGISTERED] = BELFRY__EVENT__V1__WAKE_END__WHY__REGISTERED,
        [TELL_WAKE_TIMED_OUT] = BELFRY__EVENT__V1__WAKE_END__WHY__TIMED_OUT,
        [TELL_WAKE_ANSWERED] = BELFRY__EVENT__V1__WAKE_END__WHY__ANSWERED,
        [TELL_WAKE_CANCELLED] = BELFRY__EVENT__V1__WAKE_END__WHY__CANCELLED,
    };
    Belfry__Event__V1__Entry entry = BELFRY__EVENT__V1__ENTRY__INIT;
    Belfry__Event__V1__WakeEnd message = BELFRY__EVENT__V1__WAKE_END__INIT;

    message.tenant_id = bytes_of(&end->tenant);
    message.call = bytes_of(&end->call);
    if (!bf_id_is_nil(end->device))
        message.device = bytes_of(&end->device);
    message.at_ms = end->at_ms;
    message.why = whys[end->why];
    entry.what_case = BELFRY__EVENT__V1__ENTRY__WHAT_WAKE_END;
    entry.wake_end = &message;
    return entry_add(into, &entry);
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
