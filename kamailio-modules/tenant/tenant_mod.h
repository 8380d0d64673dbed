// What the module's Kamailio-facing files share. Not for the files with unit tests: those include no Kamailio
// header.
#ifndef TENANT_MOD_H
#define TENANT_MOD_H

#include "core/sr_module.h"
#include "modules/tm/tm_load.h"
#include "core/counters.h"
#include "core/pvar.h"
#include "core/rpc.h"

#include "tenant_ask.h"
#include "tenant_calls.h"
#include "tenant_contact.h"
#include "tenant_cred.h"
#include "tenant_hash.h"
#include "tenant_outbox.h"
#include "tenant_table.h"
#include "tenant_token.h"

#define TENANT_ROUTE_MAX 63

struct tenant_live;
struct tenant_plan;

struct tenant_settings { // module parameters
    char *registry_bus;
    char *registry_feed;
    char *location_table;
    char *edge_id;          // this and the rest only with call-control
    char *call_control_bus; // empty: there is no call-control
    char *bus_listen;
    char *internal;
    char *relays;
    int plan_timeout_ms;
    int peer_flag;
    int outbox_max;
    int credentials_max;
    int negative_ttl_ms;
    int ask_timeout_ms;
    int asks_max;
    int resume_workers;
    int lane_wait_ms;
};

enum tenant_counter {
    TENANT_MATCH_HITS,
    TENANT_MATCH_MISSES,
    TENANT_CREDENTIAL_HITS,
    TENANT_CREDENTIAL_MISSES,
    TENANT_CREDENTIAL_UNKNOWN,
    TENANT_TOKENS,
    TENANT_TOKENS_REFUSED,
    TENANT_ASKS,
    TENANT_EXPECTS,
    TENANT_ASKS_FAILED,
    TENANT_ASKS_REFUSED,
    TENANT_RESUMES,
    TENANT_RESYNCS,
    TENANT_CHANGES,
    TENANT_GAPS,
    TENANT_EVICTED,
    TENANT_INVALIDATED,
    TENANT_PLANS,
    TENANT_PLANS_LOCAL,
    TENANT_ADMITS,
    TENANT_ADMITS_REFUSED,
    TENANT_ADMITS_UNASKED,
    TENANT_BRANCHES_REFUSED,
    TENANT_EVENTS_LOST,
    TENANT_BINDING_RESYNCS,
    TENANT_ORDERS_TAKEN,
    TENANT_LANE_WAITS,
    TENANT_LANE_PASSES,
    TENANT_DOOR_PASSES,
    TENANT_RELAY_DEATHS,
    TENANT_PARKS,
    TENANT_WOKEN,
    TENANT_COUNTERS,
};

// A suspended request on its way: worker -> tenant process -> resume worker. In shared memory; one owner at a
// time.
struct tenant_ticket {
    unsigned int hash_index, label; // of the transaction
    enum tenant_ticket_kind {
        TENANT_TICKET_CREDENTIAL,
        TENANT_TICKET_EXPECTED, // as above, and no request waits for it
        TENANT_TICKET_PLAN,
        TENANT_TICKET_ADMIT,
    } kind;
    uint8_t route_len;
    char route[TENANT_ROUTE_MAX + 1]; // zero-terminated
    enum bf_err err;
    union {
        struct {
            struct bf_id tenant;
            uint8_t user_len;
            char user[TENANT_USER_MAX];
            struct tenant_credential credential; // when err is BF_OK
        };
        struct {
            struct tenant_live *live;    // a reference. Plan only
            struct tenant_plan *plan;    // when err is BF_OK: a block in shared memory. Plan only
            bool refused;                // when err is BF_OK. Admit only
            struct tenant_ask_text *ask; // in shared memory: a packed PlanRequest or AdmitRequest
            uint64_t deadline_ms;        // monotonic
            uint64_t after_seq;          // of the bindings: asked when call-control has taken this,
            uint64_t ask_by_ms;          // or at this (monotonic)
            struct tenant_ticket *next;  // of those that wait for it
        };
    };
};

struct tenant_ask_text {
    size_t len;
    char bytes[];
};

// Written by the tenant process, read by all.
struct tenant_state {
    _Atomic uint64_t epoch, seq, head_seq, heard_ms, table_bytes, invalid_messages, feed_dropped;
    _Atomic uint32_t domains, tenants;
    _Atomic bool connected, synced;
    _Atomic uint32_t hedges, replicas_left_out; // of the registry and of call-control
    _Atomic bool resync;                        // the order of tenant.resync
    _Atomic bool unknown_key;                   // somebody has shown an app token whose key is not here
    _Atomic int32_t tickets;                    // on their way
    // Of call-control:
    _Atomic uint64_t moved_seq;      // of the bindings: the newest that is no refresh
    _Atomic uint64_t reported_ms;    // when a report was taken last; 0: not yet
    _Atomic uint64_t control_faults; // its answers that made no sense
    _Atomic bool control_connected;
    _Atomic bool restored; // the bindings of the run before are back, or waited for no longer
    _Atomic uint32_t relays, relays_dead;
    _Atomic bool resync_bindings; // the order to send all bindings again
};

