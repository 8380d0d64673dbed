// max_registrations: may devices that are new to their edge register? One round trip to Redis.
#ifndef ADMIT_H
#define ADMIT_H

#include "admit_wire.h"
#include "bf_err.h"

struct control;

// A device that is registered already, be it with another edge, is admitted whatever the limit is. What dead
// edges had does not count.
bf_must_check enum bf_err admit(struct control *control, const struct wire_admit *asked,
                                struct admit_verdict *ret_verdict);

#endif
