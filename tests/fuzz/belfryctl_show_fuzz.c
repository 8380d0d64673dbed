// Whatever an answer says, what belfryctl shows of it neither moves the cursor nor changes colours.
#include <assert.h>
#include <string.h>
#include "command.h"
#include "drift.h"
#include "timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_output(struct bf_buf *shown)
{
    for (size_t at = 0; at < shown->len;) {
        size_t len = bf_utf8_next((struct bf_str){shown->at + at, shown->len - at});
        unsigned char c = (unsigned char)shown->at[at];

        assert(len > 0);
        assert(c == '\n' || (c >= 0x20 && c != 0x7f));
        assert(len != 2 || c != 0xc2 || (unsigned char)shown->at[at + 1] >= 0xa0);
        at += len ? len : 1;
    }
    bf_buf_clear(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    json_t *answer = json_loadb((const char *)bytes, len, JSON_ALLOW_NUL, NULL);
    json_t *items = json_object_get(answer, "items");
    struct bf_buf shown;
    bool any;

    bf_buf_init(&shown, 1 << 20);
    table_write_safe(&shown, (struct bf_str){(const char *)bytes, len});
    check_output(&shown);
    if (answer)
        table_write_object(&shown, answer);
    check_output(&shown);
    timeline_write(&shown, items);
    check_output(&shown);
    for (size_t i = 0; i < command_count; i++) {
        table_write(&shown, commands[i].columns, commands[i].column_count, items);
        check_output(&shown);
    }
    if (json_is_array(items) && drift_judge(items, &any) == BF_OK)
        drift_write(&shown, items);
    check_output(&shown);
    bf_buf_release(&shown);
    json_decref(answer);
    return 0;
}
