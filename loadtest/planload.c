// planload: plans of call-control at a rate, as an edge asks for them, and how long each answer takes. Prints
// one JSON object; loadtest/README.md says what the fields mean.
//
// The tenants are those of loadtest/seed: extension 100 of each calls its 101, which must be registered. A
// plan that comes to no call leaves nothing but its place under the tenant's limits, which ends by itself.
#include <getopt.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "belfry/call/v1/call.pb-c.h"
#include "bf_bus.h"
#include "bf_clock.h"
#include "bf_id.h"
#include "sipload_hist.h"

#define TENANTS_MAX    1000000
#define RATE_MAX       100000
#define SECONDS_MAX    60
#define ANSWER_MS      500 // then an edge plans by itself
#define CONNECT_MS     5000
#define SEED_MS        UINT64_C(1700000000000) // loadtest/seed.sql: the time in the first tenant's id
#define MD5_BYTES      16
#define PLAN_BYTES_MAX 1024

static struct {
    struct bf_bus_client *bus;
    uint64_t boot;
    pthread_mutex_t lock;
    pthread_cond_t less;
    int64_t open, rung, refused, failed; // under lock
    struct hist took;                    // under lock
} load = {.lock = PTHREAD_MUTEX_INITIALIZER, .less = PTHREAD_COND_INITIALIZER};

// The id that loadtest/seed.sql gives the tenant with this number: time, 7, and of the number's MD5 what fits
// between.
static struct bf_id tenant_of(int64_t number)
{
    uint8_t hash[MD5_BYTES];
    char decimal[24], hex[2 * MD5_BYTES + 1], text[64];
    struct bf_id id;

    snprintf(decimal, sizeof(decimal), "%ld", (long)number);
    if (!EVP_Digest(decimal, strlen(decimal), hash, NULL, EVP_md5(), NULL))
        abort();
    for (size_t i = 0; i < MD5_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    uint64_t ms = SEED_MS + (uint64_t)number;
    snprintf(text, sizeof(text), "%08lx-%04lx-7%.3s-8%.3s-%.12s", ms >> 16, ms & 0xffff, hex, hex + 3,
             hex + 6);
    if (!bf_id_parse(bf_str(text), &id))
        abort();
    return id;
}

struct asked {
    uint64_t began_us;
};

static void done(void *ctx, enum bf_err err, struct bf_str reply)
{
    struct asked *asked = ctx;
    uint64_t took_us = bf_mono_us() - asked->began_us;
    Belfry__Call__V1__PlanReply *plan =
        err ? NULL : belfry__call__v1__plan_reply__unpack(NULL, reply.len, (const uint8_t *)reply.at);
    bool rings = plan && plan->n_steps > 0 && plan->steps[0]->n_targets > 0;

    pthread_mutex_lock(&load.lock);
    load.open--;
    load.failed += !plan;
    load.refused += plan && !rings;
    load.rung += rings;
    if (plan)
        hist_add(&load.took, took_us);
    pthread_cond_signal(&load.less);
    pthread_mutex_unlock(&load.lock);
    if (plan)
        belfry__call__v1__plan_reply__free_unpacked(plan, NULL);
    free(asked);
}

static void ask(int64_t number, int64_t tenants)
{
    Belfry__Call__V1__EdgeInfo edge = BELFRY__CALL__V1__EDGE_INFO__INIT;
    Belfry__Call__V1__PlanRequest request = BELFRY__CALL__V1__PLAN_REQUEST__INIT;
    struct bf_id tenant = tenant_of(number % tenants), call = bf_id_new();
    struct asked *asked = bf_xcalloc(1, sizeof(*asked));
    uint8_t packed[PLAN_BYTES_MAX];
    char call_id[32];

    snprintf(call_id, sizeof(call_id), "planload-%ld", (long)number);
    edge.id = (char *)"planload";
    edge.boot = load.boot;
    edge.internal = (char *)"127.0.0.1:9"; // nobody: its calls are none
    request.edge = &edge;
    request.tenant_id = (ProtobufCBinaryData){sizeof(tenant.bytes), tenant.bytes};
    request.call = (ProtobufCBinaryData){sizeof(call.bytes), call.bytes};
    request.call_id = call_id;
    request.caller = (char *)"100";
    request.callee = (char *)"101";
    request.source = (char *)"udp:127.0.0.1:9";
    request.user_agent = (char *)"planload";
    if (belfry__call__v1__plan_request__get_packed_size(&request) > sizeof(packed))
        abort();
    size_t len = belfry__call__v1__plan_request__pack(&request, packed);
    pthread_mutex_lock(&load.lock);
    load.open++;
    pthread_mutex_unlock(&load.lock);
    asked->began_us = bf_mono_us();
    bf_bus_call_async(load.bus, "Plan", "", "", ANSWER_MS, (struct bf_str){(const char *)packed, len}, done,
                      asked);
}

// One by one at their times; what is late is asked at once.
static void run(int64_t rate, int64_t seconds, int64_t tenants)
{
    uint64_t began_us = bf_mono_us();

    for (int64_t i = 0; i < rate * seconds; i++) {
        uint64_t due_us = began_us + (uint64_t)i * 1000000 / (uint64_t)rate, now_us = bf_mono_us();
        if (due_us > now_us)
            usleep((useconds_t)(due_us - now_us));
        ask(i, tenants);
    }
    pthread_mutex_lock(&load.lock);
    while (load.open > 0)
        pthread_cond_wait(&load.less, &load.lock);
    pthread_mutex_unlock(&load.lock);
}

static bool connect_to(const char *bus)
{
    if (bf_bus_dial(bus, &load.bus) != BF_OK)
        return false;
    for (int i = 0; i < CONNECT_MS && !bf_bus_connected(load.bus); i++)
        usleep(1000);
    return bf_bus_connected(load.bus);
}

static int usage(FILE *to)
{
    fprintf(to, "planload --bus ADDRESS [options]; prints one JSON object\n"
                "  --bus        call-control's, as BELFRY_CALL_CONTROL_BUS has it\n"
                "  --rate       plans a second (1000)\n"
                "  --seconds    (4)\n"
                "  --tenants    of loadtest/seed that take turns (200)\n");
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"bus", required_argument, NULL, 'b'},     {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'}, {"tenants", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},          {0}};
    int64_t rate = 1000, seconds = 4, tenants = 200;
    const char *bus = NULL;
    bool good = true;

    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'b')
            bus = optarg;
        else if (option == 'r')
            good = good && bf_parse_int(bf_str(optarg), 1, RATE_MAX, &rate);
        else if (option == 's')
            good = good && bf_parse_int(bf_str(optarg), 1, SECONDS_MAX, &seconds);
        else if (option == 't')
            good = good && bf_parse_int(bf_str(optarg), 1, TENANTS_MAX, &tenants);
        else if (option == 'h')
            return usage(stdout);
        else
            good = false;
    }
    if (!good || !bus || optind < argc)
        return usage(stderr);
    if (!connect_to(bus)) {
        fprintf(stderr, "planload: nobody answers at %s; is call-control up?\n", bus);
        return 1;
    }
    load.boot = bf_unix_ms();
    run(rate, seconds, tenants);
    printf("{\"asked\":%ld,\"rung\":%ld,\"refused\":%ld,\"failed\":%ld,\"took_us\":", (long)(rate * seconds),
           (long)load.rung, (long)load.refused, (long)load.failed);
    hist_print_json(&load.took, stdout);
    printf("}\n");
    bf_bus_hang_up(load.bus);
    return 0;
}
