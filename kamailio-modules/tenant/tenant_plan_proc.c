// Plans that are asked for: one question a ticket, answered by call-control, by its absence or by the
// deadline.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/mem/shm_mem.h"

#include "bf_clock.h"
#include "tenant_link.h"
#include "tenant_plan_wire.h"

// A question's serial is its place here; each is answered exactly once, so a place is free again then.
static struct {
    struct tenant_ticket **asked; // asks_max of them: no more tickets exist
    uint32_t *free;               // a stack of free places
    uint32_t free_count;
    struct tenant_ticket *again;
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

void tenant_plan_ask(struct tenant_link *link, struct tenant_ticket *ticket)
{
    uint64_t now_ms = bf_mono_ms();
    int64_t left_ms = ticket->deadline_ms > now_ms ? (int64_t)(ticket->deadline_ms - now_ms) : 1;
    struct tenant_outbox_figures figures;
    uint32_t place = plans.free[--plans.free_count]; // never empty: asks_max bounds the tickets

    plans.asked[place] = ticket;
    figures = tenant_outbox_figures(tenant_outbox);
    ticket->put_seq = figures.put_seq;
    ticket->taken_seq = figures.taken_seq;
    tenant_link_ask(link, TENANT_LINK_PLAN, place, left_ms,
                    (struct bf_str){ticket->ask->bytes, ticket->ask->len});
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

// A device that registered a moment ago may still be on its way to call-control. A plan that found none is
// asked for again when what was waiting then has arrived.
static bool is_stale(const struct tenant_ticket *ticket)
{
    return ticket->err == BF_OK && ticket->plan->step_count == 0 && ticket->plan->final_code == 480 &&
           !ticket->asked_again && ticket->put_seq > ticket->taken_seq;
}

void tenant_plan_round(struct tenant_link *link)
{
    struct tenant_ticket **at = &plans.again, *ticket;
    uint64_t taken_seq = plans.again ? tenant_outbox_figures(tenant_outbox).taken_seq : 0;

    while ((ticket = *at)) {
        if (ticket->put_seq > taken_seq && bf_mono_ms() < ticket->deadline_ms) {
            at = &ticket->next;
            continue;
        }
        *at = ticket->next;
        tenant_plan_ask(link, ticket);
    }
}

struct tenant_ticket *tenant_plan_answered(const struct tenant_link_event *event)
{
    struct tenant_ticket *ticket = plans.asked[event->serial];

    plans.asked[event->serial] = NULL;
    plans.free[plans.free_count++] = event->serial;
    ticket->err = event->err;
    if (ticket->err == BF_OK)
        ticket->err = plan_keep((struct bf_str){event->bytes, event->len}, &ticket->plan);
    if (ticket->err == BF_PROTOCOL)
        LM_ERR("call-control sent a plan that makes no sense; the edge plans by itself\n");
    if (!is_stale(ticket))
        return ticket;
    shm_free(ticket->plan);
    ticket->plan = NULL;
    ticket->asked_again = true;
    ticket->next = plans.again;
    plans.again = ticket;
    return NULL;
}
