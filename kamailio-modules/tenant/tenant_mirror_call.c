// usrloc's bindings, told to call-control: each change as it happens, all of them when they are asked for;
// and at the start the way back.
//
// A slot's lock is held both by usrloc's callbacks and by the walk, so a binding's entries are in the order
// of its changes.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/ip_addr.h"
#include "core/socket_info.h"
#include "modules/usrloc/ucontact.h"
#include "modules/usrloc/udomain.h"
#include "modules/usrloc/usrloc.h"

#include "bf_clock.h"
#include "tenant_binding.h"

#define SLICE_US     2000 // time for a round of the walk
#define SECONDS_YEAR 31536000u

// All of it but `usrloc` is the tenant process's own.
static struct {
    usrloc_api_t usrloc;
    bool restoring; // the callback is silent: the sync that follows tells of these
    bool wanted;    // a sync is to be begun
    bool walking;
    uint64_t id; // of the sync
    uint64_t
        end_seq; // the sync's last entry: until it is taken, call-control may still ask for this very sync
    int slot;    // the walk's next one
    uint64_t restored; // bindings brought back
} mirror;

static struct bf_str text_of(str text)
{
    return (struct bf_str){text.s, text.len > 0 ? (size_t)text.len : 0};
}

static udomain_t *table(void)
{
    udomain_t *domain = NULL;

    return mirror.usrloc.get_udomain(tenant_settings.location_table, &domain) == 0 ? domain : NULL;
}

// ---- a change ---------------------------------------------------------------------------------------------

static uint64_t expires_ms_of(const ucontact_t *contact)
{
    uint64_t seconds = contact->expires ? (uint64_t)contact->expires : bf_unix_ms() / 1000 + SECONDS_YEAR;

    return seconds * 1000;
}

static bool binding_of(const ucontact_t *contact, struct tenant_binding *binding)
{
    *binding = (struct tenant_binding){
        .ruid = text_of(contact->ruid),
        .contact = text_of(contact->c),
        .received = text_of(contact->received),
        .path = text_of(contact->path),
        .user_agent = text_of(contact->user_agent),
        .call_id = text_of(contact->callid),
        .instance = text_of(contact->instance),
        .note = tenant_contact_note(contact),
        .expires_ms = expires_ms_of(contact),
        .cseq = (uint32_t)contact->cseq,
        .flags = contact->cflags,
        .q = contact->q == Q_UNSPECIFIED ? 1000 : (uint32_t)contact->q,
    };
    if (contact->sock)
        binding->socket = text_of(contact->sock->sock_str);
    binding->transport = tenant_binding_transport(binding->received, binding->socket);
    return tenant_aor_read(text_of(*contact->aor), &binding->tenant, &binding->number);
}

// Its ruid is unique among all edges.
static void put(const struct tenant_entry *entry, const ucontact_t *contact, bool refresh)
{
    uint64_t key = tenant_hash(&tenant_key, contact->ruid.s, (size_t)contact->ruid.len);

    if (entry->len > 0)
        tenant_outbox_add_binding(tenant_outboxes[TENANT_STREAM_BINDINGS], key, refresh, entry->bytes,
                                  entry->len);
    else
        LM_ERR("a binding of %.*s is too large to be told to call-control\n", contact->aor->len,
               contact->aor->s);
}

static const char *why_gone(const ucontact_t *contact, int type)
{
    if (type == UL_CONTACT_DELETE)
        return "deleted";
    return contact->expires == UL_EXPIRED_TIME ? "lost" : "expired"; // usrloc's mark for a lost connection
}

// `secrets`: of the REGISTER; NULL: there is none.
static void tell(const ucontact_t *contact, int type, const struct tenant_contact_secrets *secrets)
{
    struct tenant_binding binding;
    struct tenant_entry entry;
    bool here = type & (UL_CONTACT_INSERT | UL_CONTACT_UPDATE);

    if (!binding_of(contact, &binding))
        return;
    if (secrets)
        binding.secrets = *secrets;
    if (here)
        tenant_entry_binding(&binding, bf_unix_ms(), &entry);
    else
        tenant_entry_gone(&binding, why_gone(contact, type), bf_unix_ms(), &entry);
    put(&entry, contact, here && binding.secrets.wake.len == 0); // a wake token is told in any case
}

