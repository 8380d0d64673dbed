// The tenant process's side of call-control: reports, what comes back at the start, the mirror's rounds.
#include "tenant_mod.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>
#include "core/dprint.h"

#include "bf_clock.h"
#include "tenant_binding.h"
#include "tenant_link.h"
#include "tenant_report.h"

#define REPORT_TIMEOUT_MS  5000
#define RESTORE_TIMEOUT_MS 2000

static struct {
    int wake_fd; // made before the fork
    struct tenant_link *link;
    struct tenant_report *report;
    bool was_connected, was_ready;
    uint64_t faults, dropped; // told so far
} control = {.wake_fd = -1};

int tenant_control_init(void)
{
    if (!tenant_has_control())
        return 0;
    control.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (control.wake_fd < 0) {
        LM_ERR("no eventfd: %s\n", strerror(errno));
        return -1;
    }
    tenant_outbox_wake_by(tenant_outbox, control.wake_fd);
    return tenant_mirror_init();
}

int tenant_control_fd(void)
{
    return control.wake_fd;
}

static void hook_send(void *ctx, uint32_t serial, bool restore, struct bf_str body)
{
    tenant_link_ask(control.link, restore ? TENANT_LINK_RESTORE : TENANT_LINK_REPORT, serial,
                    restore ? RESTORE_TIMEOUT_MS : REPORT_TIMEOUT_MS, body);
}

static void hook_restore(void *ctx, const struct tenant_binding *binding)
{
    tenant_mirror_restore(binding);
}

static void hook_resync(void *ctx)
{
    tenant_mirror_asked();
}

static const struct tenant_report_hooks HOOKS = {hook_send, hook_restore, hook_resync};

bool tenant_control_start(struct tenant_link *link)
{
    struct tenant_report_edge edge = {
        .id = tenant_settings.edge_id,
        .bus = tenant_settings.bus_listen,
        .internal = tenant_settings.internal,
    };

    if (!tenant_has_control()) {
        tenant_state->restored = true;
        return true;
    }
    if (getrandom(&edge.boot, sizeof(edge.boot), 0) != sizeof(edge.boot)) {
        LM_CRIT("the kernel gives no randomness\n");
        return false;
    }
    control.link = link;
    control.report = tenant_report_new(tenant_outbox, &edge, bf_mono_ms(), &HOOKS, NULL);
    return true;
}

void tenant_control_answer(const struct tenant_link_event *event)
{
    tenant_report_answer(control.report, bf_mono_ms(), event->serial, event->err,
                         (struct bf_str){event->bytes, event->len});
}

static void tell_log(const struct tenant_report_figures *figures, bool connected)
{
    uint64_t dropped = tenant_outbox_figures(tenant_outbox).dropped;

    if (connected != control.was_connected)
        LM_NOTICE("call-control is %s\n", connected ? "connected" : "away: what happens waits in the outbox");
    if (figures->ready && !control.was_ready)
        LM_NOTICE("%s; %llu bindings of the run before are back\n",
                  figures->reporting ? "call-control has been asked" : "call-control is waited for no longer",
                  (unsigned long long)tenant_mirror_restored());
    if (figures->faults != control.faults)
        LM_ERR("%llu answers of call-control made no sense\n",
               (unsigned long long)(figures->faults - control.faults));
    if (dropped != control.dropped)
        LM_ERR("the outbox is full: %llu entries were dropped\n",
               (unsigned long long)(dropped - control.dropped));
    control.was_connected = connected;
    control.was_ready = figures->ready;
    control.faults = figures->faults;
    control.dropped = dropped;
}

bool tenant_control_round(void)
{
    struct tenant_report_figures figures;
    uint64_t now_ms = bf_mono_ms(), woken;
    bool connected, more = false;
    ssize_t got;

    if (!tenant_has_control())
        return false;
    got = read(control.wake_fd, &woken, sizeof(woken)); // before the outbox is looked at
    (void)got;
    if (atomic_exchange(&tenant_state->resync_bindings, false))
        tenant_mirror_resync();
    if (tenant_report_figures(control.report, now_ms).reporting)
        more = tenant_mirror_some();
    connected = tenant_link_control_connected(control.link);
    tenant_report_tick(control.report, now_ms, connected, tenant_calls_count(tenant_calls),
                       tenant_mirror_bindings());
    figures = tenant_report_figures(control.report, now_ms);
    tenant_state->control_connected = connected;
    tenant_state->restored = figures.ready;
    tenant_state->control_faults = figures.faults;
    tenant_state->reported_ms = figures.taken_ms;
    tell_log(&figures, connected);
    return more;
}

int tenant_control_wait_ms(int wait_ms)
{
    uint64_t report_ms;

    if (!tenant_has_control())
        return wait_ms;
    tenant_outbox_sleep(tenant_outbox);
    report_ms = tenant_report_wait_ms(control.report, bf_mono_ms());
    if (!tenant_link_control_connected(control.link) || report_ms > (uint64_t)wait_ms)
        return wait_ms;
    return (int)report_ms;
}
