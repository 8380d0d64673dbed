// The tenant process's side of call-control: reports, what comes back at the start, the mirror's rounds.
#include "tenant_mod.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>
#include "core/cfg/cfg_struct.h"
#include "core/dprint.h"
#include "core/mem/shm_mem.h"

#include "bf_clock.h"
#include "tenant_binding.h"
#include "tenant_edge_bus.h"
#include "tenant_edge_call.h"
#include "tenant_link.h"
#include "tenant_report.h"

#define REPORT_TIMEOUT_MS  2500 // a replica that hangs with one must not make us look dead: after 3 s we do
#define RESTORE_TIMEOUT_MS 2000
#define DROPS_TOLD_MS      10000

static struct {
    int wake_fd; // this and the pipe are made before the fork
    int order_pipe[2];
    struct tenant_link *link;
    struct tenant_report *reports[TENANT_STREAMS];
    bool was_connected, was_ready;
    uint64_t faults, dropped; // told so far
    uint64_t drops_not_before_ms;
    struct tenant_edge_bus *bus;
} control = {.wake_fd = -1};

struct tenant_orders *tenant_orders;

static bool orders_init(void)
{
    void *memory = shm_malloc(tenant_orders_bytes());
    int flags;

    if (!memory || pipe2(control.order_pipe, O_CLOEXEC) < 0) {
        LM_ERR("no shared memory or no pipe for call-control's orders\n");
        return false;
    }
    flags = fcntl(control.order_pipe[1], F_GETFL); // its reader waits in read(), its writers never do
    if (fcntl(control.order_pipe[1], F_SETFL, flags | O_NONBLOCK) < 0)
        return false;
    tenant_orders = tenant_orders_init(memory, control.order_pipe[1]);
    return true;
}

int tenant_control_init(void)
{
    if (!tenant_has_control())
        return 0;
    control.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (control.wake_fd < 0) {
        LM_ERR("no eventfd: %s\n", strerror(errno));
        return -1;
    }
    for (int stream = 0; stream < TENANT_STREAMS; stream++)
        tenant_outbox_wake_by(tenant_outboxes[stream], control.wake_fd);
    return orders_init() && tenant_mirror_init() >= 0 && tenant_edge_init() >= 0 && tenant_park_init() >= 0 &&
                   tenant_originate_init() >= 0
               ? 0
               : -1;
}

int tenant_control_fd(void)
{
    return control.wake_fd;
}

static const enum tenant_link_kind KINDS[TENANT_STREAMS] = {
    [TENANT_STREAM_BINDINGS] = TENANT_LINK_REPORT,
    [TENANT_STREAM_CALLS] = TENANT_LINK_REPORT_CALLS,
};

