// The registry's protobuf.
#include "authority_wire.h"

#include <string.h>

#include "belfry/registry/v1/registry.pb-c.h"

static void message_free_at(void *message)
{
    ProtobufCMessage *at = *(ProtobufCMessage **)message;

    if (at)
        protobuf_c_message_free_unpacked(at, NULL);
}

#define UNPACK(kind, body) \
    belfry__registry__v1__##kind##__unpack(NULL, (body).len, (const uint8_t *)(body).at)

static bool read_id(ProtobufCBinaryData from, struct bf_id *ret_id)
{
    if (from.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, from.data, from.len);
    return true;
}

static ProtobufCBinaryData bytes_of(const struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), (uint8_t *)id->bytes};
}

void authority_wire_ask_number(struct bf_buf *into, struct bf_id tenant, const char *number)
{
    Belfry__Registry__V1__DirectoryRequest request = BELFRY__REGISTRY__V1__DIRECTORY_REQUEST__INIT;

    request.tenant_id = bytes_of(&tenant);
    request.number = (char *)number;
    size_t size = protobuf_c_message_get_packed_size(&request.base);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size + 1);
    protobuf_c_message_pack(&request.base, bytes);
    bf_buf_add(into, bytes, size);
}

enum bf_err authority_wire_read_number(struct bf_str reply, struct authority_number *ret_number)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__DirectoryReply *answer = UNPACK(directory_reply, reply);
    struct authority_number number = {.is_extension = false};

    if (!answer || !answer->tenant)
        return BF_PROTOCOL;
    number.is_extension = answer->is_case == BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_EXTENSION;
    number.suspended = answer->tenant->status != BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE;
    if (number.is_extension)
        (void)!read_id(answer->extension->id, &number.extension);
    *ret_number = number;
    return BF_OK;
}

// One by one: protobuf messages that stand one behind the other are one with the lists joined.
void authority_wire_ask_gone(struct bf_buf *into, const struct authority_owner *owners, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Belfry__Registry__V1__UnknownRequest request = BELFRY__REGISTRY__V1__UNKNOWN_REQUEST__INIT;
        Belfry__Registry__V1__Number number = BELFRY__REGISTRY__V1__NUMBER__INIT, *list = &number;
        uint8_t bytes[512]; // a number is at most 32 bytes

        number.tenant_id = bytes_of(&owners[i].tenant);
        number.extension = bytes_of(&owners[i].extension);
        number.number = (char *)(strlen(owners[i].number) < BF_APP_NUMBER_SIZE ? owners[i].number : "");
        request.numbers = &list;
        request.n_numbers = 1;
        bf_buf_add(into, bytes, protobuf_c_message_pack(&request.base, bytes));
    }
}

enum bf_err authority_wire_read_gone(struct bf_str reply, size_t count, bool *ret_gone)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__UnknownReply *answer = UNPACK(unknown_reply, reply);

    if (!answer)
        return BF_PROTOCOL;
    for (size_t i = 0; i < answer->n_at; i++)
        if (answer->at[i] >= count)
            return BF_PROTOCOL;
    memset(ret_gone, 0, count * sizeof(*ret_gone));
    for (size_t i = 0; i < answer->n_at; i++)
        ret_gone[answer->at[i]] = true;
    return BF_OK;
}

// ---- the feed

// False: it does not say which extension it is now, and nothing follows.
static bool read_extension(const Belfry__Registry__V1__Extension *from, struct authority_change *change)
{
    change->kind = AUTHORITY_EXTENSION;
    change->number = from->number;
    return read_id(from->tenant_id, &change->tenant) && (from->gone || read_id(from->id, &change->extension));
}

// False: concerns nobody here.
static bool read_change(const Belfry__Registry__V1__Change *from, struct authority_change *ret_change)
{
    *ret_change = (struct authority_change){.number = ""};
    switch (from->what_case) {
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT:
        ret_change->kind = AUTHORITY_TENANT_SUSPENDED;
        return from->tenant->status == BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_SUSPENDED &&
               read_id(from->tenant->id, &ret_change->tenant);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT_GONE:
        ret_change->kind = AUTHORITY_TENANT_GONE;
        return read_id(from->tenant_gone, &ret_change->tenant);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION:
        return read_extension(from->extension, ret_change);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_APP_KEYS:
        ret_change->kind = AUTHORITY_KEYS_CHANGE;
        return true;
    default:
        return false;
    }
}

bool authority_wire_read_feed(struct bf_str message, struct authority_feed *ret_feed,
                              void (*each)(void *ctx, const struct authority_change *change), void *ctx)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__Feed *feed = UNPACK(feed, message);
    struct authority_change change;

    if (!feed)
        return false;
    *ret_feed = (struct authority_feed){.epoch = feed->epoch, .head_seq = feed->head_seq};
    for (size_t i = 0; i < feed->n_changes; i++) {
        if (i == 0)
            ret_feed->first_seq = feed->changes[i]->seq;
        ret_feed->last_seq = feed->changes[i]->seq;
        if (read_change(feed->changes[i], &change))
            each(ctx, &change);
    }
    return true;
}
