// Whatever comes on Redis or from the registry: event-fanout's readers refuse it or give structs that keep
// their promises.
#include <assert.h>
#include <string.h>
#include "authority_wire.h"
#include "bf_app_token_wire.h"
#include "live_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void hear(void *ctx, const struct live_event *event)
{
    struct live *live = live_new(event);
    struct live *old = live_incoming_call(live, "100");

    assert(live->len == strlen(live->text));
    (void)live_names(live, "100");
    live_unref(old);
    live_unref(live);
}

static void change(void *ctx, const struct authority_change *change)
{
    assert(change->number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bf_str text = {(const char *)bytes, len};
    struct bf_app_key keys[BF_APP_KEYS_MAX];
    struct authority_feed feed;
    struct authority_number number;
    bool gone[4];
    size_t count;

    (void)!live_wire_read(text, hear, NULL);
    (void)!authority_wire_read_feed(text, &feed, change, NULL);
    if (!bf_app_token_wire_read_keys(text, keys, &count))
        for (size_t i = 0; i < count; i++)
            assert(bf_app_kid_ok(bf_str(keys[i].kid)));
    (void)!authority_wire_read_number(text, &number);
    (void)!authority_wire_read_gone(text, BF_LEN(gone), gone);
    return 0;
}
