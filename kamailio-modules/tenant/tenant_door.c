#include "tenant_door.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bf_clock.h"

#define TRIES 600

// Looking leaves the line with who holds the door; only a swap that may succeed takes it away.
static bool try_to_shut(struct tenant_door *door)
{
    uint32_t open = 0;

    return atomic_load_explicit(&door->state, memory_order_relaxed) == 0 &&
           atomic_compare_exchange_strong(&door->state, &open, 1);
}

static void breathe(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

static void sleep_on(struct tenant_door *door, uint64_t us)
{
    struct timespec time = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

    syscall(SYS_futex, &door->state, FUTEX_WAIT, 2, &time, NULL, 0);
}

bool tenant_door_shut(struct tenant_door *door, uint32_t wait_us)
{
    uint64_t deadline_us, now_us;

    for (int i = 0; i < TRIES; i++, breathe())
        if (try_to_shut(door))
            return true;
    now_us = bf_mono_us();
    deadline_us = now_us + wait_us;
    while (atomic_exchange(&door->state, 2) != 0) {
        if (now_us >= deadline_us)
            return false;
        sleep_on(door, deadline_us - now_us);
        now_us = bf_mono_us();
    }
    return true;
}

void tenant_door_open(struct tenant_door *door)
{
    if (atomic_exchange(&door->state, 0) == 2)
        syscall(SYS_futex, &door->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}
