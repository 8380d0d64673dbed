// event.v1's protobuf about push devices <-> our structs.
#ifndef PUSH_WIRE_H
#define PUSH_WIRE_H

#include "bf_buf.h"
#include "bf_err.h"
#include "push_device.h"

#define PUSH_WIRE_NUMBERS_MAX 64

struct wire_devices {
    struct bf_id tenant;
    const char *const *numbers;
    struct bf_id extensions[PUSH_WIRE_NUMBERS_MAX]; // of each number; nil: none
    size_t count;
    void *message; // what the texts borrow from
};
bf_must_check enum bf_err push_wire_read_devices(struct bf_str body, struct wire_devices *ret_devices,
                                                 struct bf_buf *error);
void push_wire_release_devices(struct wire_devices *devices);
void push_wire_write_devices(struct bf_buf *into, const struct push_device *devices, size_t count);

struct wire_register {
    struct bf_id tenant, extension;
    const char *number, *provider, *prid, *param, *instance;
    void *message;
};
bf_must_check enum bf_err push_wire_read_register(struct bf_str body, struct wire_register *ret_register,
                                                  struct bf_buf *error);
void push_wire_release_register(struct wire_register *asked);
void push_wire_write_register(struct bf_buf *into, struct bf_id device);

// The registry's Owner: a number of the tenant that has this domain.
void push_wire_ask_owner(struct bf_buf *into, const char *domain, const char *number);
bf_must_check enum bf_err push_wire_read_owner(struct bf_str reply, struct bf_id *ret_tenant,
                                               struct bf_id *ret_extension);

#endif
