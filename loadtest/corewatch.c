// How often the machine takes a core away: on each core a thread looks at the clock, and at nothing else, for
// some seconds. What a hypervisor, the kernel's own threads and other programs take is in it; the more of it
// there is, the less a time in milliseconds tells of what was measured.
//
//   corewatch [SECONDS]
//
// Prints one JSON object: cores, seconds, stalls (of over 2 ms, on all cores together), lost (their part of
// the time of all cores), worst_us.
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#include "bf_clock.h"

#define STALL_US    2000
#define SECONDS_MAX 60

struct watch {
    pthread_t thread;
    int core;
    uint64_t until_us;
    uint64_t stalls, lost_us, worst_us;
};

static void *watch_run(void *at)
{
    struct watch *watch = at;
    cpu_set_t own;

    CPU_ZERO(&own);
    CPU_SET(watch->core, &own);
    sched_setaffinity(0, sizeof(own), &own);
    for (uint64_t before = bf_mono_us(), now = before; now < watch->until_us; before = now) {
        now = bf_mono_us();
        uint64_t away_us = now - before;
        if (away_us < STALL_US)
            continue;
        watch->stalls++;
        watch->lost_us += away_us;
        watch->worst_us = away_us > watch->worst_us ? away_us : watch->worst_us;
    }
    return NULL;
}

int main(int argc, char **argv)
{
    static struct watch watches[CPU_SETSIZE];
    struct watch all = {.stalls = 0};
    int64_t seconds = 3;
    cpu_set_t ours;
    int cores = 0;

    if (argc > 2 || (argc == 2 && !bf_parse_int(bf_str(argv[1]), 1, SECONDS_MAX, &seconds))) {
        fprintf(stderr, "usage: corewatch [SECONDS]   1 to %d seconds, 3 without\n", SECONDS_MAX);
        return 2;
    }
    if (sched_getaffinity(0, sizeof(ours), &ours) != 0)
        return 1;
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET(core, &ours))
            continue;
        struct watch *watch = &watches[cores++];
        *watch = (struct watch){.core = core, .until_us = bf_mono_us() + (uint64_t)seconds * 1000000};
        if (pthread_create(&watch->thread, NULL, watch_run, watch) != 0)
            return 1;
    }
    for (int i = 0; i < cores; i++) {
        pthread_join(watches[i].thread, NULL);
        all.stalls += watches[i].stalls;
        all.lost_us += watches[i].lost_us;
        all.worst_us = watches[i].worst_us > all.worst_us ? watches[i].worst_us : all.worst_us;
    }
    printf("{\"cores\":%d,\"seconds\":%lld,\"stalls\":%llu,\"lost\":%.4f,\"worst_us\":%llu}\n", cores,
           (long long)seconds, (unsigned long long)all.stalls,
           (double)all.lost_us / (double)(seconds * 1000000 * cores), (unsigned long long)all.worst_us);
    return 0;
}
