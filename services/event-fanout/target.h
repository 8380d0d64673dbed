// Addresses that requests to the outside may go to: public ones, and the networks that the operator allows.
// Whoever may name a URL must not reach through us what only we can reach. Pure. Any thread.
#ifndef TARGET_H
#define TARGET_H

#include <sys/socket.h>

#include "bf_base.h"
#include "bf_err.h"

#define TARGET_NETWORKS_MAX 64

struct target_network {
    uint8_t bytes[16]; // IPv4 as ::ffff:0:0/96
    unsigned bits;     // 0..128
};

struct targets {
    struct target_network allowed[TARGET_NETWORKS_MAX];
    size_t count;
};

// "10.0.0.0/8 fd00::/8 192.0.2.7": separated by spaces or commas; an address alone is itself. BF_INVALID: not
// such a list, or too long.
bf_must_check enum bf_err targets_parse(const char *text, struct targets *ret_targets);
bool targets_allow(const struct targets *targets, const struct sockaddr *address);

#endif
