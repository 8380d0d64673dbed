// The tenant.* commands.
#include "tenant_mod.h"

#include "bf_clock.h"

static const char *status_doc[] = {"How far the domain table and the credential cache are.", NULL};
static const char *get_doc[] = {"tenant.get <domain>: what the table says of a domain.", NULL};
static const char *resync_bindings_doc[] = {"Tell all bindings to call-control again.", NULL};
static const char *resync_doc[] = {"Take a new snapshot and forget all cached credentials.", NULL};

static void add_control(rpc_t *rpc, void *answer)
{
    struct tenant_outbox_figures figures = tenant_outboxes_figures();
    struct tenant_outbox_figures calls = tenant_outbox_figures(tenant_outboxes[TENANT_STREAM_CALLS]);
    uint64_t reported_ms = tenant_state->reported_ms;

    rpc->struct_printf(answer, "outbox_sent_seq", "%llu", (unsigned long long)figures.put_seq);
    rpc->struct_printf(answer, "outbox_taken_seq", "%llu", (unsigned long long)figures.taken_seq);
    rpc->struct_add(answer, "dddddddd", "outbox_waiting", (int)figures.waiting, "events_waiting",
                    (int)calls.waiting, "outbox_dropped", (int)figures.dropped, "control_connected",
                    (int)tenant_state->control_connected, "control_age_ms",
                    reported_ms ? (int)(bf_mono_ms() - reported_ms) : -1, "control_faults",
                    (int)tenant_state->control_faults, "restored", (int)tenant_state->restored, "calls",
                    (int)tenant_calls_count(tenant_calls));
}

// RPC structs have no 64-bit integers that all clients read: those go as text.
static void rpc_status(rpc_t *rpc, void *ctx)
{
    const struct tenant_state *state = tenant_state;
    bool connected = state->connected;
    uint64_t heard_ms = state->heard_ms;
    void *answer;

    if (rpc->add(ctx, "{", &answer) < 0)
        return;
    rpc->struct_printf(answer, "epoch", "%llu", (unsigned long long)state->epoch);
    rpc->struct_printf(answer, "seq", "%llu", (unsigned long long)state->seq);
    rpc->struct_printf(answer, "registry_seq", "%llu", (unsigned long long)state->head_seq);
    rpc->struct_add(answer, "dddddddddd", "drift", connected ? tenant_drift() : -1, "domains",
                    (int)state->domains, "tenants", (int)state->tenants, "bytes", (int)state->table_bytes,
                    "credentials", (int)tenant_creds_count(tenant_creds), "connected", (int)connected,
                    "synced", (int)state->synced, "heartbeat_age_ms",
                    heard_ms ? (int)(bf_mono_ms() - heard_ms) : -1, "waiting", (int)state->tickets,
                    "feed_dropped", (int)state->feed_dropped);
    rpc->struct_add(answer, "ddd", "invalid_messages", (int)state->invalid_messages, "hedges",
                    (int)state->hedges, "replicas_left_out", (int)state->replicas_left_out);
    if (tenant_has_control())
        add_control(rpc, answer);
    if (tenant_has_relays())
        rpc->struct_add(answer, "dd", "relays", (int)state->relays, "relays_dead", (int)state->relays_dead);
}

static void rpc_get(rpc_t *rpc, void *ctx)
{
    struct tenant_match match;
    char id[BF_ID_TEXT_SIZE];
    void *answer;
    str domain;

    if (rpc->scan(ctx, "S", &domain) < 1) {
        rpc->fault(ctx, 400, "tenant.get needs a domain");
        return;
    }
    if (tenant_share_find(tenant_share, (uint32_t)process_no, (struct bf_str){domain.s, (size_t)domain.len},
                          &match) != TENANT_FOUND) {
        rpc->fault(ctx, 404, "No tenant has this domain");
        return;
    }
    if (rpc->add(ctx, "{", &answer) < 0)
        return;
    rpc->struct_add(answer, "sssssddd", "domain", match.domain, "id", bf_id_text(match.id, id), "slug",
                    match.slug, "realm", match.realm, "status",
                    match.status == TENANT_ACTIVE ? "active" : "suspended", "max_calls",
                    (int)match.limits.max_calls, "max_registrations", (int)match.limits.max_registrations,
                    "calls_per_second", (int)match.limits.calls_per_second);
}

static void rpc_resync(rpc_t *rpc, void *ctx)
{
    tenant_state->resync = true;
    tenant_proc_wake();
    rpc->add(ctx, "s", "a new snapshot is being taken");
}

static void rpc_resync_bindings(rpc_t *rpc, void *ctx)
{
    if (!tenant_has_control()) {
        rpc->fault(ctx, 400, "There is no call-control: modparam call_control_bus is empty");
        return;
    }
    tenant_state->resync_bindings = true;
    tenant_proc_wake();
    rpc->add(ctx, "s", "all bindings are being told to call-control");
}

rpc_export_t tenant_rpcs[] = {
    {"tenant.status", rpc_status, status_doc, 0},
    {"tenant.get", rpc_get, get_doc, 0},
    {"tenant.resync", rpc_resync, resync_doc, 0},
    {"tenant.resync_bindings", rpc_resync_bindings, resync_bindings_doc, 0},
    {NULL, NULL, NULL, 0},
};
