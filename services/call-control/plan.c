// The rules of who is rung.
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bf_crypto.h"

enum answer {
    ANSWER_UNKNOWN,
    ANSWER_SUSPENDED,
    ANSWER_DO_NOT_DISTURB,
    ANSWER_LOOP,
    ANSWER_NOBODY,
    ANSWER_EMPTY_GROUP,
    ANSWER_MAX_CALLS,
    ANSWER_RATE,
};

static const struct {
    uint32_t code;
    const char *reason;
    const char *why;
} answers[] = {
    [ANSWER_UNKNOWN] = {404, "Not Found", "unknown-number"},
    [ANSWER_SUSPENDED] = {403, "Suspended", "tenant-suspended"},
    [ANSWER_DO_NOT_DISTURB] = {486, "Busy Here", "do-not-disturb"},
    [ANSWER_LOOP] = {482, "Loop Detected", "forward-loop"},
    [ANSWER_NOBODY] = {480, "Temporarily Unavailable", "not-registered"},
    [ANSWER_EMPTY_GROUP] = {480, "Temporarily Unavailable", "empty-group"},
    [ANSWER_MAX_CALLS] = {486, "Busy Here", "limit:max_calls"},
    [ANSWER_RATE] = {503, "Service Unavailable", "limit:calls_per_second"},
};

static void set_answer(struct plan *plan, enum answer answer)
{
    plan->final_code = answers[answer].code;
    plan->final_reason = answers[answer].reason;
    snprintf(plan->why, sizeof(plan->why), "%s", answers[answer].why);
}

void plan_init(struct plan *plan)
{
    *plan = (struct plan){.final_reason = ""};
    plan->steps = bf_xcalloc(PLAN_STEPS_MAX, sizeof(*plan->steps));
}

void plan_release(struct plan *plan)
{
    for (size_t i = 0; i < plan->list_count; i++)
        free(plan->lists[i]);
    free(plan->steps);
}

void plan_refuse(struct plan *plan, enum limit_verdict verdict)
{
    plan->step_count = 0;
    set_answer(plan, verdict == LIMIT_RATE ? ANSWER_RATE : ANSWER_MAX_CALLS);
}

// ---- the outline

// Where a number is visited from: the way that led to it, and where its step hangs.
struct visit {
    const struct visit *from; // NULL: dialled
    const char *number;
    const char *how; // "forward-busy", ...; NULL: dialled
    size_t depth;
    size_t after;
    enum plan_when when;
};

struct outline {
    struct plan *plan;
    const struct plan_request *request;
    plan_look *look;
    void *ctx;
};

static bool came_through(const struct visit *visit, const char *number)
{
    for (; visit; visit = visit->from)
        if (strcmp(visit->number, number) == 0)
            return true;
    return false;
}

static struct plan_step *add_step(struct plan *plan, const struct visit *visit, uint32_t seconds)
{
    if (plan->step_count == PLAN_STEPS_MAX) {
        plan->cut_steps++;
        return NULL;
    }
    struct plan_step *step = &plan->steps[plan->step_count++];
    *step = (struct plan_step){
        .after = visit->after, .when = visit->when, .seconds = seconds ? seconds : PLAN_SECONDS};
    return step;
}

static void say_why(struct plan_step *step, const struct visit *visit, const char *kind)
{
    if (visit->how)
        snprintf(step->why, sizeof(step->why), "%s to %s", visit->how, visit->number);
    else
        snprintf(step->why, sizeof(step->why), "%s %s", kind, visit->number);
}

static void give_numbers(struct plan *plan, struct plan_step *step, size_t room)
{
    step->numbers = bf_xcalloc(room ? room : 1, sizeof(const char *));
    plan->lists[plan->list_count++] = step->numbers; // one of each step that was ever made
}

// Whole or not at all: half a number would be another one.
__attribute__((format(printf, 2, 3))) static void add_why(char why[PLAN_WHY_SIZE], const char *form, ...)
{
    size_t len = strlen(why);
    va_list args;

    va_start(args, form);
    int added = vsnprintf(why + len, PLAN_WHY_SIZE - len, form, args);
    va_end(args);
    if (added < 0 || (size_t)added >= PLAN_WHY_SIZE - len)
        why[len] = '\0';
}

// The final answer counts only for what was dialled: a forward target that cannot be rung adds nothing but a
// remark on the step that it hangs on.
static enum bf_err dead_end(struct outline *outline, const struct visit *visit, enum answer answer)
{
    struct plan *plan = outline->plan;

