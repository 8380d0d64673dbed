// A call's story: one readable line for each item of its timeline. Any thread.
#ifndef TIMELINE_H
#define TIMELINE_H

#include <jansson.h>

#include "bf_buf.h"

// `items` as GET .../timeline answers, in order: {time, kind, number, device, code, text, edge}. Each line
// begins with the seconds since the first one. A kind that is not known is shown by its name.
void timeline_write(struct bf_buf *into, const json_t *items);

#endif
