// Expo's receipts: what became of pushes that it took is asked for some time later, in a thread of its own.
#ifndef PUSH_RECEIPTS_H
#define PUSH_RECEIPTS_H

#include "fanout.h"
#include "push_flight.h"

struct push_receipts;

// `flights`: how to send; its `landed` is not used.
bf_must_check enum bf_err push_receipts_start(struct fanout *fanout,
                                              const struct push_flight_options *flights,
                                              struct push_receipts **ret_receipts);
void push_receipts_stop(struct push_receipts *receipts); // before the courier; NULL is fine
void push_receipts_free(struct push_receipts *receipts); // after it; NULL is fine

#endif
