// Click-to-call: the devices of `from` are rung by us with an offer that holds; the first that answers is
// asked by REFER to call `to`, as if its user had dialled, and its call with us ends. What it then dials is a
// call like any other, with its own plan.
//
// Only devices with a binding on this edge are rung. Everything that lives longer than a function is in
// shared memory: answers come in any process.
#include "tenant_mod.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include "core/dprint.h"
#include "core/mem/shm_mem.h"
#include "modules/tm/tm_load.h"
#include "modules/usrloc/udomain.h"
#include "modules/usrloc/usrloc.h"

#include "bf_base64.h"
#include "bf_clock.h"
#include "bf_crypto.h"
#include "tenant_binding.h"
#include "tenant_edge_call.h"

#define DEVICES_MAX 8
#define HEADERS_MAX 1024
#define URI_MAX     400
#define KEY_BYTES   30 // of AES_CM_128: key and salt
#define KEY_SIZE    (KEY_BYTES / 3 * 4 + 1)
#define TEXT_MAX    (TENANT_ORDER_TEXT_MAX + sizeof("sip:@") + 254)

struct start;

struct device {
    struct start *start;
    dlg_t *dialog;             // tm's, in shared memory
    unsigned int index, label; // of the INVITE's transaction
    bool keyed;                // it would have no other media than protected (SDES)
    char contact[URI_MAX];
    char received[URI_MAX];
    struct socket_info *socket;
};

struct start {
    _Atomic uint32_t refs;   // requests under way
    _Atomic uint32_t chosen; // number of the device that answered first, from 1
    char from[TEXT_MAX], to[TEXT_MAX];
    uint32_t count;
    struct device devices[DEVICES_MAX];
};

static struct {
    struct tm_binds tm;
    usrloc_api_t usrloc;
} originate;

int tenant_originate_init(void)
{
    bind_usrloc_t bind = (bind_usrloc_t)(void (*)(void))find_export("ul_bind_usrloc", 1, 0);

    return bind && bind(&originate.usrloc) >= 0 && load_tm_api(&originate.tm) >= 0 ? 0 : -1;
}

static void start_unref(struct start *start)
{
    if (atomic_fetch_sub(&start->refs, 1) > 1)
        return;
    for (uint32_t i = 0; i < start->count; i++)
        originate.tm.free_dlg(start->devices[i].dialog);
    shm_free(start);
}

// ---- the devices ------------------------------------------------------------------------------------------

static bool fits(str text)
{
    return text.len < URI_MAX;
}

static void device_add(struct start *start, const ucontact_t *contact)
{
    struct device *device = &start->devices[start->count];

    // Behind a Path is another proxy, or another edge: not ours to ring.
    if (start->count == DEVICES_MAX || contact->path.len > 0 || !fits(contact->c) ||
        !fits(contact->received) || !VALID_CONTACT(contact, time(NULL)))
        return;
    device->start = start;
    device->socket = contact->sock;
    memcpy(device->contact, contact->c.s, (size_t)contact->c.len);
    memcpy(device->received, contact->received.s, (size_t)contact->received.len);
    start->count++;
}

_Static_assert(TENANT_ORDER_TEXT_MAX <= TENANT_USER_MAX, "an order's number fits into an AoR");

static void devices_find(const struct tenant_order *order, struct start *start)
{
    char aor_text[TENANT_AOR_SIZE];
    udomain_t *domain = NULL;
    urecord_t *record = NULL;
    str aor = {aor_text, 0};

    if (originate.usrloc.get_udomain(tenant_settings.location_table, &domain) != 0)
        return;
    aor.len = (int)tenant_aor_write(order->tenant, bf_str(order->from), aor_text);
    originate.usrloc.lock_udomain(domain, &aor);
    if (originate.usrloc.get_urecord(domain, &aor, &record) == 0) {
        for (const ucontact_t *contact = record->contacts; contact; contact = contact->next)
            device_add(start, contact);
    }
    originate.usrloc.unlock_udomain(domain, &aor);
}

// ---- requests ---------------------------------------------------------------------------------------------

static str text_str(char *text)
{
    return (str){text, (int)strlen(text)};
}

