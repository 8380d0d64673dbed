// belfry-event-fanout: settings, wiring, run, drain.
#include <string.h>

#include "api.h"
#include "authority.h"
#include "bf_access.h"
#include "bf_service.h"
#include "delivery_store.h"
#include "event_bus.h"
#include "fanout.h"
#include "fanout_metrics.h"
#include "batcher.h"
#include "hall.h"
#include "keeper.h"
#include "push_sender.h"
#include "push_sweeper.h"
#include "push_teller.h"
#include "relay.h"
#include "sender.h"

#define INTO struct fanout_settings

static const struct bf_setting settings_table[] = {
    BF_SETTINGS_DB(INTO, "belfry_events"),
    BF_SETTINGS_REDIS(INTO),
    BF_SETTINGS_REST(INTO, "8005"),
    BF_SETTINGS_ADMIN(INTO, "8006"),
    BF_TEXT(INTO, "BELFRY_REGISTRY_BUS", registry_bus, NULL,
            "nng addresses of the tenant-registry's replicas, separated by spaces"),
    BF_TEXT(INTO, "BELFRY_REGISTRY_FEED", registry_feed, NULL,
            "nng addresses of their change feeds, separated by spaces"),
    BF_TEXT(INTO, "BELFRY_CALL_CONTROL_BUS", control_bus, "",
            "nng addresses of call-control's replicas; empty: timelines are not told of pushes"),
    BF_TEXT(INTO, "BELFRY_BUS_LISTEN", bus_listen, NULL,
            "nng addresses to serve the bus on, separated by spaces"),
    BF_INT(INTO, "BELFRY_BUS_CONTEXTS", bus_contexts, "8", 2, 256, "bus requests worked on at once"),
    BF_SECRET(INTO, "BELFRY_SEAL_KEY", seal_key,
              "what secrets in the database are sealed with; the same for all replicas, for ever"),
    BF_TEXT(
        INTO, "BELFRY_WEBHOOK_NETWORKS", targets, "",
        "addresses or subnets that are not public and webhooks may go to all the same, separated by spaces"),
    BF_INT(INTO, "BELFRY_WEBHOOK_TIMEOUT_MS", webhook_timeout_ms, "10000", 100, 60000,
           "ms a webhook request may take"),
    BF_INT(INTO, "BELFRY_WEBHOOK_REQUESTS", requests_max, "512", 1, 10000,
           "requests to webhooks under way at most"),
    BF_INT(INTO, "BELFRY_WEBHOOK_REQUESTS_EACH", webhook_requests, "16", 1, 1000,
           "requests to one webhook under way at most"),
    BF_INT(INTO, "BELFRY_WEBHOOK_QUEUE", webhook_queue, "1000", 1, 1000000,
           "deliveries of one webhook in memory at most; further ones wait in the database"),
    BF_INT(INTO, "BELFRY_DELIVERIES", deliveries_max, "50000", 100, 1000000,
           "deliveries in memory at most; further ones wait in the database"),
    BF_TEXT(INTO, "BELFRY_PUSH_EXPO_URL", push_expo_url, "https://exp.host", "base URL of Expo's push API"),
    BF_TEXT(INTO, "BELFRY_PUSH_FCM_URL", push_fcm_url, "https://fcm.googleapis.com",
            "base URL of FCM HTTP v1"),
    BF_TEXT(INTO, "BELFRY_PUSH_FCM_TOKEN_URL", push_fcm_token_url, "https://oauth2.googleapis.com/token",
            "where Google's access tokens are asked for"),
    BF_TEXT(INTO, "BELFRY_PUSH_APNS_URL", push_apns_url, "https://api.push.apple.com", "base URL of APNs"),
    BF_TEXT(INTO, "BELFRY_PUSH_APNS_SANDBOX_URL", push_apns_sandbox_url, "https://api.sandbox.push.apple.com",
            "base URL of APNs for credentials of the environment sandbox"),
    BF_TEXT(INTO, "BELFRY_PUSH_CA_FILE", push_ca_file, "",
            "PEM file of the certificates to trust at push providers instead of the system's"),
    BF_INT(INTO, "BELFRY_PUSH_TIMEOUT_MS", push_timeout_ms, "5000", 100, 30000,
           "ms a request to a push provider may take"),
    BF_INT(INTO, "BELFRY_PUSH_CONNECTIONS", push_connections, "64", 1, 10000,
           "connections to push providers at most"),
    BF_INT(INTO, "BELFRY_PUSH_REQUESTS", push_requests_max, "64", 1, 10000,
           "requests under way with one credential at most"),
    BF_INT(INTO, "BELFRY_PUSHES", pushes_max, "10000", 100, 1000000,
           "pushes in memory at most; further ones wait in the database"),
    BF_INT(INTO, "BELFRY_PUSH_RECEIPT_MS", push_receipt_ms, "900000", 100, 86400000,
           "ms after a push when Expo is asked for its receipt"),
    {"BELFRY_PUSH_REGISTER_OPEN", BF_SETTING_BOOL, offsetof(INTO, push_register_open), "off", 0, 0,
     "old apps may register at /push/register without a key: on or off"},
    BF_INT(INTO, "BELFRY_EVENTS_KEEP_DAYS", events_keep_days, "7", 3, 3660,
           "days events, deliveries and their log are kept"),
    BF_TEXT(INTO, "BELFRY_SOCKET_HOST", socket_host, "127.0.0.1", "numeric address to serve WebSockets on"),
    BF_INT(INTO, "BELFRY_SOCKET_PORT", socket_port, "8007", 1, 65535, "port to serve WebSockets on"),
    BF_INT(INTO, "BELFRY_SOCKET_PING_SECONDS", socket_ping_s, "30", 5, 3600, "s of silence before a ping"),
    BF_INT(INTO, "BELFRY_SOCKETS", sockets_max, "10000", 10, 1000000, "WebSockets at once at most"),
    BF_INT(INTO, "BELFRY_SOCKETS_PER_TENANT", sockets_per_tenant, "2000", 1, 1000000,
           "WebSockets of one tenant at most, by replica"),
    BF_INT(INTO, "BELFRY_SOCKET_QUEUE", socket_queue, "1000", 8, 100000,
           "messages that may wait for one WebSocket before it is cut"),
    BF_INT(INTO, "BELFRY_REPLAY_SECONDS", replay_s, "600", 0, 86400,
           "s that a WebSocket may have been away and go on without a gap"),
};

