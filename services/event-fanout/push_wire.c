// Protobuf <-> our structs: push devices.
#include "push_wire.h"

#include <string.h>

#include "belfry/event/v1/event.pb-c.h"
#include "belfry/registry/v1/registry.pb-c.h"

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

enum bf_err push_wire_read_devices(struct bf_str body, struct wire_devices *ret_devices, struct bf_buf *error)
{
    Belfry__Event__V1__PushDevicesRequest *request =
        belfry__event__v1__push_devices_request__unpack(NULL, body.len, (const uint8_t *)body.at);
    struct wire_devices devices = {.message = request};

    if (request && read_id(request->tenant_id, &devices.tenant) && request->n_numbers >= 1 &&
        request->n_numbers <= PUSH_WIRE_NUMBERS_MAX) {
        devices.numbers = (const char *const *)request->numbers;
        devices.count = request->n_numbers;
        for (size_t i = 0; i < request->n_numbers && i < request->n_extensions; i++)
            (void)!read_id(request->extensions[i], &devices.extensions[i]);
        *ret_devices = devices;
        return BF_OK;
    }
    bf_buf_fmt(error, "tenant_id and 1 to %d numbers must be there", PUSH_WIRE_NUMBERS_MAX);
    belfry__event__v1__push_devices_request__free_unpacked(request, NULL);
    return BF_INVALID;
}

void push_wire_release_devices(struct wire_devices *devices)
{
    belfry__event__v1__push_devices_request__free_unpacked(devices->message, NULL);
}

void push_wire_write_devices(struct bf_buf *into, const struct push_device *devices, size_t count)
{
    Belfry__Event__V1__PushDevicesReply reply = BELFRY__EVENT__V1__PUSH_DEVICES_REPLY__INIT;
    bf_autofree Belfry__Event__V1__PushDevice *each = bf_xcalloc(count + 1, sizeof(*each));
    bf_autofree Belfry__Event__V1__PushDevice **list = bf_xcalloc(count + 1, sizeof(void *));

    for (size_t i = 0; i < count; i++) {
        belfry__event__v1__push_device__init(&each[i]);
        each[i].id = bytes_of(&devices[i].id);
        each[i].number = (char *)devices[i].number;
        each[i].provider = (char *)push_provider_name(devices[i].provider);
        each[i].platform = (char *)devices[i].platform;
        each[i].device_id = (char *)devices[i].device_id;
        each[i].prid = (char *)devices[i].prid;
        list[i] = &each[i];
    }
    reply.devices = list;
    reply.n_devices = count;
    bf_autofree uint8_t *bytes =
        bf_xcalloc(belfry__event__v1__push_devices_reply__get_packed_size(&reply) + 1, 1);
    bf_buf_add(into, bytes, belfry__event__v1__push_devices_reply__pack(&reply, bytes));
}

enum bf_err push_wire_read_register(struct bf_str body, struct wire_register *ret_register,
                                    struct bf_buf *error)
{
    Belfry__Event__V1__RegisterPushRequest *request =
        belfry__event__v1__register_push_request__unpack(NULL, body.len, (const uint8_t *)body.at);
    struct wire_register asked = {.message = request};

    if (request && read_id(request->tenant_id, &asked.tenant) &&
        read_id(request->extension, &asked.extension)) {
        asked.number = request->number;
        asked.provider = request->provider;
        asked.prid = request->prid;
        asked.param = request->param;
        asked.instance = request->instance;
        *ret_register = asked;
        return BF_OK;
    }
    bf_buf_str(error, "tenant_id and extension must be there");
    belfry__event__v1__register_push_request__free_unpacked(request, NULL);
    return BF_INVALID;
}

void push_wire_release_register(struct wire_register *asked)
{
    belfry__event__v1__register_push_request__free_unpacked(asked->message, NULL);
}

void push_wire_write_register(struct bf_buf *into, struct bf_id device)
{
    Belfry__Event__V1__RegisterPushReply reply = BELFRY__EVENT__V1__REGISTER_PUSH_REPLY__INIT;
    uint8_t bytes[32];

    reply.device = bytes_of(&device);
    bf_buf_add(into, bytes, belfry__event__v1__register_push_reply__pack(&reply, bytes));
}

void push_wire_ask_owner(struct bf_buf *into, const char *domain, const char *number)
{
    Belfry__Registry__V1__OwnerRequest request = BELFRY__REGISTRY__V1__OWNER_REQUEST__INIT;

    request.domain = (char *)domain;
    request.user = (char *)number;
    bf_autofree uint8_t *bytes =
        bf_xcalloc(belfry__registry__v1__owner_request__get_packed_size(&request) + 1, 1);
    bf_buf_add(into, bytes, belfry__registry__v1__owner_request__pack(&request, bytes));
}

enum bf_err push_wire_read_owner(struct bf_str reply, struct bf_id *ret_tenant, struct bf_id *ret_extension)
{
    Belfry__Registry__V1__OwnerReply *read =
        belfry__registry__v1__owner_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
    bool good = read && read_id(read->tenant_id, ret_tenant) && read_id(read->extension, ret_extension);

    belfry__registry__v1__owner_reply__free_unpacked(read, NULL);
    return good ? BF_OK : BF_PROTOCOL;
}
