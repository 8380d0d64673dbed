// What call-control orders, carried out on Kamailio's transactions and dialogs: end a call, transfer it, say
// which relay it has. In the process `tenant edge`; the answers of phones are heard wherever they come in.
#include "tenant_mod.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include "core/dprint.h"
#include "core/dset.h"
#include "core/parser/parse_rr.h"
#include "core/parser/parse_uri.h"
#include "core/ut.h"
#include "modules/dialog/dlg_hash.h"
#include "modules/dialog/dlg_load.h"
#include "modules/tm/tm_load.h"

#include "tenant_edge_call.h"
#include "tenant_live.h"

_Static_assert(sizeof(((struct tenant_live *)0)->relay) == TENANT_ORDER_RELAY_SIZE, "a relay's address fits");

#define HEADERS_MAX     2048
#define DESTINATION_MAX 80

typedef dlg_cell_t *dlg_lookup_f(unsigned int entry, unsigned int id);

static struct {
    struct tm_binds tm;
    struct dlg_binds dialog;
    dlg_lookup_f *lookup; // with a reference, which dialog.release_dlg() gives back
} edge;

static void finish(struct tenant_order *order, enum bf_err err, const char *error)
{
    tenant_order_finish(tenant_orders, order, err, error);
}

// The dialog module's API finds dialogs by messages only; its look-up by number is not in the API's table.
static dlg_lookup_f *lookup_of_dialog(void)
{
    sr_module_t *module = find_module_by_name("dialog");

    return module ? (dlg_lookup_f *)dlsym(module->handle, "dlg_lookup") : NULL;
}

int tenant_edge_init(void)
{
    if (load_tm_api(&edge.tm) < 0 || load_dlg_api(&edge.dialog) < 0) {
        LM_ERR("with call_control_bus, tm and dialog must be loaded before tenant\n");
        return -1;
    }
    edge.lookup = lookup_of_dialog();
    if (!edge.lookup) {
        LM_ERR("this dialog module has no dlg_lookup: it is not of the Kamailio this module is made for\n");
        return -1;
    }
    return 0;
}

// ---- a leg of a dialog
// -------------------------------------------------------------------------------------

// tm's view of a dialog's leg, for a request of ours to it as if the other leg had sent it. Everything is
// borrowed from the cell but the route set.
struct leg {
    dlg_t dialog;
    char uri[MAX_URI_SIZE];
    char destination[DESTINATION_MAX];
};

static void leg_target(const dlg_cell_t *cell, int side, struct leg *leg)
{
    str contact = cell->contact[side];
    str uri = {leg->uri, MAX_URI_SIZE}, destination = {leg->destination, DESTINATION_MAX};

    leg->dialog.rem_target = contact;
    // Without a route the contact may carry where the phone's packets really come from (nathelper's alias).
    if (cell->route_set[side].len <= 0 && uri_restore_rcv_alias(&contact, &uri, &destination) >= 0 &&
        uri.len > 0 && destination.len > 0) {
        leg->dialog.rem_target = uri;
        leg->dialog.dst_uri = destination;
    }
}

static bool leg_init(const dlg_cell_t *cell, int side, struct leg *leg)
{
    int other = side == DLG_CALLER_LEG ? DLG_CALLEE_LEG : DLG_CALLER_LEG;
    str sequence = cell->cseq[other], routes = cell->route_set[side];
    dlg_t *dialog = &leg->dialog;

    memset(leg, 0, sizeof(*leg));
    if (cell->contact[side].len <= 0 || str2int(&sequence, &dialog->loc_seq.value) != 0)
        return false;
    dialog->loc_seq.is_set = 1;
    dialog->id.call_id = cell->callid;
    dialog->id.rem_tag = cell->tag[side];
    dialog->id.loc_tag = cell->tag[other];
    dialog->rem_uri = side == DLG_CALLER_LEG ? cell->from_uri : cell->to_uri;
    dialog->loc_uri = side == DLG_CALLER_LEG ? cell->to_uri : cell->from_uri;
    dialog->state = DLG_CONFIRMED;
    dialog->send_sock = cell->bind_addr[side];
    leg_target(cell, side, leg);
    return routes.len <= 0 || parse_rr_body(routes.s, routes.len, &dialog->route_set) == 0;
}

