// Admit on the wire: may devices that are new here register? No Kamailio in it.
#ifndef TENANT_ADMIT_WIRE_H
#define TENANT_ADMIT_WIRE_H

#include "bf_buf.h"
#include "bf_err.h"
#include "bf_id.h"

#define TENANT_ADMIT_DEVICES_MAX   20
#define TENANT_ADMIT_ASK_BYTES_MAX 32768

struct tenant_admit_device {
    struct bf_str contact, instance;
};

struct tenant_admit_ask {
    struct bf_str edge, number;
    struct bf_id tenant;
    struct tenant_admit_device devices[TENANT_ADMIT_DEVICES_MAX];
    size_t device_count;
    uint32_t max_registrations;
};

// An AdmitRequest. `into` is over when the texts are too long for one.
void tenant_admit_wire_ask(const struct tenant_admit_ask *ask, struct bf_buf *into);
// An AdmitReply; what is none is BF_PROTOCOL.
bf_must_check enum bf_err tenant_admit_wire_read(struct bf_str bytes, bool *ret_refused);

#endif
