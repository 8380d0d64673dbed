// What the parts of this program share: settings, PostgreSQL, Redis, the registry, the edges, metrics. Made
// once by main.c, then only read (what changes has its own lock or is atomic).
#ifndef CONTROL_H
#define CONTROL_H

#include "bf_bus.h"
#include "bf_db.h"
#include "bf_log.h"
#include "bf_metrics.h"
#include "bf_redis.h"

struct directory;
struct edges;

struct control_settings {
    struct bf_db_options db;
    struct bf_redis_options redis;
    char *http_host, *admin_host;
    int64_t http_port, admin_port;
    int64_t http_threads, http_connections_max;
    int64_t requests_per_minute;      // of a tenant that has no limit of its own
    int64_t auth_failures_per_minute; // by source address
    char *bus_listen;
    int64_t bus_contexts;
    char *registry_bus, *registry_feed;
    int64_t directory_entries_max;
    int64_t cdr_keep_months; // older partitions are dropped; 0: never
    int64_t drain_ms;
    enum bf_log_level log_level;
};

struct control {
    struct control_settings settings;
    struct bf_db *db;
    struct bf_redis *redis;
    struct bf_bus_client *registry; // Authenticate, Directory, ...
    struct directory *directory;
    struct edges *edges;
};

#endif
