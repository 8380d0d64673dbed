// The edge's own endpoint on the bus (belfry.edge.v1): what call-control asks is checked here and carried out
// by a Kamailio process; nothing of Kamailio runs in nng's threads. To be opened after the last fork.
#ifndef TENANT_EDGE_BUS_H
#define TENANT_EDGE_BUS_H

#include "bf_err.h"
#include "tenant_order.h"

struct tenant_edge_bus;

struct tenant_edge_bus_hooks {
    void (*resync)(void *ctx); // all bindings are wanted; from any thread
};

bf_must_check enum bf_err tenant_edge_bus_open(const char *urls, struct tenant_orders *orders,
                                               const struct tenant_edge_bus_hooks *hooks, void *ctx,
                                               struct tenant_edge_bus **ret_bus);
void tenant_edge_bus_close(struct tenant_edge_bus *bus);

#endif
