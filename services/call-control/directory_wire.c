// The registry's protobuf <-> our structs.
#include "directory_wire.h"

#include <string.h>

#include "belfry/registry/v1/registry.pb-c.h"
#include "directory.h"

static void message_free_at(void *message)
{
    ProtobufCMessage *at = *(ProtobufCMessage **)message;

    if (at)
        protobuf_c_message_free_unpacked(at, NULL);
}

static bool read_id(ProtobufCBinaryData from, struct bf_id *ret_id)
{
    if (from.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, from.data, from.len);
    return true;
}

// What does not fit is not a number that we know: as if it were not set.
static void read_text(const char *from, char *into, size_t size)
{
    size_t len = strlen(from);

    if (len < size)
        memcpy(into, from, len + 1);
}

void directory_wire_ask(struct bf_buf *into, struct bf_id tenant, const char *number)
{
    Belfry__Registry__V1__DirectoryRequest request = BELFRY__REGISTRY__V1__DIRECTORY_REQUEST__INIT;
    uint8_t bytes[128];

    request.tenant_id = (ProtobufCBinaryData){sizeof(tenant.bytes), tenant.bytes};
    request.number = (char *)number;
    size_t size = protobuf_c_message_get_packed_size(&request.base);
    if (size > sizeof(bytes)) // a number is at most DIRECTORY_NUMBER_SIZE
        abort();
    protobuf_c_message_pack(&request.base, bytes);
    bf_buf_add(into, bytes, size);
}

// One by one: protobuf messages that stand one behind the other are one with the lists joined.
void directory_wire_ask_unknown(struct bf_buf *into, const struct directory_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Belfry__Registry__V1__UnknownRequest request = BELFRY__REGISTRY__V1__UNKNOWN_REQUEST__INIT;
        Belfry__Registry__V1__Number number = BELFRY__REGISTRY__V1__NUMBER__INIT, *list = &number;
        uint8_t bytes[512];

        number.tenant_id =
            (ProtobufCBinaryData){sizeof(names[i].tenant.bytes), (uint8_t *)names[i].tenant.bytes};
        number.number = (char *)(strlen(names[i].number) < DIRECTORY_NUMBER_SIZE ? names[i].number : "");
        if (!bf_id_is_nil(names[i].extension))
            number.extension =
                (ProtobufCBinaryData){sizeof(names[i].extension.bytes), (uint8_t *)names[i].extension.bytes};
        request.numbers = &list;
        request.n_numbers = 1;
        bf_buf_add(into, bytes, protobuf_c_message_pack(&request.base, bytes));
    }
}

enum bf_err directory_wire_unknown(struct bf_str body, size_t count, bool *ret_unknown)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__UnknownReply *reply =
        belfry__registry__v1__unknown_reply__unpack(NULL, body.len, (const uint8_t *)body.at);

    if (!reply)
        return BF_PROTOCOL;
    for (size_t i = 0; i < reply->n_at; i++)
        if (reply->at[i] >= count)
            return BF_PROTOCOL;
    memset(ret_unknown, 0, count * sizeof(*ret_unknown));
    for (size_t i = 0; i < reply->n_at; i++)
        ret_unknown[reply->at[i]] = true;
    return BF_OK;
}

static struct directory_entry *read_extension(const Belfry__Registry__V1__DirectoryExtension *from)
{
    struct directory_entry *entry = directory_entry_new(0);

    entry->kind = DIRECTORY_EXTENSION;
    (void)!read_id(from->id, &entry->id); // nil: the registry does not say
    entry->do_not_disturb = from->do_not_disturb;
    entry->ring_seconds = from->ring_seconds;
    read_text(from->display_name, entry->name, sizeof(entry->name));
    read_text(from->forward_always, entry->forward_always, sizeof(entry->forward_always));
    read_text(from->forward_busy, entry->forward_busy, sizeof(entry->forward_busy));
    read_text(from->forward_no_answer, entry->forward_no_answer, sizeof(entry->forward_no_answer));
    return entry;
}

