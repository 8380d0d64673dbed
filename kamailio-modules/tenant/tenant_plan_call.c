// tenant_plan(), tenant_next_step(): an INVITE's plan, and carrying it out.
#include "tenant_mod.h"

#include <string.h>
#include "core/action.h"
#include "core/dprint.h"
#include "core/dset.h"
#include "core/mem/shm_mem.h"
#include "core/parser/parse_from.h"
#include "core/parser/parse_uri.h"
#include "core/socket_info.h"

#include "bf_clock.h"
#include "tenant_live.h"
#include "tenant_plan_wire.h"

#define NUMBER_MAX     128
#define USER_AGENT_MAX 200
#define CALL_ID_MAX    255

static struct bf_str bf_of(str text, size_t max)
{
    size_t len = text.s && text.len > 0 ? (size_t)text.len : 0;

    return (struct bf_str){text.s, len < max ? len : max};
}

// ---- the question -----------------------------------------------------------------------------------------

static bool texts_of(sip_msg_t *msg, struct tenant_live_texts *ret_texts)
{
    struct tenant_live_texts texts = {0};

    if (parse_headers(msg, HDR_FROM_F | HDR_CALLID_F, 0) < 0 || !msg->callid || parse_from_header(msg) < 0 ||
        !parse_from_uri(msg) || parse_sip_msg_uri(msg) < 0)
        return false;
    if (parse_headers(msg, HDR_USERAGENT_F, 0) == 0 && msg->user_agent)
        texts.user_agent = bf_of(msg->user_agent->body, USER_AGENT_MAX);
    texts.call_id = bf_of(msg->callid->body, CALL_ID_MAX);
    texts.from_tag = bf_of(get_from(msg)->tag_value, TENANT_EVENT_TAG_MAX);
    texts.caller = bf_of(parse_from_uri(msg)->user, NUMBER_MAX);
    texts.callee = bf_of(msg->parsed_uri.user, NUMBER_MAX);
    *ret_texts = texts;
    return true;
}

static struct tenant_ask_text *ask_pack(const sip_msg_t *msg, const struct tenant_live *live)
{
    const struct tenant_values *values = tenant_values_of(msg);
    char source[64];
    struct tenant_plan_ask ask = {
        .edge = {bf_str(tenant_settings.edge_id), bf_str(tenant_settings.bus_listen),
                 bf_str(tenant_settings.internal)},
        .tenant = live->tenant,
        .call = live->named,
        .call_id = live->texts.call_id,
        .caller = live->texts.caller,
        .callee = live->texts.callee,
        .user_agent = live->texts.user_agent,
        .max_calls = values->match.limits.max_calls,
        .calls_per_second = values->match.limits.calls_per_second,
    };
    struct tenant_ask_text *text = NULL;
    struct bf_buf packed;

    snprintf(source, sizeof(source), "%s:%s:%u", get_valid_proto_name(msg->rcv.proto),
             ip_addr2a((struct ip_addr *)&msg->rcv.src_ip), msg->rcv.src_port);
    ask.source = bf_str(source);
    bf_buf_init(&packed, TENANT_PLAN_ASK_BYTES_MAX);
    tenant_plan_wire_ask(&ask, &packed);
    if (bf_buf_ok(&packed))
        text = shm_malloc(sizeof(*text) + packed.len);
    if (text) {
        text->len = packed.len;
        memcpy(text->bytes, packed.at, packed.len);
    }
    bf_buf_release(&packed);
    return text;
}

static struct tenant_ticket *ask_ticket(sip_msg_t *msg, struct tenant_live *live, struct bf_str route)
{
    struct tenant_ticket *ticket;

    if (!tenant_state->control_connected)
        return NULL;
    ticket = tenant_ticket_new(TENANT_TICKET_PLAN, route);
    if (!ticket)
        return NULL;
    ticket->live = tenant_live_ref(live);
    ticket->deadline_ms = bf_mono_ms() + (uint64_t)tenant_settings.plan_timeout_ms;
    ticket->ask = ask_pack(msg, live);
    if (ticket->ask)
        return ticket;
    tenant_ticket_free(ticket);
    return NULL;
}

