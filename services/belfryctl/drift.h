// Do the edges and the index of call-control know the same? Judged from what GET /v1/edges says: what an edge
// said in its last heartbeat against what is kept of it, and its table of domains against the registry. While
// phones register and calls begin the two may differ for a second; drift is what stays. Any thread.
#ifndef DRIFT_H
#define DRIFT_H

#include <jansson.h>

#include "bf_buf.h"
#include "bf_err.h"

// Adds to each edge of `items` a member "drift": texts that say what is not as it should be. *ret_any: one
// has such a text. BF_PROTOCOL: an item lacks what is needed to judge {alive, bindings,
// indexed_bindings, calls, indexed_calls, table_seq, registry_seq}.
bf_must_check enum bf_err drift_judge(json_t *items, bool *ret_any);
void drift_write(struct bf_buf *into, const json_t *items); // judged ones

#endif
