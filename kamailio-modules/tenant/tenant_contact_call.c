// tenant_contacts(): the Contacts of a REGISTER without what only their device and we may know
// (bf_contact.h).
//
// registrar stores what stands in the parsed Contact, answers every device of the extension with it, and it
// is the Request-URI of calls: so the parsed URI is made to point to a copy without these parameters. The
// message itself stays as it came: a REGISTER that is suspended after this is parsed again when it goes on.
#include "tenant_mod.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include "core/crypto/sha256.h"
#include "core/dprint.h"
#include "core/parser/contact/parse_contact.h"
#include "core/parser/parse_expires.h"
#include "core/ut.h"
#include "core/xavp.h"
#include "modules/usrloc/ucontact.h"

#include "bf_contact.h"
#include "tenant_binding.h"

#define CONTACTS_MAX   20    // as many as an extension may have
#define URIS_BYTES_MAX 65536 // more than a message that the edge takes can have
#define PRID_BYTES_MAX 4096
#define WAKE_BYTES_MAX 128

struct registering {   // a Contact of the REGISTER that this process works on
    struct bf_str uri; // as it is stored
    struct tenant_contact_note note;
    struct tenant_contact_secrets secrets; // they point into the message
};

static struct {
    struct registering at[CONTACTS_MAX];
    size_t count;
    char uris[URIS_BYTES_MAX];
    size_t uris_len;
    param_t expires; // of all that would live longer than their app token
    char expires_text[16];
} registering;

static struct bf_str bf_of(str text)
{
    return (struct bf_str){text.s, text.s && text.len > 0 ? (size_t)text.len : 0};
}

// ---- the REGISTER

// Beside the URI or in it. Only characters of base64url: it is no token otherwise.
static struct bf_str wake_of(const contact_t *contact)
{
    static const char CHARS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct bf_str token = bf_contact_param(bf_of(contact->uri), BF_STR("belfry-wake"));

    for (const param_t *param = contact->params; param; param = param->next) {
        if (bf_str_case_eq(bf_of(param->name), BF_STR("belfry-wake")))
            token = bf_of(param->body);
    }
    for (size_t i = 0; i < token.len; i++) {
        if (!memchr(CHARS, token.at[i], sizeof(CHARS) - 1))
            return BF_STR("");
    }
    return token.len <= WAKE_BYTES_MAX ? token : BF_STR("");
}

static void pn_id_of(struct bf_str prid, uint8_t pn_id[TENANT_PN_ID_BYTES])
{
    char text[PRID_BYTES_MAX + 1];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX context;

    if (prid.len == 0 || prid.len > PRID_BYTES_MAX)
        return;
    tenant_binding_unescape(prid, text);
    sr_SHA256_Init(&context);
    sr_SHA256_Update(&context, (const uint8_t *)text, strlen(text));
    sr_SHA256_Final(digest, &context);
    memcpy(pn_id, digest, TENANT_PN_ID_BYTES);
}

static void note_contact(const contact_t *contact, struct bf_str uri, struct bf_id extension)
{
    struct registering *one;

    if (registering.count == CONTACTS_MAX)
        return;
    one = &registering.at[registering.count++];
    *one = (struct registering){
        .uri = uri,
        .note = {.extension = extension},
        .secrets = {bf_contact_param(bf_of(contact->uri), BF_STR("pn-provider")),
                    bf_contact_param(bf_of(contact->uri), BF_STR("pn-prid")),
                    bf_contact_param(bf_of(contact->uri), BF_STR("pn-param")), wake_of(contact)},
    };
    pn_id_of(one->secrets.pn_prid, one->note.pn_id);
}

// UINT_MAX: it leaves that to us.
static unsigned int asked_seconds(const sip_msg_t *msg, const contact_t *contact)
{
    unsigned int seconds;

    if (contact->expires && contact->expires->body.len > 0)
        return str2int(&contact->expires->body, &seconds) == 0 ? seconds : UINT_MAX;
    if (msg->expires && parse_expires(msg->expires) == 0 && ((exp_body_t *)msg->expires->parsed)->valid)
        return ((exp_body_t *)msg->expires->parsed)->val;
    return UINT_MAX;
}

// Who registers by an app token is here no longer than that is good (but for registrar's min_expires).
static void shorten(const sip_msg_t *msg, contact_t *contact, uint32_t most_seconds)
{
    int len;

    if (most_seconds == 0 || asked_seconds(msg, contact) <= most_seconds)
        return;
    len = snprintf(registering.expires_text, sizeof(registering.expires_text), "%u", most_seconds);
    registering.expires = (param_t){.type = P_EXPIRES, .body = {registering.expires_text, len}};
    contact->expires = &registering.expires;
}

static bool hide(contact_t *contact, struct bf_id extension)
{
    struct bf_str whole = bf_of(contact->uri), uri;

    if (whole.len > sizeof(registering.uris) - registering.uris_len)
        return false;
    uri = bf_contact_public(whole, registering.uris + registering.uris_len);
    registering.uris_len += uri.len;
    note_contact(contact, uri, extension);
    contact->uri = (str){(char *)uri.at, (int)uri.len};
    return true;
}

int tenant_contacts_of(sip_msg_t *msg)
{
    const struct tenant_values *values = tenant_values_of(msg);
    struct bf_id extension = {{0}};
    contact_t *contact = NULL;

    registering.count = 0;
    registering.uris_len = 0;
    if (values && values->asked && values->credential.known)
        extension = values->credential.extension;
    if (parse_headers(msg, HDR_EOH_F, 0) < 0 || (msg->contact && parse_contact_headers(msg) < 0))
        return -1;
    if (!msg->contact || ((contact_body_t *)msg->contact->parsed)->star)
        return 1;
    while (contact_iterator(&contact, msg, contact) == 0 && contact) {
        if (!hide(contact, extension))
            return -1;
        shorten(msg, contact, values ? values->token.seconds : 0);
    }
    return 1;
}

bool tenant_contact_registered(struct bf_str uri, struct tenant_contact_note *ret_note,
                               struct tenant_contact_secrets *ret_secrets)
{
    for (size_t i = 0; i < registering.count; i++) {
        if (!bf_str_eq(registering.at[i].uri, uri))
            continue;
        *ret_note = registering.at[i].note;
        *ret_secrets = registering.at[i].secrets;
        return true;
    }
    return false;
}

// ---- what is kept with a contact: an xavp of it, which goes with it

static const str NOTE_NAME = str_init("tenant");

struct tenant_contact_note tenant_contact_note(const struct ucontact *contact)
{
    struct tenant_contact_note note = {.pn_id = {0}};
    const sr_xavp_t *xavp = contact->xavp;

    if (xavp && xavp->val.type == SR_XTYPE_STR && xavp->val.v.s.len == (int)sizeof(note))
        memcpy(&note, xavp->val.v.s.s, sizeof(note));
    return note;
}

void tenant_contact_keep(struct ucontact *contact, const struct tenant_contact_note *note)
{
    sr_xval_t value = {.type = SR_XTYPE_STR, .v.s = {(char *)note, (int)sizeof(*note)}};

    if (contact->xavp)
        xavp_destroy_list(&contact->xavp);
    if (!xavp_add_value((str *)&NOTE_NAME, &value, &contact->xavp))
        LM_ERR("no shared memory: whose contact this is will not be known\n");
}
