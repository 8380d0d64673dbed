// A call that waits for devices which sleep: park and wake.
//
// For those who sleep the INVITE's transaction has one branch without a request (tm's blind one), whose timer
// is the step's: so the transaction neither ends early nor stays. Who comes gets a branch beside it
// (AddBranch, in the process `tenant edge`); the blind one ends when all have come, when it is time, or when
// somebody decides for all: an answer, a 6xx, the caller's CANCEL. Whether it still stands is said under tm's
// lock on the transaction's replies.
#include "tenant_mod.h"

#include <dlfcn.h>
#include <string.h>
#include "core/dprint.h"
#include "core/dset.h"
#include "core/mem/shm_mem.h"
#include "core/route.h"
#include "core/timer_ticks.h"

#include "bf_clock.h"
#include "tenant_edge_call.h"
#include "tenant_live.h"

#define EARLY_MS    200 // tm's timers may be as much before their time
#define LEFT_MS_MIN 200 // with less a phone would not even ring

typedef void reply_lock_f(tm_cell_t *t);

static struct {
    reply_lock_f *hold, *let_go; // re-entrant; not in tm's API
    bool left;                   // by the CANCEL that this process works on: tenant_park_left()
} park;

int tenant_park_init(void)
{
    sr_module_t *tm = find_module_by_name("tm");

    park.hold = tm ? (reply_lock_f *)dlsym(tm->handle, "tm_reply_mutex_lock") : NULL;
    park.let_go = tm ? (reply_lock_f *)dlsym(tm->handle, "tm_reply_mutex_unlock") : NULL;
    if (!park.hold || !park.let_go) {
        LM_ERR("this tm module is not of the Kamailio this module is made for\n");
        return -1;
    }
    return 0;
}

// ---- telling ----------------------------------------------------------------------------------------------

static struct tenant_sleeper *sleeper_with(const struct tenant_park *at, struct bf_str ruid,
                                           size_t *ret_index)
{
    for (; at; at = at->before) {
        for (size_t i = 0; i < at->count; i++) {
            if (ruid.len > 0 && bf_str_eq(bf_str(at->sleepers[i].ruid), ruid)) {
                *ret_index = i;
                return (struct tenant_sleeper *)&at->sleepers[i];
            }
        }
    }
    return NULL;
}

struct bf_str tenant_park_number(const struct tenant_live *live, struct bf_str ruid)
{
    for (const struct tenant_park *at = live->park; at; at = at->before) {
        for (size_t i = 0; i < at->count; i++) {
            if (ruid.len > 0 && bf_str_eq(bf_str(at->sleepers[i].ruid), ruid))
                return at->wakes[i].number;
        }
    }
    return BF_STR("");
}

static void put_wake(struct tenant_live *live, const struct tenant_plan_wake *wake, struct tenant_event event)
{
    event.device = wake->device;
    event.number = wake->number;
    tenant_live_put(live, event);
}

void tenant_park_told(struct tenant_live *live, struct bf_str ruid)
{
    size_t index = 0;
    struct tenant_sleeper *sleeper = sleeper_with(live->park, ruid, &index);

    if (!sleeper || sleeper->state != TENANT_COMES)
        return;
    sleeper->state = TENANT_CAME;
    put_wake(live, &live->park->wakes[index],
             (struct tenant_event){.kind = TENANT_EVENT_WOKEN, .ruid = bf_str(sleeper->ruid)});
}

void tenant_park_missed(struct tenant_live *live, const char *why)
{
    struct tenant_park *at = live->park;

    if (!at)
        return;
    if (!why)
        why = bf_mono_ms() + EARLY_MS >= at->until_ms ? "timeout" : "cancelled";
    for (size_t i = 0; i < at->count; i++) {
        if (at->sleepers[i].state != TENANT_SLEEPS)
            continue;
        at->sleepers[i].state = TENANT_MISSED;
        put_wake(live, &at->wakes[i],
                 (struct tenant_event){.kind = TENANT_EVENT_WAKE_ENDED, .reason = bf_str(why)});
    }
}

// ---- tenant_park ------------------------------------------------------------------------------------------

static struct tenant_park *park_new(const struct tenant_live *live, int branch_route)
{
    const struct tenant_plan_step *step = &live->plan->steps[live->step];
    struct tenant_park *new = shm_malloc(sizeof(*new) + step->wake_count * sizeof(new->sleepers[0]));

