// Who is rung: caller, callee, directory and bindings become steps. Rules only, no I/O.
//
// First plan_outline(): which numbers are rung when, a tree of steps as in call.v1 (Step). Then plan_fill():
// which devices these numbers have; a step that nobody is left in falls out and what would have followed its
// silence takes its place.
//
//   extension   forward-always: as if that number had been dialled. Do-not-disturb: its busy target, else
//   486.
//               Else its devices ring, after it its busy and its no-answer target, each with their own rules.
//   group       its members' devices, all at once or one member after the other, nobody twice. A member's
//               forward-always is followed once: the extension it names rings in its place. Left out are the
//               caller, who does not want to be disturbed, and who would forward again; members' other
//               forwarding is not followed: the group itself says who is next.
//   own number  one's other devices ring.
//   forwarding  stays in the tenant, goes PLAN_DEPTH_MAX deep, never to a number it came through, never to
//               the caller's own number.
//
// A device of a step's numbers that sleeps is woken: the step waits for it. Who is not rung is not woken
// either.
//
// Forwarding that leads nowhere is named: in the plan's `why` when nobody rings, else in that of the step it
// hangs on.
#ifndef PLAN_H
#define PLAN_H

#include "bf_err.h"
#include "binding.h"
#include "directory_cache.h"

#define PLAN_STEPS_MAX      64 // what an edge takes (call.v1)
#define PLAN_TARGETS_MAX    30 // of a step: what a transaction can have of branches
#define PLAN_WAKES_MAX      16 // of a step
#define PLAN_DEPTH_MAX      5
#define PLAN_DEVICE_ID_SIZE 128
#define PLAN_WHY_SIZE       129 // what a timeline keeps of it
#define PLAN_SECONDS        30  // when the directory does not say

enum plan_when { PLAN_ANY_FAILURE, PLAN_BUSY, PLAN_NO_ANSWER };

// A device that a push can wake: awake as long as one of its number's bindings names it.
struct plan_sleeper {
    struct bf_id id;
    char number[DIRECTORY_NUMBER_SIZE];
    struct bf_id extension;              // whose it is; nil: not known
    char device_id[PLAN_DEVICE_ID_SIZE]; // "": it says none
    uint8_t pn_id[BINDING_PN_ID_BYTES];  // of its pn-prid (plan_pn_id); zeroes: it has none
};

struct plan_step {
    enum plan_when when;
    size_t after; // number (from 1) of the step that this one follows; 0: the first
    uint32_t seconds;
    char why[PLAN_WHY_SIZE];
    const char **numbers; // of extensions; the list is the plan's, the texts are the directory's
    size_t number_count;
    const struct binding *targets[PLAN_TARGETS_MAX]; // by plan_fill, borrowed
    size_t target_count;
    const struct plan_sleeper *wakes[PLAN_WAKES_MAX]; // likewise
    size_t wake_count;
};

struct plan {
    struct plan_step *steps;
    size_t step_count;
    uint32_t final_code; // 0: what the devices answered
    const char *final_reason;
    char why[PLAN_WHY_SIZE];
    char caller_name[DIRECTORY_NAME_SIZE];
    struct limit_caps caps;             // of the tenant
    const char **lists[PLAN_STEPS_MAX]; // what the steps' numbers stand in, also of steps that fell out
    size_t list_count;
    // What was left out.
    size_t cut_steps, cut_targets, cut_wakes, loops;
};

struct plan_request {
    const char *caller, *callee;
    const char *source; // "udp:IP:PORT" of the caller's device
};

// How the rules ask what a number is: BF_OK and an entry (also for an unknown number) that stays until the
// plan is released, or an error, which ends planning.
typedef enum bf_err plan_look(void *ctx, const char *number, const struct directory_entry **ret_entry);

void plan_init(struct plan *plan);
void plan_release(struct plan *plan);

bf_must_check enum bf_err plan_outline(struct plan *plan, const struct plan_request *request, plan_look *look,
                                       void *ctx);

// All bindings of the plan's numbers, in any order; `reachable` says so for each: its edge lives.
struct plan_device {
    const struct binding *binding;
    bool reachable;
};
// And the push devices of these numbers.
struct plan_sleepers {
    const struct plan_sleeper *at;
    size_t count;
    bool unknown; // they could not be asked for: the plan says so
};
void plan_fill(struct plan *plan, const struct plan_request *request, const struct plan_device *devices,
               size_t count, const struct plan_sleepers *sleepers, uint64_t now_ms);

// A pn-prid as it is compared.
void plan_pn_id(const char *prid, uint8_t ret_pn_id[BINDING_PN_ID_BYTES]);
// Is this the device? By its pn-prid, or by its id in +sip.instance.
bool plan_sleeper_is(const struct plan_sleeper *sleeper, const struct binding *binding);

// In place of everything else: 486 or 503.
void plan_refuse(struct plan *plan, enum limit_verdict verdict);

#endif
