// Whatever the bytes are, call-control's bus readers refuse them or give requests within their bounds; what
// it keeps of a binding never ends a header or a key; what the registry says is read whole or not at all.
#include <assert.h>
#include <string.h>
#include "admit_wire.h"
#include "call_wire.h"
#include "directory_wire.h"
#include "pushed_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_binding(const struct wire_entry *entry)
{
    struct binding again;
    void *owned = NULL;

    assert(!binding_check(&entry->binding));
    assert(!strpbrk(entry->binding.contact, "\r\n<>\" ") && !strpbrk(entry->binding.path, "\r\n"));
    assert(!strpbrk(entry->binding.number, "/{}\r\n ") && !strpbrk(entry->binding.ruid, "/\r\n "));
    assert(wire_unpack_binding(entry->packed, bf_str(entry->binding.edge), &again, &owned) == BF_OK);
    assert(strcmp(again.number, entry->binding.number) == 0 && binding_same_device(&again, &entry->binding));
    wire_free_binding(owned);
}

static void check_report(struct bf_str body, struct bf_buf *error)
{
    struct wire_report report;

    if (wire_read_report(body, &report, error))
        return;
    assert(!edge_id_check(bf_str(report.edge.id)));
    assert(report.first_seq >= 1 && report.entry_count <= WIRE_ENTRIES_MAX);
    for (size_t i = 0; i < report.entry_count; i++) {
        if (report.entries[i].kind == WIRE_ENTRY_BINDING)
            check_binding(&report.entries[i]);
        if (report.entries[i].kind == WIRE_ENTRY_CALL)
            assert(report.entries[i].event.leg_count <= BF_LEGS_MAX);
    }
    wire_release_report(&report);
}

static void check_plan(struct bf_str body, struct bf_buf *error)
{
    struct wire_plan plan;

    if (wire_read_plan(body, &plan, error))
        return;
    assert(!edge_id_check(bf_str(plan.edge.id)));
    assert(plan.request.caller && plan.request.callee && plan.request.source);
    wire_release_plan(&plan);
}

static void check_admit(struct bf_str body, struct bf_buf *error)
{
    struct wire_admit admit;

    if (wire_read_admit(body, &admit, error))
        return;
    assert(!edge_id_check(bf_str(admit.edge)) && !strpbrk(admit.number, "/{}\r\n "));
    assert(admit.device_count >= 1 && admit.device_count <= ADMIT_DEVICES_MAX && admit.max_registrations > 0);
    for (size_t i = 0; i < admit.device_count; i++)
        assert(strlen(admit.devices[i].contact) <= BINDING_URI_BYTES_MAX);
    wire_release_admit(&admit);
}

static void check_restore(struct bf_str body, struct bf_buf *error)
{
    struct wire_restore restore;

    if (wire_read_restore(body, &restore, error) == BF_OK)
        assert(restore.limit >= 1 && restore.limit <= 5000 && !edge_id_check(bf_str(restore.edge)));
}

static void check_pushed(struct bf_str body, struct bf_buf *error)
{
    struct wire_pushed pushed;
    char text[CALL_TEXT_SIZE];

    if (wire_read_pushed(body, &pushed, error))
        return;
    assert(pushed.count >= 1 && pushed.count <= PUSHED_LINES_MAX);
    for (size_t i = 0; i < pushed.count; i++) {
        struct call_event event = pushed_event(&pushed.lines[i], text);
        assert(event.seq >= CALL_SEQ_PUSH && event.seq <= CALL_SEQ_PUSH_MAX);
        assert(strlen(text) < sizeof(text) && !strpbrk(text, "\r\n"));
    }
    wire_release_pushed(&pushed);
}

static void check_directory(struct bf_str body)
{
    struct directory_entry *entry = NULL;

    if (directory_wire_read(body, (struct bf_id){{1}}, "101", &entry))
        return;
    assert(entry->kind != DIRECTORY_UNKNOWN && entry->member_count <= DIRECTORY_MEMBERS_MAX);
    for (size_t i = 0; i < entry->member_count; i++)
        assert(memchr(entry->members[i], 0, sizeof(entry->members[i])));
    directory_entry_unref(entry);
}

struct heard {
    unsigned heads;
};

static void hear_head(void *ctx, struct directory_feed feed)
{
    ((struct heard *)ctx)->heads++;
}

static void hear_change(void *ctx, const struct directory_change *change)
{
    assert(((struct heard *)ctx)->heads == 1);
    assert(change->kind != DIRECTORY_CHANGE_NUMBER || change->number);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bf_str body = {(const char *)bytes, len};
    struct heard heard = {0};
    struct bf_buf error;

    bf_buf_init(&error, 1024);
    check_report(body, &error);
    check_plan(body, &error);
    check_admit(body, &error);
    check_restore(body, &error);
    check_pushed(body, &error);
    check_directory(body);
    if (directory_wire_feed(body, hear_head, hear_change, &heard) == BF_OK)
        assert(heard.heads == 1);
    bf_buf_release(&error);
    return 0;
}