static enum bf_err check_database(void *ctx)
{
    return bf_db_ping(((struct fanout *)ctx)->db);
}

static enum bf_err check_known(void *ctx)
{
    return ((struct fanout *)ctx)->known ? BF_OK : BF_UNAVAILABLE;
}

static const struct bf_service_check checks[] = {
    {"postgresql", check_database},
    {"replica", check_known},
};

struct program {
    struct fanout fanout;
    struct bf_service *service;
    struct bf_bus_server *bus;
    struct keeper *keeper;
    struct push_sweeper *sweeper;
    struct hall *hall;
    struct api *api;
};

static enum bf_err clients_start(struct fanout *fanout, const char **ret_part)
{
    const struct fanout_settings *settings = &fanout->settings;

    *ret_part = "BELFRY_SEAL_KEY: needs at least 16 characters";
    if (strlen(settings->seal_key) < 16)
        return BF_INVALID;
    bf_vault_init(&fanout->seal, settings->seal_key);
    *ret_part = "database pool";
    enum bf_err err = bf_db_open(&settings->db, &fanout->db);
    if (err)
        return err;
    *ret_part = "BELFRY_REGISTRY_BUS";
    err = bf_bus_dial(settings->registry_bus, &fanout->registry);
    if (err)
        return err;
    fanout->access = api_access_new(fanout);
    *ret_part = "BELFRY_REGISTRY_FEED";
    err = authority_start(fanout, &fanout->authority);
    if (err)
        return err;
    *ret_part = "REDIS_HOST";
    err = bf_redis_open(&settings->redis, &fanout->redis);
    if (err)
        return err;
    *ret_part = "BELFRY_WEBHOOK_NETWORKS";
    err = sender_start(fanout, &fanout->sender);
    if (err)
        return err;
    *ret_part = "BELFRY_CALL_CONTROL_BUS";
    if (*settings->control_bus)
        err = bf_bus_dial(settings->control_bus, &fanout->control);
    if (!err && fanout->control)
        err = push_teller_start(fanout, &fanout->teller);
    if (err)
        return err;
    *ret_part = "pushes";
    return push_sender_start(fanout, &fanout->pushes);
}

