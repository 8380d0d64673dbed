// Registration: what the module exports, and its start.
#include "tenant_mod.h"

#include "tenant_edge_call.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <pthread.h>
#include "core/cfg/cfg_struct.h"
#include "core/kemi.h"
#include "core/mod_fix.h"

MODULE_VERSION

#define CALLS_MAX 65536 // calls that call-control can end or transfer

struct tenant_settings tenant_settings = {
    .location_table = "location",
    .edge_id = "",
    .call_control_bus = "",
    .bus_listen = "",
    .internal = "",
    .relays = "",
    .plan_timeout_ms = 500,
    .peer_flag = 3,
    .outbox_max = 131072,
    .credentials_max = 100000,
    .negative_ttl_ms = 30000,
    .ask_timeout_ms = 2000,
    .asks_max = 8000,
    .resume_workers = 2,
    .lane_wait_ms = 20,
};
struct tenant_state *tenant_state;
struct tenant_share *tenant_share;
struct tenant_creds *tenant_creds;
struct tenant_keys *tenant_keys;
struct tenant_hash_key tenant_key;
struct tenant_outbox *tenant_outboxes[TENANT_STREAMS];
struct tenant_calls *tenant_calls;
counter_handle_t tenant_counters[TENANT_COUNTERS];

// ---- figures ----------------------------------------------------------------------------------------------

static counter_val_t live_domains(counter_handle_t h, void *param)
{
    return (counter_val_t)tenant_state->domains;
}

static counter_val_t live_credentials(counter_handle_t h, void *param)
{
    return (counter_val_t)tenant_creds_count(tenant_creds);
}

static counter_val_t live_app_keys(counter_handle_t h, void *param)
{
    return (counter_val_t)tenant_keys_count(tenant_keys);
}

static counter_val_t live_synced(counter_handle_t h, void *param)
{
    return tenant_state->synced && tenant_state->connected;
}

static counter_val_t live_connected(counter_handle_t h, void *param)
{
    return tenant_state->connected;
}

// Statistics have no negative values: what is not known while the registry is away is what `connected` is
// for.
static counter_val_t live_drift(counter_handle_t h, void *param)
{
    return tenant_drift();
}

static counter_val_t live_restored(counter_handle_t h, void *param)
{
    return tenant_state->restored;
}

static counter_val_t live_control_connected(counter_handle_t h, void *param)
{
    return tenant_state->control_connected;
}

static counter_val_t live_outbox_waiting(counter_handle_t h, void *param)
{
    return (counter_val_t)tenant_outboxes_figures().waiting;
}

static counter_val_t live_relays(counter_handle_t h, void *param)
{
    return tenant_state->relays;
}

static counter_val_t live_relays_dead(counter_handle_t h, void *param)
{
    return tenant_state->relays_dead;
}

static counter_val_t live_outbox_dropped(counter_handle_t h, void *param)
{
    return (counter_val_t)tenant_outboxes_figures().dropped;
}

static counter_val_t live_hedges(counter_handle_t h, void *param)
{
    return tenant_state->hedges;
}

static counter_val_t live_replicas_left_out(counter_handle_t h, void *param)
{
    return tenant_state->replicas_left_out;
}

#define COUNTER(id, name, about)                         \
    {                                                    \
        &tenant_counters[id], name, 0, NULL, NULL, about \
    }
#define LIVE(name, get, about)                       \
    {                                                \
        NULL, name, CNT_F_NO_RESET, get, NULL, about \
    }

