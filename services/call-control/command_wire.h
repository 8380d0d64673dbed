// Protobuf of what an edge is asked to do (edge.v1). One thread at a time each.
#ifndef COMMAND_WIRE_H
#define COMMAND_WIRE_H

#include "bf_buf.h"
#include "bf_id.h"

struct command_dial {
    struct bf_id tenant, call; // the id that the started call gets
    const char *domain;        // of the tenant, for the URIs
    const char *from, *to;
};

void command_wire_end(struct bf_buf *into, struct bf_id call, const char *reason);
void command_wire_transfer(struct bf_buf *into, struct bf_id call, const char *to, bool callee);
void command_wire_dial(struct bf_buf *into, const struct command_dial *dial);

#endif
