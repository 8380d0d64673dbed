// What call-control is asked for suspended requests, plans above all: one question a ticket, answered by
// call-control, by its absence or by the deadline.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/mem/shm_mem.h"

#include "bf_clock.h"
#include "tenant_admit_wire.h"
#include "tenant_link.h"
#include "tenant_plan_wire.h"

#define WAIT_MS_MAX 100 // for bindings on their way

// While so many messages about plans are on their way, further plans wait for one to come back, for a moment,
// and then go together: a message costs both sides more than what is in it. Who has few to ask never waits.
#define UNDER_WAY_MAX 8
#define GATHER_MS     3

// A message's serial is a place here, that of its first ticket; each is answered exactly once, so a place is
// free again then.
static struct {
    struct tenant_ticket **asked; // asks_max of them: no more tickets exist. Those of one message by `next`
    uint32_t *free;               // a stack of free places
    uint32_t free_count;
    struct tenant_ticket *waiting;            // for bindings
    struct tenant_ticket *ready, **ready_end; // to be asked
    uint64_t ready_ms;                        // since when the first one is
    uint32_t under_way;                       // messages about plans
} plans;

void tenant_plan_ask_start(void)
{
    uint32_t max = (uint32_t)tenant_settings.asks_max;

    plans.asked = bf_xcalloc(max, sizeof(struct tenant_ticket *));
    plans.free = bf_xcalloc(max, sizeof(*plans.free));
    while (plans.free_count < max) {
        plans.free[plans.free_count] = plans.free_count;
        plans.free_count++;
    }
    plans.ready_end = &plans.ready;
}

static int64_t left_ms(const struct tenant_ticket *ticket, uint64_t now_ms)
{
    return ticket->deadline_ms > now_ms ? (int64_t)(ticket->deadline_ms - now_ms) : 1;
}

static struct bf_str question_of(const struct tenant_ticket *ticket)
{
    return (struct bf_str){ticket->ask->bytes, ticket->ask->len};
}

static uint32_t place_of(struct tenant_ticket *first)
{
    uint32_t place = plans.free[--plans.free_count]; // never empty: asks_max bounds the tickets

    plans.asked[place] = first;
    return place;
}

static void ask(struct tenant_link *link, struct tenant_ticket *ticket)
{
    enum tenant_link_kind kind = ticket->kind == TENANT_TICKET_PLAN ? TENANT_LINK_PLAN : TENANT_LINK_ADMIT;

    ticket->next = NULL;
    plans.under_way += kind == TENANT_LINK_PLAN;
    tenant_link_ask(link, kind, place_of(ticket), left_ms(ticket, bf_mono_ms()), question_of(ticket));
}

// The first ones of those that are ready, as many as a message takes.
static void ask_together(struct tenant_link *link)
{
    struct tenant_ticket *first = plans.ready, *last = NULL;
    struct bf_str asks[TENANT_PLANS_MAX];
    uint64_t now_ms = bf_mono_ms();
    int64_t least_ms = left_ms(first, now_ms);
    struct bf_buf body;
    size_t count = 0;

    for (struct tenant_ticket *ticket = first; ticket && count < TENANT_PLANS_MAX; ticket = ticket->next) {
        int64_t its_ms = left_ms(ticket, now_ms);
        least_ms = its_ms < least_ms ? its_ms : least_ms;
        asks[count++] = question_of(ticket);
        last = ticket;
    }
    plans.ready = last->next;
    if (!plans.ready)
        plans.ready_end = &plans.ready;
    last->next = NULL;
    if (count == 1) {
        ask(link, first);
        return;
    }
    bf_buf_init(&body, (size_t)TENANT_PLANS_MAX * (TENANT_PLAN_ASK_BYTES_MAX + 8));
    tenant_plan_wire_ask_all(asks, count, &body);
    plans.under_way++;
    tenant_link_ask(link, TENANT_LINK_PLANS, place_of(first), least_ms, (struct bf_str){body.at, body.len});
    bf_buf_release(&body);
}

static void make_ready(struct tenant_ticket *ticket)
{
    if (!plans.ready)
        plans.ready_ms = bf_mono_ms();
    ticket->next = NULL;
    *plans.ready_end = ticket;
    plans.ready_end = &ticket->next;
}