static counter_def_t counter_defs[] = {
    COUNTER(TENANT_MATCH_HITS, "match_hits", "domains that are a tenant's"),
    COUNTER(TENANT_MATCH_MISSES, "match_misses", "domains that no tenant has"),
    COUNTER(TENANT_CREDENTIAL_HITS, "credential_hits", "credentials answered from the cache"),
    COUNTER(TENANT_CREDENTIAL_MISSES, "credential_misses", "credentials that were not cached"),
    COUNTER(TENANT_CREDENTIAL_UNKNOWN, "credential_unknown", "answers that the user does not exist"),
    COUNTER(TENANT_TOKENS, "tokens", "app tokens that were good"),
    COUNTER(TENANT_TOKENS_REFUSED, "tokens_refused", "app tokens that were not"),
    COUNTER(TENANT_ASKS, "asks", "requests suspended to ask the registry"),
    COUNTER(TENANT_EXPECTS, "expects", "credentials asked for with a challenge, before they are needed"),
    COUNTER(TENANT_ASKS_FAILED, "asks_failed", "credentials not to be had: the registry was away or late"),
    COUNTER(TENANT_ASKS_REFUSED, "asks_refused", "questions refused because too many were waiting"),
    COUNTER(TENANT_RESUMES, "resumes", "suspended requests continued"),
    COUNTER(TENANT_RESYNCS, "resyncs", "snapshots taken"),
    COUNTER(TENANT_CHANGES, "changes", "changes applied"),
    COUNTER(TENANT_GAPS, "gaps", "holes found in the change feed"),
    COUNTER(TENANT_EVICTED, "evicted", "cached credentials that made room for others"),
    COUNTER(TENANT_INVALIDATED, "invalidated", "cached credentials voided by a change"),
    COUNTER(TENANT_PLANS, "plans", "calls planned by call-control"),
    COUNTER(TENANT_PLANS_LOCAL, "plans_local", "calls that the edge planned: call-control was away or late"),
    COUNTER(TENANT_ADMITS, "admits",
            "registrations of new devices that call-control admitted under max_registrations"),
    COUNTER(TENANT_ADMITS_REFUSED, "admits_refused", "of those that it refused"),
    COUNTER(TENANT_ADMITS_UNASKED, "admits_unasked", "let through because call-control was away or late"),
    COUNTER(TENANT_BRANCHES_REFUSED, "branches_refused", "devices not rung: a call has that many branches"),
    COUNTER(TENANT_EVENTS_LOST, "events_lost", "call events that were too long to be told"),
    COUNTER(TENANT_BINDING_RESYNCS, "binding_resyncs", "times that all bindings were told to call-control"),
    COUNTER(TENANT_ORDERS_TAKEN, "orders", "orders of call-control carried out or refused"),
    COUNTER(TENANT_LANE_WAITS, "lane_waits", "messages that waited for an earlier one of their call"),
    COUNTER(TENANT_LANE_PASSES, "lane_passes",
            "messages that waited too long for that, or found too many before them"),
    COUNTER(TENANT_DOOR_PASSES, "door_passes",
            "times that a door did not open: a message was read without it"),
    COUNTER(TENANT_PARKS, "parks", "steps that waited for sleeping devices"),
    COUNTER(TENANT_WOKEN, "woken", "sleeping devices that came while they were waited for"),
    COUNTER(TENANT_RELAY_DEATHS, "relay_deaths", "times that a media relay was taken out"),
    LIVE("domains", live_domains, "domains in the table"),
    LIVE("credentials", live_credentials, "credentials cached"),
    LIVE("app_keys", live_app_keys, "keys of app tokens that the registry has told"),
    LIVE("synced", live_synced, "1: the table is the registry's, nothing known to be missing"),
    LIVE("connected", live_connected, "1: a registry is connected"),
    LIVE("drift", live_drift, "changes that the registry was ahead when last heard"),
    LIVE("hedges", live_hedges, "questions asked of a further replica because the first one was slow"),
    LIVE("replicas_left_out", live_replicas_left_out, "replicas that are connected and do not answer"),
    LIVE("restored", live_restored, "1: the bindings of the run before are back, or waited for no longer"),
    LIVE("control_connected", live_control_connected, "1: a call-control is connected"),
    LIVE("outbox_waiting", live_outbox_waiting, "entries that call-control has not taken yet"),
    LIVE("relays", live_relays, "media relays that are watched"),
    LIVE("relays_dead", live_relays_dead, "of those, taken out because they do not answer"),
    LIVE("outbox_dropped", live_outbox_dropped, "entries lost because an outbox was full"),
    {NULL, NULL, 0, NULL, NULL, NULL},
};

// ---- start ------------------------------------------------------------------------------------------------

static pid_t parent_pid;

static void before_fork(void)
{
    parent_pid = getpid();
}

// Kamailio ends when one of its children dies, but children whose main process was killed would live on and
// hold the ports against a restart. A fork handler also reaches the processes for which no child_init runs.
static void after_fork(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent_pid) // died in between
        raise(SIGKILL);
}

static bool in_range(const char *name, int value, int min, int max)
{
    if (value >= min && value <= max)
        return true;
    LM_ERR("modparam %s is %d; it must be %d..%d\n", name, value, min, max);
    return false;
}