// ---- tenant_plan ------------------------------------------------------------------------------------------

static int planned(struct tenant_live *live)
{
    if (!live->plan) {
        tenant_count(TENANT_PLANS_LOCAL, 1);
        return -2;
    }
    tenant_count(TENANT_PLANS, 1);
    if (live->plan->step_count > 0)
        return 1;
    tenant_live_answer(live, tenant_plan_final(live->plan, 0));
    return -1;
}

void tenant_plan_resumed(struct tenant_ticket *ticket)
{
    struct tenant_plan *plan = ticket->err == BF_OK ? ticket->plan : NULL;

    ticket->plan = NULL;
    tenant_live_planned(ticket->live, plan);
}

static int plan_begin(sip_msg_t *msg, const struct tenant_live_texts *texts, struct bf_str route)
{
    struct tenant_live *live = tenant_live_new(tenant_values_of(msg)->match.id, texts);
    struct tenant_ticket *ticket;
    int result = -2;

    if (!live)
        return -2;
    if (!tenant_event_hear(msg, tenant_tm()->t_gett(), live)) {
        tenant_live_unref(live);
        return -2;
    }
    ticket = ask_ticket(msg, live, route);
    if (ticket)
        result = tenant_ticket_suspend(msg, ticket);
    if (result != 0) { // nobody to ask, or too many are waiting
        tenant_live_planned(live, NULL);
        result = planned(live);
    }
    tenant_live_unref(live);
    return result;
}

int tenant_plan_of(sip_msg_t *msg, str *route)
{
    struct tenant_live *live = tenant_event_live_of(tenant_tm()->t_gett());
    struct tenant_live_texts texts;
    int result;

    if (live)
        return planned(live);
    if (!tenant_has_control())
        return -2;
    if (!tenant_values_of(msg)) {
        LM_ERR("tenant_plan: call tenant_match first\n");
        return -2;
    }
    if (msg->first_line.type != SIP_REQUEST || msg->REQ_METHOD != METHOD_INVITE || !texts_of(msg, &texts))
        return -2;
    result = tenant_transaction_need(msg);
    if (result != 1)
        return result == 0 ? 0 : -2;
    return plan_begin(msg, &texts, (struct bf_str){route->s, (size_t)route->len});
}

// ---- tenant_next_step -------------------------------------------------------------------------------------

static str str_of(struct bf_str text)
{
    return (str){(char *)text.at, (int)text.len};
}

static bool elsewhere(const struct tenant_plan_target *target)
{
    return target->edge.len > 0 && !bf_str_eq(target->edge, bf_str(tenant_settings.edge_id));
}

// What the branch is sent from: to another edge our internal socket, to a device the one it registered at.
static struct socket_info *socket_of(const struct tenant_plan_target *target)
{
    char text[128];
    str name = {text, 0};

    if (elsewhere(target))
        name.len = snprintf(text, sizeof(text), "tcp:%s", tenant_settings.internal);
    else
        name.len = snprintf(text, sizeof(text), "%.*s", (int)target->socket.len, target->socket.at);
    if (name.len == 0 || name.len >= (int)sizeof(text))
        return NULL;
    return lookup_local_socket(&name);
}

static unsigned int flags_of(const struct tenant_plan_target *target)
{
    return target->flags | (elsewhere(target) ? 1u << tenant_settings.peer_flag : 0);
}

// The Route to a device of another edge, which finds it by the record's id (tenant_device). What would not
// stand in a URI as it is comes from no registry of ours.
static bool route_to(const struct tenant_plan_target *target, const struct tenant_live *live, char *ret_route,
                     size_t size)
{
    static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~+*";
    char tenant[BF_ID_TEXT_SIZE], call[BF_ID_TEXT_SIZE], number[NUMBER_MAX + 1], ruid[64];
    int len;

    snprintf(number, sizeof(number), "%.*s", (int)target->number.len, target->number.at);
    snprintf(ruid, sizeof(ruid), "%.*s", (int)target->ruid.len, target->ruid.at);
    if (number[strspn(number, PLAIN)] || ruid[strspn(ruid, PLAIN)] || target->dst.len == 0)
        return false;
    len = snprintf(ret_route, size, "<%.*s;lr;d=%s;n=%s;t=%s;c=%s>", (int)target->dst.len, target->dst.at,
                   ruid, number, bf_id_text(live->tenant, tenant), bf_id_text(live->named, call));
    return len > 0 && (size_t)len < size;
}