static void leg_release(struct leg *leg)
{
    if (leg->dialog.route_set)
        free_rr(&leg->dialog.route_set);
}

// ---- EndCall ----------------------------------------------------------------------------------------------

static bool is_confirmed(const dlg_cell_t *cell)
{
    return cell->state == DLG_STATE_CONFIRMED_NA || cell->state == DLG_STATE_CONFIRMED;
}

static bool bye(struct leg *leg, str *headers)
{
    str method = str_init("BYE");
    uac_req_t request;

    set_uac_req(&request, &method, headers, NULL, &leg->dialog, 0, NULL, NULL);
    return edge.tm.t_request_within(&request) >= 0;
}

// The dialog module sends the callee's BYE second, and refuses to when the caller has answered the first one
// meanwhile: then it is ours. Of a BYE by itself it says "expired", so who it was is said here.
static enum bf_err end_dialog(dlg_cell_t *cell, const char *by, const char *reason)
{
    struct tenant_live *live = tenant_event_live_of_dialog(cell);
    char text[160];
    str headers = {text, 0};
    struct leg callee;
    bool ready = leg_init(cell, DLG_CALLEE_LEG, &callee);
    bool ended;

    headers.len = snprintf(text, sizeof(text), "Reason: SIP;cause=200;text=\"%s\"\r\n",
                           *reason ? reason : "ended by call-control");
    if (live)
        tenant_live_hung_up(live, by);
    ended = edge.dialog.terminate_dlg(cell, &headers) >= 0;
    if (!ended && ready && cell->state == DLG_STATE_DELETED)
        ended = bye(&callee, &headers);
    leg_release(&callee);
    return ended ? BF_OK : BF_INTERNAL;
}

// As if the caller had sent a CANCEL: devices stop ringing, the script's failure route ends the media, the
// caller hears 487.
static enum bf_err cancel_transaction(tm_cell_t *t, const char *by)
{
    struct tenant_live *live = tenant_event_live_of(t);
    struct cancel_info cancel;

    if (t->uas.status >= 200)
        return BF_CONFLICT;
    if (live)
        tenant_live_hung_up(live, by);
    if (live)
        tenant_park_leave(t, live);
    t->flags |= T_CANCELED; // no further step is taken
    init_cancel_info(&cancel);
    edge.tm.prepare_to_cancel(t, &cancel.cancel_bitmap, 0);
    if (cancel.cancel_bitmap == 0)
        return edge.tm.t_reply_trans(t, t->uas.request, 487, "Request Terminated") > 0 ? BF_OK : BF_INTERNAL;
    edge.tm.cancel_uacs(t, &cancel, F_CANCEL_B_FAKE_REPLY);
    return BF_OK;
}

static enum bf_err end_ringing(const struct tenant_call_place *place, const char *by)
{
    tm_cell_t *t = NULL;
    enum bf_err err = BF_NOT_FOUND;

    if (edge.tm.t_lookup_ident(&t, place->transaction_index, place->transaction_label) > 0) {
        err = cancel_transaction(t, by);
        edge.tm.unref_cell(t);
    }
    edge.tm.t_sett(T_UNDEFINED, T_BR_UNDEFINED);
    return err;
}

static dlg_cell_t *dialog_at(const struct tenant_call_place *place)
{
    return place->dialog_id ? edge.lookup(place->dialog_entry, place->dialog_id) : NULL;
}

// A call that is answered just now is neither ringing any more nor confirmed yet: the second look finds it.
static enum bf_err end_at(const struct tenant_call_place *place, const char *by, const char *reason)
{
    dlg_cell_t *cell = dialog_at(place);
    enum bf_err err = BF_NOT_FOUND;

