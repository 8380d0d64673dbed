// The life of a service: signals, the admin port, drain.
#include "bf_service.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "bf_buf.h"
#include "bf_clock.h"
#include "bf_http.h"
#include "bf_log.h"
#include "bf_metrics.h"

#define ADMIN_THREADS     2
#define ADMIN_CONNECTIONS 64
#define METRICS_BYTES_MAX (1u << 20)

struct bf_service {
    struct bf_service_options options;
    struct bf_http_server *admin;
    uint64_t started_ms;
    _Atomic bool draining;
    uint64_t drain_until_ms;
};

enum { START_TIME, DRAINING };

static struct bf_metric metrics[] = {
    [START_TIME] = {.name = "belfry_start_time_seconds",
                    .kind = BF_GAUGE,
                    .help = "Unix time of the program's start"},
    [DRAINING] = {.name = "belfry_draining", .kind = BF_GAUGE, .help = "1 from the signal to end on"},
};

static enum bf_err get_health(struct bf_http_call *call, void *ctx)
{
    const struct bf_service *service = ctx;
    json_int_t uptime_s = (json_int_t)((bf_mono_ms() - service->started_ms) / 1000);
    return bf_http_json(
        call, 200,
        json_pack("{s:b, s:s, s:I}", "alive", 1, "service", service->options.name, "uptime_s", uptime_s));
}

static void add_missing(json_t *missing, const char *name, const char *error)
{
    json_array_append_new(missing, json_pack("{s:s, s:s}", "name", name, "error", error));
}

static enum bf_err get_ready(struct bf_http_call *call, void *ctx)
{
    const struct bf_service *service = ctx;
    const struct bf_service_options *o = &service->options;
    json_t *missing = json_array();
    if (service->draining)
        add_missing(missing, "draining", "this process is about to end");
    for (size_t i = 0; i < o->check_count && !service->draining; i++) {
        enum bf_err err = o->checks[i].check(o->ctx);
        if (err)
            add_missing(missing, o->checks[i].name, bf_err_text(err));
    }
    bool ready = json_array_size(missing) == 0;
    return bf_http_json(call, ready ? 200 : 503, json_pack("{s:b, s:o}", "ready", ready, "missing", missing));
}

static enum bf_err get_metrics(struct bf_http_call *call, void *ctx)
{
    struct bf_buf text;
    bf_buf_init(&text, METRICS_BYTES_MAX);
    bf_metrics_render(&text);
    enum bf_err err = bf_buf_ok(&text) ? bf_http_text(call, 200, "text/plain; version=0.0.4; charset=utf-8",
                                                      (struct bf_str){text.at, text.len})
                                       : BF_INTERNAL;
    bf_buf_release(&text);
    return err;
}

static const struct bf_http_route routes[] = {
    {"GET", "/health", get_health, 0},
    {"GET", "/ready", get_ready, 0},
    {"GET", "/metrics", get_metrics, 0},
};

static sigset_t end_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    return set;
}

// Before any thread starts: threads inherit the mask.
static void prepare_signals(void)
{
    sigset_t set = end_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

// What a burst took is kept for the next: given back to the system, it comes again page by page.
static void prepare_memory(void)
{
    mallopt(M_ARENA_MAX, 4); // or each thread would keep its own
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    mallopt(M_MMAP_THRESHOLD, 4 << 20); // or it would be as small as that of old
}

enum bf_err bf_service_start(const struct bf_service_options *options, struct bf_service **ret_service)
{
    prepare_signals();
    prepare_memory();
    bf_metrics_register(metrics, BF_LEN(metrics));
    bf_metric_set(&metrics[START_TIME], (int64_t)(bf_unix_ms() / 1000));
    struct bf_service *service = bf_xcalloc(1, sizeof(*service));
    service->options = *options;
    service->started_ms = bf_mono_ms();
    const struct bf_http_options admin = {
        .host = options->admin_host,
        .port = options->admin_port,
        .threads = ADMIN_THREADS,
        .connections_max = ADMIN_CONNECTIONS,
        .routes = routes,
        .route_count = BF_LEN(routes),
        .ctx = service,
        .quiet = true,
    };
    enum bf_err err = bf_http_start(&admin, &service->admin);
    if (err) {
        free(service);
        return err;
    }
    *ret_service = service;
    return BF_OK;
}

void bf_service_wait(struct bf_service *service)
{
    sigset_t set = end_signals();
    int got = 0;
    while (sigwait(&set, &got))
        ;
    service->drain_until_ms = bf_mono_ms() + (uint64_t)service->options.drain_ms;
    service->draining = true;
    bf_metric_set(&metrics[DRAINING], 1);
    bf_info("service.draining", BF_S("signal", got == SIGTERM ? "TERM" : "INT"),
            BF_I("drain_ms", service->options.drain_ms));
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); // a second one ends the process at once
}

int64_t bf_service_drain_left_ms(const struct bf_service *service)
{
    uint64_t now = bf_mono_ms();
    return now >= service->drain_until_ms ? 0 : (int64_t)(service->drain_until_ms - now);
}

void bf_service_stop(struct bf_service *service)
{
    if (!service)
        return;
    bf_http_stop(service->admin, bf_service_drain_left_ms(service));
    free(service);
}
