// Time. Durations come from the monotonic clock, points in time are Unix milliseconds, texts are RFC 3339
// UTC. Any thread.
#ifndef BF_CLOCK_H
#define BF_CLOCK_H

#include "bf_base.h"

#define BF_RFC3339_SIZE 25 // "2026-11-20T13:48:47.123Z" and the zero

uint64_t bf_mono_ms(void);
uint64_t bf_mono_us(void);
uint64_t bf_unix_ms(void);
const char *bf_rfc3339(uint64_t unix_ms, char text[BF_RFC3339_SIZE]); // returns text

// "2027-01-31T23:59:59Z", with or without a fraction (cut to ms); false for anything else, also for days that
// do not exist and other zones.
bf_must_check bool bf_rfc3339_parse(struct bf_str text, uint64_t *ret_unix_ms);

#endif
