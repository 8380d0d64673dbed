// Which of a client's addresses a call goes to. Rules only, no I/O and no clock; the caller has a lock.
//
// Addresses take turns. One that let a call wait too long, and has answered nothing since that call was sent,
// is left out until it answers again: once in BF_BUS_PROBE_MS it is given something to answer. When all that
// are connected are left out, they take turns as if none were. A second sending of a call costs credit, which
// ten calls earn: when everybody is slow, sending everything twice would make it worse.
#ifndef BF_BUS_CHOICE_H
#define BF_BUS_CHOICE_H

#include "bf_bus.h"

#define BF_BUS_PROBE_MS    1000
#define BF_BUS_CREDIT_COST 10  // calls
#define BF_BUS_CREDIT_MAX  500 // a burst of 50

struct bf_bus_choice {
    size_t count;    // of addresses; they are numbered from 0, and bits of a set by that number
    size_t turn;     // whose it was last
    uint32_t credit; // in calls
    struct {
        bool out;
        uint64_t answered_ms; // the last answer
        uint64_t probe_ms;    // when it may be tried again
    } at[BF_BUS_URLS_MAX];
};

#define BF_BUS_NO_CHOICE (-1)

void bf_bus_choice_init(struct bf_bus_choice *choice, size_t count);
// Whose turn it is among `usable`; BF_BUS_NO_CHOICE when that is empty.
int bf_bus_choice_next(struct bf_bus_choice *choice, uint32_t usable);
// One of `usable` that is left out and is to be tried now; it will not be named again for BF_BUS_PROBE_MS.
int bf_bus_choice_probe(struct bf_bus_choice *choice, uint32_t usable, uint64_t now_ms);
// True: it was left out, and no longer is.
bool bf_bus_choice_answered(struct bf_bus_choice *choice, int address, uint64_t now_ms);
// It has had a call since sent_ms. True: from now on it is left out.
bool bf_bus_choice_overdue(struct bf_bus_choice *choice, int address, uint64_t sent_ms, uint64_t now_ms);

void bf_bus_choice_earn(struct bf_bus_choice *choice);  // for each call
bool bf_bus_choice_spend(struct bf_bus_choice *choice); // may a call be sent once more?

#endif