extern struct tenant_settings tenant_settings;
extern struct tenant_state *tenant_state;
extern struct tenant_share *tenant_share; // NULL until all processes are counted
extern struct tenant_creds *tenant_creds;
extern struct tenant_keys *tenant_keys;
extern struct tenant_hash_key tenant_key;                     // the same in all processes
extern struct tenant_outbox *tenant_outboxes[TENANT_STREAMS]; // these and the next: NULL without call-control
extern struct tenant_calls *tenant_calls;
extern counter_handle_t tenant_counters[TENANT_COUNTERS];

static inline void tenant_count(enum tenant_counter counter, int by)
{
    counter_add(tenant_counters[counter], by);
}

static inline bool tenant_has_control(void)
{
    return tenant_settings.call_control_bus && *tenant_settings.call_control_bus;
}

// Of all outboxes together.
static inline struct tenant_outbox_figures tenant_outboxes_figures(void)
{
    struct tenant_outbox_figures all = {0};

    for (int stream = 0; stream < TENANT_STREAMS && tenant_outboxes[stream]; stream++) {
        struct tenant_outbox_figures one = tenant_outbox_figures(tenant_outboxes[stream]);
        all.put_seq += one.put_seq;
        all.taken_seq += one.taken_seq;
        all.dropped += one.dropped;
        all.waiting += one.waiting;
    }
    return all;
}

static inline int tenant_drift(void)
{
    uint64_t seq = tenant_state->seq, head_seq = tenant_state->head_seq;

    return head_seq > seq ? (int)(head_seq - seq) : 0;
}

// tenant_mod.c
void *tenant_shm_aligned(size_t bytes); // shared memory at the start of a cache line, never freed

// tenant_call.c
int tenant_call_init(void);
int tenant_match_domain(sip_msg_t *msg, str *domain);
int tenant_credential_of(sip_msg_t *msg, str *user, str *route);
int tenant_expect_of(sip_msg_t *msg, str *user);
int tenant_token_of(sip_msg_t *msg, str *header);
const struct tm_binds *tenant_tm(void);
// A ticket for the route to continue in. NULL: no such route, or asks_max are waiting (which is counted).
struct tenant_ticket *tenant_ticket_new(enum tenant_ticket_kind kind, struct bf_str route);
// Suspends the request; the ticket is taken. 0: done (or nothing more to do for this message), -2: it goes
// on.
int tenant_ticket_suspend(sip_msg_t *msg, struct tenant_ticket *ticket);
// 1: there is a transaction; 0: nothing more to do for this message; -1: no.
int tenant_transaction_need(sip_msg_t *msg);
// The answer that the route now running was waiting for; NULL: it is of another kind, or there is none.
const struct tenant_ticket *tenant_ticket_resumed(enum tenant_ticket_kind kind);
void tenant_ticket_resume(struct tenant_ticket *ticket); // in a resume worker; frees the ticket
void tenant_ticket_free(struct tenant_ticket *ticket);

// tenant_plan_call.c, tenant_event_call.c
int tenant_plan_of(sip_msg_t *msg, str *route);
int tenant_plan_step(sip_msg_t *msg);
int tenant_plan_media(sip_msg_t *msg, str *json);
int tenant_plan_media_begins(sip_msg_t *msg);
int tenant_plan_has_media(sip_msg_t *msg);
int tenant_plan_relay(sip_msg_t *msg, str *url);
void tenant_plan_resumed(struct tenant_ticket *ticket); // before its route runs
int tenant_event_init(void);
bool tenant_event_hear(sip_msg_t *msg, tm_cell_t *t,
                       struct tenant_live *live);             // takes a reference of its own
struct tenant_live *tenant_event_live_of(const tm_cell_t *t); // borrowed; NULL: not planned by us
struct dlg_cell;
struct tenant_live *
tenant_event_live_of_dialog(const struct dlg_cell *cell);     // borrowed, while the cell is held
int tenant_event_transfer(sip_msg_t *msg, str *to, str *how); // the REFER or its reply
struct tenant_live *tenant_event_live_in(sip_msg_t *msg);     // also of a request inside a call; a reference

// tenant_lane_call.c
int tenant_lane_register(void); // when the module is loaded, before any other module registers callbacks
int tenant_lane_init(void);     // when the sockets are known

// tenant_admit_call.c
int tenant_admit_init(void);
int tenant_admit_of(sip_msg_t *msg, str *route);

// tenant_park_call.c: a call that waits for sleeping devices
int tenant_park_init(void); // before any fork
int tenant_park_step(sip_msg_t *msg, str *route);
int tenant_park_left(sip_msg_t *msg);
bool tenant_park_is_blind(const struct tenant_live *live, int branch);
// Its branches decide alone from now on: nobody is waited for. Any process.
void tenant_park_leave(tm_cell_t *t, struct tenant_live *live);
void tenant_park_cancelled(tm_cell_t *t, struct tenant_live *live); // before the caller's CANCEL takes effect
// A branch (tm's, to be added) for a device; its URI, dst, edge and so on are the target's.
struct tenant_plan_target;
bool tenant_plan_branch(sip_msg_t *msg, const struct tenant_live *live,
                        const struct tenant_plan_target *target);

