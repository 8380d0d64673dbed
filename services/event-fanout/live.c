// Events on their way to WebSockets.
#include "live.h"

#include <jansson.h>
#include <string.h>

#include "bf_json.h"

struct live *live_new(const struct live_event *event)
{
    size_t type = strlen(event->type) + 1, numbers = strlen(event->numbers) + 1, len = strlen(event->body);
    struct live *live = bf_xcalloc(1, sizeof(*live) + LIVE_FRAME_ROOM + len + 1 + type + numbers);

    atomic_init(&live->refs, 1);
    live->id = event->id;
    live->tenant = event->tenant;
    live->len = len;
    live->text = live->room + LIVE_FRAME_ROOM;
    live->type = live->text + len + 1;
    live->numbers = live->type + type;
    memcpy(live->text, event->body, len);
    memcpy(live->type, event->type, type);
    memcpy(live->numbers, event->numbers, numbers);
    return live;
}

struct live *live_message(const char *text)
{
    return live_new(&(struct live_event){.type = "", .numbers = "", .body = text});
}

struct live *live_ref(struct live *live)
{
    atomic_fetch_add_explicit(&live->refs, 1, memory_order_relaxed);
    return live;
}

void live_unref(struct live *live)
{
    if (live && atomic_fetch_sub_explicit(&live->refs, 1, memory_order_acq_rel) == 1)
        free(live);
}

bool live_names(const struct live *live, const char *number)
{
    size_t len = strlen(number);

    for (const char *at = live->numbers; *at;) {
        size_t word = strcspn(at, " ");
        if (word == len && memcmp(at, number, len) == 0)
            return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

static json_t *old_call(const json_t *envelope)
{
    json_t *data = json_object_get(envelope, "data");
    json_t *call = json_object();

    json_object_set(call, "id", json_object_get(envelope, "call_id"));
    json_object_set(call, "from", json_object_get(data, "caller"));
    json_object_set(call, "to", json_object_get(data, "callee"));
    json_object_set(call, "number", json_object_get(data, "number"));
    json_object_set(call, "time", json_object_get(envelope, "time"));
    json_object_set(call, "event_id", json_object_get(envelope, "id"));
    return call;
}

struct live *live_incoming_call(const struct live *live, const char *number)
{
    struct bf_json_fault fault;
    struct live *message = NULL;
    json_t *envelope = NULL;

    if (strcmp(live->type, "call.incoming") != 0 ||
        bf_json_parse((struct bf_str){live->text, live->len}, &envelope, &fault))
        return NULL;
    const char *rung = json_string_value(json_object_get(json_object_get(envelope, "data"), "number"));
    if (rung && strcmp(rung, number) == 0) {
        json_t *old = json_pack("{s:s, s:o}", "type", "incoming_call", "call", old_call(envelope));
        bf_autofree char *text = json_dumps(old, JSON_COMPACT);
        message = live_message(text);
        json_decref(old);
    }
    json_decref(envelope);
    return message;
}
