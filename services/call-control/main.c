// belfry-call-control: settings, wiring, run, drain.
#include "api.h"
#include "bf_config.h"
#include "bf_service.h"
#include "call_bus.h"
#include "call_metrics.h"
#include "call_store.h"
#include "control.h"
#include "control_metrics.h"
#include "directory.h"
#include "edges.h"
#include "keeper.h"
#include "limit_store.h"
#include "location_store.h"

#define AT(member) offsetof(struct control_settings, member)
#define TEXT(name, member, initial, meaning)                      \
    {                                                             \
        name, BF_SETTING_TEXT, AT(member), initial, 0, 0, meaning \
    }
#define SECRET(name, member, meaning)                          \
    {                                                          \
        name, BF_SETTING_SECRET, AT(member), "", 0, 0, meaning \
    }
#define INT(name, member, initial, min, max, meaning)                \
    {                                                                \
        name, BF_SETTING_INT, AT(member), initial, min, max, meaning \
    }

static const struct bf_setting settings_table[] = {
    TEXT("POSTGRES_HOST", db.host, NULL, "database server; one that starts with / is a socket's folder"),
    INT("POSTGRES_PORT", db.port, "5432", 1, 65535, "database port"),
    TEXT("POSTGRES_DB", db.dbname, "belfry", "database name"),
    TEXT("POSTGRES_USER", db.user, "belfry_calls", "database role"),
    SECRET("POSTGRES_PASSWORD", db.password, "the role's password"),
    INT("BELFRY_DB_CONNECTIONS", db.connections_max, "20", 2, 200, "database connections at most"),
    INT("BELFRY_DB_CONNECT_TIMEOUT_MS", db.connect_timeout_ms, "2000", 100, 30000,
        "ms to wait for a new connection"),
    INT("BELFRY_DB_BORROW_TIMEOUT_MS", db.borrow_timeout_ms, "2000", 10, 30000,
        "ms to wait for a free connection"),
    INT("BELFRY_DB_STATEMENT_TIMEOUT_MS", db.statement_timeout_ms, "5000", 100, 60000,
        "ms a statement may take"),
    TEXT("REDIS_HOST", redis.host, NULL, "Redis server; one that starts with / is a unix socket"),
    INT("REDIS_PORT", redis.port, "6379", 1, 65535, "Redis port"),
    SECRET("REDIS_PASSWORD", redis.password, "Redis password"),
    INT("BELFRY_REDIS_CONNECTIONS", redis.connections_max, "32", 2, 500, "Redis connections at most"),
    INT("BELFRY_REDIS_CONNECT_TIMEOUT_MS", redis.connect_timeout_ms, "400", 50, 30000,
        "ms to wait for a new connection"),
    INT("BELFRY_REDIS_BORROW_TIMEOUT_MS", redis.borrow_timeout_ms, "200", 10, 30000,
        "ms to wait for a free connection"),
    INT("BELFRY_REDIS_ANSWER_TIMEOUT_MS", redis.answer_timeout_ms, "2000", 50, 30000,
        "ms Redis may take for one batch of commands"),
    TEXT("BELFRY_REGISTRY_BUS", registry_bus, NULL,
         "nng addresses of the tenant-registry's replicas, separated by spaces"),
    TEXT("BELFRY_REGISTRY_FEED", registry_feed, NULL,
         "nng addresses of the replicas' change feeds, separated by spaces"),
    INT("BELFRY_DIRECTORY_ENTRIES", directory_entries_max, "50000", 100, 10000000,
        "numbers kept in the directory's cache; the least recently used go"),
    TEXT("BELFRY_HTTP_HOST", http_host, "127.0.0.1", "numeric address to serve REST on"),
    INT("BELFRY_HTTP_PORT", http_port, "8003", 1, 65535, "port to serve REST on"),
    INT("BELFRY_HTTP_THREADS", http_threads, "8", 1, 64, "REST requests worked on at once"),
    INT("BELFRY_HTTP_CONNECTIONS", http_connections_max, "1000", 10, 50000, "REST connections at most"),
    INT("BELFRY_REQUESTS_PER_MINUTE", requests_per_minute, "600", 1, 1000000,
        "REST requests a minute of a tenant whose requests_per_minute is 0, by replica"),
    INT("BELFRY_AUTH_FAILURES_PER_MINUTE", auth_failures_per_minute, "300", 1, 1000000,
        "failed authentications a minute of one source address (IPv6: /64), by replica"),
    TEXT("BELFRY_ADMIN_HOST", admin_host, "127.0.0.1", "numeric address of /health, /ready and /metrics"),
    INT("BELFRY_ADMIN_PORT", admin_port, "8004", 1, 65535, "port of /health, /ready and /metrics"),
    TEXT("BELFRY_BUS_LISTEN", bus_listen, NULL, "nng addresses to serve the bus on, separated by spaces"),
    INT("BELFRY_BUS_CONTEXTS", bus_contexts, "16", 2, 256, "bus requests worked on at once"),
    INT("BELFRY_CDR_KEEP_MONTHS", cdr_keep_months, "0", 0, 1200,
        "months a CDR and its timeline are kept; 0: for ever"),
    INT("BELFRY_DRAIN_MS", drain_ms, "10000", 0, 600000, "ms requests under way have at the end"),
    {"BELFRY_LOG_LEVEL", BF_SETTING_LOGLEVEL, AT(log_level), "info", 0, 0, "debug, info, warn or error"},
};

