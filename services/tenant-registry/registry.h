// What the parts of this program share: settings, the pool, the gate of REST, metrics. Made once by main.c,
// then only read (what changes has its own lock or is atomic).
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdatomic.h>

#include "bf_db.h"
#include "bf_log.h"
#include "bf_metrics.h"

struct bf_gate;

struct registry_settings {
    struct bf_db_options db;
    char *http_host, *admin_host;
    int64_t http_port, admin_port;
    int64_t http_threads, http_connections_max;
    char *bus_listen, *feed_listen;
    int64_t bus_contexts;
    char *operator_key_file;
    char *sip_host;
    int64_t sip_port, sips_port;
    int64_t requests_per_minute;      // of a tenant that has no limit of its own
    int64_t auth_failures_per_minute; // by source address
    int64_t changes_keep_rows, changes_keep_hours;
    int64_t drain_ms;
    enum bf_log_level log_level;
};

enum registry_metric {
    METRIC_AUTH_FAILURES,
    METRIC_RATE_REFUSED_TENANT,
    METRIC_RATE_REFUSED_SOURCE,
    METRIC_IDEMPOTENT_REPLAYS,
    METRIC_FEED_SEQ,
    METRIC_FEED_CHANGES,
    METRIC_FEED_HEARTBEATS,
    METRIC_FEED_FAILURES,
    METRIC_FEED_UP,
    METRIC_CREDENTIALS_FOUND,
    METRIC_CREDENTIALS_UNKNOWN,
    METRIC_CREDENTIAL_SECONDS,
    METRIC_DIRECTORY_FOUND,
    METRIC_DIRECTORY_UNKNOWN,
    METRIC_DIRECTORY_SECONDS,
    METRIC_SNAPSHOT_PAGES,
    METRIC_PRUNED_CHANGES,
    METRIC_PRUNED_IDEMPOTENCY,
    METRIC_COUNT,
};

struct registry {
    struct registry_settings settings;
    struct bf_db *db;
    struct bf_gate *gate;
    _Atomic bool operator_key_ready;
};

extern struct bf_metric registry_metrics[METRIC_COUNT];
void registry_count(enum registry_metric metric); // adds one

#endif
