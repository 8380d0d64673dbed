// A device of ours by its usrloc record: the last hop of a call that another edge planned, and whether it
// still is there.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/dset.h"
#include "modules/usrloc/usrloc.h"

#include "tenant_binding.h"

static usrloc_api_t usrloc;

int tenant_device_init(void)
{
    bind_usrloc_t bind;

    if (!tenant_has_control())
        return 0;
    bind = (bind_usrloc_t)(void (*)(void))find_export("ul_bind_usrloc", 1, 0);
    if (!bind || bind(&usrloc) < 0) {
        LM_ERR("with call_control_bus, the usrloc module must be loaded before tenant\n");
        return -1;
    }
    return 0;
}

static const ucontact_t *contact_of(const urecord_t *record, str ruid)
{
    for (const ucontact_t *at = record->contacts; at; at = at->next) {
        if (at->ruid.len == ruid.len && memcmp(at->ruid.s, ruid.s, (size_t)ruid.len) == 0)
            return at;
    }
    return NULL;
}

// Its connection or nothing: a device behind a stream cannot be connected to.
static bool address(sip_msg_t *msg, const ucontact_t *contact)
{
    str uri = contact->c, received = contact->received, ruid = contact->ruid;

    if (rewrite_uri(msg, &uri) < 0 || set_ruid(msg, &ruid) < 0 ||
        (received.len > 0 && set_dst_uri(msg, &received) < 0))
        return false;
    if (contact->sock) {
        set_force_socket(msg, contact->sock);
        if (contact->sock->proto != PROTO_UDP)
            msg->fwd_send_flags.f |= SND_F_FORCE_CON_REUSE;
    }
    setbflagsval(0, contact->cflags);
    return true;
}

// The valid contact of this AoR with this ruid, under the domain's lock. NULL: there is none.
static const ucontact_t *valid_contact(udomain_t *domain, str *aor, str ruid)
{
    const ucontact_t *contact = NULL;
    urecord_t *record = NULL;

    if (usrloc.get_urecord(domain, aor, &record) == 0)
        contact = contact_of(record, ruid);
    return contact && VALID_CONTACT(contact, time(NULL)) ? contact : NULL;
}

int tenant_device_of(sip_msg_t *msg, str *aor, str *ruid)
{
    udomain_t *domain = NULL;
    const ucontact_t *contact;
    int result = -1;

    if (!usrloc.get_udomain || usrloc.get_udomain(tenant_settings.location_table, &domain) != 0)
        return -1;
    usrloc.lock_udomain(domain, aor);
    contact = valid_contact(domain, aor, *ruid);
    if (contact && address(msg, contact))
        result = 1;
    usrloc.unlock_udomain(domain, aor);
    return result;
}

bool tenant_device_left(struct bf_id tenant, struct bf_str number, struct bf_str ruid)
{
    char aor_text[TENANT_AOR_SIZE];
    str aor = {aor_text, 0};
    udomain_t *domain = NULL;
    bool left;

    if (number.len > TENANT_USER_MAX || !usrloc.get_udomain ||
        usrloc.get_udomain(tenant_settings.location_table, &domain) != 0)
        return false;
    aor.len = (int)tenant_aor_write(tenant, number, aor_text);
    usrloc.lock_udomain(domain, &aor);
    left = !valid_contact(domain, &aor, (str){(char *)ruid.at, (int)ruid.len});
    usrloc.unlock_udomain(domain, &aor);
    return left;
}
