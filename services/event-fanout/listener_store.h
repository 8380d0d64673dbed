// Tenants whose WebSockets are open, or were until a short while ago: their events must be told and kept
// (events.wanted, which call-control asks).
#ifndef LISTENER_STORE_H
#define LISTENER_STORE_H

#include "bf_db.h"

// From this transaction's commit on the tenant's events are wanted for so long, or longer. Tenant scope.
bf_must_check enum bf_err listener_store_keep(struct bf_tx *tx, struct bf_id tenant, int64_t seconds);

// Forgets those whose time is over. System scope.
bf_must_check enum bf_err listener_store_prune(struct bf_tx *tx);

#endif