    if (visit->after > 0)
        add_why(plan->steps[visit->after - 1].why, "; %s of %s to %s: %s", visit->how, visit->from->number,
                visit->number, answers[answer].why);
    if (visit->after > 0 || plan->step_count > 0)
        return BF_OK;
    set_answer(plan, answer);
    if (visit->from)
        add_why(plan->why, ": %s of %s to %s", visit->how, visit->from->number, visit->number);
    return BF_OK;
}

static enum bf_err visit_number(struct outline *outline, const struct visit *visit);

static enum bf_err forward(struct outline *outline, const struct visit *from, const char *to, const char *how,
                           size_t after, enum plan_when when)
{
    struct visit visit = {from, to, how, from->depth + 1, after, when};

    if (to[0] == '\0')
        return BF_OK;
    if (came_through(from, to) || visit.depth > PLAN_DEPTH_MAX || strcmp(to, outline->request->caller) == 0) {
        outline->plan->loops++;
        return dead_end(outline, &visit, ANSWER_LOOP);
    }
    return visit_number(outline, &visit);
}

static enum bf_err visit_extension(struct outline *outline, const struct visit *visit,
                                   const struct directory_entry *entry)
{
    struct plan *plan = outline->plan;

    if (entry->forward_always[0])
        return forward(outline, visit, entry->forward_always, "forward-always", visit->after, visit->when);
    if (entry->do_not_disturb && !entry->forward_busy[0])
        return dead_end(outline, visit, ANSWER_DO_NOT_DISTURB);
    if (entry->do_not_disturb)
        return forward(outline, visit, entry->forward_busy, "do-not-disturb: forward-busy", visit->after,
                       visit->when);
    struct plan_step *step = add_step(plan, visit, entry->ring_seconds);
    if (!step)
        return BF_OK;
    size_t number = plan->step_count;
    say_why(step, visit, "extension");
    give_numbers(plan, step, 1);
    step->numbers[step->number_count++] = entry->number;
    enum bf_err err = forward(outline, visit, entry->forward_busy, "forward-busy", number, PLAN_BUSY);
    if (!err)
        err = forward(outline, visit, entry->forward_no_answer, "forward-no-answer", number, PLAN_NO_ANSWER);
    return err;
}

static bool may_ring(const struct outline *outline, const struct directory_entry *entry)
{
    return entry->kind == DIRECTORY_EXTENSION && !entry->forward_always[0] && !entry->do_not_disturb &&
           strcmp(entry->number, outline->request->caller) != 0;
}

// Who rings for a member: itself, or whom it forwards to always. One step only: who would forward again is
// not rung. NULL: nobody.
static enum bf_err look_member(struct outline *outline, const char *number,
                               const struct directory_entry **ret_entry)
{
    const struct directory_entry *entry = NULL;

    *ret_entry = NULL;
    if (strcmp(number, outline->request->caller) == 0)
        return BF_OK;
    enum bf_err err = outline->look(outline->ctx, number, &entry);
    if (!err && entry->kind == DIRECTORY_EXTENSION && entry->forward_always[0])
        err = outline->look(outline->ctx, entry->forward_always, &entry);
    if (!err && may_ring(outline, entry))
        *ret_entry = entry;
    return err;
}

static bool step_has(const struct plan_step *step, const char *number)
{
    for (size_t i = 0; i < step->number_count; i++)
        if (strcmp(step->numbers[i], number) == 0)
            return true;
    return false;
}

static enum bf_err visit_group_all(struct outline *outline, const struct visit *visit,
                                   const struct directory_entry *group)
{
    struct plan_step *step = add_step(outline->plan, visit, group->ring_seconds);

    if (!step)
        return BF_OK;
    say_why(step, visit, "group");
    give_numbers(outline->plan, step, group->member_count);
    for (size_t i = 0; i < group->member_count; i++) {
        const struct directory_entry *rung;
        enum bf_err err = look_member(outline, group->members[i], &rung);
        if (err)
            return err;
        if (rung && !step_has(step, rung->number))
            step->numbers[step->number_count++] = rung->number;
    }
    if (step->number_count > 0)
        return BF_OK;
    outline->plan->step_count--;
    return dead_end(outline, visit, ANSWER_EMPTY_GROUP);
}

