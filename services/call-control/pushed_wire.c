// Protobuf of Pushed.
#include "pushed_wire.h"

#include <string.h>

#include "belfry/call/v1/call.pb-c.h"

static struct bf_id id_of(ProtobufCBinaryData from)
{
    struct bf_id id = {{0}};

    if (from.len == sizeof(id.bytes))
        memcpy(id.bytes, from.data, from.len);
    return id;
}

static struct pushed line_of(const Belfry__Call__V1__PushLine *from)
{
    return (struct pushed){.id = id_of(from->id),
                           .tenant = id_of(from->tenant_id),
                           .call = id_of(from->call),
                           .device = id_of(from->device),
                           .number = from->number,
                           .kind = from->kind,
                           .provider = from->provider,
                           .answer = from->answer,
                           .push_id = from->push_id,
                           .at_ms = from->at_ms,
                           .code = from->code,
                           .attempts = from->attempts,
                           .failed = from->failed};
}

enum bf_err wire_read_pushed(struct bf_str body, struct wire_pushed *ret_pushed, struct bf_buf *error)
{
    Belfry__Call__V1__PushedRequest *request =
        belfry__call__v1__pushed_request__unpack(NULL, body.len, (const uint8_t *)body.at);

    if (!request || request->n_lines == 0 || request->n_lines > PUSHED_LINES_MAX) {
        bf_buf_fmt(error, "1 to %d lines must be there", PUSHED_LINES_MAX);
        belfry__call__v1__pushed_request__free_unpacked(request, NULL);
        return BF_INVALID;
    }
    ret_pushed->message = request;
    ret_pushed->count = request->n_lines;
    for (size_t i = 0; i < request->n_lines; i++)
        ret_pushed->lines[i] = line_of(request->lines[i]);
    return BF_OK;
}

void wire_release_pushed(struct wire_pushed *pushed)
{
    belfry__call__v1__pushed_request__free_unpacked(pushed->message, NULL);
}
