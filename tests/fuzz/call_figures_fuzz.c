// Whatever a relay answers, and whatever is kept of an event: what is read of it is fit to be kept and shown.
#include <assert.h>
#include <string.h>
#include "call.h"
#include "call_json.h"
#include "media.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(const char *text, size_t size)
{
    size_t len = strnlen(text, size);

    assert(len < size);
    assert(bf_utf8_valid((struct bf_str){text, len}));
    for (size_t i = 0; i < len; i++)
        assert((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

static void check_legs(const struct bf_leg *legs, size_t count)
{
    assert(count <= BF_LEGS_MAX);
    for (size_t i = 0; i < count; i++) {
        check_text(legs[i].tag, sizeof(legs[i].tag));
        check_text(legs[i].codec, sizeof(legs[i].codec));
        json_t *json = call_json_leg(&legs[i], "caller");
        assert(json);
        json_decref(json);
    }
}

static void check_event(const char *text)
{
    struct call_event event = {.call = {{1}}, .tenant = {{1}}, .seq = 1, .kind = CALL_ENDED, .at_ms = 1};
    struct call_details details;
    struct call_spare spare;
    struct call call = {.state = CALL_STATE_NONE};

    call_json_details_read(text, &details, &event);
    event.reason = event.number = text;
    call_event_clean(&event, &spare);
    check_legs(event.legs, event.leg_count);
    assert(call_apply(&call, &event));
    check_text(call.reason, sizeof(call.reason));
    check_text(call.caller, sizeof(call.caller));
    check_text(call.call_id, sizeof(call.call_id));
    bf_autofree char *kept = call_json_details(&event);
    json_t *shown = call_json_event(&event), *live = call_json_live(&call, 2);
    assert(shown && live);
    json_decref(shown);
    json_decref(live);
    call_spare_release(&spare);
    call_json_details_release(&details);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count;

    bf_autofree char *text = bf_xstrndup((const char *)bytes, len);
    if (bf_leg_read((struct bf_str){(const char *)bytes, len}, legs, &count) == BF_OK)
        check_legs(legs, count);
    check_event(text);
    return 0;
}
