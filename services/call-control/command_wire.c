// Protobuf of what an edge is asked to do.
#include "command_wire.h"

#include "belfry/edge/v1/edge.pb-c.h"

static void message_add(struct bf_buf *into, const ProtobufCMessage *message)
{
    size_t size = protobuf_c_message_get_packed_size(message);
    bf_autofree uint8_t *bytes = bf_xcalloc(1, size + 1);

    protobuf_c_message_pack(message, bytes);
    bf_buf_add(into, bytes, size);
}

#define BYTES(id) ((ProtobufCBinaryData){sizeof((id).bytes), (id).bytes})

void command_wire_end(struct bf_buf *into, struct bf_id call, const char *reason)
{
    Belfry__Edge__V1__EndCallRequest request = BELFRY__EDGE__V1__END_CALL_REQUEST__INIT;

    request.call = BYTES(call);
    request.reason = (char *)reason;
    message_add(into, &request.base);
}

void command_wire_transfer(struct bf_buf *into, struct bf_id call, const char *to, bool callee)
{
    Belfry__Edge__V1__TransferCallRequest request = BELFRY__EDGE__V1__TRANSFER_CALL_REQUEST__INIT;

    request.call = BYTES(call);
    request.to = (char *)to;
    request.callee = callee;
    message_add(into, &request.base);
}

void command_wire_dial(struct bf_buf *into, const struct command_dial *dial)
{
    Belfry__Edge__V1__OriginateRequest request = BELFRY__EDGE__V1__ORIGINATE_REQUEST__INIT;
    struct bf_id tenant = dial->tenant, call = dial->call;

    request.tenant_id = BYTES(tenant);
    request.realm_domain = (char *)dial->domain;
    request.from = (char *)dial->from;
    request.to = (char *)dial->to;
    request.call = BYTES(call);
    message_add(into, &request.base);
}
