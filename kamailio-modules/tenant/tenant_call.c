// The script functions, and a request's way into suspension and back.
#include "tenant_mod.h"

#include <string.h>
#include "core/dprint.h"
#include "core/kemi.h"
#include "core/mem/shm_mem.h"
#include "core/route.h"
#include "core/script_cb.h"
#include "modules/tm/tm_load.h"

#include "bf_clock.h"
#include "tenant_live.h"

static struct {
    struct tm_binds tm;
    unsigned int message_id; // whose values these are
    int message_pid;
    bool matched;
    struct tenant_values values;
    const struct tenant_ticket *resumed; // the answer that the route now running was waiting for
} call;

// ---- values -----------------------------------------------------------------------------------------------

// A request never sees the values of an earlier one, even should their ids agree (a failure route's request
// has its own).
static int forget_values(sip_msg_t *msg, unsigned int flags, void *param)
{
    call.matched = false;
    return 1;
}

const struct tenant_values *tenant_values_of(const sip_msg_t *msg)
{
    bool own = call.matched && msg && call.message_id == msg->id && call.message_pid == msg->pid;

    return own ? &call.values : NULL;
}

int tenant_call_init(void)
{
    if (load_tm_api(&call.tm) < 0) {
        LM_ERR("the tm module must be loaded before tenant\n");
        return -1;
    }
    return register_script_cb(forget_values, PRE_SCRIPT_CB | REQUEST_CB | FAILURE_CB | ONREPLY_CB, NULL);
}

// ---- tenant_match -----------------------------------------------------------------------------------------

int tenant_match_domain(sip_msg_t *msg, str *domain)
{
    struct bf_str text = {domain->s, (size_t)domain->len};

    call.matched = false;
    call.values.asked = false;
    call.values.token = (struct tenant_token_answer){.why = ""};
    switch (tenant_share_find(tenant_share, (uint32_t)process_no, text, &call.values.match)) {
    case TENANT_NO_TABLE:
        return -3;
    case TENANT_NOT_FOUND:
        tenant_count(TENANT_MATCH_MISSES, 1);
        return -1;
    case TENANT_FOUND:
        break;
    }
    tenant_count(TENANT_MATCH_HITS, 1);
    call.matched = true;
    call.message_id = msg->id;
    call.message_pid = msg->pid;
    return call.values.match.status == TENANT_ACTIVE ? 1 : -2;
}

// ---- suspension -------------------------------------------------------------------------------------------

const struct tm_binds *tenant_tm(void)
{
    return &call.tm;
}

void tenant_ticket_free(struct tenant_ticket *ticket)
{
    switch (ticket->kind) {
    case TENANT_TICKET_CREDENTIAL:
    case TENANT_TICKET_EXPECTED:
        explicit_bzero(&ticket->credential, sizeof(ticket->credential));
        break;
    case TENANT_TICKET_PLAN:
        tenant_live_unref(ticket->live);
        if (ticket->ask)
            shm_free(ticket->ask);
        if (ticket->plan)
            shm_free(ticket->plan);
        break;
    case TENANT_TICKET_ADMIT:
        if (ticket->ask)
            shm_free(ticket->ask);
        break;
    }
    shm_free(ticket);
    atomic_fetch_sub(&tenant_state->tickets, 1);
}

static bool route_exists(struct bf_str route)
{
    char name[TENANT_ROUTE_MAX + 1] = "";

    if (route.len == 0 || route.len > TENANT_ROUTE_MAX)
        return false;
    if (sr_kemi_eng_get())
        return true;
    memcpy(name, route.at, route.len);
    return route_lookup(&main_rt, name) >= 0;
}

// NULL: there are `most` already, or memory is short.
static struct tenant_ticket *ticket_alloc(int most)
{
    struct tenant_ticket *ticket = NULL;

    if (atomic_fetch_add(&tenant_state->tickets, 1) < most)
        ticket = shm_malloc(sizeof(*ticket));
    if (ticket)
        memset(ticket, 0, sizeof(*ticket));
    else
        atomic_fetch_sub(&tenant_state->tickets, 1);
    return ticket;
}

struct tenant_ticket *tenant_ticket_new(enum tenant_ticket_kind kind, struct bf_str route)
{
    struct tenant_ticket *ticket;