static enum bf_err program_start(struct program *program, const char **ret_part)
{
    struct fanout *fanout = &program->fanout;
    const struct fanout_settings *settings = &fanout->settings;
    struct bf_service_options service = {"event-fanout",
                                         settings->admin.host,
                                         settings->admin.port,
                                         settings->admin.drain_ms,
                                         checks,
                                         BF_LEN(checks),
                                         fanout};

    bf_metrics_register(fanout_metrics, FANOUT_METRICS);
    enum bf_err err = clients_start(fanout, ret_part);
    if (err)
        return err;
    *ret_part = "BELFRY_ADMIN_HOST, BELFRY_ADMIN_PORT";
    err = bf_service_start(&service, &program->service);
    if (err)
        return err;
    *ret_part = "background work";
    err = keeper_start(fanout, &program->keeper);
    if (!err)
        err = push_sweeper_start(fanout, &program->sweeper);
    if (err)
        return err;
    *ret_part = "BELFRY_SOCKET_HOST, BELFRY_SOCKET_PORT";
    err = hall_start(fanout, &program->hall);
    if (!err)
        err = relay_start(fanout, program->hall, &fanout->relay);
    if (err)
        return err;
    *ret_part = "BELFRY_BUS_LISTEN";
    fanout->batcher = event_bus_batcher_new(fanout);
    err = bf_bus_serve(settings->bus_listen, settings->bus_contexts, event_bus_methods,
                       event_bus_method_count, fanout, &program->bus);
    if (err)
        return err;
    *ret_part = "BELFRY_HTTP_HOST, BELFRY_HTTP_PORT";
    return api_start(fanout, &program->api);
}

// The others take over at once what is left.
static void leave(struct fanout *fanout)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(fanout->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    if (!err)
        err = delivery_store_leave(tx, fanout->replica);
    if (!err)
        err = bf_tx_commit(tx);
    if (err)
        bf_warn("replica.not_left", BF_E(err));
}

static void program_stop(struct program *program, int64_t drain_ms)
{
    struct fanout *fanout = &program->fanout;

    api_stop(program->api, drain_ms);
    if (program->bus)
        bf_bus_server_stop(program->bus, drain_ms);
    batcher_free(fanout->batcher);
    if (program->service)
        drain_ms = bf_service_drain_left_ms(program->service);
    push_sender_stop(fanout->pushes, drain_ms);
    push_teller_stop(fanout->teller);
    relay_stop(fanout->relay);
    authority_deafen(fanout->authority);
    push_sweeper_stop(program->sweeper);
    hall_stop(program->hall, drain_ms);
    if (program->service)
        drain_ms = bf_service_drain_left_ms(program->service);
    sender_stop(fanout->sender, drain_ms);
    keeper_stop(program->keeper); // until here the replica was alive for the others
    sender_free(fanout->sender);
    if (program->keeper)
        leave(fanout);
    if (program->service)
        bf_service_stop(program->service);
    authority_stop(fanout->authority);
    if (fanout->registry)
        bf_bus_hang_up(fanout->registry);
    if (fanout->control)
        bf_bus_hang_up(fanout->control);
    bf_access_free(fanout->access);
    bf_redis_close(fanout->redis);
    bf_db_close(fanout->db);
    bf_config_release(settings_table, BF_LEN(settings_table), &fanout->settings);
}

int main(int argc, char **argv)
{
    struct program program = {.service = NULL};
    struct fanout_settings *settings = &program.fanout.settings;
    const char *part = NULL;
    bool ended = false;
    enum bf_err err = bf_config_read("belfry-event-fanout",
                                     "Tells backends, apps and sleeping phones what happens to calls.",
                                     settings_table, BF_LEN(settings_table), argc, argv, settings, &ended);

    if (ended || err)
        return err ? 2 : 0;
    settings->db.application = "belfry-event-fanout";
    program.fanout.replica = bf_id_new();
    bf_log_start("event-fanout", settings->admin.log_level);
    err = program_start(&program, &part);
    if (err) {
        bf_error("service.cannot_start", BF_S("part", part), BF_E(err));
        program_stop(&program, 0);
        return 1;
    }
    bf_info("service.started", BF_I("http_port", settings->rest.port));
    bf_service_wait(program.service);
    program_stop(&program, bf_service_drain_left_ms(program.service));
    bf_info("service.stopped");
    return 0;
}
