// CDRs in PostgreSQL: each call once, by its id, whoever writes it.
#ifndef CDR_STORE_H
#define CDR_STORE_H

#include <jansson.h>

#include "bf_db.h"
#include "call.h"

// *ret_new: how many were not there yet. `all_new` as in timeline_store_add.
bf_must_check enum bf_err cdr_store_add(struct bf_tx *tx, const struct call *const *calls, size_t count,
                                        bool all_new, size_t *ret_new);

// Newest first.
struct cdr_query {
    struct bf_id tenant;
    uint64_t from_ms, to_ms; // of the start, [from, to); 0: open
    const char *number;      // who called, was called or answered; NULL or "": all
    struct bf_id before;     // the last one of the page before; nil: the first page
    int64_t limit;
};

// The CDR as REST shows it; borrowed for the time of `each`.
typedef void cdr_store_each(void *ctx, struct bf_id call, json_t *cdr);
bf_must_check enum bf_err cdr_store_list(struct bf_tx *tx, const struct cdr_query *query,
                                         cdr_store_each *each, void *ctx, bool *ret_more);
bf_must_check enum bf_err cdr_store_find(struct bf_tx *tx, struct bf_id tenant, struct bf_id call,
                                         cdr_store_each *each, void *ctx); // BF_NOT_FOUND

// Makes the partitions of the coming months and drops what is older than keep_months (0: nothing). System
// scope.
#define CDR_MONTHS_AHEAD 3
bf_must_check enum bf_err cdr_store_partitions(struct bf_tx *tx, int64_t keep_months, int64_t *ret_made,
                                               int64_t *ret_dropped);

#endif
