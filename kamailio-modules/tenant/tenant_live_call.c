// A call's life in shared memory, and what of it goes into the outbox.
#include "tenant_live.h"

#include <string.h>
#include "core/dprint.h"
#include "core/mem/shm_mem.h"

#include "bf_clock.h"
#include "tenant_mod.h"

#define BRANCHES_MAX 32 // of a transaction: bits of `rang` and `over`

// ---- telling ----------------------------------------------------------------------------------------------

// Under the lock, so that the outbox has a call's events in the order of their numbers.
void tenant_live_put(struct tenant_live *live, struct tenant_event event)
{
    struct bf_buf packed;

    if (bf_id_is_nil(live->call) || live->ended)
        return;
    event.call = live->call;
    event.tenant = live->tenant;
    event.seq = ++live->seq;
    event.call_id = live->texts.call_id;
    event.caller = live->texts.caller;
    event.callee = live->texts.callee;
    event.from_tag = live->texts.from_tag;
    event.to_tag = bf_str(live->to_tag);
    event.relay = bf_str(live->relay);
    event.local_plan = !live->plan;
    if (event.at_ms == 0)
        event.at_ms = bf_unix_ms();
    bf_buf_init(&packed, TENANT_OUTBOX_ENTRY_BYTES_MAX);
    tenant_event_pack(&event, &packed);
    if (bf_buf_ok(&packed))
        tenant_outbox_put(packed.at, packed.len);
    else
        tenant_count(TENANT_EVENTS_LOST, 1);
    bf_buf_release(&packed);
}

struct bf_str tenant_live_number(const struct tenant_live *live, struct bf_str ruid)
{
    const struct tenant_plan_target *target;

    if (!live->plan || live->plan->step_count == 0)
        return live->texts.callee;
    target = tenant_plan_target_of(live->plan, live->step, ruid);
    return target ? target->number : tenant_park_number(live, ruid);
}

static void put_branch(struct tenant_live *live, enum tenant_event_kind kind, struct bf_str ruid,
                       uint32_t code)
{
    tenant_live_put(live,
                    (struct tenant_event){
                        .kind = kind, .ruid = ruid, .number = tenant_live_number(live, ruid), .code = code});
}

// Who ended it; of a call that its plan refuses, why.
static struct bf_str reason_of_end(const struct tenant_live *live)
{
    bool refused = live->plan && live->answer.code > 0 && live->answer.code == live->end_code;

    return refused && live->plan->why.len > 0 ? live->plan->why : bf_str(live->by);
}

static void put_end(struct tenant_live *live)
{
    if (live->ended || bf_id_is_nil(live->call))
        return;
    tenant_park_missed(live, NULL);
    tenant_live_put(live, (struct tenant_event){.kind = TENANT_EVENT_ENDED,
                                                .at_ms = live->end_ms,
                                                .code = live->end_code,
                                                .reason = reason_of_end(live),
                                                .legs = live->legs,
                                                .leg_count = live->leg_count});
    live->ended = true;
    tenant_calls_remove(tenant_calls, live->call);
}

// ---- life -------------------------------------------------------------------------------------------------

static size_t text_bytes(const struct tenant_live_texts *texts)
{
    return texts->call_id.len + texts->from_tag.len + texts->caller.len + texts->callee.len +
           texts->user_agent.len;
}

static void text_move(struct bf_str *text, char **at)
{
    if (text->len > 0)
        memcpy(*at, text->at, text->len);
    text->at = *at;
    *at += text->len;
}

struct tenant_live *tenant_live_new(struct bf_id tenant, const struct tenant_live_texts *texts)
{
    struct tenant_live *live = shm_malloc(sizeof(*live) + text_bytes(texts));
    char *at;

    if (!live) {
        SHM_MEM_ERROR;
        return NULL;
    }
    memset(live, 0, sizeof(*live));
    lock_init(&live->lock);
    live->refs = 1;
    live->tenant = tenant;
    live->named = bf_id_new();
    live->step = TENANT_PLAN_NO_STEP;
    live->started_ms = bf_unix_ms();
    live->texts = *texts;
    at = (char *)(live + 1);
    text_move(&live->texts.call_id, &at);
    text_move(&live->texts.from_tag, &at);
    text_move(&live->texts.caller, &at);
    text_move(&live->texts.callee, &at);
    text_move(&live->texts.user_agent, &at);
    return live;
}

struct tenant_live *tenant_live_ref(struct tenant_live *live)
{
    atomic_fetch_add(&live->refs, 1);
    return live;
}

void tenant_live_unref(struct tenant_live *live)
{
    if (!live || atomic_fetch_sub(&live->refs, 1) != 1)
        return;
    if (live->end_code == 0)
        live->end_code = live->answered ? 200 : 500;
    if (!live->by)
        live->by = "edge"; // nobody told the end: the transaction or the dialog just went away
    put_end(live);
    while (live->park) {
        struct tenant_park *park = live->park;
        live->park = park->before;
        shm_free(park);
    }
    if (live->plan)
        shm_free(live->plan);
    if (live->legs)
        shm_free(live->legs);
    lock_destroy(&live->lock);
    shm_free(live);
}

void tenant_live_planned(struct tenant_live *live, struct tenant_plan *plan)
{
    lock_get(&live->lock);
    live->plan = plan;
    live->call = plan ? plan->call : live->named;
    tenant_live_put(live, (struct tenant_event){.kind = TENANT_EVENT_STARTED,
                                                .at_ms = live->started_ms,
                                                .user_agent = live->texts.user_agent});
    if (live->end_code > 0) // the caller gave up while we were asking
        put_end(live);
    lock_release(&live->lock);
}

