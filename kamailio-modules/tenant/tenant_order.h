// What call-control asks to be done on this edge, on its way from the bus to a Kamailio process and back.
//
// A fixed number of orders in shared memory. A thread of the bus takes one, fills it, sends its number
// through the pipe and waits; the process that reads the pipe (or one that hears the phone's answer later)
// finishes it. Whoever comes last frees it: a thread whose deadline has passed leaves it to the other side.
// Every order that was read from the pipe must be finished once.
#ifndef TENANT_ORDER_H
#define TENANT_ORDER_H

#include "bf_base.h"
#include "bf_err.h"
#include "bf_id.h"

#define TENANT_ORDERS           32
#define TENANT_ORDER_TEXT_MAX   64
#define TENANT_ORDER_ERROR_MAX  128
#define TENANT_ORDER_RELAY_SIZE 64

enum tenant_order_kind {
    TENANT_ORDER_END,
    TENANT_ORDER_TRANSFER,
    TENANT_ORDER_ORIGINATE,
    TENANT_ORDER_MEDIA,
    TENANT_ORDER_BRANCH,
};

struct tenant_order {
    // Set by who asks; all texts are checked: they may stand in a SIP message.
    enum tenant_order_kind kind;
    bool callee;                            // TRANSFER: who is transferred
    struct bf_id call;                      // not of ORIGINATE
    struct bf_id tenant;                    // ORIGINATE
    char reason[TENANT_ORDER_TEXT_MAX + 1]; // END
    char from[TENANT_ORDER_TEXT_MAX + 1];   // ORIGINATE: number
    char to[TENANT_ORDER_TEXT_MAX + 1];     // TRANSFER, ORIGINATE: number
    char domain[254];                       // ORIGINATE
    struct tenant_order_branch {            // BRANCH: where the device `device` is
        struct bf_id device;
        uint32_t flags;
        char number[TENANT_ORDER_TEXT_MAX + 1], ruid[64], edge[65], socket[65];
        char uri[1001], dst[1001];
    } branch;
    // Set by who carries it out.
    enum bf_err err;
    char error[TENANT_ORDER_ERROR_MAX];  // for people
    char call_id[256];                   // MEDIA: of the SIP call
    char relay[TENANT_ORDER_RELAY_SIZE]; // MEDIA
};

struct tenant_orders;

size_t tenant_orders_bytes(void);
// `memory`: tenant_orders_bytes(), aligned to 64. `pipe_fd`: the pipe's writing end, non-blocking.
struct tenant_orders *tenant_orders_init(void *memory, int pipe_fd);

// ---- for who asks: a thread that may wait

// Has `order` carried out (a copy of it is given away) and writes back its results. BF_LIMIT: too many orders
// at once; BF_TIMEOUT: not finished by then; otherwise what the order's err says.
bf_must_check enum bf_err tenant_orders_do(struct tenant_orders *orders, struct tenant_order *order,
                                           uint64_t timeout_ms);

// ---- for who carries out

// The order that a number from the pipe means; NULL: nonsense.
struct tenant_order *tenant_orders_at(struct tenant_orders *orders, uint32_t number);
uint32_t tenant_order_number(const struct tenant_orders *orders, const struct tenant_order *order);
// The order is no longer the caller's. `error`: for people, may be NULL.
void tenant_order_finish(struct tenant_orders *orders, struct tenant_order *order, enum bf_err err,
                         const char *error);

#endif