static struct bf_redis_script *const scripts[] = {
    &limit_take_script, &location_gone_script, &edge_begin_script, &edge_commit_script, &call_revive_script,
};

static enum bf_err check_database(void *ctx)
{
    return bf_db_ping(((struct control *)ctx)->db);
}

static enum bf_err check_redis(void *ctx)
{
    return bf_redis_ping(((struct control *)ctx)->redis);
}

static const struct bf_service_check checks[] = {
    {"postgresql", check_database},
    {"redis", check_redis},
};

struct program {
    struct control control;
    struct bf_service *service;
    struct bf_bus_server *bus;
    struct keeper *keeper;
    struct api *api;
};

// What only calls out.
static enum bf_err clients_start(struct control *control, const char **ret_part)
{
    const struct control_settings *settings = &control->settings;

    *ret_part = "database pool";
    enum bf_err err = bf_db_open(&settings->db, &control->db);
    if (err)
        return err;
    *ret_part = "REDIS_HOST";
    err = bf_redis_open(&settings->redis, &control->redis);
    if (err)
        return err;
    *ret_part = "BELFRY_REGISTRY_BUS";
    err = bf_bus_dial(settings->registry_bus, &control->registry);
    if (err)
        return err;
    *ret_part = "BELFRY_REGISTRY_FEED";
    err = directory_start(control, &control->directory);
    if (err)
        return err;
    *ret_part = "edges";
    return edges_start(control, &control->edges);
}

static enum bf_err program_start(struct program *program, const char **ret_part)
{
    struct control *control = &program->control;
    const struct control_settings *settings = &control->settings;
    struct bf_service_options service = {"call-control",
                                         settings->admin_host,
                                         settings->admin_port,
                                         settings->drain_ms,
                                         checks,
                                         BF_LEN(checks),
                                         control};

    bf_metrics_register(control_metrics, CONTROL_METRIC_COUNT);
    bf_metrics_register(call_metrics, CALLS_METRICS);
    enum bf_err err = clients_start(control, ret_part);
    if (err)
        return err;
    *ret_part = "BELFRY_ADMIN_HOST, BELFRY_ADMIN_PORT";
    err = bf_service_start(&service, &program->service);
    if (err)
        return err;
    *ret_part = "background work";
    err = keeper_start(control, &program->keeper);
    if (err)
        return err;
    *ret_part = "BELFRY_BUS_LISTEN";
    err = bf_bus_serve(settings->bus_listen, settings->bus_contexts, call_bus_methods, call_bus_method_count,
                       control, &program->bus);
    if (err)
        return err;
    *ret_part = "BELFRY_HTTP_HOST, BELFRY_HTTP_PORT";
    return api_start(control, &program->api);
}

static void program_stop(struct program *program, int64_t drain_ms)
{
    struct control *control = &program->control;

    api_stop(program->api, drain_ms);
    if (program->bus)
        bf_bus_server_stop(program->bus, drain_ms);
    keeper_stop(program->keeper);
    if (program->service)
        bf_service_stop(program->service);
    edges_stop(control->edges);
    directory_stop(control->directory);
    if (control->registry)
        bf_bus_hang_up(control->registry);
    bf_redis_close(control->redis);
    bf_db_close(control->db);
    bf_config_release(settings_table, BF_LEN(settings_table), &control->settings);
}

int main(int argc, char **argv)
{
    struct program program = {.service = NULL};
    struct control_settings *settings = &program.control.settings;
    const char *part = NULL;
    bool ended = false;
    enum bf_err err =
        bf_config_read("belfry-call-control", "Who is rung, where devices are, what happened to calls.",
                       settings_table, BF_LEN(settings_table), argc, argv, settings, &ended);

    if (ended || err)
        return err ? 2 : 0;
    settings->db.application = "belfry-call-control";
    settings->redis.scripts = scripts;
    settings->redis.script_count = BF_LEN(scripts);
    bf_log_start("call-control", settings->log_level);
    err = program_start(&program, &part);
    if (err) {
        bf_error("service.cannot_start", BF_S("part", part), BF_E(err));
        program_stop(&program, 0);
        return 1;
    }
    bf_info("service.started", BF_I("http_port", settings->http_port));
    bf_service_wait(program.service);
    program_stop(&program, bf_service_drain_left_ms(program.service));
    bf_info("service.stopped");
    return 0;
}