// As registrar's lookup() does it: the first device is the request itself, the rest are branches.
static bool branch_first(sip_msg_t *msg, const struct tenant_plan_target *target, str path)
{
    str uri = str_of(target->uri), dst = str_of(target->dst);
    str ruid = str_of(target->ruid);

    reset_dst_uri(msg);
    reset_path_vector(msg);
    reset_ruid(msg);
    if (rewrite_uri(msg, &uri) < 0 || (dst.len > 0 && set_dst_uri(msg, &dst) < 0) ||
        (path.len > 0 && set_path_vector(msg, &path) < 0) || set_ruid(msg, &ruid) < 0)
        return false;
    set_force_socket(msg, socket_of(target));
    setbflagsval(0, flags_of(target));
    return true;
}

static bool branch_more(sip_msg_t *msg, const struct tenant_plan_target *target, str path)
{
    str uri = str_of(target->uri), dst = str_of(target->dst);
    str ruid = str_of(target->ruid);

    return append_branch(msg, &uri, &dst, &path, Q_UNSPECIFIED, flags_of(target), socket_of(target), NULL, 0,
                         &ruid, NULL) == 1;
}

static bool branch_set(sip_msg_t *msg, const struct tenant_live *live,
                       const struct tenant_plan_target *target, bool first)
{
    char route[MAX_PATH_SIZE];
    str path = {NULL, 0};

    if (elsewhere(target)) {
        if (!route_to(target, live, route, sizeof(route)))
            return false;
        path = (str){route, (int)strlen(route)};
    }
    return first ? branch_first(msg, target, path) : branch_more(msg, target, path);
}

bool tenant_plan_branch(sip_msg_t *msg, const struct tenant_live *live,
                        const struct tenant_plan_target *target)
{
    clear_branches();
    return branch_set(msg, live, target, false);
}

// Who has left since call-control was told: its un-REGISTER is on the way there. Those of other edges answer
// that themselves.
static bool has_left(const struct tenant_live *live, const struct tenant_plan_target *target)
{
    return !elsewhere(target) && target->ruid.len > 0 &&
           tenant_device_left(live->tenant, target->number, target->ruid);
}

struct branches {
    int set, left, refused;
};

static struct branches branches_set(sip_msg_t *msg, const tm_cell_t *t, const struct tenant_live *live,
                                    const struct tenant_plan_step *step)
{
    int room = (int)sr_dst_max_branches - t->nr_of_outgoings;
    struct branches count = {0};

    clear_branches();
    for (size_t i = 0; i < step->target_count; i++) {
        const struct tenant_plan_target *target = &step->targets[i];
        if (has_left(live, target))
            count.left++;
        else if (count.set < room && branch_set(msg, live, target, count.set == 0))
            count.set++;
        else
            count.refused++;
    }
    if (count.refused > 0) {
        tenant_count(TENANT_BRANCHES_REFUSED, count.refused);
        LM_WARN("%d of %d devices of '%.*s' are not rung: a call has at most %d branches\n", count.refused,
                (int)step->target_count, (int)step->why.len, step->why.at, sr_dst_max_branches);
    }
    return count;
}

static bool step_waited(const struct tenant_live *live)
{
    return live->park && live->park->step == live->step;
}

// How the step that was rung ended: tells what has not been told of its branches (those that rang out), and
// returns the code that the caller would hear.
static uint32_t step_ended(const tm_cell_t *t, struct tenant_live *live)
{
    uint32_t best = 0;

    for (int i = (int)live->branches_first; i < t->nr_of_outgoings; i++) {
        uint32_t code = (uint32_t)t->uac[i].last_received;
        if (tenant_park_is_blind(live, i))
            continue;
        struct bf_str ruid = bf_of(t->uac[i].ruid, SIZE_MAX);
        if (code < 200)
            code = 500; // could not be sent
        tenant_live_branch_ended(live, (uint32_t)i, ruid, code);
        best = tenant_plan_better(best, code);
    }
    return best > 0 || !step_waited(live) ? best : 408; // who slept has not come
}

