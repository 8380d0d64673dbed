// An event's data has the moment at which it was published, so that whoever reads it knows how long it took.
#ifndef EVENTLOAD_MARK_H
#define EVENTLOAD_MARK_H

#include <string.h>

#include "bf_clock.h"

#define MARK "\"sent_us\":"

// 0: there is none, or it is none.
static inline uint64_t mark_read(const char *text)
{
    const char *mark = strstr(text, MARK);
    uint64_t sent_us = mark ? strtoull(mark + strlen(MARK), NULL, 10) : 0;

    return sent_us <= bf_mono_us() ? sent_us : 0;
}

#endif