static bool control_good(void)
{
    const struct tenant_settings *s = &tenant_settings;

    if (!tenant_has_control())
        return true;
    if (!*s->edge_id || !*s->bus_listen || !*s->internal) {
        LM_ERR(
            "with call_control_bus, modparams edge_id, bus_listen (the edge's own nng address) and internal "
            "(ip:port of the edges' SIP socket) are required\n");
        return false;
    }
    return true;
}

static bool settings_good(void)
{
    const struct tenant_settings *s = &tenant_settings;

    if (!s->registry_bus || !*s->registry_bus || !s->registry_feed || !*s->registry_feed) {
        LM_ERR(
            "modparams registry_bus and registry_feed are required: the tenant-registry's nng addresses\n");
        return false;
    }
    return in_range("credentials_max", s->credentials_max, TENANT_CREDS_MIN, TENANT_CREDS_MAX) &&
           in_range("negative_ttl_ms", s->negative_ttl_ms, 0, 3600000) &&
           in_range("ask_timeout_ms", s->ask_timeout_ms, 50, 30000) &&
           in_range("asks_max", s->asks_max, 1, 100000) &&
           in_range("resume_workers", s->resume_workers, 1, 64) &&
           in_range("lane_wait_ms", s->lane_wait_ms, 0, 1000) && in_range("peer_flag", s->peer_flag, 0, 31) &&
           in_range("plan_timeout_ms", s->plan_timeout_ms, 50, 30000) &&
           in_range("outbox_max", s->outbox_max, TENANT_STREAMS * TENANT_OUTBOX_MIN, TENANT_OUTBOX_MAX) &&
           control_good();
}

// 64: the blocks hold fields that keep off each other's cache lines.
void *tenant_shm_aligned(size_t bytes)
{
    char *memory = shm_malloc(bytes + 64);

    if (!memory)
        return NULL;
    return memory + (-(uintptr_t)memory & 63);
}

static bool shared_init(void)
{
    void *memory, *keys;

    tenant_state = tenant_shm_aligned(sizeof(*tenant_state));
    memory = tenant_shm_aligned(tenant_creds_bytes((uint32_t)tenant_settings.credentials_max));
    keys = tenant_shm_aligned(tenant_keys_bytes());
    if (!tenant_state || !memory || !keys) {
        LM_ERR("no shared memory for %d credentials (%lu bytes): lower credentials_max or start kamailio "
               "with a larger -m\n",
               tenant_settings.credentials_max,
               (unsigned long)tenant_creds_bytes((uint32_t)tenant_settings.credentials_max));
        return false;
    }
    memset(tenant_state, 0, sizeof(*tenant_state));
    tenant_keys = tenant_keys_init(keys);
    tenant_creds = tenant_creds_init(memory, (uint32_t)tenant_settings.credentials_max,
                                     (uint32_t)tenant_settings.negative_ttl_ms, &tenant_key);
    return true;
}

// What call-control needs; nothing of it is there without.
static bool control_init(void)
{
    uint32_t entries = (uint32_t)tenant_settings.outbox_max / TENANT_STREAMS;
    void *outboxes[TENANT_STREAMS], *calls;

    if (!tenant_has_control())
        return true;
    outboxes[TENANT_STREAM_BINDINGS] = tenant_shm_aligned(tenant_outbox_bytes(entries));
    outboxes[TENANT_STREAM_CALLS] = tenant_shm_aligned(tenant_outbox_bytes(entries));
    calls = tenant_shm_aligned(tenant_calls_bytes(CALLS_MAX));
    if (!outboxes[TENANT_STREAM_BINDINGS] || !outboxes[TENANT_STREAM_CALLS] || !calls) {
        LM_ERR(
            "no shared memory for %d entries of the outboxes (%lu bytes): lower outbox_max or start kamailio "
            "with a larger -m\n",
            tenant_settings.outbox_max, (unsigned long)(TENANT_STREAMS * tenant_outbox_bytes(entries)));
        return false;
    }
    for (int stream = 0; stream < TENANT_STREAMS; stream++)
        tenant_outboxes[stream] = tenant_outbox_init(outboxes[stream], entries);
    tenant_outbox_use(tenant_outboxes[TENANT_STREAM_CALLS]);
    tenant_calls = tenant_calls_init(calls, CALLS_MAX, &tenant_key);
    return true;
}

