// The DNS records that phones find a tenant's domains by, as zone lines ready to paste. Rules only. Any
// thread.
#ifndef DNS_H
#define DNS_H

#include "bf_buf.h"

#define DNS_EDGES_MAX      8
#define DNS_ZONE_BYTES_MAX (2u << 20) // 50 domains of the longest names, each at all edges, fit
#define DNS_HOST_SIZE      254

struct dns_edge {
    char host[DNS_HOST_SIZE]; // a name or an address, as phones reach it
    int64_t port;             // UDP and TCP
};

struct dns_edges {
    struct dns_edge list[DNS_EDGES_MAX];
    size_t count;
    int64_t sips_port; // TLS, of all; 0: none
};

// Reads "host", "host:port" or "[IPv6]:port" of each edge, separated by spaces; `port` is of those that say
// none. NULL: good; else what is wrong with it.
const char *dns_edges_read(const char *text, int64_t port, int64_t sips_port, struct dns_edges *ret_edges);

// `domains`: names separated by spaces.
void dns_zone(const struct dns_edges *edges, const char *domains, struct bf_buf *into);

#endif