// tm would let the blind branch's 408 through rather than what a device answered.
static struct tenant_plan_answer final_answer(const struct tenant_live *live, uint32_t best)
{
    struct tenant_plan_answer answer = tenant_plan_final(live->plan, best);

    if (!step_waited(live) || live->plan->final_code > 0)
        return answer;
    if (answer.code == 0)
        answer = (struct tenant_plan_answer){.code = best, .reason = bf_str(error_text((int)best))};
    else
        answer.why = BF_STR("asleep");
    return answer;
}

int tenant_plan_step(sip_msg_t *msg)
{
    tm_cell_t *t = tenant_tm()->t_gett();
    struct tenant_live *live = tenant_event_live_of(t);
    struct branches branches;
    uint32_t code = 0;
    int step;

    if (!live)
        return -1;
    if (!live->plan || live->plan->step_count == 0) { // the script found devices by itself
        step_ended(t, live);
        tenant_live_answer(live, (struct tenant_plan_answer){0});
        return -1;
    }
    if (live->step != TENANT_PLAN_NO_STEP)
        code = step_ended(t, live);
    step = live->step;
    for (;;) {
        step = tenant_plan_next(live->plan, step, tenant_plan_result_of(code));
        if (step == TENANT_PLAN_NO_STEP)
            break;
        tenant_live_step(live, step, (uint32_t)t->nr_of_outgoings);
        branches = branches_set(msg, t, live, &live->plan->steps[step]);
        if (live->plan->steps[step].wake_count > 0)
            return branches.set > 0 ? 2 : 3;
        if (branches.set > 0)
            return 1;
        code = branches.refused > 0 ? 500 : 480;
    }
    tenant_live_answer(live, final_answer(live, code));
    return -1;
}

// ---- the rest ---------------------------------------------------------------------------------------------

int tenant_plan_media(sip_msg_t *msg, str *json)
{
    struct tenant_live *live = tenant_event_live_in(msg);

    if (!live)
        return -1;
    tenant_live_media(live, bf_of(*json, SIZE_MAX));
    tenant_live_unref(live);
    return 1;
}

int tenant_plan_media_begins(sip_msg_t *msg)
{
    struct tenant_live *live = tenant_event_live_in(msg);

    if (!live)
        return -1;
    atomic_store(&live->has_media, true);
    tenant_live_unref(live);
    return 1;
}

// A call that is not known here, of an edge that was started again, may have media.
int tenant_plan_has_media(sip_msg_t *msg)
{
    struct tenant_live *live = tenant_event_live_in(msg);
    bool has_media = !live || atomic_load(&live->has_media);

    tenant_live_unref(live);
    return has_media ? 1 : -1;
}

int tenant_plan_relay(sip_msg_t *msg, str *url)
{
    struct tenant_live *live = tenant_event_live_in(msg);

    if (!live)
        return -1;
    tenant_live_relay(live, bf_of(*url, 63));
    tenant_live_unref(live);
    return 1;
}

bool tenant_plan_values_of(sip_msg_t *msg, struct tenant_plan_values *ret_values)
{
    const tm_cell_t *t = tenant_tm()->t_gett();
    struct tenant_live *live = tenant_event_live_of(t);
    int branch = tenant_tm()->t_gett_branch();
    const struct tenant_plan *plan = live ? live->plan : NULL;

    if (!live || !tenant_live_is_planned(live))
        return false;
    *ret_values = (struct tenant_plan_values){
        .call = tenant_live_id(live), .code = live->answer.code, .reason = live->answer.reason};
    if (branch >= 0 && branch < t->nr_of_outgoings)
        ret_values->branch_number = tenant_live_number(live, bf_of(t->uac[branch].ruid, SIZE_MAX));
    if (!plan)
        return true;
    ret_values->why = live->answer.why.len > 0 ? live->answer.why : plan->why;
    ret_values->caller_name = plan->caller_name;
    if (live->step != TENANT_PLAN_NO_STEP)
        ret_values->step_seconds = plan->steps[live->step].seconds;
    return true;
}
