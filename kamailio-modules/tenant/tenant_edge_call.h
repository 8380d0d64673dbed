// The orders of call-control, between the files that carry them out. Kamailio processes only.
#ifndef TENANT_EDGE_CALL_H
#define TENANT_EDGE_CALL_H

#include "tenant_order.h"

extern struct tenant_orders *tenant_orders; // NULL without call-control

int tenant_edge_init(void);      // before any fork
int tenant_originate_init(void); // likewise
void tenant_edge_do(struct tenant_order *order);
// Ends a call, ringing or answered, for the script. `by` is a literal of a CDR's hung_up_by. BF_NOT_FOUND: it
// has ended before, or there is no call-control. Any process.
bf_must_check enum bf_err tenant_edge_end(struct bf_id call, const char *by, const char *reason);
void tenant_originate(struct tenant_order *order);
struct tenant_call_place;
void tenant_park_add(struct tenant_order *order, const struct tenant_call_place *place);

#endif
