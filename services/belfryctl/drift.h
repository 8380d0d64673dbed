// Do the edges and the rest of the system know the same? Judged from what GET /v1/edges says. Any thread.
#ifndef DRIFT_H
#define DRIFT_H

#include <jansson.h>

#include "bf_buf.h"
#include "bf_err.h"

// Adds to each edge of `items` a member "drift": texts that say what is not as it should be. *ret_any: one
// has such a text. BF_PROTOCOL: an item lacks what is needed to judge {alive, synced, bindings,
// indexed_bindings}.
bf_must_check enum bf_err drift_judge(json_t *items, bool *ret_any);
void drift_write(struct bf_buf *into, const json_t *items); // judged ones

#endif
