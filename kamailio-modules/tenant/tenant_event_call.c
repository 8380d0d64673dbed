// What tm and dialog say of a call, turned into events.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/parser/parse_cseq.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_to.h"
#include "modules/dialog/dlg_hash.h"
#include "modules/dialog/dlg_load.h"

#include "tenant_live.h"

static struct dlg_binds dialog;

static struct bf_str bf_of(str text)
{
    return (struct bf_str){text.s, text.s && text.len > 0 ? (size_t)text.len : 0};
}

static struct bf_str ruid_of(const tm_cell_t *t, int branch)
{
    return branch >= 0 && branch < t->nr_of_outgoings ? bf_of(t->uac[branch].ruid) : BF_STR("");
}

// ---- the INVITE's transaction -----------------------------------------------------------------------------

static void reply_in(tm_cell_t *t, sip_msg_t *reply, struct tenant_live *live)
{
    int branch = tenant_tm()->t_gett_branch();
    int code = (int)reply->REPLY_STATUS;

    if ((parse_headers(reply, HDR_CSEQ_F, 0) < 0) || !reply->cseq ||
        get_cseq(reply)->method_id != METHOD_INVITE)
        return; // to a CANCEL
    if (code == 180 || code == 183)
        tenant_live_ringing(live, (uint32_t)branch, ruid_of(t, branch), (uint32_t)code);
    else if (code >= 300) {
        if (code >= 600) // for everybody: nobody is waited for either
            tenant_park_leave(t, live);
        tenant_live_branch_ended(live, (uint32_t)branch, ruid_of(t, branch), (uint32_t)code);
    }
}

static struct bf_str to_tag_of(sip_msg_t *reply)
{
    if (reply == FAKED_REPLY || !reply || parse_to_header(reply) < 0 || !reply->to)
        return BF_STR("");
    return bf_of(get_to(reply)->tag_value);
}

// Blind branches, of a suspension, have no request.
static bool was_tried(const tm_cell_t *t, const struct tenant_live *live)
{
    if (live->park)
        return true;
    for (int i = 0; i < t->nr_of_outgoings; i++) {
        if (t->uac[i].request.buffer)
            return true;
    }
    return false;
}

// Who made an INVITE end: an answer of ours may stand for nobody's answer.
static const char *refused_by(const tm_cell_t *t, const struct tenant_live *live, const sip_msg_t *reply,
                              uint32_t code)
{
    if (t->flags & T_CANCELED)
        return "caller";
    if (reply && reply != FAKED_REPLY)
        return "callee";
    return (code == 408 || code == 480) && was_tried(t, live) ? "timeout" : "edge";
}

static void answer_out(tm_cell_t *t, struct tmcb_params *params, struct tenant_live *live)
{
    uint32_t code = (uint32_t)params->code;

    if (code >= 200 && code < 300)
        tenant_live_answered(live, ruid_of(t, t->relayed_reply_branch), to_tag_of(params->rpl));
    else if (code >= 300)
        tenant_live_failed(live, code, refused_by(t, live, params->rpl, code));
}

static void transaction_says(tm_cell_t *t, int type, struct tmcb_params *params)
{
    struct tenant_live *live = *params->param;

    switch (type) {
    case TMCB_REQUEST_FWDED: // before it is sent, so that no reply is told earlier
        tenant_live_branch(live, bf_of(params->req->ruid));
        break;
    case TMCB_RESPONSE_IN:
        if (params->rpl && params->rpl != FAKED_REPLY)
            reply_in(t, params->rpl, live);
        break;
    case TMCB_E2ECANCEL_IN: // the caller gives up: before the branches are cancelled
        tenant_park_cancelled(t, live);
        break;
    case TMCB_RESPONSE_READY: // likewise
        answer_out(t, params, live);
        break;
    }
}

static void live_release(void *live)
{
    tenant_live_unref(live);
}

bool tenant_event_hear(sip_msg_t *msg, tm_cell_t *t, struct tenant_live *live)
{
    int types = TMCB_REQUEST_FWDED | TMCB_RESPONSE_IN | TMCB_RESPONSE_READY | TMCB_E2ECANCEL_IN;

    if (tenant_tm()->register_tmcb(msg, t, types, transaction_says, tenant_live_ref(live), live_release) > 0)
        return true;
    tenant_live_unref(live);
    return false;
}

