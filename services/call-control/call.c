// A call, event by event.
#include "call.h"

#include <string.h>

static const char *const kind_names[] = {
    [CALL_UNKNOWN] = "",          [CALL_STARTED] = "started",     [CALL_STEP] = "step",
    [CALL_BRANCH] = "branch",     [CALL_RINGING] = "ringing",     [CALL_BRANCH_ENDED] = "branch-ended",
    [CALL_ANSWERED] = "answered", [CALL_ENDED] = "ended",         [CALL_TRANSFER] = "transfer",
    [CALL_WAKING] = "waking",     [CALL_WOKEN] = "woken",         [CALL_WAKE_ENDED] = "wake-ended",
    [CALL_NOTE] = "note",         [CALL_PUSH_SENT] = "push.sent", [CALL_PUSH_FAILED] = "push.failed",
};

static const char *const state_names[] = {
    [CALL_STATE_NONE] = "",           [CALL_STATE_PLANNING] = "planning",
    [CALL_STATE_RINGING] = "ringing", [CALL_STATE_ANSWERED] = "answered",
    [CALL_STATE_ENDED] = "ended",
};

static const char *const parties[] = {"caller", "callee", "api", "timeout", "edge"};

// Final codes of a call that nobody answered.
static const struct {
    uint32_t code;
    const char *result;
} results[] = {
    {486, "busy"},      {600, "busy"},    {408, "no-answer"}, {480, "no-answer"},
    {487, "cancelled"}, {403, "refused"}, {404, "refused"},   {484, "refused"},
    {603, "refused"},   {482, "refused"}, {607, "refused"},
};

static size_t name_find(struct bf_str name, const char *const *names, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (bf_str_eq(name, bf_str(names[i])))
            return i;
    return 0;
}

const char *call_kind_name(enum call_kind kind)
{
    return kind_names[kind];
}

enum call_kind call_kind_parse(struct bf_str name)
{
    return (enum call_kind)name_find(name, kind_names, BF_LEN(kind_names));
}

const char *call_state_name(enum call_state state)
{
    return state_names[state];
}

enum call_state call_state_parse(struct bf_str name)
{
    return (enum call_state)name_find(name, state_names, BF_LEN(state_names));
}

static const struct {
    size_t offset, size;
} event_texts[CALL_EVENT_TEXTS] = {
    {offsetof(struct call_event, edge), CALL_TEXT_SIZE},
    {offsetof(struct call_event, call_id), CALL_ID_SIZE},
    {offsetof(struct call_event, caller), CALL_NUMBER_SIZE},
    {offsetof(struct call_event, callee), CALL_NUMBER_SIZE},
    {offsetof(struct call_event, number), CALL_NUMBER_SIZE},
    {offsetof(struct call_event, device), CALL_TEXT_SIZE},
    {offsetof(struct call_event, reason), CALL_TEXT_SIZE},
    {offsetof(struct call_event, from_tag), CALL_TEXT_SIZE},
    {offsetof(struct call_event, to_tag), CALL_TEXT_SIZE},
    {offsetof(struct call_event, relay), CALL_TEXT_SIZE},
    {offsetof(struct call_event, user_agent), CALL_TEXT_SIZE},
};

// As most are: nothing to clean.
static bool is_plain(const char *text, size_t size)
{
    size_t len = 0;

    while (text[len] >= ' ' && text[len] <= '~')
        len++;
    return text[len] == '\0' && len < size;
}

void call_event_clean(struct call_event *event, struct call_spare *spare)
{
    char clean[CALL_ID_SIZE];

    *spare = (struct call_spare){{NULL}};
    for (size_t i = 0; i < CALL_EVENT_TEXTS; i++) {
        const char **text = (const char **)((char *)event + event_texts[i].offset);
        if (!*text)
            *text = "";
        if (is_plain(*text, event_texts[i].size))
            continue;
        bf_text_clean(*text, clean, event_texts[i].size);
        if (strcmp(*text, clean) != 0)
            *text = spare->texts[i] = bf_xstrdup(clean);
    }
}