// A device that registered or left a moment ago may still be on its way to call-control: the plan waits for
// it, so that whoever calls after its REGISTER was answered reaches it, or wakes it.
void tenant_plan_ask(struct tenant_link *link, struct tenant_ticket *ticket)
{
    if (ticket->kind != TENANT_TICKET_PLAN) {
        ask(link, ticket);
        return;
    }
    ticket->after_seq = tenant_state->moved_seq;
    ticket->ask_by_ms = bf_mono_ms() + WAIT_MS_MAX;
    if (ticket->after_seq <= tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_BINDINGS]).taken_seq) {
        make_ready(ticket);
        return;
    }
    ticket->next = plans.waiting;
    plans.waiting = ticket;
}

static void look_at_waiting(void)
{
    struct tenant_ticket **at = &plans.waiting, *ticket;
    uint64_t now_ms = bf_mono_ms(), taken_seq;

    if (!plans.waiting)
        return;
    taken_seq = tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_BINDINGS]).taken_seq;
    while ((ticket = *at)) {
        if (ticket->after_seq > taken_seq && now_ms < ticket->ask_by_ms) {
            at = &ticket->next;
            continue;
        }
        *at = ticket->next;
        make_ready(ticket);
    }
}

void tenant_plan_round(struct tenant_link *link)
{
    look_at_waiting();
    while (plans.ready && (plans.under_way < UNDER_WAY_MAX || bf_mono_ms() >= plans.ready_ms + GATHER_MS))
        ask_together(link);
}

int tenant_plan_wait_ms(int wait_ms)
{
    return plans.ready && wait_ms > GATHER_MS ? GATHER_MS : wait_ms;
}

static enum bf_err plan_keep(struct bf_str bytes, struct tenant_plan **ret_plan)
{
    struct tenant_plan plan;
    void *message, *memory;
    enum bf_err err = tenant_plan_wire_read(bytes, &plan, &message);

    if (err != BF_OK)
        return err;
    memory = shm_malloc(tenant_plan_bytes(&plan));
    if (memory)
        *ret_plan = tenant_plan_copy(&plan, memory);
    tenant_plan_wire_release(&plan, message);
    return memory ? BF_OK : BF_UNAVAILABLE;
}

static enum bf_err answer_keep(struct bf_str bytes, struct tenant_ticket *ticket)
{
    if (ticket->kind == TENANT_TICKET_ADMIT)
        return tenant_admit_wire_read(bytes, &ticket->refused);
    return plan_keep(bytes, &ticket->plan);
}

static void answer(struct tenant_ticket *ticket, enum bf_err err, struct bf_str bytes, tenant_plan_done *done)
{
    ticket->err = err == BF_OK ? answer_keep(bytes, ticket) : err;
    if (ticket->err == BF_PROTOCOL)
        LM_ERR("call-control sent an answer that makes no sense; the edge decides by itself\n");
    done(ticket);
}

static size_t count_of(const struct tenant_ticket *first)
{
    size_t count = 0;

    for (; first; first = first->next)
        count++;
    return count;
}

// What is not known there without asking is asked for alone. A call-control that knows no Plans is an older
// one.
static void answer_all(struct tenant_link *link, struct tenant_ticket *first, enum bf_err err,
                       struct bf_str bytes, tenant_plan_done *done)
{
    struct tenant_plan_reply results[TENANT_PLANS_MAX];
    size_t count = count_of(first);
    void *message = NULL;

    if (err == BF_OK)
        err = tenant_plan_wire_read_all(bytes, count, results, &message);
    for (size_t i = 0; i < count; i++) {
        struct tenant_ticket *ticket = first;
        struct tenant_plan_reply result = err == BF_OK ? results[i] : (struct tenant_plan_reply){err, {0}};
        first = ticket->next;
        if (result.err == BF_NOT_FOUND || result.err == BF_METHOD)
            ask(link, ticket);
        else
            answer(ticket, result.err, result.plan, done);
    }
    tenant_plan_wire_release_all(message);
}

void tenant_plan_answered(struct tenant_link *link, const struct tenant_link_event *event,
                          tenant_plan_done *done)
{
    struct tenant_ticket *first = plans.asked[event->serial];
    struct bf_str bytes = {event->bytes, event->len};

    plans.asked[event->serial] = NULL;
    plans.free[plans.free_count++] = event->serial;
    plans.under_way -= event->kind != TENANT_LINK_ADMIT;
    if (event->kind == TENANT_LINK_PLANS)
        answer_all(link, first, event->err, bytes, done);
    else
        answer(first, event->err, bytes, done);
}