struct tenant_live *tenant_event_live_of(const tm_cell_t *t)
{
    const struct tm_callback *at;

    if (!t || t == T_UNDEFINED)
        return NULL;
    for (at = (const struct tm_callback *)t->tmcb_hl.first; at; at = at->next) {
        if (at->callback == transaction_says)
            return at->param;
    }
    return NULL;
}

// ---- the dialog -------------------------------------------------------------------------------------------

static const char *hung_up_by(const dlg_cell_t *cell, unsigned int direction)
{
    switch (direction) {
    case DLG_DIR_DOWNSTREAM:
        return "caller";
    case DLG_DIR_UPSTREAM:
        return "callee";
    default:
        return cell->dflags & DLG_FLAG_EXPIRED ? "timeout" : "api";
    }
}

static void dialog_says(dlg_cell_t *cell, int type, struct dlg_cb_params *params)
{
    struct tenant_live *live = *params->param;
    const char *by = hung_up_by(cell, params->direction);

    switch (type) {
    case DLGCB_TERMINATED: // a BYE came; its media figures come before it is answered
        tenant_live_hung_up(live, by);
        break;
    case DLGCB_EXPIRED:
        tenant_live_over(live, "timeout");
        break;
    case DLGCB_TERMINATED_CONFIRMED:
        tenant_live_over(live, by);
        break;
    }
}

// A dialog begins; if it is a planned call's, we hear of its end.
static void dialog_made(dlg_cell_t *cell, int type, struct dlg_cb_params *params)
{
    int types = DLGCB_TERMINATED | DLGCB_TERMINATED_CONFIRMED | DLGCB_EXPIRED;
    tm_cell_t *t = tenant_tm()->t_gett();
    struct tenant_live *live = tenant_event_live_of(t);
    struct tenant_call_place place;

    if (!live)
        return;
    place = (struct tenant_call_place){t->hash_index, t->label, cell->h_entry, cell->h_id};
    if (!tenant_calls_put(tenant_calls, tenant_live_id(live), &place))
        LM_WARN("more calls than call-control can be given: this one it cannot end or transfer\n");
    if (dialog.register_dlgcb(cell, types, dialog_says, tenant_live_ref(live), live_release) != 0) {
        LM_ERR("cannot hear of the end of the dialog of %.*s\n", cell->callid.len, cell->callid.s);
        tenant_live_unref(live);
    }
}

// The call that a request inside of it belongs to; borrowed while the dialog's reference is held.
struct tenant_live *tenant_event_live_of_dialog(const struct dlg_cell *cell)
{
    for (const struct dlg_callback *at = cell->cbs.first; at; at = at->next) {
        if (at->callback == dialog_says)
            return at->param;
    }
    return NULL;
}

struct tenant_live *tenant_event_live_in(sip_msg_t *msg)
{
    struct tenant_live *live = tenant_event_live_of(tenant_tm()->t_gett());
    dlg_cell_t *cell;

    if (live)
        return tenant_live_ref(live);
    if (!dialog.get_dlg)
        return NULL;
    cell = dialog.get_dlg(msg);
    if (!cell)
        return NULL;
    live = tenant_event_live_of_dialog(cell);
    if (live)
        tenant_live_ref(live);
    dialog.release_dlg(cell);
    return live;
}

int tenant_event_transfer(sip_msg_t *msg, str *to, str *how)
{
    struct tenant_live *live;
    struct bf_str from_tag;

    if (parse_from_header(msg) < 0 || !(live = tenant_event_live_in(msg)))
        return -1;
    from_tag = bf_of(get_from(msg)->tag_value);
    tenant_live_transferred(live, bf_of(*to), bf_of(*how),
                            bf_str_eq(from_tag, live->texts.from_tag) ? "caller" : "callee");
    tenant_live_unref(live);
    return 1;
}

int tenant_event_init(void)
{
    if (!tenant_has_control())
        return 0;
    if (load_dlg_api(&dialog) < 0) {
        LM_ERR("with call_control_bus, the dialog module must be loaded before tenant\n");
        return -1;
    }
    return dialog.register_dlgcb(NULL, DLGCB_CREATED, dialog_made, NULL, NULL) == 0 ? 0 : -1;
}