static void say_member(struct plan_step *step, const char *group, const char *member, const char *rung)
{
    snprintf(step->why, sizeof(step->why), "group %s: %s", group, member);
    if (strcmp(member, rung) != 0)
        add_why(step->why, " forward-always to %s", rung);
}

// Has one of the group's steps so far rung this number?
static bool rung_before(const struct plan *plan, size_t first, const char *number)
{
    for (size_t i = first; i < plan->step_count; i++)
        if (step_has(&plan->steps[i], number))
            return true;
    return false;
}

static enum bf_err visit_group_sequence(struct outline *outline, const struct visit *visit,
                                        const struct directory_entry *group)
{
    struct visit place = *visit;
    size_t first = outline->plan->step_count;

    for (size_t i = 0; i < group->member_count; i++) {
        const struct directory_entry *rung;
        enum bf_err err = look_member(outline, group->members[i], &rung);
        if (err)
            return err;
        if (!rung || rung_before(outline->plan, first, rung->number))
            continue;
        struct plan_step *step = add_step(outline->plan, &place, group->ring_seconds);
        if (!step)
            continue;
        say_member(step, visit->number, group->members[i], rung->number);
        give_numbers(outline->plan, step, 1);
        step->numbers[step->number_count++] = rung->number;
        place.after = outline->plan->step_count;
        place.when = PLAN_ANY_FAILURE;
    }
    return place.after == visit->after ? dead_end(outline, visit, ANSWER_EMPTY_GROUP) : BF_OK;
}

static enum bf_err visit_number(struct outline *outline, const struct visit *visit)
{
    const struct directory_entry *entry = NULL;
    enum bf_err err = outline->look(outline->ctx, visit->number, &entry);

    if (err)
        return err;
    switch (entry->kind) {
    case DIRECTORY_EXTENSION:
        return visit_extension(outline, visit, entry);
    case DIRECTORY_GROUP_ALL:
        return visit_group_all(outline, visit, entry);
    case DIRECTORY_GROUP_SEQUENCE:
        return visit_group_sequence(outline, visit, entry);
    case DIRECTORY_UNKNOWN:
        break;
    }
    return dead_end(outline, visit, ANSWER_UNKNOWN);
}

// What both numbers tell of the tenant. Either may be unknown: the caller's extension may just have gone.
static void read_tenant(struct plan *plan, const struct directory_entry *entry, bool *suspended)
{
    if (entry->kind == DIRECTORY_UNKNOWN)
        return;
    plan->caps = entry->caps;
    *suspended = *suspended || entry->suspended;
}

enum bf_err plan_outline(struct plan *plan, const struct plan_request *request, plan_look *look, void *ctx)
{
    struct outline outline = {plan, request, look, ctx};
    struct visit dialled = {.number = request->callee};
    const struct directory_entry *caller = NULL, *callee = NULL;
    bool suspended = false;
    enum bf_err err = look(ctx, request->caller, &caller);

    if (!err)
        err = look(ctx, request->callee, &callee);
    if (err)
        return err;
    read_tenant(plan, callee, &suspended);
    read_tenant(plan, caller, &suspended);
    snprintf(plan->caller_name, sizeof(plan->caller_name), "%s", caller->name);
    if (suspended) {
        set_answer(plan, ANSWER_SUSPENDED);
        return BF_OK;
    }
    return visit_number(&outline, &dialled);
}

// ---- the devices

// Of two registrations of one device the one that lasts longer is the newer.
static bool replaces_older(struct plan_step *step, const struct binding *binding)
{
    for (size_t i = 0; i < step->target_count; i++) {
        if (!binding_same_device(step->targets[i], binding))
            continue;
        if (step->targets[i]->expires_ms < binding->expires_ms)
            step->targets[i] = binding;
        return true;
    }
    return false;
}

static void add_target(struct plan *plan, struct plan_step *step, const struct binding *binding)
{
    if (replaces_older(step, binding))
        return;
    if (step->target_count == PLAN_TARGETS_MAX) {
        plan->cut_targets++;
        return;
    }
    step->targets[step->target_count++] = binding;
}

static bool is_callers_device(const struct plan_request *request, const struct binding *binding)
{
    return strcmp(binding->number, request->caller) == 0 && binding_is_at(binding, request->source);
}

