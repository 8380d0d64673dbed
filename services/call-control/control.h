// What the parts of this program share: settings, PostgreSQL, Redis, the registry, the edges, metrics. Made
// once by main.c, then only read (what changes has its own lock or is atomic).
#ifndef CONTROL_H
#define CONTROL_H

#include "bf_bus.h"
#include "bf_metrics.h"
#include "bf_settings.h"

struct directory;
struct edges;
struct outbox;
struct push_devices;
struct waker;

struct control_settings {
    struct bf_db_options db;
    struct bf_redis_options redis;
    struct bf_rest_settings rest;
    struct bf_admin_settings admin;
    char *bus_listen;
    int64_t bus_contexts;
    char *registry_bus, *registry_feed;
    char *events_bus; // "": nobody is told
    char *wake_key;   // signs wake tokens
    int64_t directory_entries_max;
    char *processes_file;    // "": there is none
    int64_t cdr_keep_months; // older partitions are dropped; 0: never
};

struct control {
    struct control_settings settings;
    struct bf_db *db;
    struct bf_redis *redis;
    struct bf_bus_client *registry; // Authenticate, Directory, ...
    struct bf_bus_client *events;   // Publish; NULL: nobody is told
    struct outbox *outbox;          // NULL: nobody is told
    struct push_devices *push;
    struct waker *waker;
    struct directory *directory;
    struct edges *edges;
};

#endif
