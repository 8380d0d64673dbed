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

// A question's serial is its place here; each is answered exactly once, so a place is free again then.
static struct {
    struct tenant_ticket **asked; // asks_max of them: no more tickets exist
    uint32_t *free;               // a stack of free places
    uint32_t free_count;
    struct tenant_ticket *waiting;
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
}

static void ask(struct tenant_link *link, struct tenant_ticket *ticket)
{
    uint64_t now_ms = bf_mono_ms();
    int64_t left_ms = ticket->deadline_ms > now_ms ? (int64_t)(ticket->deadline_ms - now_ms) : 1;
    uint32_t place = plans.free[--plans.free_count]; // never empty: asks_max bounds the tickets

    plans.asked[place] = ticket;
    tenant_link_ask(link, ticket->kind == TENANT_TICKET_PLAN ? TENANT_LINK_PLAN : TENANT_LINK_ADMIT, place,
                    left_ms, (struct bf_str){ticket->ask->bytes, ticket->ask->len});
}

// A device that registered a moment ago may still be on its way to call-control: the plan waits for it, so
// that whoever calls after a REGISTER was answered reaches it.
void tenant_plan_ask(struct tenant_link *link, struct tenant_ticket *ticket)
{
    if (ticket->kind != TENANT_TICKET_PLAN) {
        ask(link, ticket);
        return;
    }
    ticket->after_seq = tenant_state->inserted_seq;
    ticket->ask_by_ms = bf_mono_ms() + WAIT_MS_MAX;
    if (ticket->after_seq <= tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_BINDINGS]).taken_seq) {
        ask(link, ticket);
        return;
    }
    ticket->next = plans.waiting;
    plans.waiting = ticket;
}

void tenant_plan_round(struct tenant_link *link)
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
        ask(link, ticket);
    }
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

struct tenant_ticket *tenant_plan_answered(const struct tenant_link_event *event)
{
    struct tenant_ticket *ticket = plans.asked[event->serial];

    plans.asked[event->serial] = NULL;
    plans.free[plans.free_count++] = event->serial;
    ticket->err = event->err;
    if (ticket->err == BF_OK)
        ticket->err = answer_keep((struct bf_str){event->bytes, event->len}, ticket);
    if (ticket->err == BF_PROTOCOL)
        LM_ERR("call-control sent an answer that makes no sense; the edge decides by itself\n");
    return ticket;
}
