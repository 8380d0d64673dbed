// What the parts of this program share: settings, PostgreSQL, the registry, the sender. Made once by main.c,
// then only read (what changes has its own lock or is atomic).
#ifndef FANOUT_H
#define FANOUT_H

#include <stdatomic.h>

#include "bf_bus.h"
#include "bf_settings.h"
#include "bf_vault.h"

struct authority;
struct bf_access;
struct batcher;
struct push_sender;
struct push_teller;
struct relay;
struct sender;

struct fanout_settings {
    struct bf_db_options db;
    struct bf_redis_options redis;
    struct bf_rest_settings rest;
    struct bf_admin_settings admin;
    char *bus_listen;
    int64_t bus_contexts;
    char *registry_bus, *registry_feed;
    char *control_bus;          // "": timelines are told nothing
    char *seal_key;             // any text; its SHA-256 is the key
    char *targets;              // CIDRs that webhooks may go to although they are not public
    int64_t webhook_timeout_ms; // of one request
    int64_t requests_max;       // to webhooks under way, in all
    int64_t webhook_requests;   // to one webhook
    int64_t webhook_queue;      // deliveries of one webhook in memory
    int64_t deliveries_max;     // in memory
    int64_t events_keep_days;
    char *push_expo_url, *push_fcm_url, *push_fcm_token_url, *push_apns_url, *push_apns_sandbox_url;
    char *push_ca_file; // "": the system's
    int64_t push_timeout_ms, push_connections;
    int64_t push_requests_max; // under way of one provider's credential
    int64_t pushes_max;        // in memory
    int64_t push_receipt_ms;
    bool push_register_open; // /push/register also without a key
    char *socket_host;
    int64_t socket_port, socket_ping_s;
    int64_t sockets_max, sockets_per_tenant; // of this replica
    int64_t socket_queue;                    // messages that wait for one socket
    int64_t replay_s;                        // how far back a socket may go on
};

struct fanout {
    struct fanout_settings settings;
    struct bf_id replica; // this run of the program
    atomic_bool known;    // the others see it in events.replica: before, nothing may be owned by it
    struct bf_vault seal;
    struct bf_db *db;
    struct bf_bus_client *registry; // Authenticate, Tenant
    struct bf_access *access;       // API keys and tenants, remembered for a while
    struct authority *authority;    // extensions and app tokens
    struct batcher *batcher;        // of what is published
    struct sender *sender;
    struct push_sender *pushes;
    struct bf_bus_client *control; // Pushed; NULL: there is no call-control
    struct push_teller *teller;    // likewise
    struct bf_redis *redis;
    struct relay *relay; // NULL until WebSockets are served
};

#endif
