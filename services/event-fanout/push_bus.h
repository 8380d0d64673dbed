// The bus methods about push devices: PushDevices, RegisterPush (event.v1).
#ifndef PUSH_BUS_H
#define PUSH_BUS_H

#include "bf_bus.h"

bf_bus_handler push_bus_devices;  // ctx: struct fanout *
bf_bus_handler push_bus_register; // the same

#endif
