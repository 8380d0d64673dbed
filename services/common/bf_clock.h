// Time. Durations come from the monotonic clock, points in time are Unix milliseconds, texts are RFC 3339
// UTC. Any thread.
#ifndef BF_CLOCK_H
#define BF_CLOCK_H

#include <stdint.h>

#define BF_RFC3339_SIZE 25 // "2026-11-20T13:48:47.123Z" and the zero

uint64_t bf_mono_ms(void);
uint64_t bf_mono_us(void);
uint64_t bf_unix_ms(void);
const char *bf_rfc3339(uint64_t unix_ms, char text[BF_RFC3339_SIZE]); // returns text

#endif
