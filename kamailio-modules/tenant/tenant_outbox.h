// What happens on this edge, on its way to call-control: packed entries (belfry.call.v1.Entry) in shared
// memory, numbered from 1.
//
// Many writers (any process), one reader (the tenant process). An entry stays until it is taken, so what is
// sent and not taken is sent again. Of limited size: what finds no room is dropped and counted. There is one
// for bindings and one for call events, which do not wait for each other. Bindings leave a quarter of their
// room to the marks around a resync of them, for a lost binding is healed by that; each asks for one.
#ifndef TENANT_OUTBOX_H
#define TENANT_OUTBOX_H

#include "bf_base.h"
#include "bf_buf.h"

#define TENANT_OUTBOX_ENTRY_BYTES_MAX 8192
#define TENANT_OUTBOX_MIN             1024
#define TENANT_OUTBOX_MAX             4194304
#define TENANT_OUTBOX_HELD_MAX        2 // outboxes that one process holds; those of a further one wake at once

struct tenant_outbox;

enum tenant_stream { // what an outbox is for
    TENANT_STREAM_BINDINGS,
    TENANT_STREAM_CALLS,
    TENANT_STREAMS,
};

struct tenant_outbox_figures {
    uint64_t put_seq;   // the newest entry
    uint64_t taken_seq; // up to here call-control has them
    uint64_t dropped;
    uint32_t waiting;
    uint32_t entries_max;
};

// Room for entries_max entries of 512 bytes on average: whichever of entries and bytes is used up first.
size_t tenant_outbox_bytes(uint32_t entries_max);
// `memory`: tenant_outbox_bytes(entries_max), aligned to 64.
struct tenant_outbox *tenant_outbox_init(void *memory, uint32_t entries_max);

// False: dropped and counted. An event is also a mark: no binding is told before it that came after it.
bool tenant_outbox_add(struct tenant_outbox *outbox, const void *packed_entry, size_t len);

// The entry of a binding, whose key is a keyed hash of what names it; in the order of the binding's changes.
// A refresh takes the place of one of the same binding that still waits, so phones that refresh faster than
// call-control takes it need no more room than there are bindings. One that is none stays for itself.
bool tenant_outbox_add_binding(struct tenant_outbox *outbox, uint64_t key, bool refresh,
                               const void *packed_entry, size_t len);

// The outbox of call events, that tenant_outbox_put() means; to be set before the first fork. NULL: there is
// no call-control.
void tenant_outbox_use(struct tenant_outbox *outbox);
// A call event's entry; nothing happens without call-control.
void tenant_outbox_put(const void *packed_entry, size_t len);

// What this process puts in between wakes the readers at its end only: the message that it works on is
// answered before somebody else wants the core. A reader that is awake, or looks by itself, takes it at once.
void tenant_outbox_hold(void);
void tenant_outbox_let_go(void);

struct tenant_outbox_figures tenant_outbox_figures(struct tenant_outbox *outbox);
// True once after bindings were dropped: all of them have to be sent again.
bool tenant_outbox_lost_bindings(struct tenant_outbox *outbox);

// ---- the reader's

// An eventfd, made before the first fork: readable once something was put after tenant_outbox_sleep().
void tenant_outbox_wake_by(struct tenant_outbox *outbox, int fd);
void tenant_outbox_sleep(struct tenant_outbox *outbox);

// A walk over the oldest entries that are not taken; stops at max entries, or when `into` would grow beyond
// bytes_max. Appends each as a length-delimited protobuf field of number `field`. *ret_first_seq: the first
// one's number (of the next one to come when there is none). Returns how many.
uint32_t tenant_outbox_peek(struct tenant_outbox *outbox, uint32_t max, size_t bytes_max, uint32_t field,
                            struct bf_buf *into, uint64_t *ret_first_seq);
// Everything up to seq is durable; numbers that were not put yet, or are taken already, are ignored.
void tenant_outbox_taken(struct tenant_outbox *outbox, uint64_t seq);

#endif