static int common_headers(const struct device *device, char text[HEADERS_MAX])
{
    const struct socket_info *socket = device->dialog->send_sock;

    if (!socket)
        return snprintf(text, HEADERS_MAX, "Max-Forwards: 70\r\n");
    return snprintf(text, HEADERS_MAX, "Contact: <sip:%.*s:%d;transport=%s>\r\nMax-Forwards: 70\r\n",
                    socket->address_str.len, socket->address_str.s, socket->port_no,
                    get_valid_proto_name((unsigned short)socket->proto));
}

static void bye_answered(tm_cell_t *t, int type, struct tmcb_params *params)
{
    struct device *device = *params->param;

    start_unref(device->start);
}

static void bye(struct device *device)
{
    str method = str_init("BYE");
    char text[HEADERS_MAX];
    str headers = {text, common_headers(device, text)};
    uac_req_t request;

    set_uac_req(&request, &method, &headers, NULL, device->dialog, TMCB_LOCAL_COMPLETED, bye_answered,
                device);
    atomic_fetch_add(&device->start->refs, 1);
    if (originate.tm.t_request_within(&request) < 0)
        start_unref(device->start);
}

static void refer_answered(tm_cell_t *t, int type, struct tmcb_params *params)
{
    struct device *device = *params->param;

    if (params->code >= 300)
        LM_NOTICE("click-to-call: the phone at %s refuses to call (%d)\n", device->contact, params->code);
    bye(device);
    start_unref(device->start);
}

static void refer(struct device *device)
{
    str method = str_init("REFER");
    char text[HEADERS_MAX];
    str headers = {text, common_headers(device, text)};
    uac_req_t request;

    headers.len +=
        snprintf(text + headers.len, sizeof(text) - (size_t)headers.len,
                 "Refer-To: <%s>\r\nReferred-By: <%s>\r\n", device->start->to, device->start->from);
    set_uac_req(&request, &method, &headers, NULL, device->dialog, TMCB_LOCAL_COMPLETED, refer_answered,
                device);
    atomic_fetch_add(&device->start->refs, 1);
    if (headers.len >= HEADERS_MAX || originate.tm.t_request_within(&request) < 0) {
        LM_ERR("click-to-call: the phone at %s cannot be asked to call\n", device->contact);
        bye(device);
        start_unref(device->start);
    }
}

static void cancel_others(struct start *start, const struct device *chosen)
{
    for (uint32_t i = 0; i < start->count; i++) {
        const struct device *device = &start->devices[i];
        tm_cell_t *before = originate.tm.t_gett(), *t = NULL;
        int branch = originate.tm.t_gett_branch();

        if (device == chosen || device->label == 0)
            continue;
        if (originate.tm.t_lookup_ident(&t, device->index, device->label) > 0) {
            originate.tm.cancel_all_uacs(t, 0);
            originate.tm.unref_cell(t);
        }
        originate.tm.t_sett(before, branch);
    }
}

static bool over_tls(const struct device *device)
{
    return device->socket && device->socket->proto == PROTO_TLS;
}

static bool invite(struct device *device);

// tm has acknowledged a 2xx by itself.
static void invite_answered(tm_cell_t *t, int type, struct tmcb_params *params)
{
    struct device *device = *params->param;
    struct start *start = device->start;
    uint32_t nobody = 0, number = (uint32_t)(device - start->devices) + 1;
    bool answered = params->code >= 200 && params->code < 300 && params->rpl && params->rpl != FAKED_REPLY;

    if (params->code == 488 && over_tls(device) && !device->keyed && !atomic_load(&start->chosen)) {
        originate.tm.free_dlg(device->dialog);
        device->dialog = NULL;
        device->keyed = true;
        invite(device);
    } else if (answered && originate.tm.dlg_response_uac(device->dialog, params->rpl, IS_TARGET_REFRESH) < 0)
        LM_ERR("click-to-call: the answer of the phone at %s makes no dialog\n", device->contact);
    else if (answered && atomic_compare_exchange_strong(&start->chosen, &nobody, number)) {
        cancel_others(start, device);
        refer(device);
    } else if (answered) {
        bye(device);
    }
    start_unref(start);
}