static int mod_init(void)
{
    if (!settings_good())
        return -1;
    if (!tenant_hash_key_random(&tenant_key)) {
        LM_ERR("the kernel gives no randomness\n");
        return -1;
    }
    if (!shared_init() || !control_init() || tenant_lane_init() < 0 || tenant_call_init() < 0 ||
        tenant_event_init() < 0 || tenant_device_init() < 0 || tenant_admit_init() < 0 ||
        tenant_proc_init() < 0 || tenant_control_init() < 0 || tenant_relay_init() < 0)
        return -1;
    if (counter_register_array("tenant", counter_defs) < 0 ||
        pthread_atfork(before_fork, NULL, after_fork) != 0) {
        LM_ERR("cannot register counters or the fork handler\n");
        return -1;
    }
    register_procs(tenant_proc_count());
    cfg_register_child(tenant_proc_count());
    return 0;
}

static int child_init(int rank)
{
    uint32_t processes;

    if (rank == PROC_INIT) {
        processes = (uint32_t)get_max_procs();
        tenant_share = tenant_shm_aligned(tenant_share_bytes(processes));
        if (!tenant_share) {
            LM_ERR("no shared memory for the domain table's head\n");
            return -1;
        }
        tenant_share_init(tenant_share, processes);
        return 0;
    }
    return rank == PROC_MAIN ? tenant_proc_start() : 0;
}

// ---- exports ----------------------------------------------------------------------------------------------

// One variable by its name alone, "$rd", as nearly everybody writes it, is read where it stands; anything
// else is printed into a buffer first. Scripts write the name in quotes: of tenant_match($rd) it is the value
// that comes here, and one with a "$" would be taken for a variable.
static int fixup_match(void **param, int number)
{
    const char *text = *param;

    if (text[0] == '$' && text[1 + strspn(text + 1, "abcdefghijklmnopqrstuvwxyz")] == '\0' &&
        fix_param_types(FPARAM_PVS, param) == 0)
        return 0;
    return fixup_spve_null(param, number);
}

static int w_match(sip_msg_t *msg, char *domain, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)domain) < 0)
        return -1;
    return tenant_match_domain(msg, &text);
}

static int w_credential(sip_msg_t *msg, char *user, char *route)
{
    str user_text, route_text;

    if (get_str_fparam(&user_text, msg, (fparam_t *)user) < 0 ||
        get_str_fparam(&route_text, msg, (fparam_t *)route) < 0)
        return -2;
    return tenant_credential_of(msg, &user_text, &route_text);
}

static int w_expect(sip_msg_t *msg, char *user, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)user) < 0)
        return -1;
    return tenant_expect_of(msg, &text);
}

static int w_token(sip_msg_t *msg, char *header, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)header) < 0)
        return -2;
    return tenant_token_of(msg, &text);
}

static int w_plan(sip_msg_t *msg, char *route, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)route) < 0)
        return -2;
    return tenant_plan_of(msg, &text);
}

static int w_admit(sip_msg_t *msg, char *route, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)route) < 0)
        return -2;
    return tenant_admit_of(msg, &text);
}

static int w_next_step(sip_msg_t *msg, char *unused1, char *unused2)
{
    return tenant_plan_step(msg);
}

static int w_park(sip_msg_t *msg, char *route, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)route) < 0)
        return -1;
    return tenant_park_step(msg, &text);
}

static int w_branch_again(sip_msg_t *msg, char *unused1, char *unused2)
{
    return tenant_branch_again(msg);
}

static int w_contacts(sip_msg_t *msg, char *unused1, char *unused2)
{
    return tenant_contacts_of(msg);
}

static int w_park_left(sip_msg_t *msg, char *unused1, char *unused2)
{
    return tenant_park_left(msg);
}

static int w_media(sip_msg_t *msg, char *json, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)json) < 0)
        return -1;
    return tenant_plan_media(msg, &text);
}

static int w_media_begins(sip_msg_t *msg, char *unused1, char *unused2)
{
    return tenant_plan_media_begins(msg);
}

static int w_has_media(sip_msg_t *msg, char *unused1, char *unused2)
{
    return tenant_plan_has_media(msg);
}

static int w_relay(sip_msg_t *msg, char *url, char *unused)
{
    str text;

    if (get_str_fparam(&text, msg, (fparam_t *)url) < 0)
        return -1;
    return tenant_plan_relay(msg, &text);
}

static int w_transfer(sip_msg_t *msg, char *to, char *how)
{
    str to_text, how_text;

    if (get_str_fparam(&to_text, msg, (fparam_t *)to) < 0 ||
        get_str_fparam(&how_text, msg, (fparam_t *)how) < 0)
        return -1;
    return tenant_event_transfer(msg, &to_text, &how_text);
}

