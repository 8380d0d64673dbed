// How many registrations a tenant has, in Redis: exact across edges and replicas.
//
// r:{t}:<edge> is a sorted set of the tenant's bindings on that edge by when they run out, written together
// with each binding (location_store). p:{t} has places: of devices that were admitted and whose binding is
// still on its way; it takes its place away.
#ifndef ADMIT_STORE_H
#define ADMIT_STORE_H

#include "bf_redis.h"
#include "binding.h"

#define ADMIT_PLACE_MS    30000
#define ADMIT_DEVICES_MAX 20

// "r:{t}:<edge>", "p:{t}"
#define ADMIT_KEY_SIZE 128
const char *admit_bindings_key(struct bf_id tenant, const char *edge, char key[ADMIT_KEY_SIZE]);
const char *admit_places_key(struct bf_id tenant, char key[ADMIT_KEY_SIZE]);
// "<edge>/<number>/<contact>" in p:{t}
#define ADMIT_PLACE_SIZE (BINDING_URI_BYTES_MAX + 160)
const char *admit_place(const char *edge, const char *number, const char *contact,
                        char place[ADMIT_PLACE_SIZE]);

struct admit_ask {
    struct bf_id tenant;
    const char *edge, *number;
    const char *contacts[ADMIT_DEVICES_MAX];
    size_t contact_count;
    uint32_t max;
    const char *const *edges; // whose bindings count: those that live
    size_t edge_count;
};

extern struct bf_redis_script admit_script;

// Into a batch of others: places for all contacts, or for none. Then the reply of that number. A device that
// has a place keeps it.
size_t admit_store_take(struct bf_redis_batch *batch, const struct admit_ask *ask);
struct admit_verdict {
    bool refused;
    uint32_t registrations; // without these devices
};
struct admit_verdict admit_store_verdict(const struct bf_redis_reply *reply);

#endif
