// The histogram of sipload.
#include "sipload_hist.h"

// Below 2^HIST_LINEAR_BITS the value is its own bucket; above, the highest bits choose it.
static unsigned bucket_of(uint64_t us)
{
    if (us >> HIST_LINEAR_BITS == 0)
        return (unsigned)us;
    unsigned power = 63 - (unsigned)__builtin_clzll(us) - HIST_LINEAR_BITS;
    if (power >= HIST_POWERS)
        return HIST_BUCKETS - 1;
    return ((power + 1) << HIST_LINEAR_BITS) + (unsigned)((us >> power) - (1u << HIST_LINEAR_BITS));
}

// The largest value that falls into the bucket: a quantile is never told better than it was.
static uint64_t bucket_top_us(unsigned bucket)
{
    if (bucket >> HIST_LINEAR_BITS == 0)
        return bucket;
    unsigned power = (bucket >> HIST_LINEAR_BITS) - 1;
    uint64_t first = (bucket & ((1u << HIST_LINEAR_BITS) - 1)) + (1u << HIST_LINEAR_BITS);
    return ((first + 1) << power) - 1;
}

void hist_add(struct hist *hist, uint64_t us)
{
    hist->count++;
    hist->sum_us += us;
    if (us > hist->max_us)
        hist->max_us = us;
    hist->buckets[bucket_of(us)]++;
}

uint64_t hist_quantile_us(const struct hist *hist, double quantile)
{
    uint64_t wanted = (uint64_t)(quantile * (double)hist->count);
    uint64_t seen = 0;

    for (unsigned i = 0; i < HIST_BUCKETS; i++) {
        seen += hist->buckets[i];
        if (seen > wanted)
            return bucket_top_us(i) < hist->max_us ? bucket_top_us(i) : hist->max_us;
    }
    return hist->max_us;
}

void hist_print_json(const struct hist *hist, FILE *to)
{
    double mean = hist->count ? (double)hist->sum_us / (double)hist->count : 0;

    fprintf(to, "{\"count\":%lu,\"mean\":%.1f,\"p50\":%lu,\"p90\":%lu,\"p99\":%lu,\"p999\":%lu,\"max\":%lu}",
            hist->count, mean, hist_quantile_us(hist, 0.50), hist_quantile_us(hist, 0.90),
            hist_quantile_us(hist, 0.99), hist_quantile_us(hist, 0.999), hist->max_us);
}
