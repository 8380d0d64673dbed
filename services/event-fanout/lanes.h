// What waits for which: deliveries of a lane (a webhook and a call) go one after the other. In memory,
// bounded, no I/O. One thread at a time.
#ifndef LANES_H
#define LANES_H

#include "delivery.h"

struct lanes;

struct lanes *lanes_new(size_t deliveries_max);
void lanes_free(struct lanes *lanes); // with all that is in it; NULL is fine
size_t lanes_count(const struct lanes *lanes);

enum lanes_added {
    LANES_GO,    // it is the first of its lane: send it
    LANES_WAITS, // behind another one
    LANES_KNOWN, // it is there already: not taken
    LANES_FULL,  // not taken
    LANES_LATER, // something before it is not here: not taken
};

// `behind`: the position of the one that it comes behind, by the database; 0: none. When that one is not
// here, it is not for now. What is taken belongs to the lanes until it is let go.
enum lanes_added lanes_add(struct lanes *lanes, struct delivery *delivery, int64_t behind);

// The first of its lane is through: out of here, and the caller's again. The next of the lane to be sent, or
// NULL.
struct delivery *lanes_next(struct lanes *lanes, struct delivery *delivery);

// The first of its lane has to wait: it and all behind it leave, as a list by `next`, the caller's.
struct delivery *lanes_drop(struct lanes *lanes, struct delivery *delivery);

#endif
