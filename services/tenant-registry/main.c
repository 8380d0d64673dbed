// belfry-tenant-registry: settings, wiring, run, drain.
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "bf_bus.h"
#include "bf_http.h"
#include "bf_service.h"
#include "feed.h"
#include "registry.h"
#include "registry_bus.h"
#include "upkeep.h"

#define INTO struct registry_settings

static const struct bf_setting settings_table[] = {
    BF_SETTINGS_DB(INTO, "belfry_registry"),
    BF_SETTINGS_REST(INTO, "8001"),
    BF_SETTINGS_ADMIN(INTO, "8002"),
    BF_TEXT(INTO, "BELFRY_BUS_LISTEN", bus_listen, NULL,
            "nng addresses to serve the bus on, separated by spaces"),
    BF_TEXT(INTO, "BELFRY_FEED_LISTEN", feed_listen, NULL,
            "nng addresses to publish the change feed on, separated by spaces"),
    BF_INT(INTO, "BELFRY_BUS_CONTEXTS", bus_contexts, "8", 1, 64, "bus requests worked on at once"),
    BF_TEXT(INTO, "BELFRY_OPERATOR_KEY_FILE", operator_key_file, NULL,
            "file of the operator's API key; made when missing"),
    BF_SECRET(
        INTO, "BELFRY_SEAL_KEY", seal_key,
        "what the private keys of app tokens are sealed with in the database; the same for all replicas"),
    BF_TEXT(INTO, "BELFRY_SIP_HOST", sip_host, NULL,
            "host, host:port or [IPv6]:port phones reach each edge by, separated by spaces, for GET .../dns"),
    BF_INT(INTO, "BELFRY_SIP_PORT", sip_port, "5060", 1, 65535,
           "SIP port (UDP and TCP) of edges that BELFRY_SIP_HOST says none of"),
    BF_INT(INTO, "BELFRY_SIPS_PORT", sips_port, "5061", 0, 65535,
           "SIP TLS port in GET .../dns; 0 leaves TLS out"),
    BF_TEXT(INTO, "BELFRY_TURN_URLS", turn_urls, "",
            "URLs of the STUN and TURN servers for GET .../ice-servers, separated by spaces"),
    BF_SECRET(INTO, "BELFRY_TURN_SECRET", turn_secret,
              "what TURN credentials are made with: the static-auth-secret of coturn"),
    BF_INT(INTO, "BELFRY_TURN_TTL_SECONDS", turn_ttl_s, "3600", 60, 86400,
           "seconds a TURN credential opens new allocations"),
    BF_INT(INTO, "BELFRY_CHANGES_KEEP_ROWS", changes_keep_rows, "100000", 1000, 100000000,
           "newest changes kept at least"),
    BF_INT(INTO, "BELFRY_CHANGES_KEEP_HOURS", changes_keep_hours, "24", 1, 8760,
           "hours a change is kept at least"),
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

static enum bf_err edges_read(struct registry *registry)
{
    const struct registry_settings *settings = &registry->settings;
    const char *wrong =
        dns_edges_read(settings->sip_host, settings->sip_port, settings->sips_port, &registry->edges);

    if (wrong)
        bf_error("settings.wrong", BF_S("name", "BELFRY_SIP_HOST"), BF_S("wrong", wrong));
    return wrong ? BF_INVALID : BF_OK;
}

static enum bf_err turn_read(struct registry *registry)
{
    const struct registry_settings *settings = &registry->settings;
    const char *wrong = turn_urls_read(settings->turn_urls, &registry->turn);

    if (wrong)
        bf_error("settings.wrong", BF_S("name", "BELFRY_TURN_URLS"), BF_S("wrong", wrong));
    else if (turn_urls_want_secret(&registry->turn) && strlen(settings->turn_secret) < TURN_SECRET_BYTES_MIN)
        bf_error("settings.wrong", BF_S("name", "BELFRY_TURN_SECRET"),
                 BF_S("wrong", wrong = "needs at least 16 characters when there is a TURN server"));
    return wrong ? BF_INVALID : BF_OK;
}

static enum bf_err program_start(struct program *program, const char **ret_part)
{
    struct registry *registry = &program->registry;
    const struct registry_settings *settings = &registry->settings;
    struct bf_service_options service = {"tenant-registry",
                                         settings->admin.host,
                                         settings->admin.port,
                                         settings->admin.drain_ms,
                                         checks,
                                         BF_LEN(checks),
                                         registry};
    struct bf_http_options http = {.host = settings->rest.host,
                                   .port = settings->rest.port,
                                   .threads = settings->rest.threads,
                                   .connections_max = settings->rest.connections_max,
                                   .before = caller_check,
                                   .ctx = registry};
    enum bf_err err;

    http.routes = api_routes(&http.route_count);
    registry->gate = caller_gate_new(registry);
    bf_metrics_register(registry_metrics, METRIC_COUNT);
    *ret_part = "BELFRY_SEAL_KEY: needs at least 16 characters";
    if (strlen(settings->seal_key) < 16)
        return BF_INVALID;
    bf_vault_init(&registry->vault, settings->seal_key);
    *ret_part = "BELFRY_SIP_HOST";
    err = edges_read(registry);
    if (err)
        return err;
    *ret_part = "BELFRY_TURN_URLS, BELFRY_TURN_SECRET";
    err = turn_read(registry);
    if (err)
        return err;
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
    bf_log_start("tenant-registry", program.registry.settings.admin.log_level);
    err = program_start(&program, &part);
    if (err) {
        bf_error("service.cannot_start", BF_S("part", part), BF_E(err));
        program_stop(&program, 0);
        return 1;
    }
    bf_info("service.started", BF_I("http_port", program.registry.settings.rest.port));
    bf_service_wait(program.service);
    program_stop(&program, bf_service_drain_left_ms(program.service));
    bf_info("service.stopped");
    return 0;
}
