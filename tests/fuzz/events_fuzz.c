// What others publish, and what tenants and operators say of webhooks: read whole or refused, never half.
#include <assert.h>
#include <jansson.h>
#include <string.h>
#include "bf_clock.h"
#include "event_wire.h"
#include "target.h"
#include "webhook.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

// A good event has an envelope, or its data is no object.
static void check_event(const struct event *event)
{
    if (event_check(event, bf_unix_ms()))
        return;
    bf_autofree char *envelope = event_envelope(event);
    json_error_t error;
    json_t *json = envelope ? json_loads(envelope, 0, &error) : NULL;

    assert(!envelope || json_is_object(json_object_get(json, "data")));
    json_decref(json);
}

static void check_publish(struct bf_str body)
{
    struct wire_publish publish;
    struct bf_buf error;

    bf_buf_init(&error, 1024);
    if (event_wire_read_publish(body, &publish, &error) == BF_OK) {
        for (size_t i = 0; i < publish.count; i++)
            if (publish.entries[i].kind == WIRE_EVENT)
                check_event(&publish.entries[i].event);
        event_wire_release_publish(&publish);
    }
    bf_buf_release(&error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bf_str text = {(const char *)bytes, len};
    bf_autofree char *copy = bf_xstrndup(text.at, len);
    struct targets targets;

    check_publish(text);
    if (!webhook_url_check(text))
        assert(!memchr(text.at, '\r', len) && !memchr(text.at, '\n', len) && !memchr(text.at, '\0', len));
    if (!webhook_type_check(text))
        assert(len <= EVENT_TYPE_BYTES_MAX);
    if (targets_parse(copy, &targets) == BF_OK)
        assert(targets.count <= TARGET_NETWORKS_MAX);
    return 0;
}
