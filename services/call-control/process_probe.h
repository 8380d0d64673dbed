// Asks processes how they are, all at the same time.
#ifndef PROCESS_PROBE_H
#define PROCESS_PROBE_H

#include "bf_err.h"
#include "process.h"

#define PROCESS_PROBE_MS 1000 // who has not answered then is away

// health[i] is of list[i]. Takes PROCESS_PROBE_MS at most. Any thread, with state of its own.
bf_must_check enum bf_err process_probe(const struct process *list, size_t count,
                                        struct process_health *health);

#endif
