// A call, event by event: what an edge reports of it becomes its live state and, at its end, its CDR. Rules
// only, no I/O. Any thread.
//
// Events may come twice, late or not at all: call_apply() is a fold that does not depend on their order. A
// state only goes forward, a time is the earliest one told, a text that is known is not emptied. So a live
// call that was lost is made again from its timeline.
#ifndef CALL_H
#define CALL_H

#include "bf_base.h"
#include "bf_id.h"
#include "bf_leg.h"

#define CALL_NUMBER_SIZE 65 // a dialled one may be longer than an extension's
#define CALL_TEXT_SIZE   129
#define CALL_ID_SIZE     257 // SIP Call-ID

// Who numbers an event: the edge from 1 on; what call-control notes itself is below (0: the plan), and its
// closing of a call whose edge died is above everything an edge may send.
#define CALL_SEQ_PLAN   0
#define CALL_SEQ_MAX    INT64_C(4294967295)
#define CALL_SEQ_CLOSED (CALL_SEQ_MAX + 1)
// What event-fanout tells of pushes stands above that, in no order: a line is found again by its number.
#define CALL_SEQ_PUSH     (CALL_SEQ_CLOSED + 1)
#define CALL_SEQ_PUSH_MAX (CALL_SEQ_PUSH + (INT64_C(1) << 48))

enum call_kind { // kept in PostgreSQL by name
    CALL_UNKNOWN,
    CALL_STARTED,
    CALL_STEP,
    CALL_BRANCH,
    CALL_RINGING,
    CALL_BRANCH_ENDED,
    CALL_ANSWERED,
    CALL_ENDED,
    CALL_TRANSFER,
    CALL_WAKING,     // a sleeping device is waited for
    CALL_WOKEN,      // it came and is rung
    CALL_WAKE_ENDED, // it did not come and is not waited for any more
    CALL_PUSH_SENT,  // by event-fanout: what the provider of a sleeping device answered
    CALL_PUSH_FAILED,
    CALL_NOTE, // by call-control: the plan, a command by REST
};

// Borrowed texts; NULL counts as empty. What comes from outside may be anything: see call_event_clean().
struct call_event {
    struct bf_id call, tenant;
    int64_t seq;
    enum call_kind kind;
    uint32_t code;
    uint64_t at_ms;      // Unix, the edge's clock
    const char *edge;    // id of the edge that reports
    const char *call_id; // SIP Call-ID of the caller's leg
    const char *caller, *callee;
    const char *number; // of the branch
    const char *device; // ruid of the branch's device
    const char *reason; // phrase; of ENDED also who hung up: caller, callee, api, timeout, edge
    const char *from_tag, *to_tag;
    struct bf_id push; // push device, of those about waking and pushes
    uint64_t until_ms; // WAKING: Unix
    const char *relay; // ng address "udp:IP:PORT"
    const char *user_agent;
    const struct bf_leg *legs; // of ENDED
    size_t leg_count;          // those above BF_LEGS_MAX are left out
    bool local_plan;
};

enum call_state {
    CALL_STATE_NONE, // nothing is known of it yet
    CALL_STATE_PLANNING,
    CALL_STATE_RINGING,
    CALL_STATE_ANSWERED,
    CALL_STATE_ENDED,
};

struct call {
    struct bf_id id, tenant;
    enum call_state state;
    int64_t seq; // the highest one applied
    char edge[CALL_TEXT_SIZE];
    char call_id[CALL_ID_SIZE];
    char caller[CALL_NUMBER_SIZE], callee[CALL_NUMBER_SIZE];
    char number[CALL_NUMBER_SIZE]; // who answered; before that, who rang last
    char device[CALL_TEXT_SIZE];
    char from_tag[CALL_TEXT_SIZE], to_tag[CALL_TEXT_SIZE];
    char relay[CALL_TEXT_SIZE];
    char user_agent[CALL_TEXT_SIZE]; // the caller's
    bool local_plan;
    bool waited;                                            // for a sleeping device
    uint64_t started_ms, ringing_ms, answered_ms, ended_ms; // Unix; 0: not (yet)
    uint32_t code;
    char reason[CALL_TEXT_SIZE];
    struct bf_leg legs[BF_LEGS_MAX];
    size_t leg_count;
};

// What is known of a finished call. Times are Unix ms, 0: never.
struct cdr {
    const struct call *call;
    uint64_t setup_ms;      // from the start to the first ringing (or the answer, or the end)
    uint64_t ring_ms;       // from the first ringing to the answer or the end
    uint64_t talk_ms;       // from the answer to the end
    uint32_t code;          // 200 of an answered call, else the final one
    const char *result;     // answered, busy, no-answer, cancelled, refused, failed, lost
    const char *hung_up_by; // caller, callee, api, timeout, edge; "" when nobody did
};

const char *call_kind_name(enum call_kind kind);
enum call_kind call_kind_parse(struct bf_str name);
const char *call_state_name(enum call_state state);
enum call_state call_state_parse(struct bf_str name);

// What a strange event lacks for being one: NULL when it is good.
const char *call_event_check(const struct call_event *event);

// Texts as they may be kept and shown: what is no UTF-8 or a control character becomes '?', what is too long
// is cut, NULL becomes "". What had to be changed is owned by `spare`, which must outlive the event.
#define CALL_EVENT_TEXTS 11
struct call_spare {
    char *texts[CALL_EVENT_TEXTS];
};
void call_event_clean(struct call_event *event, struct call_spare *spare);
void call_spare_release(struct call_spare *spare);

// False: the call is over already (or it is a note, or about a push) and stays as it is. `call` begins as
// zeroes.
bool call_apply(struct call *call, const struct call_event *event);

// The event that ends a call whose edge cannot tell any more; `reason` is e.g. "edge-lost".
struct call_event call_close_event(const struct call *call, const char *reason, uint64_t at_ms);

struct cdr call_cdr(const struct call *call);
const char *call_leg_party(const struct call *call, const struct bf_leg *leg); // "caller", "callee" or ""

#endif