// A key that nothing is ever sent with.
static void key_make(char text[KEY_SIZE])
{
    uint8_t bytes[KEY_BYTES];
    struct bf_buf encoded;

    bf_random(bytes, sizeof(bytes));
    bf_buf_init(&encoded, KEY_SIZE);
    bf_base64url(&encoded, bytes, sizeof(bytes));
    snprintf(text, KEY_SIZE, "%.*s", (int)encoded.len, encoded.at);
    bf_buf_release(&encoded);
    for (char *at = text; *at; at++) // SDP has the other alphabet
        *at = (char)(*at == '-' ? '+' : *at == '_' ? '/' : *at);
}

// An offer that holds: no port is open for it, and nobody is to send.
static int offer(const struct device *device, char *text, size_t size)
{
    const struct socket_info *socket = device->socket;
    const char *family = socket && socket->address.af == AF_INET6 ? "IP6" : "IP4";
    str address = socket ? socket->address_str : (str)str_init("127.0.0.1");
    char key[KEY_SIZE] = "", crypto[KEY_SIZE + 64] = "";

    if (device->keyed) {
        key_make(key);
        snprintf(crypto, sizeof(crypto), "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n", key);
    }
    return snprintf(
        text, size,
        "v=0\r\no=- %llu 1 IN %s %.*s\r\ns=-\r\nc=IN %s %.*s\r\nt=0 0\r\n"
        "m=audio 9 RTP/%s 8 0\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n%sa=inactive\r\n",
        (unsigned long long)bf_unix_ms(), family, address.len, address.s, family, address.len, address.s,
        device->keyed ? "SAVP" : "AVP", crypto);
}

static bool target_set(struct device *device)
{
    dlg_t *dialog = device->dialog;
    str contact = text_str(device->contact), received = text_str(device->received);

    dialog->send_sock = device->socket;
    if (shm_str_dup(&dialog->rem_target, &contact) < 0)
        return false;
    return received.len == 0 || shm_str_dup(&dialog->dst_uri, &received) == 0;
}

static bool invite(struct device *device)
{
    str method = str_init("INVITE"), from = text_str(device->start->to), to = text_str(device->start->from);
    char headers_text[HEADERS_MAX], body_text[512];
    str headers = {headers_text, 0}, body = {body_text, 0};
    uac_req_t request;

    // The phone shows whom it will be connected with.
    if (originate.tm.new_dlg_uac(NULL, NULL, 0, &from, &to, &device->dialog) < 0)
        return false;
    if (!target_set(device) || originate.tm.calculate_hooks(device->dialog) < 0)
        return false;
    headers.len = common_headers(device, headers_text);
    headers.len += snprintf(headers_text + headers.len, sizeof(headers_text) - (size_t)headers.len,
                            "Content-Type: application/sdp\r\n");
    body.len = offer(device, body_text, sizeof(body_text));
    set_uac_req(&request, &method, &headers, &body, device->dialog, TMCB_LOCAL_COMPLETED, invite_answered,
                device);
    atomic_fetch_add(&device->start->refs, 1);
    if (originate.tm.t_uac_with_ids(&request, &device->index, &device->label) >= 0)
        return true;
    start_unref(device->start);
    return false;
}

// ---- the order --------------------------------------------------------------------------------------------

static uint32_t ring(struct start *start)
{
    uint32_t rung = 0, chosen;

    for (uint32_t i = 0; i < start->count && !atomic_load(&start->chosen); i++)
        rung += invite(&start->devices[i]);
    chosen = atomic_load(&start->chosen);
    if (chosen) // it answered while the rest was being rung: whoever chose it could not cancel all of them
        cancel_others(start, &start->devices[chosen - 1]);
    return rung;
}

void tenant_originate(struct tenant_order *order)
{
    struct start *start = shm_malloc(sizeof(*start));
    uint32_t rung = 0;

    if (!start) {
        SHM_MEM_ERROR;
        tenant_order_finish(tenant_orders, order, BF_INTERNAL, NULL);
        return;
    }
    memset(start, 0, sizeof(*start));
    start->refs = 1;
    snprintf(start->from, sizeof(start->from), "sip:%s@%s", order->from, order->domain);
    snprintf(start->to, sizeof(start->to), "sip:%s@%s", order->to, order->domain);
    devices_find(order, start);
    rung = ring(start);
    tenant_order_finish(tenant_orders, order, rung > 0 ? BF_OK : BF_NOT_FOUND,
                        rung > 0 ? NULL : "no device of `from` can be rung from this edge");
    start_unref(start);
}