    if (!new) {
        SHM_MEM_ERROR;
        return NULL;
    }
    memset(new, 0, sizeof(*new) + step->wake_count * sizeof(new->sleepers[0]));
    new->before = live->park;
    new->step = live->step;
    new->wakes = step->wakes;
    new->count = step->wake_count;
    new->until_ms = bf_mono_ms() + step->seconds *UINT64_C(1000);
    new->branch_route = branch_route;
    return new;
}

// The transaction's timers are those of branches with a request; this one's is the step.
static bool blind_add(tm_cell_t *t, uint32_t seconds, int *ret_blind)
{
    ticks_t fr_timeout = t->fr_timeout;
    int blind = t->nr_of_outgoings;
    bool added;

    t->fr_timeout = S_TO_TICKS(seconds);
    added = tenant_tm()->t_addblind() > 0;
    t->fr_timeout = fr_timeout;
    if (added) {
        t->uac[blind].on_failure = t->on_failure;
        *ret_blind = blind;
    }
    return added;
}

static void tell_waking(struct tenant_live *live, struct tenant_park *new)
{
    uint64_t until_ms = bf_unix_ms() + new->until_ms - bf_mono_ms();

    lock_get(&live->lock);
    live->park = new;
    for (size_t i = 0; i < new->count; i++)
        put_wake(live, &new->wakes[i],
                 (struct tenant_event){.kind = TENANT_EVENT_WAKING, .until_ms = until_ms});
    lock_release(&live->lock);
}

int tenant_park_step(sip_msg_t *msg, str *route)
{
    tm_cell_t *t = tenant_tm()->t_gett();
    struct tenant_live *live = tenant_event_live_of(t);
    int number = route_lookup(&branch_rt, route->s), blind = 0;
    struct tenant_park *new;

    if (!live || !live->plan || live->step == TENANT_PLAN_NO_STEP || number < 0)
        return -1;
    new = park_new(live, number);
    if (!new)
        return -1;
    if (!blind_add(t, live->plan->steps[live->step].seconds, &blind)) {
        shm_free(new);
        return -1;
    }
    new->blind = blind;
    tell_waking(live, new);
    tenant_count(TENANT_PARKS, 1);
    return 1;
}

// ---- its end ----------------------------------------------------------------------------------------------

bool tenant_park_is_blind(const struct tenant_live *live, int branch)
{
    return live->park && live->park->blind == branch;
}

// Under the reply lock. tm passes over a branch that has no request and has ended.
static void blind_end(tm_cell_t *t, struct tenant_park *at)
{
    int blind = atomic_exchange(&at->blind, TENANT_PARK_OVER);

    if (blind != TENANT_PARK_OVER && t->uac[blind].last_received < 200)
        t->uac[blind].last_received =
            487; // of all codes the one that tm finds fine to be followed by its timer's 408
}

void tenant_park_leave(tm_cell_t *t, struct tenant_live *live)
{
    if (!live->park || live->park->blind == TENANT_PARK_OVER)
        return;
    park.hold(t);
    blind_end(t, live->park);
    park.let_go(t);
}

static bool is_ringing(const tm_cell_t *t)
{
    for (int i = 0; i < t->nr_of_outgoings; i++) {
        if (t->uac[i].request.buffer && t->uac[i].last_received < 200)
            return true;
    }
    return false;
}

// With no branch left to be cancelled tm answers by itself, and no failure route hears of it.
void tenant_park_cancelled(tm_cell_t *t, struct tenant_live *live)
{
    tenant_park_leave(t, live);
    park.left = live->park && !is_ringing(t);
}

int tenant_park_left(sip_msg_t *msg)
{
    bool left = park.left;

    park.left = false;
    return left ? 1 : -1;
}

// ---- AddBranch --------------------------------------------------------------------------------------------

static struct tenant_sleeper *sleeper_of(struct tenant_park *at, struct bf_id device)
{
    for (size_t i = 0; at && i < at->count; i++) {
        if (bf_id_eq(at->wakes[i].device, device))
            return &at->sleepers[i];
    }
    return NULL;
}

static bool is_rung(const tm_cell_t *t, const struct tenant_live *live, struct bf_str ruid)
{
    for (int i = (int)live->branches_first; i < t->nr_of_outgoings; i++) {
        if (bf_str_eq((struct bf_str){t->uac[i].ruid.s, (size_t)t->uac[i].ruid.len}, ruid))
            return true;
    }
    return false;
}