static int w_end(sip_msg_t *msg, char *call, char *by)
{
    static const char *const SIDES[] = {"caller", "callee", "edge"};
    str call_text, by_text;
    struct bf_id id;

    if (get_str_fparam(&call_text, msg, (fparam_t *)call) < 0 ||
        get_str_fparam(&by_text, msg, (fparam_t *)by) < 0 ||
        !bf_id_parse((struct bf_str){call_text.s, (size_t)call_text.len}, &id))
        return -1;
    for (size_t i = 0; i < sizeof(SIDES) / sizeof(SIDES[0]); i++)
        if ((size_t)by_text.len == strlen(SIDES[i]) && memcmp(by_text.s, SIDES[i], (size_t)by_text.len) == 0)
            return tenant_edge_end(id, SIDES[i], "the connection is gone") == BF_OK ? 1 : -1;
    LM_ERR("tenant_end: nobody is called %.*s\n", by_text.len, by_text.s);
    return -1;
}

static int w_device(sip_msg_t *msg, char *aor, char *ruid)
{
    str aor_text, ruid_text;

    if (get_str_fparam(&aor_text, msg, (fparam_t *)aor) < 0 ||
        get_str_fparam(&ruid_text, msg, (fparam_t *)ruid) < 0)
        return -1;
    return tenant_device_of(msg, &aor_text, &ruid_text);
}

static cmd_export_t cmds[] = {
    {"tenant_match", (cmd_function)w_match, 1, fixup_match, fixup_free_spve_null, ANY_ROUTE},
    {"tenant_credential", (cmd_function)w_credential, 2, fixup_spve_spve, fixup_free_spve_spve,
     REQUEST_ROUTE | FAILURE_ROUTE},
    {"tenant_expect", (cmd_function)w_expect, 1, fixup_spve_null, fixup_free_spve_null, REQUEST_ROUTE},
    {"tenant_token", (cmd_function)w_token, 1, fixup_spve_null, fixup_free_spve_null, REQUEST_ROUTE},
    {"tenant_plan", (cmd_function)w_plan, 1, fixup_spve_null, fixup_free_spve_null,
     REQUEST_ROUTE | FAILURE_ROUTE},
    {"tenant_admit", (cmd_function)w_admit, 1, fixup_spve_null, fixup_free_spve_null, REQUEST_ROUTE},
    {"tenant_next_step", (cmd_function)w_next_step, 0, NULL, NULL, REQUEST_ROUTE | FAILURE_ROUTE},
    {"tenant_park", (cmd_function)w_park, 1, fixup_spve_null, fixup_free_spve_null,
     REQUEST_ROUTE | FAILURE_ROUTE},
    {"tenant_contacts", (cmd_function)w_contacts, 0, NULL, NULL, REQUEST_ROUTE},
    {"tenant_park_left", (cmd_function)w_park_left, 0, NULL, NULL, REQUEST_ROUTE},
    {"tenant_branch_again", (cmd_function)w_branch_again, 0, NULL, NULL, ANY_ROUTE},
    {"tenant_device", (cmd_function)w_device, 2, fixup_spve_spve, fixup_free_spve_spve, REQUEST_ROUTE},
    {"tenant_media", (cmd_function)w_media, 1, fixup_spve_null, fixup_free_spve_null, ANY_ROUTE},
    {"tenant_media_begins", (cmd_function)w_media_begins, 0, NULL, NULL, ANY_ROUTE},
    {"tenant_has_media", (cmd_function)w_has_media, 0, NULL, NULL, ANY_ROUTE},
    {"tenant_transfer", (cmd_function)w_transfer, 2, fixup_spve_spve, fixup_free_spve_spve, ANY_ROUTE},
    {"tenant_end", (cmd_function)w_end, 2, fixup_spve_spve, fixup_free_spve_spve, ANY_ROUTE},
    {"tenant_relay", (cmd_function)w_relay, 1, fixup_spve_null, fixup_free_spve_null, ANY_ROUTE},
    {NULL, NULL, 0, NULL, NULL, 0},
};