struct bf_id tenant_live_id(struct tenant_live *live)
{
    struct bf_id id;

    lock_get(&live->lock);
    id = live->call;
    lock_release(&live->lock);
    return id;
}

bool tenant_live_is_planned(struct tenant_live *live)
{
    return !bf_id_is_nil(tenant_live_id(live));
}

void tenant_live_answer(struct tenant_live *live, struct tenant_plan_answer answer)
{
    lock_get(&live->lock);
    tenant_park_missed(live, NULL); // of the last step
    live->answer = answer;
    lock_release(&live->lock);
}

// ---- what happens -----------------------------------------------------------------------------------------

void tenant_live_step(struct tenant_live *live, int step, uint32_t branches_first)
{
    lock_get(&live->lock);
    tenant_park_missed(live, NULL); // of the step before
    live->step = step;
    live->branches_first = branches_first;
    tenant_live_put(live,
                    (struct tenant_event){.kind = TENANT_EVENT_STEP,
                                          .reason = live->plan && step >= 0 ? live->plan->steps[step].why
                                                                            : BF_STR("local")});
    lock_release(&live->lock);
}

void tenant_live_branch(struct tenant_live *live, struct bf_str ruid)
{
    lock_get(&live->lock);
    tenant_park_told(live, ruid);
    put_branch(live, TENANT_EVENT_BRANCH, ruid, 0);
    lock_release(&live->lock);
}

void tenant_live_ringing(struct tenant_live *live, uint32_t branch, struct bf_str ruid, uint32_t code)
{
    uint32_t bit = branch < BRANCHES_MAX ? 1u << branch : 0;

    lock_get(&live->lock);
    if (bit && !((live->rang | live->over) & bit)) {
        live->rang |= bit;
        put_branch(live, TENANT_EVENT_RINGING, ruid, code);
    }
    lock_release(&live->lock);
}

void tenant_live_branch_ended(struct tenant_live *live, uint32_t branch, struct bf_str ruid, uint32_t code)
{
    uint32_t bit = branch < BRANCHES_MAX ? 1u << branch : 0;

    lock_get(&live->lock);
    if (bit && !(live->over & bit)) {
        live->over |= bit;
        put_branch(live, TENANT_EVENT_BRANCH_ENDED, ruid, code);
    }
    lock_release(&live->lock);
}

void tenant_live_answered(struct tenant_live *live, struct bf_str ruid, struct bf_str to_tag)
{
    lock_get(&live->lock);
    if (!live->answered) {
        live->answered = true;
        snprintf(live->to_tag, sizeof(live->to_tag), "%.*s", (int)to_tag.len, to_tag.at ? to_tag.at : "");
        put_branch(live, TENANT_EVENT_ANSWERED, ruid, 200);
        tenant_park_missed(live, "answered");
    }
    lock_release(&live->lock);
}

void tenant_live_failed(struct tenant_live *live, uint32_t code, const char *by)
{
    lock_get(&live->lock);
    if (live->end_code == 0 && !live->answered) {
        live->end_code = code;
        live->end_ms = bf_unix_ms();
        if (!live->by)
            live->by = by;
        put_end(live); // not before it is planned: tenant_live_planned() does it then
    }
    lock_release(&live->lock);
}

void tenant_live_hung_up(struct tenant_live *live, const char *by)
{
    lock_get(&live->lock);
    if (!live->by) {
        live->by = by;
        live->end_ms = bf_unix_ms();
    }
    lock_release(&live->lock);
}

void tenant_live_over(struct tenant_live *live, const char *by)
{
    tenant_live_hung_up(live, by);
    lock_get(&live->lock);
    live->end_code = live->answered ? 200 : 487;
    put_end(live);
    lock_release(&live->lock);
}

void tenant_live_transferred(struct tenant_live *live, struct bf_str to, struct bf_str how, const char *by)
{
    char text[64];
    int len = snprintf(text, sizeof(text), "%.*s by %s", (int)how.len, how.at ? how.at : "", by);

    lock_get(&live->lock);
    if (len > 0 && len < (int)sizeof(text) && live->transfers < TENANT_LIVE_TRANSFERS_MAX) {
        live->transfers++;
        tenant_live_put(live, (struct tenant_event){.kind = TENANT_EVENT_TRANSFER,
                                                    .number = to,
                                                    .reason = {text, (size_t)len}});
    }
    lock_release(&live->lock);
}

void tenant_live_relay(struct tenant_live *live, struct bf_str url)
{
    lock_get(&live->lock);
    snprintf(live->relay, sizeof(live->relay), "%.*s", (int)url.len, url.at ? url.at : "");
    lock_release(&live->lock);
}

// Branches that were never answered have legs too.
static size_t drop_silent(struct bf_leg *legs, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (legs[i].packets > 0)
            legs[kept++] = legs[i];
    }
    return kept;
}

void tenant_live_media(struct tenant_live *live, struct bf_str json)
{
    struct bf_leg legs[BF_LEGS_MAX];
    size_t count = 0;
    struct bf_leg *copy, *unused;

    if (bf_leg_read(json, legs, &count))
        return;
    count = drop_silent(legs, count);
    unused = copy = count > 0 ? shm_malloc(count * sizeof(*copy)) : NULL;
    if (!copy)
        return;
    memcpy(copy, legs, count * sizeof(*copy));
    lock_get(&live->lock);
    if (!live->legs) { // both BYEs of a call that we end ask for them: the first has them all
        live->legs = copy;
        live->leg_count = (uint32_t)count;
        unused = NULL;
    }
    lock_release(&live->lock);
    if (unused)
        shm_free(unused);
}