// tenant_again_call.c
int tenant_branch_again(sip_msg_t *msg);

// tenant_device_call.c
int tenant_device_init(void);
int tenant_device_of(sip_msg_t *msg, str *aor, str *ruid);
// True: no valid binding of ours has this ruid (any more).
bool tenant_device_left(struct bf_id tenant, struct bf_str number, struct bf_str ruid);

// What $tenant() shows of the plan of the message being processed.
struct tenant_plan_values {
    struct bf_id call;
    struct bf_str reason, why, caller_name, branch_number;
    uint32_t code, step_seconds;
};
bool tenant_plan_values_of(sip_msg_t *msg, struct tenant_plan_values *ret_values);

// The values of the message being processed; NULL when it was not matched.
struct tenant_values {
    struct tenant_match match;
    bool asked; // the rest is set
    struct tenant_credential credential;
    uint8_t user_len;
    char user[TENANT_USER_MAX];
    struct tenant_token_answer token; // zero: no app token was shown
};
const struct tenant_values *tenant_values_of(const sip_msg_t *msg);

// tenant_var.c, tenant_rpc.c
int tenant_var_parse(pv_spec_t *spec, str *name);
int tenant_var_get(sip_msg_t *msg, pv_param_t *param, pv_value_t *value);
extern rpc_export_t tenant_rpcs[];

// tenant_proc.c
int tenant_proc_init(void); // pipes: before any fork
int tenant_proc_count(void);
int tenant_proc_start(void);                         // forks the tenant process and the resume workers
bool tenant_proc_send(struct tenant_ticket *ticket); // to the tenant process; false: the pipe is full
void tenant_proc_wake(void);

// tenant_plan_proc.c: what is asked of call-control for a suspended request. Tenant process only. A ticket is
// answered once, later, by `done`.
struct tenant_link;
struct tenant_link_event;
typedef void tenant_plan_done(struct tenant_ticket *ticket);
void tenant_plan_ask_start(void);
void tenant_plan_ask(struct tenant_link *link, struct tenant_ticket *ticket);
void tenant_plan_answered(struct tenant_link *link, const struct tenant_link_event *event,
                          tenant_plan_done *done);
void tenant_plan_round(struct tenant_link *link); // behind these two
int tenant_plan_wait_ms(int wait_ms);             // until the next round, wait_ms at most

// tenant_unbind_proc.c: registered contacts of what is gone. Tenant process only.
void tenant_unbind_start(void);
void tenant_unbind_extension(struct bf_id tenant, struct bf_str number,
                             struct bf_id but); // nil: of whoever had the number
void tenant_unbind_tenant(struct bf_id tenant);
bool tenant_unbind_some(void); // a slice of what is to do; true: there is more

// tenant_contact_call.c: what of a REGISTER's Contacts is for call-control alone, and what is kept with a
// contact in usrloc. Any process.
struct ucontact;
int tenant_contacts_of(sip_msg_t *msg);
struct tenant_contact_note tenant_contact_note(const struct ucontact *contact);             // under its lock
void tenant_contact_keep(struct ucontact *contact, const struct tenant_contact_note *note); // the same
// What the REGISTER that this process works on said of the contact that is stored under this URI; the secrets
// live until the next one. False: it has none such.
bool tenant_contact_registered(struct bf_str uri, struct tenant_contact_note *ret_note,
                               struct tenant_contact_secrets *ret_secrets);

// tenant_mirror_call.c: usrloc's bindings to call-control and back. But for _init, tenant process only.
struct tenant_binding;
int tenant_mirror_init(void);    // before any fork: callbacks
void tenant_mirror_resync(void); // tell all bindings again
void tenant_mirror_asked(void);  // the same for call-control, which asks until it has heard the beginning
bool tenant_mirror_some(void);   // a slice of that; true: there is more
void tenant_mirror_restore(const struct tenant_binding *binding);
uint64_t tenant_mirror_restored(void);
uint32_t tenant_mirror_bindings(void); // in usrloc

// tenant_control_proc.c: reports to call-control. But for _init, tenant process only; without call-control
// nothing happens in any of them.
struct tenant_link;
struct tenant_link_event;
int tenant_control_init(void); // before any fork
bool tenant_control_start(struct tenant_link *link);
int tenant_control_fd(void); // readable: there is something for a round
void tenant_control_answer(const struct tenant_link_event *event);
bool tenant_control_round(void);         // true: come again at once
void tenant_edge_main(void);             // the process that carries out the orders of call-control
int tenant_control_wait_ms(int wait_ms); // at most wait_ms; asked right before waiting

// tenant_relay_proc.c: media relays that are watched
int tenant_relay_init(void); // before any fork
bool tenant_has_relays(void);
void tenant_relay_main(void); // the process that does it

#endif