static void on_change(ucontact_t *contact, int type, void *param)
{
    struct tenant_contact_note note;
    struct tenant_contact_secrets secrets;
    bool registered;

    if (mirror.restoring || strcmp(contact->domain->s, tenant_settings.location_table) != 0)
        return;
    registered = (type & (UL_CONTACT_INSERT | UL_CONTACT_UPDATE)) &&
                 tenant_contact_registered(text_of(contact->c), &note, &secrets);
    if (registered)
        tenant_contact_keep(contact, &note);
    tell(contact, type, registered ? &secrets : NULL);
    if (type != UL_CONTACT_UPDATE) // plans wait for it (tenant_plan_proc.c)
        tenant_state->moved_seq = tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_BINDINGS]).put_seq;
}

int tenant_mirror_init(void)
{
    bind_usrloc_t bind = (bind_usrloc_t)(void (*)(void))find_export("ul_bind_usrloc", 1, 0);

    if (!bind || bind(&mirror.usrloc) < 0) {
        LM_ERR("with call_control_bus, usrloc must be loaded before tenant\n");
        return -1;
    }
    if (mirror.usrloc.db_mode == DB_ONLY) {
        LM_ERR("usrloc's db_mode 3 keeps no bindings in memory; use another with call_control_bus\n");
        return -1;
    }
    return mirror.usrloc.register_ulcb(ULCB_MAX, on_change, NULL);
}

// ---- all of them ------------------------------------------------------------------------------------------

void tenant_mirror_resync(void)
{
    mirror.wanted = true;
}

void tenant_mirror_asked(void)
{
    bool under_way =
        mirror.walking ||
        tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_BINDINGS]).taken_seq < mirror.end_seq;

    if (!under_way)
        mirror.wanted = true;
}

static bool put_mark(bool end)
{
    struct tenant_entry entry;

    tenant_entry_mark(end, mirror.id, bf_unix_ms(), &entry);
    return tenant_outbox_add(tenant_outboxes[TENANT_STREAM_BINDINGS], entry.bytes, entry.len);
}

static void walk_begin(void)
{
    mirror.id = bf_unix_ms();
    mirror.slot = 0;
    mirror.walking = put_mark(false);
    mirror.wanted = !mirror.walking;
    if (mirror.walking)
        tenant_count(TENANT_BINDING_RESYNCS, 1);
}

static void walk_slot(hslot_t *slot)
{
    rec_lock_get(&slot->rlock);
    for (urecord_t *record = slot->first; record; record = record->next) {
        for (ucontact_t *contact = record->contacts; contact; contact = contact->next)
            tell(contact, UL_CONTACT_INSERT, NULL);
    }
    rec_lock_release(&slot->rlock);
}

static void walk_end(void)
{
    mirror.walking = false;
    if (put_mark(true))
        mirror.end_seq = tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_BINDINGS]).put_seq;
    else
        mirror.wanted = true;
}

static bool outbox_below(unsigned percent)
{
    struct tenant_outbox_figures figures = tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_BINDINGS]);

    return (uint64_t)figures.waiting * 100 < (uint64_t)figures.entries_max * percent;
}

bool tenant_mirror_some(void)
{
    uint64_t until_us = bf_mono_us() + SLICE_US;
    udomain_t *domain = table();

    // What was dropped may be missing in the walk under way, whose end would void it: no end for that one.
    if (tenant_outbox_lost_bindings(tenant_outboxes[TENANT_STREAM_BINDINGS])) {
        mirror.walking = false;
        mirror.wanted = true;
    }
    if (!domain || !outbox_below(50)) // the reader first; its answers wake us
        return false;
    if (mirror.wanted && !mirror.walking && outbox_below(25))
        walk_begin();
    while (mirror.walking && outbox_below(50)) {
        if (mirror.slot == domain->size) {
            walk_end();
            break;
        }
        walk_slot(&domain->table[mirror.slot++]);
        if (bf_mono_us() > until_us)
            return true;
    }
    return false;
}

