// belfry-tenant-registry: settings, wiring, run, drain.
#include <stdio.h>

#include "api.h"
#include "bf_bus.h"
#include "bf_config.h"
#include "bf_http.h"
#include "bf_service.h"
#include "feed.h"
#include "registry.h"
#include "registry_bus.h"
#include "upkeep.h"

#define AT(member) offsetof(struct registry_settings, member)
#define TEXT(name, member, initial, meaning)                      \
    {                                                             \
        name, BF_SETTING_TEXT, AT(member), initial, 0, 0, meaning \
    }
#define INT(name, member, initial, min, max, meaning)                \
    {                                                                \
        name, BF_SETTING_INT, AT(member), initial, min, max, meaning \
    }

static const struct bf_setting settings_table[] = {
    TEXT("POSTGRES_HOST", db.host, NULL, "database server; one that starts with / is a socket's folder"),
    INT("POSTGRES_PORT", db.port, "5432", 1, 65535, "database port"),
    TEXT("POSTGRES_DB", db.dbname, "belfry", "database name"),
    TEXT("POSTGRES_USER", db.user, "belfry_registry", "database role"),
    {"POSTGRES_PASSWORD", BF_SETTING_SECRET, AT(db.password), "", 0, 0, "the role's password"},
    INT("BELFRY_DB_CONNECTIONS", db.connections_max, "20", 2, 200, "database connections at most"),
    INT("BELFRY_DB_CONNECT_TIMEOUT_MS", db.connect_timeout_ms, "2000", 100, 30000,
        "ms to wait for a new connection"),
    INT("BELFRY_DB_BORROW_TIMEOUT_MS", db.borrow_timeout_ms, "2000", 10, 30000,
        "ms to wait for a free connection"),
    INT("BELFRY_DB_STATEMENT_TIMEOUT_MS", db.statement_timeout_ms, "5000", 100, 60000,
        "ms a statement may take"),
    TEXT("BELFRY_HTTP_HOST", http_host, "127.0.0.1", "numeric address to serve REST on"),
    INT("BELFRY_HTTP_PORT", http_port, "8001", 1, 65535, "port to serve REST on"),
    INT("BELFRY_HTTP_THREADS", http_threads, "8", 1, 64, "REST requests worked on at once"),
    INT("BELFRY_HTTP_CONNECTIONS", http_connections_max, "1000", 10, 50000, "REST connections at most"),
    TEXT("BELFRY_ADMIN_HOST", admin_host, "127.0.0.1", "numeric address of /health, /ready and /metrics"),
    INT("BELFRY_ADMIN_PORT", admin_port, "8002", 1, 65535, "port of /health, /ready and /metrics"),
    TEXT("BELFRY_BUS_LISTEN", bus_listen, NULL, "nng addresses to serve the bus on, separated by spaces"),
    TEXT("BELFRY_FEED_LISTEN", feed_listen, NULL,
         "nng addresses to publish the change feed on, separated by spaces"),
    INT("BELFRY_BUS_CONTEXTS", bus_contexts, "8", 1, 64, "bus requests worked on at once"),
    TEXT("BELFRY_OPERATOR_KEY_FILE", operator_key_file, NULL,
         "file of the operator's API key; made when missing"),
    TEXT("BELFRY_SIP_HOST", sip_host, NULL, "name or address phones reach the edges by, for GET .../dns"),
    INT("BELFRY_SIP_PORT", sip_port, "5060", 1, 65535, "SIP port (UDP and TCP) in GET .../dns"),
    INT("BELFRY_SIPS_PORT", sips_port, "5061", 0, 65535, "SIP TLS port in GET .../dns; 0 leaves TLS out"),
    INT("BELFRY_REQUESTS_PER_MINUTE", requests_per_minute, "600", 1, 1000000,
        "REST requests a minute of a tenant whose requests_per_minute is 0, by replica"),
    INT("BELFRY_AUTH_FAILURES_PER_MINUTE", auth_failures_per_minute, "300", 1, 1000000,
        "failed authentications a minute of one source address (IPv6: /64), by replica"),
    INT("BELFRY_CHANGES_KEEP_ROWS", changes_keep_rows, "100000", 1000, 100000000,
        "newest changes kept at least"),
    INT("BELFRY_CHANGES_KEEP_HOURS", changes_keep_hours, "24", 1, 8760, "hours a change is kept at least"),
    INT("BELFRY_DRAIN_MS", drain_ms, "10000", 0, 600000, "ms requests under way have at the end"),
    {"BELFRY_LOG_LEVEL", BF_SETTING_LOGLEVEL, AT(log_level), "info", 0, 0, "debug, info, warn or error"},
};

