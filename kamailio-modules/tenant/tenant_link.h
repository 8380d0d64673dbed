// The bus, seen from a process with its own loop: what nng's threads bring waits in a queue with a file
// descriptor, unless the process lets that thread do at once what it has brought.
//
// Replies always have room (each was asked for); feed messages beyond FEED_BYTES_MAX are dropped and counted,
// which the sync sees as a hole. To be opened after the last fork of the process; one thread takes.
#ifndef TENANT_LINK_H
#define TENANT_LINK_H

#include "bf_base.h"
#include "bf_err.h"

#define TENANT_LINK_FEED_BYTES_MAX (64u << 20)

enum tenant_link_kind {
    TENANT_LINK_FEED,
    TENANT_LINK_PAGE,
    TENANT_LINK_CHANGES,
    TENANT_LINK_CREDENTIAL,
    TENANT_LINK_APP_KEYS,
    // From here on answers of call-control.
    TENANT_LINK_PLAN,
    TENANT_LINK_PLANS, // several
    TENANT_LINK_ADMIT,
    TENANT_LINK_REPORT, // of bindings
    TENANT_LINK_REPORT_CALLS,
    TENANT_LINK_RESTORE,
};

struct tenant_link_urls {   // as bf_bus takes them
    const char *bus, *feed; // the registry's
    const char *control;    // call-control's; NULL or empty: there is none
};

struct tenant_link_event {
    struct tenant_link_event *next;
    enum tenant_link_kind kind;
    uint32_t serial;
    enum bf_err err;
    size_t len;
    char bytes[];
};

struct tenant_link;

// On one of nng's threads, which must not wait: false when the process is at something else, and the event
// goes into the queue.
typedef bool tenant_link_at_once(const struct tenant_link_event *event);

// All signals are blocked in nng's threads.
bf_must_check enum bf_err tenant_link_open(struct tenant_link_urls urls, tenant_link_at_once *at_once,
                                           struct tenant_link **ret_link);
void tenant_link_close(struct tenant_link *link);           // what was asked and not answered is forgotten
int tenant_link_fd(const struct tenant_link *link);         // readable: there is something to take
bool tenant_link_connected(const struct tenant_link *link); // the registry
bool tenant_link_control_connected(const struct tenant_link *link); // call-control
// Replicas of the registry and of call-control that are slow or hang.
struct tenant_link_figures {
    uint64_t hedges;   // questions asked of a further replica because the first one was slow
    uint32_t left_out; // replicas that are connected and do not answer, now
};
struct tenant_link_figures tenant_link_figures(const struct tenant_link *link);
// kind is what the answer's event will be; the method follows from it.
void tenant_link_ask(struct tenant_link *link, enum tenant_link_kind kind, uint32_t serial,
                     int64_t timeout_ms, struct bf_str body);
// All that has come, oldest first; the caller releases each. NULL: nothing.
struct tenant_link_event *tenant_link_take(struct tenant_link *link);
void tenant_link_event_release(struct tenant_link_event *event); // wiped: an answer may hold an HA1
uint64_t tenant_link_dropped(const struct tenant_link *link);

#endif