static struct directory_entry *read_group(const Belfry__Registry__V1__DirectoryGroup *from)
{
    size_t count = from->n_members < DIRECTORY_MEMBERS_MAX ? from->n_members : DIRECTORY_MEMBERS_MAX;
    struct directory_entry *entry = directory_entry_new(count);

    entry->kind = from->strategy == BELFRY__REGISTRY__V1__DIRECTORY_GROUP__STRATEGY__SEQUENCE
                      ? DIRECTORY_GROUP_SEQUENCE
                      : DIRECTORY_GROUP_ALL;
    entry->ring_seconds = from->ring_seconds;
    read_text(from->display_name, entry->name, sizeof(entry->name));
    for (size_t i = 0; i < count; i++)
        read_text(from->members[i], entry->members[i], sizeof(entry->members[i]));
    entry->member_count = count;
    return entry;
}

enum bf_err directory_wire_read(struct bf_str body, struct bf_id tenant, const char *number,
                                struct directory_entry **ret_entry)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__DirectoryReply *reply =
        belfry__registry__v1__directory_reply__unpack(NULL, body.len, (const uint8_t *)body.at);
    struct directory_entry *entry = NULL;

    if (!reply || !reply->tenant)
        return BF_PROTOCOL;
    if (reply->is_case == BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_EXTENSION)
        entry = read_extension(reply->extension);
    else if (reply->is_case == BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_GROUP)
        entry = read_group(reply->group);
    else
        return BF_PROTOCOL;
    entry->tenant = tenant;
    read_text(number, entry->number, sizeof(entry->number));
    entry->suspended = reply->tenant->status != BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE;
    if (reply->tenant->limits)
        entry->caps =
            (struct limit_caps){reply->tenant->limits->max_calls, reply->tenant->limits->calls_per_second};
    *ret_entry = entry;
    return BF_OK;
}

static struct directory_change read_number_change(uint64_t seq, ProtobufCBinaryData tenant,
                                                  const char *number)
{
    struct directory_change change = {.seq = seq, .kind = DIRECTORY_CHANGE_NUMBER, .number = number};

    if (!read_id(tenant, &change.tenant))
        change.kind = DIRECTORY_CHANGE_OTHER;
    return change;
}

static struct directory_change read_tenant_change(uint64_t seq, ProtobufCBinaryData tenant)
{
    struct directory_change change = {.seq = seq, .kind = DIRECTORY_CHANGE_TENANT};

    if (!read_id(tenant, &change.tenant))
        change.kind = DIRECTORY_CHANGE_OTHER;
    return change;
}

static struct directory_change read_change(const Belfry__Registry__V1__Change *from)
{
    switch (from->what_case) {
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT:
        return read_tenant_change(from->seq, from->tenant->id);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT_GONE:
        return read_tenant_change(from->seq, from->tenant_gone);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION:
        return read_number_change(from->seq, from->extension->tenant_id, from->extension->number);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_GROUP:
        return read_number_change(from->seq, from->group->tenant_id, from->group->number);
    default:
        return (struct directory_change){.seq = from->seq, .kind = DIRECTORY_CHANGE_OTHER};
    }
}

enum bf_err directory_wire_feed(struct bf_str message, void (*head)(void *ctx, struct directory_feed feed),
                                void (*change)(void *ctx, const struct directory_change *change), void *ctx)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__Feed *feed =
        belfry__registry__v1__feed__unpack(NULL, message.len, (const uint8_t *)message.at);

    if (!feed)
        return BF_PROTOCOL;
    head(ctx, (struct directory_feed){feed->epoch, feed->head_seq});
    for (size_t i = 0; i < feed->n_changes; i++) {
        struct directory_change one = read_change(feed->changes[i]);
        change(ctx, &one);
    }
    return BF_OK;
}
