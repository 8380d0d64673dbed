// The bus methods: the table of all, and Publish (event.v1).
#ifndef EVENT_BUS_H
#define EVENT_BUS_H

#include "bf_bus.h"

struct fanout;
struct batcher;

// What Publish calls of several threads pass to be stored together. batcher_free ends it.
struct batcher *event_bus_batcher_new(struct fanout *fanout);

extern const struct bf_bus_method event_bus_methods[]; // ctx: struct fanout *
extern const size_t event_bus_method_count;

#endif
