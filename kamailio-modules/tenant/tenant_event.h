// What happens to a call, as an entry for the outbox. No I/O; texts are borrowed and may be empty.
#ifndef TENANT_EVENT_H
#define TENANT_EVENT_H

#include "bf_base.h"
#include "bf_buf.h"
#include "bf_id.h"
#include "bf_leg.h"

#define TENANT_EVENT_TAG_MAX (BF_LEG_TAG_SIZE - 1)

enum tenant_event_kind { // as on the wire
    TENANT_EVENT_STARTED = 1,
    TENANT_EVENT_STEP,
    TENANT_EVENT_BRANCH,
    TENANT_EVENT_RINGING,
    TENANT_EVENT_BRANCH_ENDED,
    TENANT_EVENT_ANSWERED,
    TENANT_EVENT_ENDED,
    TENANT_EVENT_TRANSFER,
    TENANT_EVENT_WAKING,
    TENANT_EVENT_WOKEN,
    TENANT_EVENT_WAKE_ENDED,
};

struct tenant_event {
    struct bf_id call, tenant;
    uint32_t seq; // of the call, from 1
    enum tenant_event_kind kind;
    uint64_t at_ms; // Unix
    struct bf_str call_id, caller, callee, number, ruid, reason, from_tag, to_tag, relay, user_agent;
    struct bf_id device; // of the three about waking
    uint64_t until_ms;   // WAKING: Unix
    uint32_t code;
    bool local_plan;
    const struct bf_leg *legs;
    size_t leg_count;
};

// A packed Entry.
void tenant_event_pack(const struct tenant_event *event, struct bf_buf *into);

#endif
