// The tenant process: hears the registry, keeps the table, answers the tickets. And the resume workers.
//
// Nothing here blocks: what the pipes cannot take now waits in a backlog (bounded by asks_max, since each
// entry is a suspended request).
//
// Whoever has the turn is the process: its loop, except while it waits in poll(), or one of nng's threads
// with an answer for a suspended request (answer_at_once()).
#include "tenant_mod.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include "core/cfg/cfg_struct.h"
#include "core/dprint.h"
#include "core/mem/shm_mem.h"
#include "core/pt.h"

#include "bf_app_token_wire.h"
#include "bf_clock.h"
#include "tenant_link.h"
#include "tenant_sync.h"

#define TICK_MS         50
#define CALL_TIMEOUT_MS 5000 // snapshot pages and changes
// After a rebuild the next one waits as long as that took: a burst costs half a core, a lone change waits for
// nothing.
#define REBUILD_REST_MS_MAX 200
#define TICKET_BYTES        ((ssize_t)sizeof(void *)) // what goes through the pipes: a pointer into shared memory
#define TICKETS_A_ROUND     8192
// Keys of app tokens: asked when they change and, should that not be heard, now and then.
#define KEYS_MS       600000
#define KEYS_RETRY_MS 1000
#define KEYS_REST_MS  5000 // between two askings that strangers can bring about

static struct {
    int ask_pipe[2];
    int resume_pipe[2];
    // The tenant process's own, of who has the turn:
    pthread_mutex_t turn;
    struct tenant_link *link;
    struct tenant_sync *sync;
    struct tenant_asks *asks;
    struct tenant_ticket **backlog; // ring of asks_max + 1: answered, not yet in the resume pipe
    uint32_t backlog_first, backlog_count;
    struct tenant_table *retired; // until its last reader is gone
    uint64_t rebuild_not_before_ms;
    bool sweep_tenants;
    bool was_connected, was_synced;
    uint64_t evicted, invalidated;
    uint64_t keys_due_ms, keys_asked_ms;
    bool keys_open; // asked, and not answered yet
    struct tenant_sync_figures counted;
} proc = {.turn = PTHREAD_MUTEX_INITIALIZER};

// ---- pipes ------------------------------------------------------------------------------------------------

int tenant_proc_init(void)
{
    int bytes = 2 * tenant_settings.asks_max * (int)sizeof(void *);
    int flags;

    if (pipe2(proc.ask_pipe, O_NONBLOCK | O_CLOEXEC) < 0 || pipe2(proc.resume_pipe, O_CLOEXEC) < 0) {
        LM_ERR("no pipes: %s\n", strerror(errno));
        return -1;
    }
    // The readers of the resume pipe wait in read(); its writer never does.
    flags = fcntl(proc.resume_pipe[1], F_GETFL);
    if (fcntl(proc.resume_pipe[1], F_SETFL, flags | O_NONBLOCK) < 0)
        return -1;
    if (bytes > 65536 && fcntl(proc.ask_pipe[1], F_SETPIPE_SZ, bytes) < 0)
        LM_INFO("the pipe stays at its default size; asks_max above 8192 needs fs.pipe-max-size\n");
    return 0;
}

bool tenant_proc_send(struct tenant_ticket *ticket)
{
    ssize_t written;

    do {
        written = write(proc.ask_pipe[1], &ticket, TICKET_BYTES); // atomic: smaller than PIPE_BUF
    } while (written < 0 && errno == EINTR);
    return written == TICKET_BYTES;
}

void tenant_proc_wake(void)
{
    tenant_proc_send(NULL);
}

static void backlog_flush(void)
{
    uint32_t size = (uint32_t)tenant_settings.asks_max + 1;

    while (proc.backlog_count > 0) {
        struct tenant_ticket *ticket = proc.backlog[proc.backlog_first];
        if (write(proc.resume_pipe[1], &ticket, TICKET_BYTES) != TICKET_BYTES)
            return; // full: poll tells when to go on
        proc.backlog_first = (proc.backlog_first + 1) % size;
        proc.backlog_count--;
    }
}

static void ticket_done(struct tenant_ticket *ticket)
{
    uint32_t size = (uint32_t)tenant_settings.asks_max + 1;

    if (ticket->kind == TENANT_TICKET_EXPECTED) {
        tenant_ticket_free(ticket);
        return;
    }
    proc.backlog[(proc.backlog_first + proc.backlog_count) % size] = ticket;
    proc.backlog_count++;
}

