// The process `tenant relays`: pings every media relay twice a second and takes a dead one out of rtpengine's
// set, so that no SIP worker ever waits for one. Carried out by the rtpengine module's own RPC command.
#include "tenant_mod.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>
#include "core/cfg/cfg_struct.h"
#include "core/dprint.h"
#include "core/rpc_lookup.h"

#include "bf_clock.h"
#include "tenant_relay.h"

#define ROUND_MS     500
#define ANSWER_MS    400
#define MESSAGE_SIZE 512

static struct {
    struct tenant_relay relays[TENANT_RELAYS_MAX];
    struct pollfd sockets[TENANT_RELAYS_MAX]; // connected: the kernel drops what others send
    size_t count;
    rpc_export_t *enable;
} relay;

int tenant_relay_init(void)
{
    if (!tenant_relays_read(bf_str(tenant_settings.relays), relay.relays, &relay.count)) {
        LM_ERR("modparam relays '%s': it must be up to %d of udp:<ip>:<port>, separated by spaces\n",
               tenant_settings.relays, TENANT_RELAYS_MAX);
        return -1;
    }
    tenant_state->relays = (uint32_t)relay.count;
    return 0;
}

bool tenant_has_relays(void)
{
    return relay.count > 0;
}

// ---- rtpengine.enable <url> <0 or 1> ----------------------------------------------------------------------

struct enable {
    str url;
    int on;
    bool refused;
};

static int rpc_scan(void *ctx, char *format, ...)
{
    struct enable *enable = ctx;
    int count = 0;
    va_list args;

    va_start(args, format);
    for (; *format; format++, count++) {
        if (*format == 'S')
            *va_arg(args, str *) = enable->url;
        else if (*format == 'd')
            *va_arg(args, int *) = enable->on;
        else
            break;
    }
    va_end(args);
    return count;
}

static void rpc_fault(void *ctx, int code, char *format, ...)
{
    struct enable *enable = ctx;

    enable->refused = true;
}

static int rpc_add(void *ctx, char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (strcmp(format, "{") == 0)
        *va_arg(args, void **) = ctx;
    va_end(args);
    return 0;
}

// The answer's fields: "fail" is the status of one that was to be enabled and did not answer rtpengine's
// ping.
static int rpc_struct_add(void *ctx, char *format, ...)
{
    struct enable *enable = ctx;
    const char *name, *value;
    va_list args;

    va_start(args, format);
    name = va_arg(args, const char *);
    if (strcmp(format, "s") == 0 && strcmp(name, "status") == 0) {
        value = va_arg(args, const char *);
        enable->refused |= strcmp(value, "fail") == 0;
    }
    va_end(args);
    return 0;
}

static bool carry_out(struct tenant_relay *which, enum tenant_relay_turn turn)
{
    rpc_t rpc = {.fault = rpc_fault, .scan = rpc_scan, .add = rpc_add, .struct_add = rpc_struct_add};
    struct enable enable = {
        .url = {which->url, (int)strlen(which->url)},
        .on = turn == TENANT_RELAY_COMES_BACK,
    };

    relay.enable->function(&rpc, &enable);
    return !enable.refused;
}

// ---- rounds -----------------------------------------------------------------------------------------------

static void ping(size_t i)
{
    char message[TENANT_RELAY_PING_SIZE];
    uint64_t random = 0;
    size_t len;

    if (getrandom(&random, sizeof(random), 0) != sizeof(random))
        random = bf_mono_us();
    len = tenant_relay_ping(&relay.relays[i], random, message);
    if (send(relay.sockets[i].fd, message, len, MSG_DONTWAIT) < 0)
        return; // nobody listens there: it counts as not answered
}

static void hear(size_t i)
{
    char message[MESSAGE_SIZE];
    ssize_t got;

    while ((got = recv(relay.sockets[i].fd, message, sizeof(message), MSG_DONTWAIT)) > 0)
        tenant_relay_heard(&relay.relays[i], (struct bf_str){message, (size_t)got});
}

static void hear_until(uint64_t until_ms)
{
    for (uint64_t now_ms = bf_mono_ms(); now_ms < until_ms; now_ms = bf_mono_ms()) {
        if (poll(relay.sockets, (nfds_t)relay.count, (int)(until_ms - now_ms)) <= 0)
            continue;
        for (size_t i = 0; i < relay.count; i++) {
            if (relay.sockets[i].revents)
                hear(i);
        }
    }
}

static void turn(struct tenant_relay *which)
{
    enum tenant_relay_turn turn = tenant_relay_round(which);

    if (turn == TENANT_RELAY_STAYS)
        return;
    if (!carry_out(which, turn)) {
        LM_WARN("rtpengine did not let relay %s %s; tried again\n", which->url,
                turn == TENANT_RELAY_DIES ? "be taken out" : "come back");
        return;
    }
    tenant_relay_turned(which, turn);
    if (turn == TENANT_RELAY_DIES) {
        tenant_count(TENANT_RELAY_DEATHS, 1);
        LM_ERR("relay %s does not answer: no call gets it\n", which->url);
    } else {
        LM_NOTICE("relay %s answers again\n", which->url);
    }
}

static void round_of_pings(void)
{
    uint64_t start_ms = bf_mono_ms();
    uint32_t dead = 0;

    for (size_t i = 0; i < relay.count; i++)
        ping(i);
    hear_until(start_ms + ANSWER_MS);
    for (size_t i = 0; i < relay.count; i++) {
        turn(&relay.relays[i]);
        dead += relay.relays[i].dead;
    }
    tenant_state->relays_dead = dead;
    hear_until(start_ms + ROUND_MS);
}

static bool sockets_open(void)
{
    for (size_t i = 0; i < relay.count; i++) {
        const struct tenant_relay *which = &relay.relays[i];
        int fd = socket(which->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || connect(fd, (const struct sockaddr *)&which->address, which->address_len) < 0) {
            LM_ERR("relay %s: no socket to ping it: %s\n", which->url, strerror(errno));
            return false;
        }
        relay.sockets[i] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    return true;
}

void tenant_relay_main(void)
{
    relay.enable = rpc_lookup("rtpengine.enable", (int)strlen("rtpengine.enable"));
    if (!relay.enable) {
        LM_CRIT("modparam relays needs the rtpengine module\n");
        return;
    }
    if (!sockets_open())
        return;
    for (;;) {
        cfg_update();
        round_of_pings();
    }
}