static param_export_t params[] = {
    {"registry_bus", PARAM_STRING, &tenant_settings.registry_bus},
    {"registry_feed", PARAM_STRING, &tenant_settings.registry_feed},
    {"credentials_max", PARAM_INT, &tenant_settings.credentials_max},
    {"negative_ttl_ms", PARAM_INT, &tenant_settings.negative_ttl_ms},
    {"ask_timeout_ms", PARAM_INT, &tenant_settings.ask_timeout_ms},
    {"asks_max", PARAM_INT, &tenant_settings.asks_max},
    {"resume_workers", PARAM_INT, &tenant_settings.resume_workers},
    {"lane_wait_ms", PARAM_INT, &tenant_settings.lane_wait_ms},
    {"peer_flag", PARAM_INT, &tenant_settings.peer_flag},
    {"location_table", PARAM_STRING, &tenant_settings.location_table},
    {"edge_id", PARAM_STRING, &tenant_settings.edge_id},
    {"call_control_bus", PARAM_STRING, &tenant_settings.call_control_bus},
    {"bus_listen", PARAM_STRING, &tenant_settings.bus_listen},
    {"internal", PARAM_STRING, &tenant_settings.internal},
    {"relays", PARAM_STRING, &tenant_settings.relays},
    {"plan_timeout_ms", PARAM_INT, &tenant_settings.plan_timeout_ms},
    {"outbox_max", PARAM_INT, &tenant_settings.outbox_max},
    {NULL, 0, NULL},
};

static pv_export_t vars[] = {
    {STR_STATIC_INIT("tenant"), PVT_OTHER, tenant_var_get, NULL, tenant_var_parse, NULL, NULL, 0},
    {{NULL, 0}, 0, NULL, NULL, NULL, NULL, NULL, 0},
};

static sr_kemi_t kemi_exports[] = {
    {str_init("tenant"), str_init("match"), SR_KEMIP_INT, tenant_match_domain, {SR_KEMIP_STR}},
    {str_init("tenant"),
     str_init("credential"),
     SR_KEMIP_INT,
     tenant_credential_of,
     {SR_KEMIP_STR, SR_KEMIP_STR}},
    {str_init("tenant"), str_init("expect"), SR_KEMIP_INT, tenant_expect_of, {SR_KEMIP_STR}},
    {str_init("tenant"), str_init("token"), SR_KEMIP_INT, tenant_token_of, {SR_KEMIP_STR}},
    {str_init("tenant"), str_init("plan"), SR_KEMIP_INT, tenant_plan_of, {SR_KEMIP_STR}},
    {str_init("tenant"), str_init("admit"), SR_KEMIP_INT, tenant_admit_of, {SR_KEMIP_STR}},
    {str_init("tenant"), str_init("park"), SR_KEMIP_INT, tenant_park_step, {SR_KEMIP_STR}},
    {str_init("tenant"), str_init("park_left"), SR_KEMIP_INT, tenant_park_left, {0}},
    {str_init("tenant"), str_init("contacts"), SR_KEMIP_INT, tenant_contacts_of, {0}},
    {str_init("tenant"), str_init("next_step"), SR_KEMIP_INT, tenant_plan_step, {0}},
    {str_init("tenant"), str_init("branch_again"), SR_KEMIP_INT, tenant_branch_again, {0}},
    {str_init("tenant"), str_init("device"), SR_KEMIP_INT, tenant_device_of, {SR_KEMIP_STR, SR_KEMIP_STR}},
    {str_init("tenant"), str_init("media"), SR_KEMIP_INT, tenant_plan_media, {SR_KEMIP_STR}},
    {str_init("tenant"), str_init("media_begins"), SR_KEMIP_INT, tenant_plan_media_begins, {SR_KEMIP_NONE}},
    {str_init("tenant"), str_init("has_media"), SR_KEMIP_INT, tenant_plan_has_media, {SR_KEMIP_NONE}},
    {str_init("tenant"), str_init("relay"), SR_KEMIP_INT, tenant_plan_relay, {SR_KEMIP_STR}},
    {{NULL, 0}, {NULL, 0}, 0, NULL, {0}},
};

int mod_register(char *path, int *dlflags, void *p1, void *p2); // found by Kamailio's loader by its name

int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
    if (tenant_lane_register() < 0)
        return -1;
    return sr_kemi_modules_add(kemi_exports);
}

struct module_exports exports = {
    .name = "tenant",
    .dlflags = DEFAULT_DLFLAGS,
    .cmds = cmds,
    .params = params,
    .rpc_methods = tenant_rpcs,
    .pv_items = vars,
    .init_mod_f = mod_init,
    .init_child_f = child_init,
};