static void ticket_answer(struct tenant_ticket *ticket, enum bf_err err,
                          const struct tenant_credential *credential)
{
    ticket->err = err;
    if (err == BF_OK)
        ticket->credential = *credential;
    ticket_done(ticket);
}

// ---- hooks of the questions -------------------------------------------------------------------------------

static void asks_send(void *ctx, uint32_t serial, struct bf_id tenant, struct bf_str user, uint64_t left_ms)
{
    struct bf_buf body;

    bf_buf_init(&body, 1024);
    tenant_wire_ask_credential(tenant, user, &body);
    tenant_link_ask(proc.link, TENANT_LINK_CREDENTIAL, serial, (int64_t)left_ms,
                    (struct bf_str){body.at, body.len});
    bf_buf_release(&body);
}

static void asks_answer(void *ctx, void *ticket, enum bf_err err, const struct tenant_credential *credential)
{
    ticket_answer(ticket, err, credential);
}

static void asks_keep(void *ctx, struct bf_id tenant, struct bf_str user,
                      const struct tenant_credential *credential)
{
    tenant_creds_put(tenant_creds, tenant, user, bf_mono_ms(), credential);
}

static const struct tenant_asks_hooks ASKS_HOOKS = {asks_send, asks_answer, asks_keep};

// ---- hooks of the sync ------------------------------------------------------------------------------------

static void sync_ask_page(void *ctx, uint32_t serial, struct bf_str after)
{
    struct bf_buf body;

    bf_buf_init(&body, 1024);
    tenant_wire_ask_page(after, TENANT_SYNC_PAGE, &body);
    tenant_link_ask(proc.link, TENANT_LINK_PAGE, serial, CALL_TIMEOUT_MS, (struct bf_str){body.at, body.len});
    bf_buf_release(&body);
}

static void sync_ask_changes(void *ctx, uint32_t serial, uint64_t epoch, uint64_t after_seq)
{
    struct bf_buf body;

    bf_buf_init(&body, 1024);
    tenant_wire_ask_changes(epoch, after_seq, TENANT_SYNC_CHANGES, &body);
    tenant_link_ask(proc.link, TENANT_LINK_CHANGES, serial, CALL_TIMEOUT_MS,
                    (struct bf_str){body.at, body.len});
    bf_buf_release(&body);
}

static void sync_extension(void *ctx, struct bf_id tenant, struct bf_str number, bool gone, struct bf_id now)
{
    tenant_asks_void(proc.asks, tenant, number);
    if (tenant_creds_forget(tenant_creds, tenant, number))
        proc.invalidated++;
    if (gone || !bf_id_is_nil(now))
        tenant_unbind_extension(tenant, number, now);
}

static void sync_tenant_gone(void *ctx, struct bf_id tenant)
{
    tenant_asks_void_all(proc.asks); // rare; those of others are merely asked once more
    proc.sweep_tenants = true;
    tenant_unbind_tenant(tenant);
}

static void sync_app_keys(void *ctx)
{
    proc.keys_due_ms = 0;
}

static void sync_forget(void *ctx)
{
    proc.keys_due_ms = 0;
    tenant_asks_void_all(proc.asks);
    proc.invalidated += tenant_creds_count(tenant_creds);
    tenant_creds_forget_all(tenant_creds);
}

static const struct tenant_sync_hooks SYNC_HOOKS = {
    .ask_page = sync_ask_page,
    .ask_changes = sync_ask_changes,
    .extension = sync_extension,
    .tenant_gone = sync_tenant_gone,
    .app_keys = sync_app_keys,
    .forget = sync_forget,
};

// ---- keys of app tokens -----------------------------------------------------------------------------------

static void keys_round(uint64_t now_ms, bool connected)
{
    if (atomic_exchange(&tenant_state->unknown_key, false) && now_ms - proc.keys_asked_ms >= KEYS_REST_MS)
        proc.keys_due_ms = 0;
    if (!connected || proc.keys_open || now_ms < proc.keys_due_ms)
        return;
    proc.keys_open = true;
    proc.keys_asked_ms = now_ms;
    proc.keys_due_ms = now_ms + KEYS_MS;
    tenant_link_ask(proc.link, TENANT_LINK_APP_KEYS, 0, CALL_TIMEOUT_MS, BF_STR(""));
}

static void keys_answer(uint64_t now_ms, enum bf_err err, struct bf_str reply)
{
    struct bf_app_key keys[BF_APP_KEYS_MAX];
    size_t count = 0;

    proc.keys_open = false;
    if (err == BF_OK)
        err = bf_app_token_wire_read_keys(reply, keys, &count);
    if (err == BF_OK)
        tenant_keys_put(tenant_keys, keys, count);
    if (count == 0 && proc.keys_due_ms) // 0: they have changed meanwhile, and are asked again at once
        proc.keys_due_ms = now_ms + KEYS_RETRY_MS;
}