    if (!cell || !is_confirmed(cell))
        err = end_ringing(place, by);
    if (cell && err != BF_OK && is_confirmed(cell))
        err = end_dialog(cell, by, reason);
    if (cell)
        edge.dialog.release_dlg(cell);
    return err;
}

static void end_call(struct tenant_order *order, const struct tenant_call_place *place)
{
    enum bf_err err = end_at(place, "api", order->reason);

    finish(order, err, err == BF_OK ? NULL : "the call is just ending or being answered");
}

enum bf_err tenant_edge_end(struct bf_id call, const char *by, const char *reason)
{
    struct tenant_call_place place;

    if (!tenant_calls || !tenant_calls_get(tenant_calls, call, &place))
        return BF_NOT_FOUND;
    return end_at(&place, by, reason);
}

// ---- TransferCall -----------------------------------------------------------------------------------------

// What is known of a REFER when its answer comes.
struct refer {
    uint32_t order; // its number
    unsigned int dialog_entry, dialog_id;
    char to[TENANT_ORDER_TEXT_MAX + 1];
};

// The phone that was asked calls on its own from now on; the other one is let go.
static void transferred(const struct refer *refer)
{
    dlg_cell_t *cell = edge.lookup(refer->dialog_entry, refer->dialog_id);
    struct tenant_live *live;

    if (!cell)
        return;
    live = tenant_event_live_of_dialog(cell);
    if (live)
        tenant_live_transferred(live, bf_str(refer->to), BF_STR("blind"), "api");
    if (is_confirmed(cell) && end_dialog(cell, "api", "transferred") != BF_OK)
        LM_ERR("the transferred call %.*s cannot be ended\n", cell->callid.len, cell->callid.s);
    edge.dialog.release_dlg(cell);
}

static void refer_answered(tm_cell_t *t, int type, struct tmcb_params *params)
{
    struct refer *refer = *params->param;
    struct tenant_order *order = tenant_orders_at(tenant_orders, refer->order);
    char error[TENANT_ORDER_ERROR_MAX];

    if (params->code < 300) {
        transferred(refer);
        finish(order, BF_OK, NULL);
    } else {
        snprintf(error, sizeof(error), "the phone refused to be transferred (%d)", params->code);
        finish(order, BF_CONFLICT, error);
    }
    shm_free(refer);
}

// Refer-To is in the caller's domain, which is the tenant's. An edge-made request carries the other leg's
// contact.
static int refer_headers(const dlg_cell_t *cell, int side, const char *to, char text[HEADERS_MAX])
{
    int other = side == DLG_CALLER_LEG ? DLG_CALLEE_LEG : DLG_CALLER_LEG;
    str by = side == DLG_CALLER_LEG ? cell->to_uri : cell->from_uri, contact = cell->contact[other];
    sip_uri_t caller;
    int len;

    if (parse_uri(cell->from_uri.s, cell->from_uri.len, &caller) < 0)
        return -1;
    len =
        snprintf(text, HEADERS_MAX,
                 "Refer-To: <sip:%s@%.*s>\r\nReferred-By: <%.*s>\r\nContact: <%.*s>\r\nMax-Forwards: 70\r\n",
                 to, caller.host.len, caller.host.s, by.len, by.s, contact.len, contact.s);
    return len < HEADERS_MAX ? len : -1;
}

// The dialog's next request to this leg must have a higher number than the REFER had.
static void sequence_next(dlg_cell_t *cell, int side)
{
    str *sequence = &cell->cseq[side == DLG_CALLER_LEG ? DLG_CALLEE_LEG : DLG_CALLER_LEG];
    char text[INT2STR_MAX_LEN];
    unsigned int number;
    str next = {text, 0};

    if (str2int(sequence, &number) != 0)
        return;
    next.len = snprintf(text, sizeof(text), "%u", number + 1);
    if (next.len == sequence->len) {
        memcpy(sequence->s, text, (size_t)next.len);
    } else {
        shm_free(sequence->s);
        if (shm_str_dup(sequence, &next) < 0)
            *sequence = (str)STR_NULL;
    }
}

