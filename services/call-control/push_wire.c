// Of event.v1 what is about push devices.
#include "push_wire.h"

#include <string.h>

#include "belfry/event/v1/event.pb-c.h"

static void message_add(struct bf_buf *into, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size + 1);

    protobuf_c_message_pack(message, bytes);
    bf_buf_add(into, bytes, size);
}

static ProtobufCBinaryData bytes_of(const struct bf_id *id)
{
    return (ProtobufCBinaryData){sizeof(id->bytes), (uint8_t *)id->bytes};
}

void push_wire_ask(struct bf_buf *into, struct bf_id tenant, const struct push_number *numbers, size_t count)
{
    Belfry__Event__V1__PushDevicesRequest request = BELFRY__EVENT__V1__PUSH_DEVICES_REQUEST__INIT;
    bf_autofree char **list = bf_xcalloc(count + 1, sizeof(*list));
    bf_autofree ProtobufCBinaryData *extensions = bf_xcalloc(count + 1, sizeof(*extensions));

    for (size_t i = 0; i < count; i++) {
        list[i] = (char *)numbers[i].number;
        extensions[i] = bytes_of(&numbers[i].extension);
    }
    request.tenant_id = bytes_of(&tenant);
    request.numbers = list;
    request.n_numbers = count;
    request.extensions = extensions;
    request.n_extensions = count;
    message_add(into, &request.base);
}

static bool read_device(const Belfry__Event__V1__PushDevice *from, struct plan_sleeper *sleeper)
{
    *sleeper = (struct plan_sleeper){.device_id = ""};
    if (from->id.len != sizeof(sleeper->id.bytes) || strlen(from->number) >= sizeof(sleeper->number))
        return false;
    memcpy(sleeper->id.bytes, from->id.data, from->id.len);
    memcpy(sleeper->number, from->number, strlen(from->number) + 1);
    if (strlen(from->device_id) < sizeof(sleeper->device_id)) // cut, it might be found in another one's
        memcpy(sleeper->device_id, from->device_id, strlen(from->device_id) + 1);
    plan_pn_id(from->prid, sleeper->pn_id);
    return true;
}

enum bf_err push_wire_read(struct bf_str body, struct plan_sleeper *sleepers, size_t max, size_t *ret_count)
{
    Belfry__Event__V1__PushDevicesReply *reply =
        belfry__event__v1__push_devices_reply__unpack(NULL, body.len, (const uint8_t *)body.at);
    size_t count = 0;

    if (!reply)
        return BF_PROTOCOL;
    for (size_t i = 0; i < reply->n_devices && count < max; i++)
        if (read_device(reply->devices[i], &sleepers[count]))
            count++;
    *ret_count = count;
    belfry__event__v1__push_devices_reply__free_unpacked(reply, NULL);
    return BF_OK;
}

void push_wire_register(struct bf_buf *into, const struct push_register *asked)
{
    Belfry__Event__V1__RegisterPushRequest request = BELFRY__EVENT__V1__REGISTER_PUSH_REQUEST__INIT;

    request.tenant_id = bytes_of(&asked->tenant);
    request.extension = bytes_of(&asked->extension);
    request.number = (char *)asked->number;
    request.provider = (char *)asked->provider;
    request.prid = (char *)asked->prid;
    request.param = (char *)asked->param;
    request.instance = (char *)asked->instance;
    request.user_agent = (char *)asked->user_agent;
    message_add(into, &request.base);
}
