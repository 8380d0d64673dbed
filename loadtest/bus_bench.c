// bus_bench [calls]: what a call over the bus and its answer cost, two processes over ipc. Prints one JSON
// object.
//
// Three ways: one call after the other, the same with a pause between them (as on an idle system, where each
// thread has to be woken), and 64 at a time. CPU is that of both processes.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bf_bus.h"
#include "bf_clock.h"

#define BODY_BYTES  200
#define OUTSTANDING 64
#define PAUSE_US    1000
#define PATIENCE_MS 5000
#define CONTEXTS    8

static char body[BODY_BYTES];

static enum bf_err echo(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                        void *ctx)
{
    bf_buf_add(ret_body, request->body.at, request->body.len);
    return BF_OK;
}

// Until it is told to end.
static void serve(const char *url)
{
    static const struct bf_bus_method methods[] = {{"Echo", echo}};
    struct bf_bus_server *server;
    sigset_t end;
    int signal;

    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigprocmask(SIG_BLOCK, &end, NULL);
    if (bf_bus_serve(url, CONTEXTS, methods, BF_LEN(methods), NULL, &server) != BF_OK)
        _exit(1);
    sigwait(&end, &signal);
    _exit(0);
}

// ---- the ways to call

static int by_number(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static uint32_t *one_by_one(struct bf_bus_client *client, size_t calls, unsigned pause_us)
{
    uint32_t *took_us = bf_xcalloc(calls, sizeof(*took_us));
    struct bf_buf reply;

    bf_buf_init(&reply, BODY_BYTES);
    for (size_t i = 0; i < calls; i++) {
        uint64_t began_us = bf_mono_us();
        bf_buf_clear(&reply);
        if (bf_bus_call(client, "Echo", "", "", PATIENCE_MS, (struct bf_str){body, BODY_BYTES}, &reply,
                        NULL) != BF_OK)
            abort();
        took_us[i] = (uint32_t)(bf_mono_us() - began_us);
        if (pause_us)
            usleep(pause_us);
    }
    bf_buf_release(&reply);
    qsort(took_us, calls, sizeof(*took_us), by_number);
    return took_us;
}

struct window {
    pthread_mutex_t lock;
    pthread_cond_t less;
    size_t open;
};

static void answered(void *ctx, enum bf_err err, struct bf_str reply)
{
    struct window *window = ctx;

    if (err != BF_OK)
        abort();
    pthread_mutex_lock(&window->lock);
    window->open--;
    pthread_cond_signal(&window->less);
    pthread_mutex_unlock(&window->lock);
}

static void wait_for(struct window *window, size_t open)
{
    pthread_mutex_lock(&window->lock);
    while (window->open > open)
        pthread_cond_wait(&window->less, &window->lock);
    window->open++;
    pthread_mutex_unlock(&window->lock);
}

static void many_at_a_time(struct bf_bus_client *client, size_t calls)
{
    struct window window = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

    for (size_t i = 0; i < calls; i++) {
        wait_for(&window, OUTSTANDING - 1);
        bf_bus_call_async(client, "Echo", "", "", PATIENCE_MS, (struct bf_str){body, BODY_BYTES}, answered,
                          &window);
    }
    wait_for(&window, 0);
}

// ---- both processes

enum way { ONE_BY_ONE, WITH_PAUSES, MANY_AT_A_TIME, WAYS };

static const char *const names[WAYS] = {"one_by_one", "with_pauses", "many_at_a_time"};

static void call(const char *url, enum way way, size_t calls)
{
    struct bf_bus_client *client;
    uint32_t *took_us = NULL;

    if (bf_bus_dial(url, &client) != BF_OK)
        abort();
    for (int i = 0; i < PATIENCE_MS && !bf_bus_connected(client); i++)
        usleep(1000);
    uint64_t began_us = bf_mono_us();
    if (way == MANY_AT_A_TIME)
        many_at_a_time(client, calls);
    else
        took_us = one_by_one(client, calls, way == WITH_PAUSES ? PAUSE_US : 0);
    double seconds = (double)(bf_mono_us() - began_us) / 1e6;
    printf("\"%s\":{\"calls_per_second\":%.0f,", names[way], (double)calls / seconds);
    if (took_us)
        printf("\"p50_us\":%u,\"p99_us\":%u,", took_us[calls / 2], took_us[calls * 99 / 100]);
    fflush(stdout);
    _exit(0);
}

static double cpu_us(const struct rusage *usage)
{
    return (double)(usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1e6 +
           (double)(usage->ru_utime.tv_usec + usage->ru_stime.tv_usec);
}

// nng must not be used before a fork: this process does not use it.
static bool measure(const char *url, enum way way, size_t calls)
{
    struct rusage client_used, server_used;
    int status;

    fflush(stdout);
    pid_t server = fork();
    if (server == 0)
        serve(url);
    pid_t client = fork();
    if (client == 0)
        call(url, way, calls);
    if (client < 0 || server < 0 || wait4(client, &status, 0, &client_used) < 0)
        return false;
    kill(server, SIGTERM);
    if (wait4(server, NULL, 0, &server_used) < 0)
        return false;
    printf("\"cpu_us\":%.1f,\"switches\":%.1f}",
           (cpu_us(&client_used) + cpu_us(&server_used)) / (double)calls,
           (double)(client_used.ru_nvcsw + server_used.ru_nvcsw) / (double)calls);
    return status == 0;
}

int main(int argc, char **argv)
{
    char dir[] = "/tmp/belfry-bus-XXXXXX", path[64], url[80];
    int64_t calls = 5000;
    bool good = true;

    if (argc > 2 || (argc == 2 && !bf_parse_int(bf_str(argv[1]), 100, 1000000, &calls))) {
        fprintf(stderr, "usage: bus_bench [CALLS]   100 to 1000000, 5000 without\n");
        return 2;
    }
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof(path), "%s/bus", dir);
    snprintf(url, sizeof(url), "ipc://%s", path);
    printf("{");
    for (enum way way = 0; good && way < WAYS; way++) {
        if (way)
            printf(",");
        good = measure(url, way, (size_t)calls);
    }
    printf("}\n");
    unlink(path);
    rmdir(dir);
    return !good;
}
