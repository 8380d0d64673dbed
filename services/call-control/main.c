// belfry-call-control: settings, wiring, run, drain.
#include <curl/curl.h>
#include <string.h>

#include "admit_store.h"
#include "api.h"
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
#include "outbox.h"
#include "push_devices.h"
#include "waker.h"

#define INTO struct control_settings

static const struct bf_setting settings_table[] = {
    BF_SETTINGS_DB(INTO, "belfry_calls"),
    BF_SETTINGS_REDIS(INTO),
    BF_SETTINGS_REST(INTO, "8003"),
    BF_SETTINGS_ADMIN(INTO, "8004"),
    BF_TEXT(INTO, "BELFRY_REGISTRY_BUS", registry_bus, NULL,
            "nng addresses of the tenant-registry's replicas, separated by spaces"),
    BF_TEXT(INTO, "BELFRY_REGISTRY_FEED", registry_feed, NULL,
            "nng addresses of the replicas' change feeds, separated by spaces"),
    BF_TEXT(INTO, "BELFRY_EVENTS_BUS", events_bus, "",
            "nng addresses of event-fanout's replicas, separated by spaces; none: nobody is told of calls"),
    BF_SECRET(INTO, "BELFRY_WAKE_KEY", wake_key,
              "signs the tokens of wake pushes: 16 characters or more, the same for all replicas"),
    BF_INT(INTO, "BELFRY_DIRECTORY_ENTRIES", directory_entries_max, "50000", 100, 10000000,
           "numbers kept in the directory's cache; the least recently used go"),
    BF_TEXT(INTO, "BELFRY_BUS_LISTEN", bus_listen, NULL,
            "nng addresses to serve the bus on, separated by spaces"),
    BF_INT(INTO, "BELFRY_BUS_CONTEXTS", bus_contexts, "16", 2, 256, "bus requests worked on at once"),
    BF_TEXT(INTO, "BELFRY_PROCESSES_FILE", processes_file, "",
            "file of what GET /v1/processes asks, a name=url each: http://, tcp://host:port, unix:///path"),
    BF_INT(INTO, "BELFRY_CDR_KEEP_MONTHS", cdr_keep_months, "0", 0, 1200,
           "months a CDR and its timeline are kept; 0: for ever"),
};

static struct bf_redis_script *const scripts[] = {
    &limit_take_script, &location_put_script, &location_gone_script, &admit_script,
    &edge_begin_script, &edge_commit_script,  &call_keep_script,
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
    bf_bus_hedge(control->registry, BF_BUS_HEDGE_MS); // all that is asked of it is read
    *ret_part = "BELFRY_EVENTS_BUS";
    if (*settings->events_bus)
        err = bf_bus_dial(settings->events_bus, &control->events);
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
                                         settings->admin.host,
                                         settings->admin.port,
                                         settings->admin.drain_ms,
                                         checks,
                                         BF_LEN(checks),
                                         control};

    bf_metrics_register(control_metrics, CONTROL_METRIC_COUNT);
    bf_metrics_register(call_metrics, CALLS_METRICS);
    curl_global_init(CURL_GLOBAL_DEFAULT); // while there is one thread
    enum bf_err err = clients_start(control, ret_part);
    if (err)
        return err;
    *ret_part = "BELFRY_ADMIN_HOST, BELFRY_ADMIN_PORT";
    err = bf_service_start(&service, &program->service);
    if (err)
        return err;
    *ret_part = "BELFRY_WAKE_KEY: needs at least 16 characters";
    if (strlen(settings->wake_key) < 16)
        return BF_INVALID;
    *ret_part = "background work";
    control->push = push_devices_new(control);
    err = control->events ? outbox_start(control, &control->outbox) : BF_OK;
    if (!err)
        err = waker_start(control, &control->waker);
    if (!err)
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
    waker_stop(control->waker);
    outbox_stop(control->outbox);
    push_devices_free(control->push);
    if (program->service)
        bf_service_stop(program->service);
    edges_stop(control->edges);
    directory_stop(control->directory);
    if (control->registry)
        bf_bus_hang_up(control->registry);
    if (control->events)
        bf_bus_hang_up(control->events);
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
    bf_log_start("call-control", settings->admin.log_level);
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
