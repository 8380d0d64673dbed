// The only file that knows the generated names of edge.v1.
#include "tenant_edge_bus.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include "belfry/edge/v1/edge.pb-c.h"
#include "bf_bus.h"
#include "bf_clock.h"

#define CONTEXTS        8
#define TIMEOUT_MS_MAX  10000
#define ANSWER_MS       50 // left of the deadline for the answer's way back
#define STOP_TIMEOUT_MS 1000

struct tenant_edge_bus {
    struct bf_bus_server *server;
    struct tenant_orders *orders;
    const struct tenant_edge_bus_hooks *hooks;
    void *ctx;
};

// ---- what may stand in a SIP message

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c && strchr("+*-_.", c));
}

static bool is_reason_char(char c)
{
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
}

static bool is_line_char(char c)
{
    return (unsigned char)c >= ' ' && c != 0x7f;
}

static bool is_domain_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || c == '.';
}

// False: empty, too long, or with a character that does not belong there.
static bool copy(const char *text, bool (*good)(char), size_t size, char *into)
{
    size_t len = strlen(text);

    if (len == 0 || len >= size)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!good(text[i]))
            return false;
    }
    memcpy(into, text, len + 1);
    return true;
}

static bool read_id(ProtobufCBinaryData bytes, struct bf_id *ret_id)
{
    if (bytes.len != sizeof(ret_id->bytes))
        return false;
    memcpy(ret_id->bytes, bytes.data, bytes.len);
    return !bf_id_is_nil(*ret_id);
}

static enum bf_err refuse(struct bf_buf *error, const char *text)
{
    bf_buf_str(error, text);
    return BF_INVALID;
}

// ---- carrying out

static uint64_t time_left_ms(const struct bf_bus_request *request)
{
    uint64_t now_ms = bf_unix_ms();
    uint64_t left_ms =
        request->deadline_ms > now_ms + ANSWER_MS ? request->deadline_ms - now_ms - ANSWER_MS : 1;

    return left_ms < TIMEOUT_MS_MAX ? left_ms : TIMEOUT_MS_MAX;
}

static enum bf_err carry_out(const struct tenant_edge_bus *bus, const struct bf_bus_request *request,
                             struct tenant_order *order, struct bf_buf *error)
{
    enum bf_err err = tenant_orders_do(bus->orders, order, time_left_ms(request));

    if (err == BF_LIMIT)
        bf_buf_str(error, "the edge has too many orders at once");
    else if (err != BF_OK && err != BF_TIMEOUT)
        bf_buf_str(error, order->error);
    return err;
}

static enum bf_err end_call(const struct bf_bus_request *request, struct bf_buf *ret_body,
                            struct bf_buf *error, void *ctx)
{
    struct tenant_order order = {.kind = TENANT_ORDER_END};
    Belfry__Edge__V1__EndCallRequest *end = belfry__edge__v1__end_call_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    bool good = end && read_id(end->call, &order.call) &&
                (!*end->reason || copy(end->reason, is_reason_char, sizeof(order.reason), order.reason));

    if (end)
        belfry__edge__v1__end_call_request__free_unpacked(end, NULL);
    if (!good)
        return refuse(error, "EndCall needs call, 16 bytes; reason has at most 64 printable characters");
    return carry_out(ctx, request, &order, error);
}

static enum bf_err transfer_call(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                 struct bf_buf *error, void *ctx)
{
    struct tenant_order order = {.kind = TENANT_ORDER_TRANSFER};
    Belfry__Edge__V1__TransferCallRequest *transfer = belfry__edge__v1__transfer_call_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    bool good = transfer && read_id(transfer->call, &order.call) &&
                copy(transfer->to, is_number_char, sizeof(order.to), order.to);

    if (transfer) {
        order.callee = transfer->callee;
        belfry__edge__v1__transfer_call_request__free_unpacked(transfer, NULL);
    }
    if (!good)
        return refuse(error, "TransferCall needs call, 16 bytes, and to, a number of 1 to 64 characters");
    return carry_out(ctx, request, &order, error);
}

static enum bf_err originate(const struct bf_bus_request *request, struct bf_buf *ret_body,
                             struct bf_buf *error, void *ctx)
{
    struct tenant_order order = {.kind = TENANT_ORDER_ORIGINATE};
    Belfry__Edge__V1__OriginateRequest *start = belfry__edge__v1__originate_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    bool good = start && read_id(start->tenant_id, &order.tenant) && read_id(start->call, &order.call) &&
                copy(start->realm_domain, is_domain_char, sizeof(order.domain), order.domain) &&
                copy(start->from, is_number_char, sizeof(order.from), order.from) &&
                copy(start->to, is_number_char, sizeof(order.to), order.to);

