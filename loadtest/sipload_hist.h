// Latencies in microseconds, kept as counts in log-linear buckets: 64 a power of two, so a figure is at
// most 1.6 % off and memory does not grow with the run. Not thread-safe.
#ifndef SIPLOAD_HIST_H
#define SIPLOAD_HIST_H

#include <stdint.h>
#include <stdio.h>

#define HIST_LINEAR_BITS 6
#define HIST_POWERS      26 // up to 2^32 us, above an hour; longer ones count as that
#define HIST_BUCKETS     ((HIST_POWERS + 1) << HIST_LINEAR_BITS)

struct hist {
    uint64_t count;
    uint64_t sum_us;
    uint64_t max_us;
    uint64_t buckets[HIST_BUCKETS];
};

void hist_add(struct hist *hist, uint64_t us);
uint64_t hist_quantile_us(const struct hist *hist, double quantile); // 0 when nothing was added
void hist_print_json(const struct hist *hist, FILE *to);             // {"count":..,"mean":..,"p50":..,...}

#endif