void call_spare_release(struct call_spare *spare)
{
    for (size_t i = 0; i < CALL_EVENT_TEXTS; i++)
        free(spare->texts[i]);
}

const char *call_event_check(const struct call_event *event)
{
    if (bf_id_is_nil(event->call))
        return "has no call id";
    if (bf_id_is_nil(event->tenant))
        return "has no tenant id";
    if (event->kind <= CALL_UNKNOWN || event->kind >= (enum call_kind)BF_LEN(kind_names))
        return "is of an unknown kind";
    if (event->seq > CALL_SEQ_PUSH_MAX)
        return "has a sequence number out of range";
    // What PostgreSQL and people can still read: up to the year 9999.
    if (event->at_ms == 0 || event->at_ms > UINT64_C(253402300799000))
        return "has no time";
    if (event->code > 999)
        return "has a code above 999";
    return NULL;
}

// ---- the fold

static void text_fill(char *into, size_t size, const char *from)
{
    if (from && *from && !*into)
        bf_text_clean(from, into, size);
}

#define FILL(call, member, from) text_fill((call)->member, sizeof((call)->member), (from))

static void earliest(uint64_t *at_ms, uint64_t event_ms)
{
    if (*at_ms == 0 || event_ms < *at_ms)
        *at_ms = event_ms;
}

static void forward(struct call *call, enum call_state state)
{
    if (state > call->state)
        call->state = state;
}

static void apply_started(struct call *call, const struct call_event *event)
{
    earliest(&call->started_ms, event->at_ms);
    FILL(call, user_agent, event->user_agent);
    forward(call, CALL_STATE_PLANNING);
}

static void apply_ringing(struct call *call, const struct call_event *event)
{
    earliest(&call->ringing_ms, event->at_ms);
    forward(call, CALL_STATE_RINGING);
    if (call->answered_ms == 0) {
        bf_text_clean(event->number, call->number, sizeof(call->number));
        bf_text_clean(event->device, call->device, sizeof(call->device));
    }
}

static void apply_answered(struct call *call, const struct call_event *event)
{
    if (call->answered_ms == 0 || event->at_ms < call->answered_ms) {
        bf_text_clean(event->number, call->number, sizeof(call->number));
        bf_text_clean(event->device, call->device, sizeof(call->device));
        bf_text_clean(event->to_tag, call->to_tag, sizeof(call->to_tag)); // each branch has its own
    }
    earliest(&call->answered_ms, event->at_ms);
    forward(call, CALL_STATE_ANSWERED);
}

static void leg_copy(struct bf_leg *into, const struct bf_leg *from)
{
    *into = *from;
    bf_text_clean(from->tag, into->tag, sizeof(into->tag));
    bf_text_clean(from->codec, into->codec, sizeof(into->codec));
}

// The first end counts: an edge sends one, and a call that was closed for its edge stays closed that way.
static void apply_ended(struct call *call, const struct call_event *event)
{
    if (call->state == CALL_STATE_ENDED)
        return;
    call->ended_ms = event->at_ms;
    call->code = event->code;
    bf_text_clean(event->reason, call->reason, sizeof(call->reason));
    FILL(call, to_tag, event->to_tag);
    call->leg_count = event->leg_count < BF_LEGS_MAX ? event->leg_count : BF_LEGS_MAX;
    for (size_t i = 0; i < call->leg_count; i++)
        leg_copy(&call->legs[i], &event->legs[i]);
    call->state = CALL_STATE_ENDED;
}

static void apply_waking(struct call *call, const struct call_event *event)
{
    call->waited = true;
}

static void apply_nothing(struct call *call, const struct call_event *event)
{
}

// NULL: no edge tells it, and it says nothing of the call's state.
static void (*const applies[CALL_NOTE + 1])(struct call *call, const struct call_event *event) = {
    [CALL_STARTED] = apply_started, [CALL_STEP] = apply_nothing,         [CALL_BRANCH] = apply_nothing,
    [CALL_RINGING] = apply_ringing, [CALL_BRANCH_ENDED] = apply_nothing, [CALL_ANSWERED] = apply_answered,
    [CALL_ENDED] = apply_ended,     [CALL_TRANSFER] = apply_nothing,     [CALL_WAKING] = apply_waking,
    [CALL_WOKEN] = apply_nothing,   [CALL_WAKE_ENDED] = apply_nothing,
};

