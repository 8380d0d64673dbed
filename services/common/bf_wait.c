// Conditions by the monotonic clock.
#include "bf_wait.h"

#include "bf_clock.h"

void bf_wait_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
}

struct timespec bf_wait_until(int64_t ms)
{
    uint64_t until_ms = bf_mono_ms() + (uint64_t)ms;

    return (struct timespec){(time_t)(until_ms / 1000), (long)(until_ms % 1000) * 1000000};
}
