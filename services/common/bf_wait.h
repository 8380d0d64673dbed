// Waiting on a condition with a deadline by the monotonic clock: pthreads' default is the wall clock, which
// jumps.
#ifndef BF_WAIT_H
#define BF_WAIT_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

void bf_wait_init(pthread_cond_t *cond);   // destroy it by pthread_cond_destroy
struct timespec bf_wait_until(int64_t ms); // from now; for pthread_cond_timedwait on such a condition

#endif