    if (!route_exists(route)) {
        LM_ERR("there is no route[%.*s] to continue in\n", (int)route.len, route.at);
        return NULL;
    }
    ticket = ticket_alloc(tenant_settings.asks_max);
    if (!ticket) {
        tenant_count(TENANT_ASKS_REFUSED, 1);
        return NULL;
    }
    ticket->kind = kind;
    ticket->route_len = (uint8_t)route.len;
    memcpy(ticket->route, route.at, route.len);
    return ticket;
}

int tenant_transaction_need(sip_msg_t *msg)
{
    tm_cell_t *t = call.tm.t_gett();
    int made;

    if (t && t != T_UNDEFINED)
        return 1;
    made = call.tm.t_newtran(msg);
    if (made == 0)
        return 0; // a retransmission, answered by tm
    return made > 0 ? 1 : -1;
}

// The pipe is full: back to a request that goes on in the script. tm leaves its flag set, and would drop
// later replies.
static void suspend_undo(const struct tenant_ticket *ticket)
{
    tm_cell_t *t = call.tm.t_gett();

    call.tm.t_cancel_suspend(ticket->hash_index, ticket->label);
    if (t && t != T_UNDEFINED)
        t->flags &= ~T_ASYNC_SUSPENDED;
}

// As tenant_transaction_need().
static int transaction_suspend(sip_msg_t *msg, struct tenant_ticket *ticket)
{
    int result = tenant_transaction_need(msg);

    if (result != 1)
        return result;
    if (call.tm.t_suspend(msg, &ticket->hash_index, &ticket->label) == 0)
        return 1;
    return call.tm.t_gett()->flags & T_CANCELED ? 0 : -1; // cancelled already: tm has answered it
}

int tenant_ticket_suspend(sip_msg_t *msg, struct tenant_ticket *ticket)
{
    int result = transaction_suspend(msg, ticket);

    if (result != 1) {
        tenant_ticket_free(ticket);
        return result == 0 ? 0 : -2;
    }
    if (!tenant_proc_send(ticket)) {
        suspend_undo(ticket);
        tenant_ticket_free(ticket);
        tenant_count(TENANT_ASKS_REFUSED, 1);
        return -2;
    }
    tenant_count(TENANT_ASKS, 1); // the ticket is no longer ours
    return 0;
}

void tenant_ticket_resume(struct tenant_ticket *ticket)
{
    str route = {ticket->route, ticket->route_len};
    str event = str_init("tenant:continue");
    int number;

    if (ticket->kind == TENANT_TICKET_PLAN)
        tenant_plan_resumed(ticket);
    call.resumed = ticket;
    if (sr_kemi_eng_get()) {
        call.tm.t_continue_cb(ticket->hash_index, ticket->label, &route, &event);
    } else {
        number = route_lookup(&main_rt, ticket->route); // was there when the request was suspended
        call.tm.t_continue(ticket->hash_index, ticket->label, main_rt.rlist[number]);
    }
    call.resumed = NULL;
    tenant_count(TENANT_RESUMES, 1);
    tenant_ticket_free(ticket);
}

const struct tenant_ticket *tenant_ticket_resumed(enum tenant_ticket_kind kind)
{
    return call.resumed && call.resumed->kind == kind ? call.resumed : NULL;
}

// ---- tenant_credential ------------------------------------------------------------------------------------

static bool resumed_for(struct bf_str user)
{
    const struct tenant_ticket *ticket = call.resumed;

    return ticket && ticket->kind == TENANT_TICKET_CREDENTIAL &&
           bf_id_eq(ticket->tenant, call.values.match.id) &&
           bf_str_eq((struct bf_str){ticket->user, ticket->user_len}, user);
}

static int credential_set(struct bf_str user, const struct tenant_credential *credential)
{
    struct tenant_values *values = &call.values;

    values->asked = true;
    values->credential = *credential;
    values->user_len = (uint8_t)(user.len <= TENANT_USER_MAX ? user.len : TENANT_USER_MAX);
    memcpy(values->user, user.at, values->user_len);
    if (credential->known)
        return 1;
    tenant_count(TENANT_CREDENTIAL_UNKNOWN, 1);
    return 2;
}

// No extension has such a name: no need to ask.
static int credential_impossible(struct bf_str user)
{
    struct tenant_credential decoy = {.known = false};

    tenant_decoy(&tenant_key, call.values.match.id, user, decoy.ha1_md5, decoy.ha1_sha256);
    return credential_set(user, &decoy);
}