static bool all_came(const struct tenant_park *at)
{
    for (size_t i = 0; i < at->count; i++) {
        if (at->sleepers[i].state == TENANT_SLEEPS)
            return false;
    }
    return true;
}

static struct tenant_plan_target target_of(const struct tenant_order_branch *branch)
{
    return (struct tenant_plan_target){
        .number = bf_str(branch->number),
        .ruid = bf_str(branch->ruid),
        .uri = bf_str(branch->uri),
        .dst = bf_str(branch->dst),
        .edge = bf_str(branch->edge),
        .socket = bf_str(branch->socket),
        .flags = branch->flags,
    };
}

// The branch's route and its events run within.
static bool branch_send(tm_cell_t *t, struct tenant_live *live, const struct tenant_order_branch *branch,
                        uint64_t left_ms)
{
    struct tenant_plan_target target = target_of(branch);
    ticks_t fr_timeout = t->fr_timeout, left = MS_TO_TICKS((ticks_t)left_ms);
    str any = {NULL, 0};
    bool sent;

    if (!tenant_plan_branch(t->uas.request, live, &target))
        return false;
    t->on_branch_delayed = (unsigned short)live->park->branch_route;
    t->fr_inv_timeout = left;
    t->fr_timeout = left < fr_timeout ? left : fr_timeout; // also one that says nothing ends with the step
    sent = tenant_tm()->t_append_branches(&any) > 0;
    t->fr_timeout = fr_timeout;
    return sent;
}

static void sleeper_set(struct tenant_live *live, struct tenant_sleeper *sleeper, const char *ruid)
{
    lock_get(&live->lock);
    sleeper->state = *ruid ? TENANT_COMES : TENANT_SLEEPS;
    snprintf(sleeper->ruid, sizeof(sleeper->ruid), "%s", ruid);
    lock_release(&live->lock);
}

// Under the reply lock: nothing else happens to the transaction meanwhile.
static enum bf_err add(tm_cell_t *t, struct tenant_live *live, const struct tenant_order_branch *branch,
                       const char **ret_error)
{
    struct tenant_park *at = live->park;
    struct tenant_sleeper *sleeper = sleeper_of(at, branch->device);
    uint64_t now_ms = bf_mono_ms();

    *ret_error = "the step that waited for this device is over";
    if (!sleeper || sleeper->state == TENANT_MISSED)
        return BF_CONFLICT;
    if (sleeper->state != TENANT_SLEEPS)
        return BF_OK;
    if ((t->flags & T_CANCELED) || t->uas.status >= 200 || at->blind == TENANT_PARK_OVER ||
        now_ms + LEFT_MS_MIN > at->until_ms)
        return BF_CONFLICT;
    *ret_error = "this binding is rung already";
    if (is_rung(t, live, bf_str(branch->ruid)))
        return BF_CONFLICT;
    sleeper_set(live, sleeper, branch->ruid);
    if (!branch_send(t, live, branch, at->until_ms - now_ms)) {
        if (sleeper->state == TENANT_COMES) // else its branch has been told of, and ends like any other
            sleeper_set(live, sleeper, "");
        *ret_error = "the device cannot be sent to, or the call has too many branches";
        return BF_UNAVAILABLE;
    }
    if (all_came(at))
        blind_end(t, at);
    tenant_count(TENANT_WOKEN, 1);
    return BF_OK;
}

void tenant_park_add(struct tenant_order *order, const struct tenant_call_place *place)
{
    const struct tm_binds *tm = tenant_tm();
    const char *error = "this call has ended";
    enum bf_err err = BF_NOT_FOUND;
    struct tenant_live *live;
    tm_cell_t *t = NULL;

    if (tm->t_lookup_ident(&t, place->transaction_index, place->transaction_label) > 0) {
        live = tenant_event_live_of(t);
        if (live) {
            park.hold(t);
            err = add(t, live, &order->branch, &error);
            park.let_go(t);
        }
        tm->unref_cell(t);
    }
    tm->t_sett(T_UNDEFINED, T_BR_UNDEFINED);
    tenant_order_finish(tenant_orders, order, err, err == BF_OK ? NULL : error);
}