// ---- the way back -----------------------------------------------------------------------------------------

static struct socket_info *socket_of(struct bf_str socket)
{
    char text[128];
    char *host;
    int host_len, port, proto;

    if (socket.len == 0 || socket.len >= sizeof(text))
        return NULL;
    memcpy(text, socket.at, socket.len);
    text[socket.len] = '\0';
    if (parse_phostport(text, &host, &host_len, &port, &proto) < 0)
        return NULL;
    return grep_sock_info(&(str){host, host_len}, (unsigned short)port, (unsigned short)proto);
}

static bool restorable(const struct tenant_binding *binding)
{
    return bf_str_eq(binding->transport, BF_STR("udp")) && binding->number.len <= TENANT_USER_MAX &&
           binding->expires_ms > bf_unix_ms();
}

static bool is_there(const urecord_t *record, const struct tenant_binding *binding)
{
    for (const ucontact_t *contact = record->contacts; contact; contact = contact->next) {
        if (bf_str_eq(text_of(contact->c), binding->contact) ||
            bf_str_eq(text_of(contact->ruid), binding->ruid))
            return true;
    }
    return false;
}

static str str_of(struct bf_str text)
{
    return (str){(char *)text.at, (int)text.len};
}

// Under the slot's lock. usrloc copies all of it.
static void insert(urecord_t *record, const struct tenant_binding *binding)
{
    str contact = str_of(binding->contact), path = str_of(binding->path), call_id = str_of(binding->call_id);
    str user_agent = str_of(binding->user_agent);
    ucontact_info_t info = {
        .ruid = str_of(binding->ruid),
        .c = &contact,
        .received = str_of(binding->received),
        .path = &path,
        .expires = (time_t)(binding->expires_ms / 1000),
        .q = binding->q <= 1000 ? (qvalue_t)binding->q : Q_UNSPECIFIED,
        .callid = &call_id,
        .cseq = (int)binding->cseq,
        .cflags = binding->flags,
        .user_agent = &user_agent,
        .sock = socket_of(binding->socket),
        .methods = UINT32_MAX, // all
        .instance = str_of(binding->instance),
        .tcpconn_id = -1,
        .last_modified = time(NULL),
    };
    ucontact_t *inserted;

    if (mirror.usrloc.insert_ucontact(record, &contact, &info, &inserted) < 0)
        return;
    tenant_contact_keep(inserted, &binding->note);
    mirror.restored++;
}

void tenant_mirror_restore(const struct tenant_binding *binding)
{
    char aor_text[TENANT_AOR_SIZE];
    udomain_t *domain = table();
    urecord_t *record = NULL;
    str aor = {aor_text, 0};

    if (!domain || !restorable(binding))
        return;
    aor.len = (int)tenant_aor_write(binding->tenant, binding->number, aor_text);
    mirror.restoring = true;
    mirror.usrloc.lock_udomain(domain, &aor);
    if (mirror.usrloc.get_urecord(domain, &aor, &record) == 0 ||
        mirror.usrloc.insert_urecord(domain, &aor, &record) == 0) {
        if (!is_there(record, binding))
            insert(record, binding);
    }
    mirror.usrloc.unlock_udomain(domain, &aor);
    mirror.restoring = false;
}

uint64_t tenant_mirror_restored(void)
{
    return mirror.restored;
}

uint32_t tenant_mirror_bindings(void)
{
    udomain_t *domain = table();

    return domain && domain->contacts ? (uint32_t)get_stat_val(domain->contacts) : 0;
}