// `ctx` is the stream's kind.
static void hook_send(void *ctx, uint32_t serial, bool restore, struct bf_str body)
{
    const enum tenant_link_kind *kind = ctx;

    tenant_link_ask(control.link, restore ? TENANT_LINK_RESTORE : *kind, serial,
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

// On one of the bus's threads.
static void hook_resync_bindings(void *ctx)
{
    tenant_state->resync_bindings = true;
    tenant_proc_wake();
}

static const struct tenant_edge_bus_hooks BUS_HOOKS = {hook_resync_bindings};

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
    if (tenant_edge_bus_open(tenant_settings.bus_listen, tenant_orders, &BUS_HOOKS, NULL, &control.bus) !=
        BF_OK) {
        LM_CRIT("cannot listen on bus_listen '%s': is it an nng address, and free?\n",
                tenant_settings.bus_listen);
        return false;
    }
    control.link = link;
    for (int stream = 0; stream < TENANT_STREAMS; stream++)
        control.reports[stream] = tenant_report_new((enum tenant_stream)stream, tenant_outboxes[stream],
                                                    &edge, bf_mono_ms(), &HOOKS, (void *)&KINDS[stream]);
    return true;
}

void tenant_control_answer(const struct tenant_link_event *event)
{
    bool calls = event->kind == TENANT_LINK_REPORT_CALLS;

    tenant_report_answer(control.reports[calls ? TENANT_STREAM_CALLS : TENANT_STREAM_BINDINGS], bf_mono_ms(),
                         event->serial, event->err, (struct bf_str){event->bytes, event->len});
}

// A full outbox drops thousands a second: told at most every DROPS_TOLD_MS.
static void tell_drops(uint64_t now_ms)
{
    uint64_t dropped = tenant_outboxes_figures().dropped;

    if (dropped == control.dropped || now_ms < control.drops_not_before_ms)
        return;
    LM_ERR("an outbox is full: %llu entries were dropped\n", (unsigned long long)(dropped - control.dropped));
    control.dropped = dropped;
    control.drops_not_before_ms = now_ms + DROPS_TOLD_MS;
}

static void tell_log(const struct tenant_report_figures *figures, bool connected)
{
    if (connected != control.was_connected)
        LM_NOTICE("call-control is %s\n", connected ? "connected" : "away: what happens waits in the outbox");
    if (figures->ready && !control.was_ready)
        LM_NOTICE("%s; %llu bindings of the run before are back\n",
                  figures->reporting ? "call-control has been asked" : "call-control is waited for no longer",
                  (unsigned long long)tenant_mirror_restored());
    if (figures->faults != control.faults)
        LM_ERR("%llu answers of call-control made no sense\n",
               (unsigned long long)(figures->faults - control.faults));
    control.was_connected = connected;
    control.was_ready = figures->ready;
    control.faults = figures->faults;
}

// The streams do not wait for each other; but call-control hears of no call before it has told us what we
// had.
static int streams_open(uint64_t now_ms)
{
    bool reporting = tenant_report_figures(control.reports[TENANT_STREAM_BINDINGS], now_ms).reporting;

    return reporting ? TENANT_STREAMS : TENANT_STREAM_BINDINGS + 1;
}

static struct tenant_report_figures reports_tick(uint64_t now_ms, bool connected)
{
    struct tenant_report_figures figures, calls;
    struct tenant_report_state state = {.calls = tenant_calls_count(tenant_calls),
                                        .bindings = tenant_mirror_bindings(),
                                        .table_epoch = tenant_state->epoch,
                                        .table_seq = tenant_state->seq};

    for (int stream = 0; stream < streams_open(now_ms); stream++)
        tenant_report_tick(control.reports[stream], now_ms, connected, &state);
    figures = tenant_report_figures(control.reports[TENANT_STREAM_BINDINGS], now_ms);
    calls = tenant_report_figures(control.reports[TENANT_STREAM_CALLS], now_ms);
    figures.faults += calls.faults;
    return figures;
}

bool tenant_control_round(void)
{
    struct tenant_report_figures figures;
    uint64_t now_ms = bf_mono_ms(), woken;
    bool connected, more = false;
    ssize_t got;

    if (!tenant_has_control())
        return false;
    got = read(control.wake_fd, &woken, sizeof(woken)); // before the outboxes are looked at
    (void)got;
    if (atomic_exchange(&tenant_state->resync_bindings, false))
        tenant_mirror_resync();
    if (streams_open(now_ms) == TENANT_STREAMS)
        more = tenant_mirror_some();
    connected = tenant_link_control_connected(control.link);
    figures = reports_tick(now_ms, connected);
    tenant_state->control_connected = connected;
    tenant_state->restored = figures.ready;
    tenant_state->control_faults = figures.faults;
    tenant_state->reported_ms = figures.taken_ms;
    tell_log(&figures, connected);
    tell_drops(now_ms);
    return more;
}

// While nobody is there to be told, what happens wakes nobody either.
int tenant_control_wait_ms(int wait_ms)
{
    uint64_t now_ms = bf_mono_ms();

    if (!tenant_has_control() || !tenant_link_control_connected(control.link))
        return wait_ms;
    for (int stream = 0; stream < streams_open(now_ms); stream++) {
        uint64_t report_ms;
        if (tenant_report_listens(control.reports[stream]))
            tenant_outbox_sleep(tenant_outboxes[stream]);
        report_ms = tenant_report_wait_ms(control.reports[stream], now_ms);
        if (report_ms < (uint64_t)wait_ms)
            wait_ms = (int)report_ms;
    }
    return wait_ms;
}

void tenant_edge_main(void)
{
    struct tenant_order *order;
    uint32_t number;
    ssize_t got;

    for (;;) {
        got = read(control.order_pipe[0], &number, sizeof(number));
        if (got < 0 && errno == EINTR)
            continue;
        if (got != (ssize_t)sizeof(number))
            return; // the pipe is gone, and with it everything else
        cfg_update();
        order = tenant_orders_at(tenant_orders, number);
        if (order)
            tenant_edge_do(order);
    }
}
