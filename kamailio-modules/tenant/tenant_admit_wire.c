// Of the generated names, those of Admit are known here.
#include "tenant_admit_wire.h"

#include "belfry/call/v1/call.pb-c.h"

typedef Belfry__Call__V1__AdmitRequest pb_admit;
typedef Belfry__Call__V1__AdmitRequest__Device pb_device;

static char *text_of(struct bf_str text)
{
    return bf_xstrndup(text.at ? text.at : "", text.len);
}

static void devices_fill(const struct tenant_admit_device *from, size_t count, pb_device *devices,
                         pb_device **list)
{
    for (size_t i = 0; i < count; i++) {
        devices[i] = (pb_device)BELFRY__CALL__V1__ADMIT_REQUEST__DEVICE__INIT;
        devices[i].contact = text_of(from[i].contact);
        devices[i].instance = text_of(from[i].instance);
        list[i] = &devices[i];
    }
}

static void pack(const pb_admit *message, struct bf_buf *into)
{
    size_t size = belfry__call__v1__admit_request__get_packed_size(message);

    if (size > TENANT_ADMIT_ASK_BYTES_MAX) {
        into->over = true;
        return;
    }
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size);
    bf_buf_add(into, bytes, belfry__call__v1__admit_request__pack(message, bytes));
}

void tenant_admit_wire_ask(const struct tenant_admit_ask *ask, struct bf_buf *into)
{
    pb_admit message = BELFRY__CALL__V1__ADMIT_REQUEST__INIT;
    pb_device devices[TENANT_ADMIT_DEVICES_MAX], *list[TENANT_ADMIT_DEVICES_MAX];
    bf_autofree char *edge = text_of(ask->edge), *number = text_of(ask->number);
    const size_t count = ask->device_count;

    devices_fill(ask->devices, count, devices, list);
    message.edge_id = edge;
    message.tenant_id = (ProtobufCBinaryData){sizeof(ask->tenant.bytes), (uint8_t *)ask->tenant.bytes};
    message.number = number;
    message.devices = list;
    message.n_devices = count;
    message.max_registrations = ask->max_registrations;
    pack(&message, into);
    for (size_t i = 0; i < count; i++) {
        free(devices[i].contact);
        free(devices[i].instance);
    }
}

enum bf_err tenant_admit_wire_read(struct bf_str bytes, bool *ret_refused)
{
    Belfry__Call__V1__AdmitReply *message =
        belfry__call__v1__admit_reply__unpack(NULL, bytes.len, (const uint8_t *)bytes.at);

    if (!message)
        return BF_PROTOCOL;
    *ret_refused = message->refused;
    belfry__call__v1__admit_reply__free_unpacked(message, NULL);
    return BF_OK;
}
