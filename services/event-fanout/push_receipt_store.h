// Expo's receipts in PostgreSQL: what became of a push is asked for later, by its ticket. System scope.
#ifndef PUSH_RECEIPT_STORE_H
#define PUSH_RECEIPT_STORE_H

#include "bf_db.h"
#include "push_answer.h"

// Those that are due, at most `limit`, all of one tenant and credential; asked again in
// `again_ms` unless they are settled.
struct push_ticket {
    struct bf_id call, device, tenant;
    int64_t number;
    char *ticket;
};
struct push_tickets {
    struct push_ticket *list;
    size_t count;
    struct bf_id credential; // nil: none
    uint8_t *sealed;
    size_t sealed_len;
};
bf_must_check enum bf_err push_receipt_store_due(struct bf_tx *tx, size_t limit, int64_t again_ms,
                                                 struct push_tickets *ret_tickets);
bf_must_check enum bf_err push_receipt_store_settle(struct bf_tx *tx, const struct push_tickets *tickets,
                                                    const enum push_receipt *receipts,
                                                    char (*details)[PUSH_DETAIL_SIZE]);
void push_tickets_release(struct push_tickets *tickets);

#endif
