// A plan: what call-control says of a call, and which of its steps comes next. Rules only, no I/O.
//
// The steps are a tree in a list: the first one is rung first; when a step ended without an answer, the first
// step behind it that follows it (`after`) and whose `when` fits is rung next. A plan that was copied
// (tenant_plan_copy) is one block without anything outside of it; it never changes.
#ifndef TENANT_PLAN_H
#define TENANT_PLAN_H

#include "bf_base.h"
#include "bf_id.h"

#define TENANT_PLAN_STEPS_MAX   64
#define TENANT_PLAN_TARGETS_MAX 30 // of a step: what a transaction can have of branches
#define TENANT_PLAN_WAKES_MAX   16 // of a step: sleeping devices
#define TENANT_PLAN_NO_STEP     (-1)

enum tenant_plan_result { // how a step ended, nobody having answered
    TENANT_PLAN_FAILED,
    TENANT_PLAN_BUSY,
    TENANT_PLAN_NO_ANSWER,
};

enum tenant_plan_when {
    TENANT_PLAN_ANY_FAILURE,
    TENANT_PLAN_WHEN_BUSY,
    TENANT_PLAN_WHEN_NO_ANSWER,
};

struct tenant_plan_target { // a device
    struct bf_str number;
    struct bf_str ruid;
    struct bf_str uri;    // Request-URI
    struct bf_str dst;    // where to send; empty: to the URI
    struct bf_str route;  // for a device on another edge
    struct bf_str edge;   // the one that owns it
    struct bf_str socket; // "udp:IP:PORT", of the owning edge
    uint32_t flags;       // usrloc's branch flags
};

struct tenant_plan_wake { // a device that sleeps
    struct bf_id device;  // push device
    struct bf_str number; // whose it is
};

struct tenant_plan_step {
    uint32_t seconds;
    uint32_t after; // number (from 1) of the step that this one follows; 0: it is the first
    enum tenant_plan_when when;
    struct bf_str why;
    struct tenant_plan_target *targets; // rung together; none: only devices that sleep
    size_t target_count;
    struct tenant_plan_wake *wakes; // waited for as long as the step rings
    size_t wake_count;
};

struct tenant_plan {
    struct bf_id call;
    uint32_t final_code; // 0: the best answer of the last step
    struct bf_str final_reason, why, caller_name;
    struct tenant_plan_step *steps;
    size_t step_count;
};

size_t tenant_plan_bytes(const struct tenant_plan *plan);
// `memory`: tenant_plan_bytes(plan), aligned as by malloc; returns it as the copy.
struct tenant_plan *tenant_plan_copy(const struct tenant_plan *plan, void *memory);

// Which of two final codes Kamailio would rather give the caller; 0 is none.
uint32_t tenant_plan_better(uint32_t a, uint32_t b);
enum tenant_plan_result tenant_plan_result_of(uint32_t code);
// Index of the step that follows, TENANT_PLAN_NO_STEP when there is none. `step` TENANT_PLAN_NO_STEP: the
// first.
int tenant_plan_next(const struct tenant_plan *plan, int step, enum tenant_plan_result result);
// The device with this ruid in a step; NULL: none.
const struct tenant_plan_target *tenant_plan_target_of(const struct tenant_plan *plan, int step,
                                                       struct bf_str ruid);

struct tenant_plan_answer {
    uint32_t code;        // 0: let through what the devices answered
    struct bf_str reason; // phrase; never empty when there is a code
    struct bf_str why;    // may be empty: then the plan's
};
// What the caller hears when no step is left. `best`: the best code of the last step, 0 when none was rung.
struct tenant_plan_answer tenant_plan_final(const struct tenant_plan *plan, uint32_t best);

#endif
