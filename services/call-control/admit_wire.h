// call.v1's Admit <-> our structs.
#ifndef ADMIT_WIRE_H
#define ADMIT_WIRE_H

#include "admit_store.h"
#include "bf_buf.h"
#include "bf_err.h"
#include "bf_id.h"

struct wire_device {
    const char *contact, *instance;
};

struct wire_admit { // texts are borrowed from the message
    struct bf_id tenant;
    const char *edge, *number;
    struct wire_device devices[ADMIT_DEVICES_MAX];
    size_t device_count;
    uint32_t max_registrations;
    void *message;
};

// BF_INVALID says why in `error`.
bf_must_check enum bf_err wire_read_admit(struct bf_str body, struct wire_admit *ret_admit,
                                          struct bf_buf *error);
void wire_release_admit(struct wire_admit *admit);
void wire_write_admit(struct bf_buf *into, struct admit_verdict verdict);

#endif