static bool refer_send(dlg_cell_t *cell, int side, const char *to, struct refer *refer)
{
    str method = str_init("REFER");
    char text[HEADERS_MAX];
    str headers = {text, refer_headers(cell, side, to, text)};
    uac_req_t request;
    struct leg leg;
    bool sent = false;

    if (headers.len > 0 && leg_init(cell, side, &leg)) {
        set_uac_req(&request, &method, &headers, NULL, &leg.dialog, TMCB_LOCAL_COMPLETED, refer_answered,
                    refer);
        sequence_next(cell, side); // before the answer may come
        sent = edge.tm.t_request_within(&request) >= 0;
        leg_release(&leg);
    }
    return sent;
}

static void transfer_dialog(struct tenant_order *order, dlg_cell_t *cell)
{
    int side = order->callee ? DLG_CALLEE_LEG : DLG_CALLER_LEG;
    struct refer *refer;

    if (!is_confirmed(cell)) {
        finish(order, BF_CONFLICT, "the call is not answered yet");
        return;
    }
    refer = shm_malloc(sizeof(*refer));
    if (!refer) {
        SHM_MEM_ERROR;
        finish(order, BF_INTERNAL, NULL);
        return;
    }
    *refer = (struct refer){tenant_order_number(tenant_orders, order), cell->h_entry, cell->h_id, {0}};
    memcpy(refer->to, order->to, sizeof(refer->to));
    if (!refer_send(cell, side, order->to, refer)) {
        shm_free(refer);
        finish(order, BF_INTERNAL, "the phone cannot be reached");
    }
}

static void transfer_call(struct tenant_order *order, const struct tenant_call_place *place)
{
    dlg_cell_t *cell = dialog_at(place);

    if (!cell) {
        finish(order, BF_NOT_FOUND, NULL);
        return;
    }
    transfer_dialog(order, cell);
    edge.dialog.release_dlg(cell);
}

// ---- MediaFigures -----------------------------------------------------------------------------------------

static void relay_of(const dlg_cell_t *cell, char relay[TENANT_ORDER_RELAY_SIZE])
{
    struct tenant_live *live = tenant_event_live_of_dialog(cell);

    relay[0] = '\0';
    if (!live)
        return;
    lock_get(&live->lock);
    memcpy(relay, live->relay, TENANT_ORDER_RELAY_SIZE);
    lock_release(&live->lock);
}

static void media_of(struct tenant_order *order, const struct tenant_call_place *place)
{
    dlg_cell_t *cell = dialog_at(place);
    bool fits = cell && cell->callid.len < (int)sizeof(order->call_id);

    if (fits) {
        memcpy(order->call_id, cell->callid.s, (size_t)cell->callid.len);
        order->call_id[cell->callid.len] = '\0';
        relay_of(cell, order->relay);
    }
    if (cell)
        edge.dialog.release_dlg(cell);
    finish(order, fits ? BF_OK : BF_NOT_FOUND, NULL);
}

// ---- orders -----------------------------------------------------------------------------------------------

typedef void call_order(struct tenant_order *order, const struct tenant_call_place *place);

static call_order *const CALL_ORDERS[] = {
    [TENANT_ORDER_END] = end_call,
    [TENANT_ORDER_TRANSFER] = transfer_call,
    [TENANT_ORDER_MEDIA] = media_of,
    [TENANT_ORDER_BRANCH] = tenant_park_add,
};

void tenant_edge_do(struct tenant_order *order)
{
    struct tenant_call_place place;

    tenant_count(TENANT_ORDERS_TAKEN, 1);
    if (order->kind == TENANT_ORDER_ORIGINATE)
        tenant_originate(order);
    else if (tenant_calls_get(tenant_calls, order->call, &place))
        CALL_ORDERS[order->kind](order, &place);
    else
        finish(order, BF_NOT_FOUND, "this call is not on this edge");
}