static void ask_about(struct tenant_ticket *ticket, struct bf_str user)
{
    ticket->tenant = call.values.match.id;
    ticket->user_len = (uint8_t)user.len;
    memcpy(ticket->user, user.at, user.len);
}

static int ask(sip_msg_t *msg, struct bf_str user, struct bf_str route)
{
    struct tenant_ticket *ticket;

    if (!tenant_state->connected || msg->first_line.type != SIP_REQUEST ||
        (msg->REQ_METHOD & (METHOD_ACK | METHOD_CANCEL))) {
        tenant_count(TENANT_ASKS_FAILED, 1);
        return -2;
    }
    ticket = tenant_ticket_new(TENANT_TICKET_CREDENTIAL, route);
    if (!ticket)
        return -2;
    ask_about(ticket, user);
    return tenant_ticket_suspend(msg, ticket);
}

int tenant_credential_of(sip_msg_t *msg, str *user_text, str *route)
{
    struct bf_str user = {user_text->s, (size_t)user_text->len};
    struct tenant_credential credential;

    if (!tenant_values_of(msg)) {
        LM_ERR("tenant_credential: call tenant_match first\n");
        return -2;
    }
    call.values.asked = false;
    if (user.len == 0 || user.len > TENANT_USER_MAX)
        return credential_impossible(user);
    if (resumed_for(user)) {
        if (call.resumed->err == BF_OK)
            return credential_set(user, &call.resumed->credential);
        tenant_count(TENANT_ASKS_FAILED, 1);
        return -2;
    }
    if (tenant_creds_get(tenant_creds, call.values.match.id, user, bf_mono_ms(), &credential)) {
        tenant_count(TENANT_CREDENTIAL_HITS, 1);
        return credential_set(user, &credential);
    }
    tenant_count(TENANT_CREDENTIAL_MISSES, 1);
    return ask(msg, user, (struct bf_str){route->s, (size_t)route->len});
}

// ---- tenant_expect ----------------------------------------------------------------------------------------

// Nobody waits for this, so those who do have half of the places for themselves.
int tenant_expect_of(sip_msg_t *msg, str *user_text)
{
    struct bf_str user = {user_text->s, (size_t)user_text->len};
    struct tenant_credential credential;
    struct tenant_ticket *ticket;

    if (!tenant_values_of(msg)) {
        LM_ERR("tenant_expect: call tenant_match first\n");
        return -1;
    }
    if (user.len == 0 || user.len > TENANT_USER_MAX || !tenant_state->connected ||
        tenant_creds_get(tenant_creds, call.values.match.id, user, bf_mono_ms(), &credential))
        return 1;
    ticket = ticket_alloc(tenant_settings.asks_max / 2);
    if (!ticket)
        return 1;
    ticket->kind = TENANT_TICKET_EXPECTED;
    ask_about(ticket, user);
    if (tenant_proc_send(ticket))
        tenant_count(TENANT_EXPECTS, 1); // the ticket is no longer ours
    else
        tenant_ticket_free(ticket);
    return 1;
}

// ---- tenant_token -----------------------------------------------------------------------------------------

int tenant_token_of(sip_msg_t *msg, str *header)
{
    const struct tenant_values *values = tenant_values_of(msg);
    struct bf_str token = {"", 0};
    enum tenant_token_verdict verdict;

    if (!values || !values->asked) {
        LM_ERR("tenant_token: call tenant_match and tenant_credential first\n");
        return -2;
    }
    struct tenant_token_user user = {.tenant = values->match.id,
                                     .number = {values->user, values->user_len},
                                     .extension = values->credential.extension,
                                     .known = values->credential.known};
    (void)tenant_token_of_header((struct bf_str){header->s, (size_t)header->len}, &token); // "" is refused
    verdict = tenant_token_judge(tenant_keys, token, &user, bf_unix_ms() / 1000, &call.values.token);
    if (verdict == TENANT_TOKEN_GOOD) {
        tenant_count(TENANT_TOKENS, 1);
        return 1;
    }
    if (verdict != TENANT_TOKEN_REFUSED)
        atomic_store(&tenant_state->unknown_key, true);
    if (verdict == TENANT_TOKEN_NO_KEYS)
        return -2;
    tenant_count(TENANT_TOKENS_REFUSED, 1);
    return -1;
}
