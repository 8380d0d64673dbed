// The life of a service: start, serve the admin port, wait for a signal, drain, end.
//
//   bf_service_start   blocks SIGTERM/SIGINT in all threads, ignores SIGPIPE, starts the admin port
//                      (GET /health: alive, depends on nothing else; /ready: 200 or 503 with what is missing;
//                      /metrics)
//   ...                the program opens what it needs and starts its threads
//   bf_service_wait    returns at SIGTERM or SIGINT; from then on /ready answers 503 "draining"
//   ...                the program stops its servers, each with what is left of drain_ms
//   bf_service_stop
// A second signal ends the process at once. Main thread only.
#ifndef BF_SERVICE_H
#define BF_SERVICE_H

#include "bf_base.h"
#include "bf_err.h"

// One thing that must work before traffic may come. Runs on the admin port's thread, must end within a
// second.
struct bf_service_check {
    const char *name; // "postgresql"
    enum bf_err (*check)(void *ctx);
};

struct bf_service_options {
    const char *name;
    const char *admin_host;
    int64_t admin_port;
    int64_t drain_ms;
    const struct bf_service_check *checks;
    size_t check_count;
    void *ctx;
};

struct bf_service;
bf_must_check enum bf_err bf_service_start(const struct bf_service_options *options,
                                           struct bf_service **ret_service);
void bf_service_wait(struct bf_service *service);
int64_t bf_service_drain_left_ms(const struct bf_service *service); // after wait; never below 0
void bf_service_stop(struct bf_service *service);

#endif
