// An attempt at a delivery, from its request to its outcome in the database.
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "delivery.h"
#include "endpoint.h"

struct attempt {
    struct delivery *delivery;
    struct delivery_outcome outcome;
    enum delivery_verdict verdict;
    uint64_t wait_ms;              // DELIVERY_AGAIN
    struct endpoint_health health; // of its webhook, after it
    bool health_changed;
    bool last;                // nothing behind it is in memory, but perhaps in the table
    struct delivery *dropped; // it and all behind it, as they left memory; NULL: it is the first of its lane
    struct attempt *next;     // of those that wait to be settled
};

#endif
