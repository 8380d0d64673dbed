// Admit on the wire.
#include "admit_wire.h"

#include <string.h>

#include "belfry/call/v1/call.pb-c.h"
#include "edge_store.h"

typedef Belfry__Call__V1__AdmitRequest pb_admit;

static const char *device_check(const char *number, const struct wire_device *device)
{
    const struct binding binding = {.number = number,
                                    .ruid = "0", // it has none yet
                                    .contact = device->contact,
                                    .instance = device->instance,
                                    .received = "",
                                    .path = "",
                                    .transport = "",
                                    .user_agent = "",
                                    .call_id = "",
                                    .socket = ""};

    return binding_check(&binding);
}

static const char *devices_read(const pb_admit *request, struct wire_admit *admit)
{
    if (request->n_devices < 1 || request->n_devices > ADMIT_DEVICES_MAX)
        return "devices must be 1 to 20";
    for (size_t i = 0; i < request->n_devices; i++) {
        struct wire_device device = {request->devices[i]->contact, request->devices[i]->instance};
        const char *wrong = device_check(request->number, &device);
        if (wrong)
            return wrong;
        admit->devices[admit->device_count++] = device;
    }
    return NULL;
}

static const char *admit_read(const pb_admit *request, struct wire_admit *admit)
{
    if (!request)
        return "the message must be an AdmitRequest";
    if (edge_id_check(bf_str(request->edge_id)))
        return "edge_id must be an edge's id";
    if (request->tenant_id.len != sizeof(admit->tenant.bytes))
        return "tenant_id must have 16 bytes";
    if (request->max_registrations == 0)
        return "max_registrations must be above 0: who has no limit is not asked about";
    memcpy(admit->tenant.bytes, request->tenant_id.data, sizeof(admit->tenant.bytes));
    admit->edge = request->edge_id;
    admit->number = request->number;
    admit->max_registrations = request->max_registrations;
    return devices_read(request, admit);
}

enum bf_err wire_read_admit(struct bf_str body, struct wire_admit *ret_admit, struct bf_buf *error)
{
    pb_admit *request = belfry__call__v1__admit_request__unpack(NULL, body.len, (const uint8_t *)body.at);
    struct wire_admit admit = {.message = request};
    const char *wrong = admit_read(request, &admit);

    if (wrong) {
        bf_buf_str(error, wrong);
        wire_release_admit(&admit);
        return BF_INVALID;
    }
    *ret_admit = admit;
    return BF_OK;
}

void wire_release_admit(struct wire_admit *admit)
{
    if (admit->message)
        belfry__call__v1__admit_request__free_unpacked(admit->message, NULL);
    admit->message = NULL;
}

void wire_write_admit(struct bf_buf *into, struct admit_verdict verdict)
{
    Belfry__Call__V1__AdmitReply reply = BELFRY__CALL__V1__ADMIT_REPLY__INIT;
    uint8_t bytes[32];

    reply.refused = verdict.refused;
    reply.registrations = verdict.registrations;
    bf_buf_add(into, bytes, belfry__call__v1__admit_reply__pack(&reply, bytes));
}
