// The DNS records that phones find a tenant's domains by, as zone lines ready to paste. Rules only. Any
// thread.
#ifndef DNS_H
#define DNS_H

#include "bf_buf.h"

#define DNS_ZONE_BYTES_MAX (512u << 10) // 50 domains of the longest names fit

struct dns_edge {
    const char *host;  // a name or an address, as phones reach it
    int64_t port;      // UDP and TCP
    int64_t sips_port; // TLS; 0: none
};

// `domains`: names separated by spaces.
void dns_zone(const struct dns_edge *edge, const char *domains, struct bf_buf *into);

#endif
