// Settings that services share: what they are read into, and their rows for the table of bf_config.
//
//   static const struct bf_setting table[] = {
//       BF_SETTINGS_DB(struct my_settings, "belfry_my"),
//       BF_TEXT(struct my_settings, "MY_NAME", name, NULL, "what it is"),
//   };
#ifndef BF_SETTINGS_H
#define BF_SETTINGS_H

#include "bf_config.h"
#include "bf_db.h"
#include "bf_log.h"
#include "bf_redis.h"

struct bf_rest_settings {
    char *host;
    int64_t port, threads, connections_max;
    int64_t requests_per_minute;      // of a tenant that has no limit of its own
    int64_t auth_failures_per_minute; // by source address
};

struct bf_admin_settings {
    char *host;
    int64_t port;
    int64_t drain_ms;
    enum bf_log_level log_level;
};

// ---- one row; `into` is the struct that `member` is in

#define BF_TEXT(into, name, member, initial, meaning)                         \
    {                                                                         \
        name, BF_SETTING_TEXT, offsetof(into, member), initial, 0, 0, meaning \
    }
#define BF_SECRET(into, name, member, meaning)                             \
    {                                                                      \
        name, BF_SETTING_SECRET, offsetof(into, member), "", 0, 0, meaning \
    }
#define BF_INT(into, name, member, initial, min, max, meaning)                   \
    {                                                                            \
        name, BF_SETTING_INT, offsetof(into, member), initial, min, max, meaning \
    }
#define BF_LOGLEVEL(into, name, member)                                                               \
    {                                                                                                 \
        name, BF_SETTING_LOGLEVEL, offsetof(into, member), "info", 0, 0, "debug, info, warn or error" \
    }

// ---- rows that belong together

// Into `struct bf_db_options db`.
#define BF_SETTINGS_DB(into, role)                                                                  \
    BF_TEXT(into, "POSTGRES_HOST", db.host, NULL,                                                   \
            "database server; one that starts with / is a socket's folder"),                        \
        BF_INT(into, "POSTGRES_PORT", db.port, "5432", 1, 65535, "database port"),                  \
        BF_TEXT(into, "POSTGRES_DB", db.dbname, "belfry", "database name"),                         \
        BF_TEXT(into, "POSTGRES_USER", db.user, role, "database role"),                             \
        BF_SECRET(into, "POSTGRES_PASSWORD", db.password, "the role's password"),                   \
        BF_INT(into, "BELFRY_DB_CONNECTIONS", db.connections_max, "20", 2, 200,                     \
               "database connections at most"),                                                     \
        BF_INT(into, "BELFRY_DB_CONNECT_TIMEOUT_MS", db.connect_timeout_ms, "2000", 100, 30000,     \
               "ms to wait for a new connection"),                                                  \
        BF_INT(into, "BELFRY_DB_BORROW_TIMEOUT_MS", db.borrow_timeout_ms, "2000", 10, 30000,        \
               "ms to wait for a free connection"),                                                 \
        BF_INT(into, "BELFRY_DB_STATEMENT_TIMEOUT_MS", db.statement_timeout_ms, "5000", 100, 60000, \
               "ms a statement may take")

// Into `struct bf_redis_options redis`.
#define BF_SETTINGS_REDIS(into)                                                                             \
    BF_TEXT(into, "REDIS_HOST", redis.host, NULL, "Redis server; one that starts with / is a unix socket"), \
        BF_INT(into, "REDIS_PORT", redis.port, "6379", 1, 65535, "Redis port"),                             \
        BF_SECRET(into, "REDIS_PASSWORD", redis.password, "Redis password"),                                \
        BF_INT(into, "BELFRY_REDIS_CONNECTIONS", redis.connections_max, "32", 2, 500,                       \
               "Redis connections at most"),                                                                \
        BF_INT(into, "BELFRY_REDIS_CONNECT_TIMEOUT_MS", redis.connect_timeout_ms, "400", 50, 30000,         \
               "ms to wait for a new connection"),                                                          \
        BF_INT(into, "BELFRY_REDIS_BORROW_TIMEOUT_MS", redis.borrow_timeout_ms, "200", 10, 30000,           \
               "ms to wait for a free connection"),                                                         \
        BF_INT(into, "BELFRY_REDIS_ANSWER_TIMEOUT_MS", redis.answer_timeout_ms, "2000", 50, 30000,          \
               "ms Redis may take for one batch of commands")

// Into `struct bf_rest_settings rest`; `on`: the port as text.
#define BF_SETTINGS_REST(into, on)                                                                        \
    BF_TEXT(into, "BELFRY_HTTP_HOST", rest.host, "127.0.0.1", "numeric address to serve REST on"),        \
        BF_INT(into, "BELFRY_HTTP_PORT", rest.port, on, 1, 65535, "port to serve REST on"),               \
        BF_INT(into, "BELFRY_HTTP_THREADS", rest.threads, "8", 1, 64, "REST requests worked on at once"), \
        BF_INT(into, "BELFRY_HTTP_CONNECTIONS", rest.connections_max, "1000", 10, 50000,                  \
               "REST connections at most"),                                                               \
        BF_INT(into, "BELFRY_REQUESTS_PER_MINUTE", rest.requests_per_minute, "600", 1, 1000000,           \
               "REST requests a minute of a tenant whose requests_per_minute is 0, by replica"),          \
        BF_INT(into, "BELFRY_AUTH_FAILURES_PER_MINUTE", rest.auth_failures_per_minute, "300", 1, 1000000, \
               "failed authentications a minute of one source address (IPv6: /64), by replica")

// Into `struct bf_admin_settings admin`; `on`: the port as text.
#define BF_SETTINGS_ADMIN(into, on)                                                                          \
    BF_TEXT(into, "BELFRY_ADMIN_HOST", admin.host, "127.0.0.1",                                              \
            "numeric address of /health, /ready and /metrics"),                                              \
        BF_INT(into, "BELFRY_ADMIN_PORT", admin.port, on, 1, 65535, "port of /health, /ready and /metrics"), \
        BF_INT(into, "BELFRY_DRAIN_MS", admin.drain_ms, "10000", 0, 600000,                                  \
               "ms requests under way have at the end"),                                                     \
        BF_LOGLEVEL(into, "BELFRY_LOG_LEVEL", admin.log_level)

#endif
