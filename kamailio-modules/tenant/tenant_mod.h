// What the module's Kamailio-facing files share. Not for the files with unit tests: those include no Kamailio
// header.
#ifndef TENANT_MOD_H
#define TENANT_MOD_H

#include "core/sr_module.h"
#include "core/counters.h"
#include "core/pvar.h"
#include "core/rpc.h"

#include "tenant_ask.h"
#include "tenant_calls.h"
#include "tenant_cred.h"
#include "tenant_hash.h"
#include "tenant_outbox.h"
#include "tenant_table.h"

#define TENANT_ROUTE_MAX 63

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
    int outbox_max;
    int credentials_max;
    int negative_ttl_ms;
    int ask_timeout_ms;
    int asks_max;
    int resume_workers;
};

enum tenant_counter {
    TENANT_MATCH_HITS,
    TENANT_MATCH_MISSES,
    TENANT_CREDENTIAL_HITS,
    TENANT_CREDENTIAL_MISSES,
    TENANT_CREDENTIAL_UNKNOWN,
    TENANT_ASKS,
    TENANT_ASKS_FAILED,
    TENANT_ASKS_REFUSED,
    TENANT_RESUMES,
    TENANT_RESYNCS,
    TENANT_CHANGES,
    TENANT_GAPS,
    TENANT_EVICTED,
    TENANT_INVALIDATED,
    TENANT_COUNTERS,
};

// A suspended request on its way: worker -> tenant process -> resume worker. In shared memory; one owner at a
// time.
struct tenant_ticket {
    unsigned int hash_index, label; // of the transaction
    struct bf_id tenant;
    uint8_t user_len, domain_len, route_len;
    char user[TENANT_USER_MAX];
    char domain[TENANT_DOMAIN_MAX];
    char route[TENANT_ROUTE_MAX + 1]; // zero-terminated
    enum bf_err err;
    struct tenant_credential credential; // when err is BF_OK
};

// Written by the tenant process, read by all.
struct tenant_state {
    _Atomic uint64_t epoch, seq, head_seq, heard_ms, table_bytes, invalid_messages, feed_dropped;
    _Atomic uint32_t domains, tenants;
    _Atomic bool connected, synced;
    _Atomic bool resync;     // the order of tenant.resync
    _Atomic int32_t tickets; // suspended requests on their way
};

extern struct tenant_settings tenant_settings;
extern struct tenant_state *tenant_state;
extern struct tenant_share *tenant_share; // NULL until all processes are counted
extern struct tenant_creds *tenant_creds;
extern struct tenant_hash_key tenant_key;   // the same in all processes
extern struct tenant_outbox *tenant_outbox; // this and the next: NULL without call-control
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

static inline int tenant_drift(void)
{
    uint64_t seq = tenant_state->seq, head_seq = tenant_state->head_seq;

    return head_seq > seq ? (int)(head_seq - seq) : 0;
}

// tenant_call.c
int tenant_call_init(void);
int tenant_match_domain(sip_msg_t *msg, str *domain);
int tenant_credential_of(sip_msg_t *msg, str *user, str *route);
void tenant_ticket_resume(struct tenant_ticket *ticket); // in a resume worker; frees the ticket
void tenant_ticket_free(struct tenant_ticket *ticket);

// The values of the message being processed; NULL when it was not matched.
struct tenant_values {
    struct tenant_match match;
    bool asked; // the rest is set
    struct tenant_credential credential;
    uint8_t user_len;
    char user[TENANT_USER_MAX];
};
const struct tenant_values *tenant_values_of(const sip_msg_t *msg);

// tenant_var.c, tenant_rpc.c
int tenant_var_parse(pv_spec_t *spec, str *name);
int tenant_var_get(sip_msg_t *msg, pv_param_t *param, pv_value_t *value);
extern rpc_export_t tenant_rpcs[];

// tenant_proc.c
int tenant_proc_init(void);                          // pipes: before any fork
int tenant_proc_start(void);                         // forks the tenant process and the resume workers
bool tenant_proc_send(struct tenant_ticket *ticket); // to the tenant process; false: the pipe is full
void tenant_proc_wake(void);

// tenant_unbind_proc.c: registered contacts of what is gone. Tenant process only.
void tenant_unbind_start(void);
void tenant_unbind_extension(struct bf_id tenant, struct bf_str number);
void tenant_unbind_extension_back(struct bf_id tenant, struct bf_str number); // it exists (again)
void tenant_unbind_tenant(struct bf_id tenant);
bool tenant_unbind_some(void); // a slice of what is to do; true: there is more

#endif
