// The bus methods: Report, Restore, Plan (call.v1).
#ifndef CALL_BUS_H
#define CALL_BUS_H

#include "bf_bus.h"

extern const struct bf_bus_method call_bus_methods[]; // ctx: struct control *
extern const size_t call_bus_method_count;

#endif