    if (start)
        belfry__edge__v1__originate_request__free_unpacked(start, NULL);
    if (!good)
        return refuse(error,
                      "Originate needs tenant_id and call, 16 bytes each, realm_domain, and from and to, "
                      "numbers of 1 to 64 characters");
    return carry_out(ctx, request, &order, error);
}

// Empty is fine. The characters are those of plans (tenant_plan_wire.c).
static bool copy_line(const char *text, size_t size, char *into)
{
    return !*text || copy(text, is_line_char, size, into);
}

static bool read_branch(const Belfry__Edge__V1__AddBranchRequest *from, struct tenant_order *order)
{
    struct tenant_order_branch *branch = &order->branch;

    branch->flags = from->flags;
    return read_id(from->call, &order->call) && read_id(from->device, &branch->device) &&
           copy(from->number, is_number_char, sizeof(branch->number), branch->number) &&
           copy(from->ruid, is_number_char, sizeof(branch->ruid), branch->ruid) &&
           copy(from->uri, is_line_char, sizeof(branch->uri), branch->uri) &&
           copy_line(from->dst, sizeof(branch->dst), branch->dst) &&
           copy_line(from->edge, sizeof(branch->edge), branch->edge) &&
           copy_line(from->socket, sizeof(branch->socket), branch->socket);
}

static enum bf_err add_branch(const struct bf_bus_request *request, struct bf_buf *ret_body,
                              struct bf_buf *error, void *ctx)
{
    struct tenant_order order = {.kind = TENANT_ORDER_BRANCH};
    Belfry__Edge__V1__AddBranchRequest *add = belfry__edge__v1__add_branch_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    bool good = add && read_branch(add, &order);

    if (add)
        belfry__edge__v1__add_branch_request__free_unpacked(add, NULL);
    if (!good)
        return refuse(error,
                      "AddBranch needs call and device, 16 bytes each, number, ruid and uri; texts are "
                      "lines of at most 1000 bytes");
    return carry_out(ctx, request, &order, error);
}

static void pack_media(const struct tenant_order *order, struct bf_buf *into)
{
    Belfry__Edge__V1__MediaFiguresReply reply = BELFRY__EDGE__V1__MEDIA_FIGURES_REPLY__INIT;
    uint8_t bytes[sizeof(order->call_id) + sizeof(order->relay) + 16];

    reply.call_id = (char *)order->call_id;
    reply.relay = (char *)order->relay;
    bf_buf_add(into, bytes, belfry__edge__v1__media_figures_reply__pack(&reply, bytes));
}

static enum bf_err media_figures(const struct bf_bus_request *request, struct bf_buf *ret_body,
                                 struct bf_buf *error, void *ctx)
{
    struct tenant_order order = {.kind = TENANT_ORDER_MEDIA};
    Belfry__Edge__V1__MediaFiguresRequest *media = belfry__edge__v1__media_figures_request__unpack(
        NULL, request->body.len, (const uint8_t *)request->body.at);
    bool good = media && read_id(media->call, &order.call);
    enum bf_err err;

    if (media)
        belfry__edge__v1__media_figures_request__free_unpacked(media, NULL);
    if (!good)
        return refuse(error, "MediaFigures needs call, 16 bytes");
    err = carry_out(ctx, request, &order, error);
    if (err == BF_OK)
        pack_media(&order, ret_body);
    return err;
}

static enum bf_err resync(const struct bf_bus_request *request, struct bf_buf *ret_body, struct bf_buf *error,
                          void *ctx)
{
    const struct tenant_edge_bus *bus = ctx;

    bus->hooks->resync(bus->ctx);
    return BF_OK;
}

static const struct bf_bus_method METHODS[] = {
    {"EndCall", end_call},    {"TransferCall", transfer_call},
    {"Originate", originate}, {"MediaFigures", media_figures},
    {"Resync", resync},       {"AddBranch", add_branch},
};

enum bf_err tenant_edge_bus_open(const char *urls, struct tenant_orders *orders,
                                 const struct tenant_edge_bus_hooks *hooks, void *ctx,
                                 struct tenant_edge_bus **ret_bus)
{
    struct tenant_edge_bus *bus = bf_xcalloc(1, sizeof(*bus));
    sigset_t all, before;
    enum bf_err err;

    *bus = (struct tenant_edge_bus){.orders = orders, .hooks = hooks, .ctx = ctx};
    // Kamailio's handlers must never run in the bus's threads, which inherit this mask.
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    err = bf_bus_serve(urls, CONTEXTS, METHODS, BF_LEN(METHODS), bus, &bus->server);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err != BF_OK) {
        free(bus);
        return err;
    }
    *ret_bus = bus;
    return BF_OK;
}

void tenant_edge_bus_close(struct tenant_edge_bus *bus)
{
    if (!bus)
        return;
    bf_bus_server_stop(bus->server, STOP_TIMEOUT_MS);
    free(bus);
}
