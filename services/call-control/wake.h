// Which waits a binding ends: a phone that was pushed to has registered. Rules only, no I/O. Any thread.
//
//   with a wake token   that wait alone, whatever else the binding says. A token that fits no wait (used,
//   late,
//                       of another number) is as none.
//   else                of every call that waits: the device that its pn-prid or +sip.instance names.
//   else                a binding that is new, not refreshed, and names none of those who are waited for: one
//                       device of each call. So phones that say nothing of themselves are rung too, as is a
//                       colleague's that is switched on meanwhile: a phone that registers while its number is
//                       called rings.
//   never               a binding of the extension that had the number before (binding_is_of).
#ifndef WAKE_H
#define WAKE_H

#include "bf_crypto.h"
#include "plan.h"

#define WAKE_TOKEN_SIZE 33
#define WAKE_EDGE_SIZE  65 // as EDGE_ID_SIZE

struct wake_wait {
    struct bf_id tenant, call;
    struct plan_sleeper sleeper; // id, number and how it is known
    char edge[WAKE_EDGE_SIZE];   // that holds the call
    uint64_t until_ms;           // Unix
};

// Bound to the wait's tenant, call and device; the same each time.
void wake_token(const char *key, struct bf_id tenant, struct bf_id call, struct bf_id device,
                char token[WAKE_TOKEN_SIZE]);

// Sets ends[i] for each wait that this binding ends. `fresh`: it was not there before. Returns how many.
size_t wake_match(const struct wake_wait *waits, size_t count, const struct binding *binding, bool fresh,
                  const char *key, bool *ends);

#endif
