#include "tenant_door.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIES 50 // under load a door is shut for a microsecond: shorter than a sleep

static bool try_to_shut(struct tenant_door *door)
{
    uint32_t open = 0;

    return atomic_compare_exchange_strong(&door->state, &open, 1);
}

static void breathe(void)
{
#ifdef __x86_64__
    __builtin_ia32_pause();
#endif
}

void tenant_door_shut(struct tenant_door *door)
{
    for (int i = 0; i < TRIES; i++, breathe())
        if (try_to_shut(door))
            return;
    while (atomic_exchange(&door->state, 2) != 0)
        syscall(SYS_futex, &door->state, FUTEX_WAIT, 2, NULL, NULL, 0);
}

void tenant_door_open(struct tenant_door *door)
{
    if (atomic_exchange(&door->state, 0) == 2)
        syscall(SYS_futex, &door->state, FUTEX_WAKE, 1, NULL, NULL, 0);
}