static enum bf_err check_database(void *ctx)
{
    return bf_db_ping(((struct registry *)ctx)->db);
}

static enum bf_err check_operator_key(void *ctx)
{
    return ((struct registry *)ctx)->operator_key_ready ? BF_OK : BF_UNAVAILABLE;
}

static const struct bf_service_check checks[] = {
    {"postgresql", check_database},
    {"operator key", check_operator_key},
};

struct program {
    struct registry registry;
    struct bf_service *service;
    struct bf_bus_server *bus;
    struct bf_http_server *http;
    struct feed *feed;
    struct bf_ticker *upkeep;
};

static enum bf_err program_start(struct program *program, const char **ret_part)
{
    struct registry *registry = &program->registry;
    const struct registry_settings *settings = &registry->settings;
    struct bf_service_options service = {"tenant-registry",
                                         settings->admin_host,
                                         settings->admin_port,
                                         settings->drain_ms,
                                         checks,
                                         BF_LEN(checks),
                                         registry};
    struct bf_http_options http = {.host = settings->http_host,
                                   .port = settings->http_port,
                                   .threads = settings->http_threads,
                                   .connections_max = settings->http_connections_max,
                                   .before = caller_check,
                                   .ctx = registry};
    enum bf_err err;

    http.routes = api_routes(&http.route_count);
    registry->gate = caller_gate_new(registry);
    bf_metrics_register(registry_metrics, METRIC_COUNT);
    *ret_part = "database pool";
    err = bf_db_open(&settings->db, &registry->db);
    if (err)
        return err;
    *ret_part = "BELFRY_ADMIN_HOST, BELFRY_ADMIN_PORT";
    err = bf_service_start(&service, &program->service);
    if (err)
        return err;
    *ret_part = "BELFRY_FEED_LISTEN";
    err = feed_start(registry, &program->feed);
    if (err)
        return err;
    *ret_part = "BELFRY_BUS_LISTEN";
    err = bf_bus_serve(settings->bus_listen, settings->bus_contexts, registry_bus_methods,
                       registry_bus_method_count, registry, &program->bus);
    if (err)
        return err;
    *ret_part = "background work";
    err = upkeep_start(registry, &program->upkeep);
    if (err)
        return err;
    *ret_part = "BELFRY_HTTP_HOST, BELFRY_HTTP_PORT";
    return bf_http_start(&http, &program->http);
}

static void program_stop(struct program *program, int64_t drain_ms)
{
    struct registry *registry = &program->registry;

    bf_http_stop(program->http, drain_ms);
    if (program->bus)
        bf_bus_server_stop(program->bus, drain_ms);
    bf_ticker_stop(program->upkeep);
    feed_stop(program->feed); // last: what the drained requests changed is still published
    if (program->service)
        bf_service_stop(program->service);
    if (registry->db)
        bf_db_close(registry->db);
    bf_gate_free(registry->gate);
    bf_config_release(settings_table, BF_LEN(settings_table), &registry->settings);
}

int main(int argc, char **argv)
{
    struct program program = {.service = NULL};
    const char *part = NULL;
    bool ended = false;
    enum bf_err err = bf_config_read(
        "belfry-tenant-registry", "Tenants, domains, extensions, keys: the system of record.", settings_table,
        BF_LEN(settings_table), argc, argv, &program.registry.settings, &ended);

    if (ended || err)
        return err ? 2 : 0;
    program.registry.settings.db.application = "belfry-tenant-registry";
    bf_log_start("tenant-registry", program.registry.settings.log_level);
    err = program_start(&program, &part);
    if (err) {
        bf_error("service.cannot_start", BF_S("part", part), BF_E(err));
        program_stop(&program, 0);
        return 1;
    }
    bf_info("service.started", BF_I("http_port", program.registry.settings.http_port));
    bf_service_wait(program.service);
    program_stop(&program, bf_service_drain_left_ms(program.service));
    bf_info("service.stopped");
    return 0;
}
