// Events about pushes.
#include "push_event.h"

#include <jansson.h>
#include <string.h>

#include "bf_clock.h"
#include "bf_crypto.h"
#include "push_line.h"

#define ID_TIME_BYTES 6

// The same whenever it is told: from the call, the device, and which push it was.
static struct bf_id id_of(const struct push *push, const char *type)
{
    uint8_t text[2 * sizeof(push->call.bytes) + 64] = {0}, digest[BF_SHA256_BYTES];
    size_t len = 2 * sizeof(push->call.bytes), words;
    struct bf_id id = push->call;

    memcpy(text, push->call.bytes, sizeof(push->call.bytes));
    memcpy(text + sizeof(push->call.bytes), push->device.bytes, sizeof(push->device.bytes));
    words = strlen(type);
    memcpy(text + len, type, words);
    text[len + words] = (uint8_t)push->kind;
    bf_sha256(text, len + words + 1, digest);
    memcpy(id.bytes + ID_TIME_BYTES, digest, sizeof(id.bytes) - ID_TIME_BYTES);
    id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0x0f)); // version 8
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

static char *data_of(const struct push_settled *settled)
{
    const struct push *push = settled->push;
    char device[BF_ID_TEXT_SIZE];
    json_t *data = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:i}", "kind", push_kind_name(push->kind), "number",
        push->number, "device", bf_id_text(push->device, device), "device_id", push->device_id, "provider",
        push_provider_name(push->provider), "push_id", settled->outcome->ref, "code", settled->outcome->code,
        "detail", settled->outcome->detail, "attempts", (int)push->attempts + 1);
    char *text = json_dumps(data, JSON_COMPACT);

    json_decref(data);
    return text;
}

static bool is_told(const struct push_settled *settled)
{
    return settled->push->kind != PUSH_TEST && settled->outcome->verdict != PUSH_AGAIN;
}

// Its body; NULL: it is none that is told.
static char *make(const struct push_settled *settled, struct event *ret_event)
{
    const struct push *push = settled->push;
    const char *type = settled->outcome->verdict == PUSH_SENT ? "push.sent" : "push.failed";
    bf_autofree char *data = data_of(settled);
    struct event event = {.id = id_of(push, type),
                          .tenant = push->tenant,
                          .call = push->call,
                          .type = type,
                          .at_ms = settled->outcome->at_ms,
                          .numbers = (const char *const *)&push->number,
                          .number_count = 1,
                          .data = data};

    if (event_check(&event, bf_unix_ms()))
        return NULL;
    char *body = event_envelope(&event);
    event.data = NULL; // from here on the body has it
    *ret_event = event;
    return body;
}

enum bf_err push_event_store(struct bf_tx *tx, struct fanout *fanout, const struct push_settled *settled,
                             size_t count, struct event_stored *ret_stored)
{
    bf_autofree struct event *events = bf_xcalloc(count, sizeof(*events));
    bf_autofree struct event_new *news = bf_xcalloc(count, sizeof(*news));
    bf_autofree struct push_line *lines = bf_xcalloc(count, sizeof(*lines));
    enum bf_err err = BF_OK;
    size_t told = 0;

    for (size_t i = 0; i < count; i++) {
        char *body = is_told(&settled[i]) ? make(&settled[i], &events[told]) : NULL;
        if (!body)
            continue;
        news[told] = (struct event_new){&events[told], body};
        lines[told] = (struct push_line){events[told].id, &settled[i]};
        told++;
    }
    if (told)
        err = event_store_add(tx, &fanout->seal, fanout->replica, news, told, false, ret_stored);
    if (told && !err)
        err = event_store_tell_owners(tx, fanout->replica, ret_stored);
    if (told && !err && fanout->control)
        err = push_line_add(tx, lines, told);
    for (size_t i = 0; i < told; i++)
        free((char *)news[i].body);
    return err;
}
