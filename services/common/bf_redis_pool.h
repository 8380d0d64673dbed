// The pool as batches see it. Private to bf_redis*.c.
#ifndef BF_REDIS_POOL_H
#define BF_REDIS_POOL_H

#include "bf_metrics.h"
#include "bf_redis_conn.h"

enum {
    REDIS_CONNECTIONS,
    REDIS_CONNECTS,
    REDIS_CONNECT_ERRORS,
    REDIS_BORROW_TIMEOUTS,
    REDIS_BATCHES,
    REDIS_BATCH_ERRORS,
    REDIS_SCRIPTS_RESENT,
    REDIS_METRIC_COUNT,
};

extern struct bf_metric bf_redis_metrics[REDIS_METRIC_COUNT];

bf_must_check enum bf_err bf_redis_borrow(struct bf_redis *redis, struct bf_redis_conn **ret_conn);
void bf_redis_return(struct bf_redis *redis, struct bf_redis_conn *conn);
const struct bf_redis_options *bf_redis_options_of(const struct bf_redis *redis);

#endif
