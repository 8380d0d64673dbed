// A plan's copy is laid out as: the plan, its steps, their targets and wakes, and all texts behind them.
#include "tenant_plan.h"

#include <string.h>

#define TARGET_TEXTS 7

// Every text of a target, so that counting and copying cannot disagree.
static void target_texts(struct tenant_plan_target *target, struct bf_str *texts[TARGET_TEXTS])
{
    texts[0] = &target->number;
    texts[1] = &target->ruid;
    texts[2] = &target->uri;
    texts[3] = &target->dst;
    texts[4] = &target->route;
    texts[5] = &target->edge;
    texts[6] = &target->socket;
}

static size_t target_text_bytes(struct tenant_plan_target target)
{
    struct bf_str *texts[TARGET_TEXTS];
    size_t bytes = 0;

    target_texts(&target, texts);
    for (size_t i = 0; i < TARGET_TEXTS; i++)
        bytes += texts[i]->len;
    return bytes;
}

size_t tenant_plan_bytes(const struct tenant_plan *plan)
{
    size_t bytes = sizeof(*plan) + plan->step_count * sizeof(*plan->steps) + plan->final_reason.len +
                   plan->why.len + plan->caller_name.len;

    for (size_t i = 0; i < plan->step_count; i++) {
        const struct tenant_plan_step *step = &plan->steps[i];
        bytes += step->why.len + step->target_count * sizeof(*step->targets);
        for (size_t j = 0; j < step->target_count; j++)
            bytes += target_text_bytes(step->targets[j]);
        for (size_t j = 0; j < step->wake_count; j++)
            bytes += sizeof(*step->wakes) + step->wakes[j].number.len;
    }
    return bytes;
}

static void text_move(struct bf_str *text, char **at)
{
    if (text->len > 0)
        memcpy(*at, text->at, text->len);
    text->at = *at;
    *at += text->len;
}

static void targets_copy(struct tenant_plan_step *step, struct tenant_plan_target *targets, char **text)
{
    struct bf_str *texts[TARGET_TEXTS];

    for (size_t i = 0; i < step->target_count; i++) {
        targets[i] = step->targets[i];
        target_texts(&targets[i], texts);
        for (size_t j = 0; j < TARGET_TEXTS; j++)
            text_move(texts[j], text);
    }
    step->targets = targets;
}

static void wakes_copy(struct tenant_plan_step *step, struct tenant_plan_wake *wakes, char **text)
{
    for (size_t i = 0; i < step->wake_count; i++) {
        wakes[i] = step->wakes[i];
        text_move(&wakes[i].number, text);
    }
    step->wakes = wakes;
}

static size_t targets_all(const struct tenant_plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->step_count; i++)
        count += plan->steps[i].target_count;
    return count;
}

static size_t wakes_all(const struct tenant_plan *plan)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->step_count; i++)
        count += plan->steps[i].wake_count;
    return count;
}

struct tenant_plan *tenant_plan_copy(const struct tenant_plan *plan, void *memory)
{
    struct tenant_plan *copy = memory;
    struct tenant_plan_step *steps = (struct tenant_plan_step *)(copy + 1);
    struct tenant_plan_target *targets = (struct tenant_plan_target *)(steps + plan->step_count);
    struct tenant_plan_wake *wakes = (struct tenant_plan_wake *)(targets + targets_all(plan));
    char *text = (char *)(wakes + wakes_all(plan));

    *copy = *plan;
    copy->steps = steps;
    text_move(&copy->final_reason, &text);
    text_move(&copy->why, &text);
    text_move(&copy->caller_name, &text);
    for (size_t i = 0; i < plan->step_count; i++) {
        steps[i] = plan->steps[i];
        text_move(&steps[i].why, &text);
        targets_copy(&steps[i], targets, &text);
        targets += steps[i].target_count;
        wakes_copy(&steps[i], wakes, &text);
        wakes += steps[i].wake_count;
    }
    return copy;
}

// The smaller the better: 6xx, then the lower class; of 4xx those that the caller can do something about come
// first.
static uint32_t rank(uint32_t code)
{
    if (code >= 600)
        return code - 600;
    switch (code) {
    case 401:
    case 407:
    case 415:
    case 420:
    case 484:
        return 399;
    default:
        return code;
    }
}

uint32_t tenant_plan_better(uint32_t a, uint32_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return rank(b) < rank(a) ? b : a;
}

enum tenant_plan_result tenant_plan_result_of(uint32_t code)
{
    switch (code) {
    case 486:
    case 600:
    case 603:
        return TENANT_PLAN_BUSY;
    case 408:
    case 480:
        return TENANT_PLAN_NO_ANSWER;
    default:
        return TENANT_PLAN_FAILED;
    }
}

static bool fits(enum tenant_plan_when when, enum tenant_plan_result result)
{
    switch (when) {
    case TENANT_PLAN_ANY_FAILURE:
        return true;
    case TENANT_PLAN_WHEN_BUSY:
        return result == TENANT_PLAN_BUSY;
    case TENANT_PLAN_WHEN_NO_ANSWER:
        return result == TENANT_PLAN_NO_ANSWER;
    }
    return false;
}

int tenant_plan_next(const struct tenant_plan *plan, int step, enum tenant_plan_result result)
{
    if (step == TENANT_PLAN_NO_STEP)
        return plan->step_count > 0 ? 0 : TENANT_PLAN_NO_STEP;
    for (size_t i = (size_t)step + 1; i < plan->step_count; i++) {
        if (plan->steps[i].after == (uint32_t)step + 1 && fits(plan->steps[i].when, result))
            return (int)i;
    }
    return TENANT_PLAN_NO_STEP;
}

const struct tenant_plan_target *tenant_plan_target_of(const struct tenant_plan *plan, int step,
                                                       struct bf_str ruid)
{
    const struct tenant_plan_step *at;

    if (step < 0 || (size_t)step >= plan->step_count)
        return NULL;
    at = &plan->steps[step];
    for (size_t i = 0; i < at->target_count; i++) {
        if (bf_str_eq(at->targets[i].ruid, ruid))
            return &at->targets[i];
    }
    return NULL;
}

struct tenant_plan_answer tenant_plan_final(const struct tenant_plan *plan, uint32_t best)
{
    if (plan->final_code > 0)
        return (struct tenant_plan_answer){.code = plan->final_code,
                                           .reason = plan->final_reason.len > 0 ? plan->final_reason
                                                                                : BF_STR("Refused")};
    if (best == 408 || best == 0) // a phone's timer, not the caller's: RFC 3261 21.4.18
        return (struct tenant_plan_answer){.code = 480, .reason = BF_STR("No Answer")};
    return (struct tenant_plan_answer){0};
}
