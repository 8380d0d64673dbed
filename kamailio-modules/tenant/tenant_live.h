// A call as this edge carries it out: its plan, the step it is at, and what of it was told to call-control.
//
// In shared memory, counted by references: the INVITE's transaction has one, its dialog, its ticket while it
// is suspended. Whoever holds one may call from any process; what changes is under the call's own lock, which
// is never held while anything but the outbox is called. Not for the files with unit tests.
#ifndef TENANT_LIVE_H
#define TENANT_LIVE_H

#include <stdatomic.h>
#include "core/locking.h"

#include "tenant_event.h"
#include "tenant_plan.h"

#define TENANT_PARK_OVER     (-1)
#define TENANT_PARK_RUID_MAX 63

struct tenant_live_texts { // borrowed for tenant_live_new()
    struct bf_str call_id, from_tag, caller, callee, user_agent;
};

// Those of a step who sleep. Kept as long as the call is: their devices' numbers are asked for later.
struct tenant_park {
    struct tenant_park *before; // an earlier step's
    int step;
    const struct tenant_plan_wake *wakes; // the step's
    size_t count;
    uint64_t until_ms; // monotonic: nobody is taken after that
    int branch_route;  // run for who comes
    _Atomic int32_t
        blind; // the transaction's branch that stands for them; TENANT_PARK_OVER: nobody is waited for
    struct tenant_sleeper {
        enum { TENANT_SLEEPS, TENANT_COMES, TENANT_CAME, TENANT_MISSED } state;
        char ruid[TENANT_PARK_RUID_MAX + 1]; // of its binding, once it comes
    } sleepers[];
};

struct tenant_live {
    _Atomic int32_t refs;
    atomic_bool has_media; // a relay was asked for it: it has to be asked at the end too
    struct bf_id tenant;
    struct bf_id named;             // the id it gets when it is planned
    struct tenant_live_texts texts; // they stand behind the struct
    // From here on under the lock.
    gen_lock_t lock;
    struct bf_id call;        // nil until it is planned
    struct tenant_plan *plan; // NULL: a local one, or none yet
    int step;
    uint32_t branches_first;          // index in the transaction of the step's first branch
    uint32_t rang, over;              // branches that were told as ringing, as ended: bits by index
    struct tenant_plan_answer answer; // for the caller, once no step is left
    uint32_t seq;                     // of the last event
    bool answered, ended;
    uint32_t end_code, transfers;
    uint64_t started_ms, end_ms;
    const char *by; // who ended it; static
    char relay[64];
    char to_tag[TENANT_EVENT_TAG_MAX + 1];
    struct tenant_park *park; // the newest; NULL: none
    struct bf_leg *legs;      // shm, NULL: none
    uint32_t leg_count;
};

// NULL: no shared memory. Has one reference.
struct tenant_live *tenant_live_new(struct bf_id tenant, const struct tenant_live_texts *texts);
struct tenant_live *tenant_live_ref(struct tenant_live *live);
void tenant_live_unref(struct tenant_live *live); // the last one tells the end if nobody did

// It is planned: by `plan` (a block in shared memory, taken), or by ourselves (NULL).
void tenant_live_planned(struct tenant_live *live, struct tenant_plan *plan);
bool tenant_live_is_planned(struct tenant_live *live);
struct bf_id tenant_live_id(struct tenant_live *live); // nil until it is planned
// The number of a device; without steps all devices are the callee's.
struct bf_str tenant_live_number(const struct tenant_live *live, struct bf_str ruid);
// What the caller is to hear now that no step is left.
void tenant_live_answer(struct tenant_live *live, struct tenant_plan_answer answer);

// ---- what is told. Nothing comes after the end; the end comes once.
void tenant_live_put(struct tenant_live *live, struct tenant_event event); // under the lock
void tenant_live_step(struct tenant_live *live, int step, uint32_t branches_first);
void tenant_live_branch(struct tenant_live *live, struct bf_str ruid);
void tenant_live_ringing(struct tenant_live *live, uint32_t branch, struct bf_str ruid, uint32_t code);
void tenant_live_branch_ended(struct tenant_live *live, uint32_t branch, struct bf_str ruid, uint32_t code);
void tenant_live_answered(struct tenant_live *live, struct bf_str ruid, struct bf_str to_tag);
// The INVITE's final answer, no 2xx; `by`: who made it end when nobody was named before, static.
void tenant_live_failed(struct tenant_live *live, uint32_t code, const char *by);
// Of an answered call: who hangs up, and from when on; the end is told by tenant_live_over().
void tenant_live_hung_up(struct tenant_live *live, const char *by);
void tenant_live_over(struct tenant_live *live, const char *by); // `by`: when nobody was named before

// A REFER inside the call was accepted: its other party calls `to`. `how`: "blind", "attended". `by`:
// "caller", "callee", "api". What is above TENANT_LIVE_TRANSFERS_MAX a call is not told.
#define TENANT_LIVE_TRANSFERS_MAX 16
void tenant_live_transferred(struct tenant_live *live, struct bf_str to, struct bf_str how, const char *by);

// ---- tenant_park_call.c: sleeping devices. `_told` and `_missed` under the lock.
struct bf_str tenant_park_number(const struct tenant_live *live, struct bf_str ruid); // empty: none of them
void tenant_park_told(struct tenant_live *live,
                      struct bf_str ruid); // before the branch of this device is told
// Who has not come will not: "answered", "cancelled", "timeout" (NULL: timeout if it is time, else
// cancelled).
void tenant_park_missed(struct tenant_live *live, const char *why);

void tenant_live_relay(struct tenant_live *live, struct bf_str url);
void tenant_live_media(struct tenant_live *live, struct bf_str json);

#endif
