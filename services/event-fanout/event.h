// An event as tenants are told of it: what is a good one, and its envelope. Rules only. Any thread.
#ifndef EVENT_H
#define EVENT_H

#include "bf_err.h"
#include "bf_id.h"

#define EVENT_TYPE_BYTES_MAX   64
#define EVENT_NUMBERS_MAX      32
#define EVENT_NUMBER_BYTES_MAX 32
#define EVENT_DATA_BYTES_MAX   16384
#define EVENT_AGE_MS_MAX       (2 * 86400000ull) // of the time in its id
#define EVENT_AHEAD_MS_MAX     3600000ull        // clocks differ

// Borrowed texts.
struct event {
    struct bf_id id, tenant;
    struct bf_id call; // nil: none
    const char *type;
    uint64_t at_ms; // Unix
    uint64_t seq;   // 0: none
    const char *const *numbers;
    size_t number_count;
    const char *data; // a JSON object
};

// "call.incoming": at least two words of [a-z0-9-] that begin with a letter.
bool event_type_ok(struct bf_str type);

// What a strange event lacks for being one: NULL when it is good.
const char *event_check(const struct event *event, uint64_t now_ms);

// {"id","type","tenant","time","call_id"?,"seq"?,"data"} of a good event: the same bytes each time. NULL:
// `data` is no JSON object. The caller frees it.
char *event_envelope(const struct event *event);

#endif
