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

static bool read_key(const Belfry__Registry__V1__AppKey *from, struct bf_app_key *key)
{
    if (!bf_app_kid_ok(bf_str(from->kid)) || from->ed25519.len != sizeof(key->ed25519))
        return false;
    *key = (struct bf_app_key){.not_before_ms = from->not_before_ms, .not_after_ms = from->not_after_ms};
    memcpy(key->kid, from->kid, strlen(from->kid) + 1);
    memcpy(key->ed25519, from->ed25519.data, sizeof(key->ed25519));
    return true;
}

enum bf_err authority_wire_read_keys(struct bf_str reply, struct bf_app_key keys[BF_APP_KEYS_MAX],
                                     size_t *ret_count)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__AppKeysReply *answer = UNPACK(app_keys_reply, reply);
    size_t count = 0;

    if (!answer)
        return BF_PROTOCOL;
    for (size_t i = 0; i < answer->n_keys && count < BF_APP_KEYS_MAX; i++)
        count += read_key(answer->keys[i], &keys[count]);
    *ret_count = count;
    return BF_OK;
}

void authority_wire_ask_number(struct bf_buf *into, struct bf_id tenant, const char *number)
{
    Belfry__Registry__V1__DirectoryRequest request = BELFRY__REGISTRY__V1__DIRECTORY_REQUEST__INIT;

    request.tenant_id = (ProtobufCBinaryData){sizeof(tenant.bytes), tenant.bytes};
    request.number = (char *)number;
    size_t size = protobuf_c_message_get_packed_size(&request.base);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size + 1);
    protobuf_c_message_pack(&request.base, bytes);
    bf_buf_add(into, bytes, size);
}

enum bf_err authority_wire_read_number(struct bf_str reply, bool *ret_extension, bool *ret_suspended)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__DirectoryReply *answer = UNPACK(directory_reply, reply);

    if (!answer || !answer->tenant)
        return BF_PROTOCOL;
    *ret_extension = answer->is_case == BELFRY__REGISTRY__V1__DIRECTORY_REPLY__IS_EXTENSION;
    *ret_suspended = answer->tenant->status != BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_ACTIVE;
    return BF_OK;
}

// False: concerns no socket.
static bool read_change(const Belfry__Registry__V1__Change *from, enum authority_change *ret_change,
                        struct bf_id *ret_tenant, const char **ret_number)
{
    *ret_number = "";
    *ret_change = AUTHORITY_TENANT_ENDS;
    switch (from->what_case) {
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT:
        return from->tenant->status == BELFRY__REGISTRY__V1__TENANT_STATUS__TENANT_STATUS_SUSPENDED &&
               read_id(from->tenant->id, ret_tenant);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_TENANT_GONE:
        return read_id(from->tenant_gone, ret_tenant);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_EXTENSION:
        *ret_change = AUTHORITY_NUMBER_ENDS;
        *ret_number = from->extension->number;
        return from->extension->gone && read_id(from->extension->tenant_id, ret_tenant);
    case BELFRY__REGISTRY__V1__CHANGE__WHAT_APP_KEYS:
        *ret_change = AUTHORITY_KEYS_CHANGE;
        return true;
    default:
        return false;
    }
}

bool authority_wire_read_feed(struct bf_str message, struct authority_feed *ret_feed,
                              void (*each)(void *ctx, enum authority_change change, struct bf_id tenant,
                                           const char *number),
                              void *ctx)
{
    bf_cleanup(message_free_at) Belfry__Registry__V1__Feed *feed = UNPACK(feed, message);
    enum authority_change change;
    struct bf_id tenant = {{0}};
    const char *number;

    if (!feed)
        return false;
    *ret_feed = (struct authority_feed){.epoch = feed->epoch, .head_seq = feed->head_seq};
    for (size_t i = 0; i < feed->n_changes; i++) {
        if (i == 0)
            ret_feed->first_seq = feed->changes[i]->seq;
        ret_feed->last_seq = feed->changes[i]->seq;
        if (read_change(feed->changes[i], &change, &tenant, &number))
            each(ctx, change, tenant, number);
    }
    return true;
}