// What follows a step that nobody was rung in: nobody answered, so the first that fits that.
static size_t heir_of(const struct plan *plan, size_t empty)
{
    for (size_t i = empty + 1; i < plan->step_count; i++)
        if (plan->steps[i].after == empty + 1 && plan->steps[i].when != PLAN_BUSY)
            return i;
    return 0;
}

// Takes out the step at `at` and, with `heir` 0 for none, whatever hangs on it but the heir's own.
static void take_out(struct plan *plan, size_t at)
{
    size_t heir = heir_of(plan, at);
    size_t number[PLAN_STEPS_MAX + 1] = {0}; // old number -> new one; 0: gone
    size_t kept = 0;

    if (heir) {
        plan->steps[heir].after = plan->steps[at].after;
        plan->steps[heir].when = plan->steps[at].when;
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        struct plan_step *step = &plan->steps[i];
        if (i == at || (step->after && !number[step->after]))
            continue;
        step->after = number[step->after];
        number[i + 1] = kept + 1;
        plan->steps[kept++] = *step;
    }
    plan->step_count = kept;
}

// ---- who sleeps

void plan_pn_id(const char *prid, uint8_t ret_pn_id[BINDING_PN_ID_BYTES])
{
    uint8_t digest[BF_SHA256_BYTES];

    memset(ret_pn_id, 0, BINDING_PN_ID_BYTES);
    if (!prid || !*prid)
        return;
    bf_sha256(prid, strlen(prid), digest);
    memcpy(ret_pn_id, digest, BINDING_PN_ID_BYTES);
}

bool plan_sleeper_is(const struct plan_sleeper *sleeper, const struct binding *binding)
{
    static const uint8_t none[BINDING_PN_ID_BYTES];

    if (strcmp(sleeper->number, binding->number) != 0)
        return false;
    if (sleeper->device_id[0] && strcasestr(binding->instance, sleeper->device_id))
        return true;
    return memcmp(binding->pn_id, none, sizeof(none)) != 0 &&
           memcmp(binding->pn_id, sleeper->pn_id, sizeof(none)) == 0;
}

struct fill {
    struct plan *plan;
    const struct plan_request *request;
    const struct plan_device *devices;
    size_t count;
    uint64_t now_ms;
};

static bool is_live(const struct fill *fill, const struct plan_device *device)
{
    return device->reachable && device->binding->expires_ms > fill->now_ms;
}

static bool is_awake(const struct fill *fill, const struct plan_sleeper *sleeper)
{
    for (size_t i = 0; i < fill->count; i++)
        if (is_live(fill, &fill->devices[i]) && plan_sleeper_is(sleeper, fill->devices[i].binding))
            return true;
    return false;
}

static void fill_targets(const struct fill *fill, struct plan_step *step)
{
    for (size_t i = 0; i < fill->count; i++)
        if (is_live(fill, &fill->devices[i]) && step_has(step, fill->devices[i].binding->number) &&
            !is_callers_device(fill->request, fill->devices[i].binding))
            add_target(fill->plan, step, fill->devices[i].binding);
}

static void fill_wakes(const struct fill *fill, struct plan_step *step, const struct plan_sleepers *sleepers)
{
    for (size_t i = 0; i < sleepers->count; i++) {
        const struct plan_sleeper *sleeper = &sleepers->at[i];
        if (!step_has(step, sleeper->number) || is_awake(fill, sleeper))
            continue;
        if (step->wake_count < PLAN_WAKES_MAX)
            step->wakes[step->wake_count++] = sleeper;
        else
            fill->plan->cut_wakes++;
    }
}

void plan_fill(struct plan *plan, const struct plan_request *request, const struct plan_device *devices,
               size_t count, const struct plan_sleepers *sleepers, uint64_t now_ms)
{
    struct fill fill = {plan, request, devices, count, now_ms};
    bool had_steps = plan->step_count > 0;

    for (size_t s = 0; s < plan->step_count; s++) {
        fill_targets(&fill, &plan->steps[s]);
        fill_wakes(&fill, &plan->steps[s], sleepers);
    }
    for (size_t s = 0; s < plan->step_count;)
        if (plan->steps[s].target_count + plan->steps[s].wake_count == 0)
            take_out(plan, s);
        else
            s++;
    if (had_steps && plan->step_count == 0)
        set_answer(plan, ANSWER_NOBODY);
    if (sleepers->unknown)
        add_why(plan->step_count ? plan->steps[0].why : plan->why, "; nobody is woken: event-fanout is away");
}