// What any event may tell of the call as a whole.
static void apply_common(struct call *call, const struct call_event *event)
{
    FILL(call, edge, event->edge);
    FILL(call, call_id, event->call_id);
    FILL(call, caller, event->caller);
    FILL(call, callee, event->callee);
    FILL(call, from_tag, event->from_tag);
    FILL(call, relay, event->relay);
    call->local_plan = call->local_plan || event->local_plan;
    if (event->seq > call->seq)
        call->seq = event->seq;
}

bool call_apply(struct call *call, const struct call_event *event)
{
    // What comes late to a call that is over only fills its timeline.
    if (call->state == CALL_STATE_ENDED || !applies[event->kind])
        return false;
    if (call->state == CALL_STATE_NONE) {
        *call = (struct call){.id = event->call, .tenant = event->tenant, .state = CALL_STATE_PLANNING};
        call->started_ms = event->at_ms; // until something earlier is told
    }
    earliest(&call->started_ms, event->at_ms);
    apply_common(call, event);
    applies[event->kind](call, event);
    return true;
}

struct call_event call_close_event(const struct call *call, const char *reason, uint64_t at_ms)
{
    uint64_t last_ms = call->answered_ms ? call->answered_ms : call->started_ms;

    return (struct call_event){.call = call->id,
                               .tenant = call->tenant,
                               .seq = CALL_SEQ_CLOSED,
                               .kind = CALL_ENDED,
                               .at_ms = at_ms > last_ms ? at_ms : last_ms,
                               .edge = call->edge,
                               .code = 0,
                               .reason = reason};
}

// ---- the CDR

static uint64_t span_ms(uint64_t from_ms, uint64_t to_ms)
{
    return from_ms && to_ms > from_ms ? to_ms - from_ms : 0;
}

static uint64_t first_of(uint64_t a_ms, uint64_t b_ms, uint64_t c_ms)
{
    return a_ms ? a_ms : b_ms ? b_ms : c_ms;
}

static const char *cdr_hung_up_by(const struct call *call)
{
    size_t count = BF_LEN(parties);

    for (size_t i = 0; i < count; i++)
        if (strcmp(call->reason, parties[i]) == 0)
            return parties[i];
    return call->answered_ms == 0 && call->code == 487 ? "caller" : "";
}

static const char *cdr_result(const struct call *call)
{
    if (call->seq == CALL_SEQ_CLOSED)
        return "lost";
    if (call->answered_ms)
        return "answered";
    for (size_t i = 0; i < BF_LEN(results); i++)
        if (results[i].code == call->code)
            return results[i].result;
    return "failed";
}

struct cdr call_cdr(const struct call *call)
{
    uint64_t ringing_ms = call->ringing_ms;

    // A ringing that was told after the answer is a reply that was overtaken.
    if (call->answered_ms && ringing_ms > call->answered_ms)
        ringing_ms = call->answered_ms;
    return (struct cdr){
        .call = call,
        .setup_ms = span_ms(call->started_ms, first_of(ringing_ms, call->answered_ms, call->ended_ms)),
        .ring_ms = span_ms(ringing_ms, first_of(call->answered_ms, call->ended_ms, 0)),
        .talk_ms = span_ms(call->answered_ms, call->ended_ms),
        .code = call->answered_ms ? 200 : call->code,
        .result = cdr_result(call),
        .hung_up_by = cdr_hung_up_by(call),
    };
}

const char *call_leg_party(const struct call *call, const struct bf_leg *leg)
{
    if (*leg->tag && strcmp(leg->tag, call->from_tag) == 0)
        return "caller";
    if (*leg->tag && strcmp(leg->tag, call->to_tag) == 0)
        return "callee";
    return "";
}
