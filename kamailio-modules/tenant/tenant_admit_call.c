// tenant_admit(): a REGISTER that brings devices that are new here, of a tenant that may not have any number
// of them.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/mem/shm_mem.h"
#include "core/parser/contact/parse_contact.h"
#include "core/parser/parse_expires.h"
#include "core/parser/parse_to.h"
#include "core/parser/parse_uri.h"
#include "modules/usrloc/usrloc.h"

#include "bf_clock.h"
#include "tenant_admit_wire.h"
#include "tenant_binding.h"

static usrloc_api_t usrloc;

int tenant_admit_init(void)
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

static struct bf_str bf_of(str text)
{
    return (struct bf_str){text.s, text.s && text.len > 0 ? (size_t)text.len : 0};
}

// ---- which devices are new --------------------------------------------------------------------------------

// Contact's own expires is what counts, else that of the message.
static bool goes(sip_msg_t *msg, const contact_t *contact)
{
    if (contact->expires)
        return bf_str_eq(bf_of(contact->expires->body), BF_STR("0"));
    if (!msg->expires || parse_expires(msg->expires) < 0)
        return false;
    return ((exp_body_t *)msg->expires->parsed)->valid && ((exp_body_t *)msg->expires->parsed)->val == 0;
}

static bool is_bound(const urecord_t *record, const contact_t *contact)
{
    time_t now = time(NULL);

    for (const ucontact_t *at = record ? record->contacts : NULL; at; at = at->next) {
        if (VALID_CONTACT(at, now) && bf_str_eq(bf_of(at->c), bf_of(contact->uri)))
            return true;
    }
    return false;
}

static bool is_star(const sip_msg_t *msg)
{
    const contact_body_t *body = msg->contact ? msg->contact->parsed : NULL;

    return body && body->star;
}

// Under the slot's lock. More than an extension may ever have are not asked about: registrar refuses them.
static void devices_new(sip_msg_t *msg, const urecord_t *record, struct tenant_admit_ask *ask)
{
    contact_t *contact = NULL;

    while (ask->device_count < TENANT_ADMIT_DEVICES_MAX && contact_iterator(&contact, msg, contact) == 0 &&
           contact) {
        if (goes(msg, contact) || is_bound(record, contact))
            continue;
        ask->devices[ask->device_count++] = (struct tenant_admit_device){
            bf_of(contact->uri),
            contact->instance ? bf_of(contact->instance->body) : (struct bf_str){NULL, 0}};
    }
}

static bool devices_find(sip_msg_t *msg, struct tenant_admit_ask *ask)
{
    char aor_text[TENANT_AOR_SIZE];
    str aor = {aor_text, 0};
    udomain_t *domain = NULL;
    urecord_t *record = NULL;

    if (ask->number.len > TENANT_USER_MAX || usrloc.get_udomain(tenant_settings.location_table, &domain) != 0)
        return false;
    aor.len = (int)tenant_aor_write(ask->tenant, ask->number, aor_text);
    usrloc.lock_udomain(domain, &aor);
    if (usrloc.get_urecord(domain, &aor, &record) != 0)
        record = NULL;
    devices_new(msg, record, ask);
    usrloc.unlock_udomain(domain, &aor);
    return true;
}

static bool ask_read(sip_msg_t *msg, const struct tenant_values *values, struct tenant_admit_ask *ret_ask)
{
    *ret_ask = (struct tenant_admit_ask){.edge = bf_str(tenant_settings.edge_id),
                                         .tenant = values->match.id,
                                         .max_registrations = values->match.limits.max_registrations};
    if (msg->first_line.type != SIP_REQUEST || msg->REQ_METHOD != METHOD_REGISTER ||
        parse_headers(msg, HDR_EOH_F, 0) < 0 || !msg->to || !parse_to_uri(msg) ||
        (msg->contact && parse_contact_headers(msg) < 0))
        return false;
    ret_ask->number = bf_of(parse_to_uri(msg)->user);
    return ret_ask->number.len > 0 && (!msg->contact || is_star(msg) || devices_find(msg, ret_ask));
}

// ---- the question -----------------------------------------------------------------------------------------

static struct tenant_ask_text *ask_pack(const struct tenant_admit_ask *ask)
{
    struct tenant_ask_text *text = NULL;
    struct bf_buf packed;

    bf_buf_init(&packed, TENANT_ADMIT_ASK_BYTES_MAX);
    tenant_admit_wire_ask(ask, &packed);
    if (bf_buf_ok(&packed))
        text = shm_malloc(sizeof(*text) + packed.len);
    if (text) {
        text->len = packed.len;
        memcpy(text->bytes, packed.at, packed.len);
    }
    bf_buf_release(&packed);
    return text;
}

static struct tenant_ticket *ask_ticket(const struct tenant_admit_ask *ask, struct bf_str route)
{
    struct tenant_ticket *ticket;

    if (!tenant_state->control_connected)
        return NULL;
    ticket = tenant_ticket_new(TENANT_TICKET_ADMIT, route);
    if (!ticket)
        return NULL;
    ticket->deadline_ms = bf_mono_ms() + (uint64_t)tenant_settings.plan_timeout_ms;
    ticket->ask = ask_pack(ask);
    if (ticket->ask)
        return ticket;
    tenant_ticket_free(ticket);
    return NULL;
}

// Whoever cannot be asked about is let through: a phone without a registration is worse than one too many.
static int unasked(void)
{
    tenant_count(TENANT_ADMITS_UNASKED, 1);
    return -2;
}

static int answered(const struct tenant_ticket *ticket)
{
    if (ticket->err != BF_OK)
        return unasked();
    tenant_count(ticket->refused ? TENANT_ADMITS_REFUSED : TENANT_ADMITS, 1);
    return ticket->refused ? -1 : 1;
}

int tenant_admit_of(sip_msg_t *msg, str *route)
{
    const struct tenant_values *values = tenant_values_of(msg);
    const struct tenant_ticket *resumed = tenant_ticket_resumed(TENANT_TICKET_ADMIT);
    struct tenant_ticket *ticket;
    struct tenant_admit_ask ask;
    int result;

    if (!values) {
        LM_ERR("tenant_admit: call tenant_match first\n");
        return -2;
    }
    if (values->match.limits.max_registrations == 0 || !tenant_has_control())
        return 1;
    if (resumed)
        return answered(resumed);
    if (!ask_read(msg, values, &ask))
        return unasked();
    if (ask.device_count == 0)
        return 1;
    ticket = ask_ticket(&ask, (struct bf_str){route->s, (size_t)route->len});
    if (!ticket)
        return unasked();
    result = tenant_ticket_suspend(msg, ticket);
    return result == 0 ? 0 : unasked();
}