// ---- a round of the loop ----------------------------------------------------------------------------------

static void take_event(const struct tenant_link_event *event)
{
    struct bf_str bytes = {event->bytes, event->len};
    uint64_t now_ms = bf_mono_ms();

    switch (event->kind) {
    case TENANT_LINK_FEED:
        tenant_sync_feed(proc.sync, now_ms, bytes);
        break;
    case TENANT_LINK_PAGE:
        tenant_sync_page(proc.sync, now_ms, event->serial, event->err, bytes);
        break;
    case TENANT_LINK_CHANGES:
        tenant_sync_changes(proc.sync, now_ms, event->serial, event->err, bytes);
        break;
    case TENANT_LINK_CREDENTIAL:
        tenant_asks_answer(proc.asks, now_ms, event->serial, event->err, bytes);
        break;
    case TENANT_LINK_APP_KEYS:
        keys_answer(now_ms, event->err, bytes);
        break;
    case TENANT_LINK_PLAN:
    case TENANT_LINK_PLANS:
    case TENANT_LINK_ADMIT:
        tenant_plan_answered(proc.link, event, ticket_done);
        break;
    case TENANT_LINK_REPORT:
    case TENANT_LINK_REPORT_CALLS:
    case TENANT_LINK_RESTORE:
        tenant_control_answer(event);
        break;
    }
}

static void take_events(void)
{
    struct tenant_link_event *event = tenant_link_take(proc.link);

    while (event) {
        struct tenant_link_event *next = event->next;
        take_event(event);
        tenant_link_event_release(event);
        event = next;
    }
}

// What a suspended request waits for does not wait for the loop to be woken, unless the loop is busy.
static bool answer_at_once(const struct tenant_link_event *event)
{
    bool awaited = event->kind == TENANT_LINK_CREDENTIAL || event->kind == TENANT_LINK_PLAN ||
                   event->kind == TENANT_LINK_PLANS || event->kind == TENANT_LINK_ADMIT;

    if (!awaited || pthread_mutex_trylock(&proc.turn))
        return false;
    take_event(event);
    tenant_plan_round(proc.link);
    backlog_flush();
    if (proc.backlog_count > 0)
        tenant_proc_wake(); // to wait until the pipe has room
    pthread_mutex_unlock(&proc.turn);
    return true;
}

static void take_credential_ticket(struct tenant_ticket *ticket)
{
    struct bf_str user = {ticket->user, ticket->user_len};
    struct tenant_credential credential;
    uint64_t now_ms = bf_mono_ms();

    if (tenant_creds_get(tenant_creds, ticket->tenant, user, now_ms, &credential))
        ticket_answer(ticket, BF_OK, &credential); // came while the ticket was in the pipe
    else if (!tenant_link_connected(proc.link))
        ticket_answer(ticket, BF_UNAVAILABLE, NULL);
    else
        tenant_asks_add(proc.asks, now_ms, ticket->tenant, user, ticket);
}

static void take_ticket(struct tenant_ticket *ticket)
{
    switch (ticket->kind) {
    case TENANT_TICKET_CREDENTIAL:
    case TENANT_TICKET_EXPECTED:
        take_credential_ticket(ticket);
        break;
    case TENANT_TICKET_PLAN:
    case TENANT_TICKET_ADMIT:
        tenant_plan_ask(proc.link, ticket);
        break;
    }
}

static void take_tickets(void)
{
    struct tenant_ticket *ticket;

    for (int i = 0; i < TICKETS_A_ROUND; i++) {
        if (read(proc.ask_pipe[0], &ticket, TICKET_BYTES) != TICKET_BYTES)
            return;
        if (ticket) // NULL only wakes us
            take_ticket(ticket);
    }
}

static bool sweep_keep(void *ctx, struct bf_id tenant)
{
    const struct tenant_master *master = tenant_sync_master(proc.sync);

    return master && tenant_master_has(master, tenant);
}

static void sweep(void)
{
    if (!proc.sweep_tenants)
        return;
    tenant_creds_sweep(tenant_creds, sweep_keep, NULL);
    proc.sweep_tenants = false;
}

static void retired_free(void)
{
    if (proc.retired && !tenant_share_read(tenant_share, proc.retired)) {
        shm_free(proc.retired);
        proc.retired = NULL;
    }
}

