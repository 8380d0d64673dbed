// Whatever call-control, usrloc's texts and a relay's port bring, the module's readers refuse it or give what
// they promise.
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "bf_contact.h"
#include "tenant_binding.h"
#include "tenant_relay.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_bindings(struct bf_str text)
{
    static struct tenant_entry entry; // its size is no stack's
    struct tenant_bindings page;

    if (tenant_bindings_read(text, &page) != BF_OK)
        return;
    for (size_t i = 0; i < page.count; i++) {
        const struct tenant_binding *binding = &page.at[i];
        assert(!bf_id_is_nil(binding->tenant) && binding->number.len > 0 && binding->ruid.len > 0);
        assert(binding->contact.len > 0 && binding->call_id.len > 0);
        tenant_entry_binding(binding, 1, &entry);
        assert(entry.len <= sizeof(entry.bytes));
        tenant_entry_gone(binding, "lost", 1, &entry);
        assert(entry.len <= sizeof(entry.bytes));
    }
    tenant_bindings_release(&page);
}

static void check_aor(struct bf_str text)
{
    struct bf_id tenant;
    struct bf_str number;

    if (tenant_aor_read(text, &tenant, &number))
        assert(number.len > 0 && number.len + BF_ID_TEXT_SIZE == text.len);
    assert(tenant_binding_transport(text, BF_STR("")).len > 0);
    assert(tenant_binding_transport(BF_STR(""), text).len > 0);
}

static void check_relay(struct bf_str text)
{
    struct tenant_relay relays[TENANT_RELAYS_MAX];
    struct tenant_relay relay = {.dead = true};
    char message[TENANT_RELAY_PING_SIZE];
    size_t count;

    if (tenant_relays_read(text, relays, &count)) {
        assert(count <= TENANT_RELAYS_MAX);
        for (size_t i = 0; i < count; i++)
            assert(relays[i].address_len > 0 && strncmp(relays[i].url, "udp:", 4) == 0);
    }
    tenant_relay_ping(&relay, 0, message);
    tenant_relay_heard(&relay, text);
    assert(!relay.answered || strncmp(text.at, "0000000000000000 ", 17) == 0);
}

static void check_contact(struct bf_str uri)
{
    static const char *const secrets[] = {"pn-provider", "pn-prid", "pn-param", "pn-purr", "belfry-wake"};
    bf_autofree char *room = bf_xcalloc(1, uri.len + 1), *value = bf_xcalloc(1, uri.len + 1);
    struct bf_str public = bf_contact_public(uri, room);

    assert(public.len <= uri.len);
    for (size_t i = 0; i < BF_LEN(secrets); i++)
        assert(bf_contact_param(public, bf_str(secrets[i])).len == 0);
    tenant_binding_unescape(uri, value);
    assert(strlen(value) <= uri.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct bf_str text = {(const char *)bytes, len};

    check_bindings(text);
    check_aor(text);
    check_relay(text);
    check_contact(text);
    return 0;
}
