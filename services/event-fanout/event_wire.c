// Protobuf <-> our structs.
#include "event_wire.h"

#include <string.h>

#include "belfry/event/v1/event.pb-c.h"

static bool read_id(ProtobufCBinaryData from, struct bf_id *ret_id)
{
    if (from.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, from.data, from.len);
    return true;
}

// False: leaves it as it is, and so refused.
static bool read_event(const Belfry__Event__V1__Event *from, struct event *ret_event)
{
    struct event event = {.type = from->type,
                          .at_ms = from->at_ms,
                          .seq = from->seq,
                          .numbers = (const char *const *)from->numbers,
                          .number_count = from->n_numbers,
                          .data = from->data};

    if (!read_id(from->id, &event.id) || !read_id(from->tenant_id, &event.tenant) ||
        (from->call.len && !read_id(from->call, &event.call)))
        return false;
    *ret_event = event;
    return true;
}

static bool read_wake(const Belfry__Event__V1__Wake *from, struct push_wake *ret_wake)
{
    struct push_wake wake = {.number = from->number,
                             .caller = from->caller,
                             .caller_name = from->caller_name,
                             .callee = from->callee,
                             .sip_call_id = from->sip_call_id,
                             .token = from->token,
                             .at_ms = from->at_ms,
                             .until_ms = from->until_ms};

    if (!read_id(from->tenant_id, &wake.tenant) || !read_id(from->call, &wake.call) ||
        !read_id(from->device, &wake.device))
        return false;
    *ret_wake = wake;
    return true;
}

static enum push_end read_why(Belfry__Event__V1__WakeEnd__Why why)
{
    switch (why) {
    case BELFRY__EVENT__V1__WAKE_END__WHY__REGISTERED:
        return PUSH_END_REGISTERED;
    case BELFRY__EVENT__V1__WAKE_END__WHY__TIMED_OUT:
        return PUSH_END_TIMED_OUT;
    case BELFRY__EVENT__V1__WAKE_END__WHY__ANSWERED:
        return PUSH_END_ANSWERED;
    case BELFRY__EVENT__V1__WAKE_END__WHY__CANCELLED:
        return PUSH_END_CANCELLED;
    default:
        return PUSH_ENDS;
    }
}

static bool read_wake_end(const Belfry__Event__V1__WakeEnd *from, struct push_wake_end *ret_end)
{
    struct push_wake_end end = {.why = read_why(from->why), .at_ms = from->at_ms};

    if (!read_id(from->tenant_id, &end.tenant) || !read_id(from->call, &end.call) ||
        (from->device.len && !read_id(from->device, &end.device)))
        return false;
    *ret_end = end;
    return true;
}

static struct wire_entry read_entry(const Belfry__Event__V1__Entry *from)
{
    struct wire_entry entry = {.kind = WIRE_NONE};
    bool read = false;

    switch (from->what_case) {
    case BELFRY__EVENT__V1__ENTRY__WHAT_EVENT:
        entry.kind = WIRE_EVENT;
        read = read_event(from->event, &entry.event);
        break;
    case BELFRY__EVENT__V1__ENTRY__WHAT_WAKE:
        entry.kind = WIRE_WAKE;
        read = read_wake(from->wake, &entry.wake);
        break;
    case BELFRY__EVENT__V1__ENTRY__WHAT_WAKE_END:
        entry.kind = WIRE_WAKE_END;
        read = read_wake_end(from->wake_end, &entry.wake_end);
        break;
    default:
        break;
    }
    if (!read)
        entry.kind = WIRE_NONE;
    return entry;
}

enum bf_err event_wire_read_publish(struct bf_str body, struct wire_publish *ret_publish,
                                    struct bf_buf *error)
{
    Belfry__Event__V1__PublishRequest *request =
        belfry__event__v1__publish_request__unpack(NULL, body.len, (const uint8_t *)body.at);

    if (!request || request->n_entries == 0 || request->n_entries > EVENT_WIRE_ENTRIES_MAX) {
        bf_buf_fmt(error, "entries: must be 1 to %d", EVENT_WIRE_ENTRIES_MAX);
        if (request)
            belfry__event__v1__publish_request__free_unpacked(request, NULL);
        return BF_INVALID;
    }
    struct wire_publish publish = {.count = request->n_entries, .message = request};
    publish.entries = bf_xcalloc(publish.count, sizeof(publish.entries[0]));
    for (size_t i = 0; i < publish.count; i++)
        publish.entries[i] = read_entry(request->entries[i]);
    *ret_publish = publish;
    return BF_OK;
}

void event_wire_release_publish(struct wire_publish *publish)
{
    free(publish->entries);
    belfry__event__v1__publish_request__free_unpacked(publish->message, NULL);
}

void event_wire_write_publish(struct bf_buf *into, size_t stored, const char *const *refused, size_t count)
{
    Belfry__Event__V1__PublishReply reply = BELFRY__EVENT__V1__PUBLISH_REPLY__INIT;
    bf_autofree Belfry__Event__V1__Refused *each = bf_xcalloc(count + 1, sizeof(*each));
    bf_autofree Belfry__Event__V1__Refused **list =
        bf_xcalloc(count + 1, sizeof(Belfry__Event__V1__Refused *));

    reply.stored = (uint32_t)stored;
    reply.refused = list;
    for (size_t i = 0; i < count; i++) {
        if (!refused[i])
            continue;
        Belfry__Event__V1__Refused *one = &each[reply.n_refused];
        belfry__event__v1__refused__init(one);
        one->entry = (uint32_t)i;
        one->why = (char *)refused[i];
        list[reply.n_refused++] = one;
    }
    bf_autofree uint8_t *bytes = bf_xcalloc(belfry__event__v1__publish_reply__get_packed_size(&reply) + 1, 1);
    size_t size = belfry__event__v1__publish_reply__pack(&reply, bytes);
    bf_buf_add(into, bytes, size);
}