// NULL: no shared memory.
static struct tenant_table *table_build(struct tenant_master *master)
{
    struct tenant_table_need need;
    void *memory;

    tenant_journal_whole(tenant_master_journal(master)); // until it is published
    need = tenant_table_plan(master);
    memory = shm_malloc(need.bytes);
    if (!memory)
        LM_ERR("no shared memory for the domain table (%lu bytes): the old one stays; start kamailio with a "
               "larger -m\n",
               (unsigned long)need.bytes);
    return memory ? tenant_table_build(master, need, memory) : NULL;
}

// A few changes are patched into a copy; NULL: that does not do.
static struct tenant_table *table_patch(struct tenant_master *master)
{
    const struct tenant_table *current = atomic_load(&tenant_share->current);
    struct tenant_table *patched;
    void *memory;

    if (!current || tenant_master_journal(master)->whole)
        return NULL;
    memory = shm_malloc(tenant_table_size(current));
    if (!memory)
        return NULL;
    patched = tenant_table_patch(current, master, memory);
    if (!patched)
        shm_free(memory);
    return patched;
}

// One new table for all that has come; at most two blocks live at a time.
static void publish(void)
{
    uint64_t start_ms = bf_mono_ms(), rest_ms;
    struct tenant_master *master = tenant_sync_master(proc.sync);
    struct tenant_table *table;

    retired_free();
    if (!tenant_sync_dirty(proc.sync) || proc.retired || start_ms < proc.rebuild_not_before_ms)
        return;
    table = table_patch(master);
    if (!table)
        table = table_build(master);
    if (!table) {
        proc.rebuild_not_before_ms = start_ms + 1000;
        return;
    }
    proc.retired = tenant_share_swap(tenant_share, table);
    tenant_journal_clear(tenant_master_journal(master));
    tenant_sync_clean(proc.sync);
    tenant_state->table_bytes = tenant_table_size(table);
    tenant_state->domains = tenant_master_domains(master);
    tenant_state->tenants = tenant_master_tenants(master);
    retired_free();
    rest_ms = bf_mono_ms() - start_ms;
    proc.rebuild_not_before_ms =
        bf_mono_ms() + (rest_ms < REBUILD_REST_MS_MAX ? rest_ms : REBUILD_REST_MS_MAX);
}

static void count(enum tenant_counter counter, uint64_t now, uint64_t *counted)
{
    tenant_count(counter, (int)(now - *counted));
    *counted = now;
}

static void report_counters(const struct tenant_sync_figures *figures)
{
    static uint64_t invalidated;

    count(TENANT_RESYNCS, figures->snapshots, &proc.counted.snapshots);
    count(TENANT_CHANGES, figures->changes, &proc.counted.changes);
    count(TENANT_GAPS, figures->gaps, &proc.counted.gaps);
    count(TENANT_EVICTED, tenant_creds_evicted(tenant_creds), &proc.evicted);
    count(TENANT_INVALIDATED, proc.invalidated, &invalidated);
}

static void report_log(const struct tenant_sync_figures *figures, bool connected)
{
    if (connected != proc.was_connected)
        LM_NOTICE("the registry is %s\n",
                  connected ? "connected" : "away: the table and cached credentials keep serving");
    if (figures->synced && !proc.was_synced)
        LM_NOTICE("in step with the registry at change %llu: %u domains\n", (unsigned long long)figures->seq,
                  tenant_master_domains(tenant_sync_master(proc.sync)));
    if (figures->faults != proc.counted.faults)
        LM_ERR("%llu messages of the registry made no sense and were refused\n",
               (unsigned long long)(figures->faults - proc.counted.faults));
    if (figures->last_err != proc.counted.last_err && figures->last_err != BF_OK)
        LM_WARN("catching up with the registry failed (%s); tried again every %d ms\n",
                bf_err_name(figures->last_err), TENANT_SYNC_RETRY_MS);
    proc.counted.last_err = figures->last_err;
    proc.counted.faults = figures->faults;
    proc.was_connected = connected;
    proc.was_synced = figures->synced;
}

static void report(bool connected)
{
    struct tenant_sync_figures figures = tenant_sync_figures(proc.sync);
    struct tenant_link_figures links = tenant_link_figures(proc.link);

    tenant_state->epoch = figures.epoch;
    tenant_state->seq = figures.seq;
    tenant_state->head_seq = figures.head_seq;
    tenant_state->heard_ms = figures.heard_ms;
    tenant_state->synced = figures.synced && !tenant_sync_dirty(proc.sync);
    tenant_state->invalid_messages = figures.faults;
    tenant_state->feed_dropped = tenant_link_dropped(proc.link);
    tenant_state->hedges = (uint32_t)links.hedges;
    tenant_state->replicas_left_out = links.left_out;
    tenant_state->connected = connected;
    report_log(&figures, connected);
    report_counters(&figures);
}

