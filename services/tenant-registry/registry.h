// What the parts of this program share: settings, the pool, the gate of REST, metrics. Made once by main.c,
// then only read (what changes has its own lock or is atomic).
#ifndef REGISTRY_H
#define REGISTRY_H

#include <stdatomic.h>

#include "bf_metrics.h"
#include "bf_settings.h"
#include "bf_vault.h"
#include "dns.h"
#include "turn.h"

struct bf_gate;

struct registry_settings {
    struct bf_db_options db;
    struct bf_rest_settings rest;
    struct bf_admin_settings admin;
    char *bus_listen, *feed_listen;
    int64_t bus_contexts;
    char *operator_key_file;
    char *seal_key; // any text; its SHA-256 is the key
    char *sip_host;
    int64_t sip_port, sips_port;
    char *turn_urls, *turn_secret;
    int64_t turn_ttl_s;
    int64_t changes_keep_rows, changes_keep_hours;
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
    METRIC_PRUNED_KEYS,
    METRIC_APP_KEYS_MADE,
    METRIC_APP_KEYS_UP,
    METRIC_COUNT,
};

struct registry {
    struct registry_settings settings;
    struct bf_db *db;
    struct bf_vault vault; // the private keys of app tokens
    struct bf_gate *gate;
    struct dns_edges edges; // as phones reach them
    struct turn_urls turn;  // as browsers reach it
    _Atomic bool operator_key_ready;
};

extern struct bf_metric registry_metrics[METRIC_COUNT];
void registry_count(enum registry_metric metric); // adds one

#endif
