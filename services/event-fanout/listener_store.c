// SQL about who listens.
#include "listener_store.h"

enum bf_err listener_store_keep(struct bf_tx *tx, struct bf_id tenant, int64_t seconds)
{
    return bf_tx_exec(tx, NULL,
                      "INSERT INTO events.listener AS l (tenant_id, until) "
                      "VALUES ($1, now() + $2 * interval '1 s') "
                      "ON CONFLICT (tenant_id) DO UPDATE SET until = greatest(l.until, excluded.until)",
                      BF_P_ID(tenant), BF_P_INT(seconds));
}

enum bf_err listener_store_prune(struct bf_tx *tx)
{
    return bf_tx_exec(tx, NULL, "DELETE FROM events.listener WHERE until < now()");
}