static int wait_ms(bool more)
{
    uint64_t now_ms = bf_mono_ms();

    if (more)
        return 0;
    if (proc.retired)
        return 1;
    if (tenant_sync_dirty(proc.sync) && proc.rebuild_not_before_ms < now_ms + TICK_MS)
        return proc.rebuild_not_before_ms > now_ms ? (int)(proc.rebuild_not_before_ms - now_ms) : 0;
    return TICK_MS;
}

static void round_of_loop(bool more)
{
    struct pollfd fds[] = {
        {.fd = proc.ask_pipe[0], .events = POLLIN},
        {.fd = tenant_link_fd(proc.link), .events = POLLIN},
        {.fd = proc.backlog_count > 0 ? proc.resume_pipe[1] : -1, .events = POLLOUT},
        {.fd = tenant_control_fd(), .events = POLLIN},
    };
    int patience_ms = tenant_control_wait_ms(tenant_plan_wait_ms(wait_ms(more)));
    bool connected;

    pthread_mutex_unlock(&proc.turn);
    poll(fds, BF_LEN(fds), patience_ms);
    pthread_mutex_lock(&proc.turn);
    cfg_update();
    connected = tenant_link_connected(proc.link);
    if (atomic_exchange(&tenant_state->resync, false))
        tenant_sync_again(proc.sync, bf_mono_ms());
    take_events();
    tenant_sync_tick(proc.sync, bf_mono_ms(), connected);
    keys_round(bf_mono_ms(), connected);
    sweep();
    publish();
    report(connected);
    take_tickets();
    tenant_plan_round(proc.link);
    backlog_flush();
}

static void tenant_main(void)
{
    const struct tenant_link_urls urls = {tenant_settings.registry_bus, tenant_settings.registry_feed,
                                          tenant_settings.call_control_bus};
    bool more = false;

    pthread_mutex_lock(&proc.turn);
    proc.sync = tenant_sync_new(&tenant_key, &SYNC_HOOKS, NULL);
    proc.asks = tenant_asks_new(&tenant_key, (uint64_t)tenant_settings.ask_timeout_ms, &ASKS_HOOKS, NULL);
    proc.backlog = bf_xcalloc((size_t)tenant_settings.asks_max + 1, sizeof(void *));
    tenant_plan_ask_start();
    tenant_unbind_start();
    if (tenant_link_open(urls, answer_at_once, &proc.link) != BF_OK) {
        LM_CRIT(
            "registry_bus '%s', registry_feed '%s' or call_control_bus '%s' is no list of nng addresses\n",
            urls.bus, urls.feed, urls.control);
        return;
    }
    if (!tenant_control_start(proc.link))
        return;
    for (;;) {
        round_of_loop(more);
        more = tenant_unbind_some();
        more |= tenant_control_round();
    }
}

static void resume_main(void)
{
    struct tenant_ticket *ticket;
    ssize_t got;

    for (;;) {
        got = read(proc.resume_pipe[0], &ticket, TICKET_BYTES);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != TICKET_BYTES)
            return; // the pipe is gone, and with it everything else
        cfg_update();
        tenant_outbox_hold();
        tenant_ticket_resume(ticket);
        tenant_outbox_let_go();
    }
}

static int start(char *name, void (*run)(void))
{
    int pid = fork_process(PROC_RPC, name, 1);

    if (pid < 0) {
        LM_ERR("cannot fork the process '%s'\n", name);
        return -1;
    }
    if (pid > 0)
        return 0;
    if (cfg_child_init() == 0)
        run();
    _exit(1); // which ends Kamailio, and its supervisor starts it again
}

int tenant_proc_count(void)
{
    return 1 + tenant_settings.resume_workers + tenant_has_control() + tenant_has_relays();
}

int tenant_proc_start(void)
{
    if (start("tenant", tenant_main) < 0)
        return -1;
    if (tenant_has_control() && start("tenant edge", tenant_edge_main) < 0)
        return -1;
    if (tenant_has_relays() && start("tenant relays", tenant_relay_main) < 0)
        return -1;
    for (int i = 0; i < tenant_settings.resume_workers; i++) {
        if (start("tenant resume", resume_main) < 0)
            return -1;
    }
    return 0;
}
