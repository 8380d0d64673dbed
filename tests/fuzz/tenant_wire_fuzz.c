// Whatever the bytes are, the module's readers refuse them or give structs that keep their promises.
#include <assert.h>
#include <string.h>
#include "tenant_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_record(const struct tenant_record *record)
{
    assert(!bf_id_is_nil(record->id));
    assert(record->status == TENANT_ACTIVE || record->status == TENANT_SUSPENDED);
    assert(record->slug.len > 0 && record->slug.len <= TENANT_SLUG_MAX);
    assert(record->realm.len > 0 && record->realm.len <= TENANT_DOMAIN_MAX);
}

static void check_change(const struct tenant_change *change)
{
    if (change->kind == TENANT_CHANGE_TENANT || change->kind == TENANT_CHANGE_DOMAIN)
        check_record(&change->record);
    if (change->kind == TENANT_CHANGE_DOMAIN || change->kind == TENANT_CHANGE_DOMAIN_GONE)
        assert(change->name.len > 0 && change->name.len <= TENANT_DOMAIN_MAX);
    if (change->kind == TENANT_CHANGE_EXTENSION)
        assert(change->name.len > 0 && change->name.len <= TENANT_USER_MAX && !bf_id_is_nil(change->id));
}

static void check_feed(struct tenant_feed *feed)
{
    for (size_t i = 0; i < feed->count; i++) {
        check_change(&feed->changes[i]);
        assert(i == 0 || feed->changes[i].seq == feed->changes[i - 1].seq + 1);
    }
    tenant_feed_release(feed);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bf_str text = {(const char *)bytes, len};
    struct tenant_feed feed;
    struct tenant_page page;
    struct tenant_answer answer;

    if (tenant_wire_feed(text, &feed) == BF_OK)
        check_feed(&feed);
    if (tenant_wire_changes(text, &feed) == BF_OK)
        check_feed(&feed);
    if (tenant_wire_page(text, &page) == BF_OK) {
        for (size_t i = 0; i < page.count; i++)
            check_record(page.domains[i].tenant);
        tenant_page_release(&page);
    }
    if (tenant_wire_answer(text, &answer) == BF_OK)
        assert(answer.credential.known);
    return 0;
}
