// Registered contacts of what is gone are removed from usrloc, whose addresses of record are
// <number>@<tenant's UUID>.
//
// An extension is one look-up, done again a little later: a REGISTER that was let in just before may still be
// on its way to being saved. When somebody has its number again, that one's contacts stay. A tenant is a walk
// over the whole table, a slice a round; tenants that go meanwhile start the walk anew for all of them.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "modules/usrloc/udomain.h"
#include "modules/usrloc/usrloc.h"

#include "bf_clock.h"
#include "tenant_binding.h"

#define SLICE_US        2000 // time for a round of the walk
#define RECORDS_A_VISIT 64   // removed before a slot's lock is let go

#define AGAIN_MS  1000
#define AGAIN_MAX 1024 // more than that deleted within AGAIN_MS: the oldest are done again early

struct again {
    struct bf_id tenant, but;
    uint64_t due_ms;
    uint8_t len;
    char number[TENANT_USER_MAX];
};

static struct {
    usrloc_api_t usrloc;
    bool loaded;
    char (*tenants)[BF_ID_TEXT_SIZE]; // going: the domain part of their addresses
    size_t tenant_count, tenant_room;
    int slot;                      // the walk's next one
    struct again again[AGAIN_MAX]; // a ring, by time
    uint32_t again_first, again_count;
} unbind;

void tenant_unbind_start(void)
{
    bind_usrloc_t bind = (bind_usrloc_t)(void (*)(void))find_export("ul_bind_usrloc", 1, 0);

    unbind.loaded = bind && bind(&unbind.usrloc) >= 0;
    if (!unbind.loaded)
        LM_NOTICE("usrloc is not loaded: contacts of deleted extensions are not removed\n");
}

static udomain_t *table(void)
{
    udomain_t *domain = NULL;

    if (!unbind.loaded || unbind.usrloc.db_mode == DB_ONLY)
        return NULL;
    return unbind.usrloc.get_udomain(tenant_settings.location_table, &domain) == 0 ? domain : NULL;
}

static bool is_of(const ucontact_t *contact, struct bf_id extension)
{
    struct bf_id whose = tenant_contact_note(contact).extension;

    return bf_id_is_nil(whose) || bf_id_eq(whose, extension); // not known: its next REGISTER tells
}

static void remove_contacts(urecord_t *record, struct bf_id but)
{
    for (ucontact_t *contact = record->contacts, *next; contact; contact = next) {
        next = contact->next;
        if (!is_of(contact, but) && unbind.usrloc.delete_ucontact(record, contact) < 0)
            LM_ERR("cannot remove a contact of %.*s\n", record->aor.len, record->aor.s);
    }
    unbind.usrloc.release_urecord(record);
}

static void remove_aor(udomain_t *domain, str aor, struct bf_id but)
{
    urecord_t *record;

    unbind.usrloc.lock_udomain(domain, &aor);
    if (unbind.usrloc.get_urecord(domain, &aor, &record) == 0) {
        if (!bf_id_is_nil(but))
            remove_contacts(record, but);
        else if (unbind.usrloc.delete_urecord(domain, &aor, record) < 0)
            LM_ERR("cannot remove the contacts of %.*s\n", aor.len, aor.s);
    }
    unbind.usrloc.unlock_udomain(domain, &aor);
}

static void remove_extension(struct bf_id tenant, struct bf_str number, struct bf_id but)
{
    udomain_t *domain = table();
    char aor[TENANT_AOR_SIZE];

    if (domain)
        remove_aor(domain, (str){aor, (int)tenant_aor_write(tenant, number, aor)}, but);
}

static struct again *again_at(uint32_t i)
{
    return &unbind.again[(unbind.again_first + i) % AGAIN_MAX];
}

static void again_do_first(void)
{
    const struct again *again = again_at(0);

    remove_extension(again->tenant, (struct bf_str){again->number, again->len}, again->but);
    unbind.again_first = (unbind.again_first + 1) % AGAIN_MAX;
    unbind.again_count--;
}

// One that is on its way already is about whoever has the number now.
static struct again *again_find(struct bf_id tenant, struct bf_str number)
{
    for (uint32_t i = 0; i < unbind.again_count; i++) {
        struct again *again = again_at(i);
        if (bf_id_eq(again->tenant, tenant) && bf_str_eq((struct bf_str){again->number, again->len}, number))
            return again;
    }
    return NULL;
}

void tenant_unbind_extension(struct bf_id tenant, struct bf_str number, struct bf_id but)
{
    struct again *again;

    if (!unbind.loaded || number.len > TENANT_USER_MAX)
        return;
    remove_extension(tenant, number, but);
    again = again_find(tenant, number);
    if (again)
        again->but = but;
    if (unbind.again_count == AGAIN_MAX)
        again_do_first();
    again = again_at(unbind.again_count++);
    again->tenant = tenant;
    again->but = but;
    again->due_ms = bf_mono_ms() + AGAIN_MS;
    again->len = (uint8_t)number.len;
    memcpy(again->number, number.at, number.len);
}

void tenant_unbind_tenant(struct bf_id tenant)
{
    if (!unbind.loaded)
        return;
    if (unbind.tenant_count == unbind.tenant_room) {
        unbind.tenant_room = unbind.tenant_room ? unbind.tenant_room * 2 : 16;
        unbind.tenants = reallocarray(unbind.tenants, unbind.tenant_room, sizeof(*unbind.tenants));
        if (!unbind.tenants)
            abort();
    }
    bf_id_text(tenant, unbind.tenants[unbind.tenant_count++]);
    unbind.slot = 0;
}

static bool is_going(const str *aor)
{
    const size_t len = BF_ID_TEXT_SIZE - 1;

    if ((size_t)aor->len <= len || aor->s[(size_t)aor->len - len - 1] != '@')
        return false;
    for (size_t i = 0; i < unbind.tenant_count; i++) {
        if (memcmp(aor->s + aor->len - len, unbind.tenants[i], len) == 0)
            return true;
    }
    return false;
}

// True: the slot is clean; false: come again, its lock was let go in between.
static bool visit_slot(udomain_t *domain, hslot_t *slot)
{
    int removed = 0;

    rec_lock_get(&slot->rlock);
    for (urecord_t *record = slot->first, *next; record && removed < RECORDS_A_VISIT; record = next) {
        next = record->next;
        if (!is_going(&record->aor))
            continue;
        str aor = record->aor;
        unbind.usrloc.delete_urecord(domain, &aor, record);
        removed++;
    }
    rec_lock_release(&slot->rlock);
    return removed < RECORDS_A_VISIT;
}

bool tenant_unbind_some(void)
{
    udomain_t *domain = unbind.tenant_count > 0 ? table() : NULL;
    uint64_t until_us = bf_mono_us() + SLICE_US;

    while (unbind.again_count > 0 && again_at(0)->due_ms <= bf_mono_ms())
        again_do_first();
    while (domain && unbind.slot < domain->size) {
        if (visit_slot(domain, &domain->table[unbind.slot]))
            unbind.slot++;
        if (bf_mono_us() > until_us)
            return true;
    }
    unbind.tenant_count = 0;
    return false;
}
