// The bus methods: Authenticate, Credential, Directory, Tenant, Snapshot, Changes
// (proto/belfry/registry/v1/registry.proto).
#ifndef REGISTRY_BUS_H
#define REGISTRY_BUS_H

#include "bf_bus.h"

// For bf_bus_serve; ctx is the registry.
extern const struct bf_bus_method registry_bus_methods[];
extern const size_t registry_bus_method_count;

#endif
