// Zone lines.
#include "dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "domain.h"

#define TTL         "3600"
#define TARGET_SIZE (DOMAIN_BYTES_MAX + 8)

// NAPTR (RFC 3263): plain UDP first, because every phone speaks it; a phone that wants TLS asks for it.
static const struct transport {
    const char *naptr, *service;
    bool tls;
} transports[] = {
    {"SIP+D2U", "_sip._udp", false},
    {"SIP+D2T", "_sip._tcp", false},
    {"SIPS+D2T", "_sips._tcp", true},
};

static const char *address_type(const char *host)
{
    uint8_t address[16];

    if (inet_pton(AF_INET, host, address) == 1)
        return "A";
    return inet_pton(AF_INET6, host, address) == 1 ? "AAAA" : NULL;
}

// ---- which edges there are

static bool host_read(struct bf_str text, char host[DNS_HOST_SIZE])
{
    if (text.len == 0 || text.len >= DNS_HOST_SIZE)
        return false;
    memcpy(host, text.at, text.len);
    host[text.len] = '\0';
    return address_type(host) || !domain_check(text);
}

// A bare IPv6 address has more than one colon, and so no port.
static bool edge_read(struct bf_str text, struct dns_edge *edge)
{
    const char *colon = memrchr(text.at, ':', text.len);
    struct bf_str host = text;

    if (colon && (text.at[0] == '[' || memchr(text.at, ':', text.len) == colon)) {
        struct bf_str port = {colon + 1, text.len - (size_t)(colon + 1 - text.at)};
        host.len = (size_t)(colon - text.at);
        if (!bf_parse_int(port, 1, 65535, &edge->port))
            return false;
    }
    if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']')
        host = (struct bf_str){host.at + 1, host.len - 2};
    return host_read(host, edge->host);
}

const char *dns_edges_read(const char *text, int64_t port, int64_t sips_port, struct dns_edges *ret_edges)
{
    struct dns_edges edges = {.sips_port = sips_port};

    for (const char *at = text + strspn(text, " "); *at; at += strspn(at, " ")) {
        size_t len = strcspn(at, " ");
        if (edges.count == DNS_EDGES_MAX)
            return "names more than 8 edges";
        struct dns_edge *edge = &edges.list[edges.count++];
        edge->port = port;
        if (!edge_read((struct bf_str){at, len}, edge))
            return "must be host, host:port or [IPv6]:port of each edge, separated by spaces";
        at += len;
    }
    if (edges.count == 0)
        return "names no edge";
    *ret_edges = edges;
    return NULL;
}

// ---- the lines of one domain

// Edges of one address differ by port and share a name.
static size_t first_of_host(const struct dns_edges *edges, size_t which)
{
    size_t first = 0;

    while (strcmp(edges->list[first].host, edges->list[which].host) != 0)
        first++;
    return first;
}

// SRV must point to a name: an address gets one in the domain itself.
static void target_of(const struct dns_edges *edges, size_t which, const char *domain,
                      char target[TARGET_SIZE])
{
    size_t first = first_of_host(edges, which);
    const char *host = edges->list[which].host;

    if (!address_type(host))
        snprintf(target, TARGET_SIZE, "%s", host);
    else if (first == 0)
        snprintf(target, TARGET_SIZE, "sip.%.253s", domain);
    else
        snprintf(target, TARGET_SIZE, "sip%c.%.253s", (char)('1' + first), domain);
}

static void addresses(const struct dns_edges *edges, const char *domain, struct bf_buf *into)
{
    char target[TARGET_SIZE];

    for (size_t i = 0; i < edges->count; i++) {
        const char *host = edges->list[i].host, *type = address_type(host);
        if (first_of_host(edges, i) != i)
            continue;
        if (!type) {
            bf_buf_fmt(into, "; for phones that know no SRV also: %s. " TTL " IN A <address of %s>\n", domain,
                       host);
            continue;
        }
        target_of(edges, i, domain, target);
        bf_buf_fmt(into, "%s. " TTL " IN %s %s\n", domain, type, host);
        bf_buf_fmt(into, "%s. " TTL " IN %s %s\n", target, type, host);
    }
}

// Edges are equal: the same priority and weight spread the phones over all of them.
static void services(const struct dns_edges *edges, const struct transport *transport, const char *domain,
                     struct bf_buf *into)
{
    char target[TARGET_SIZE];

    for (size_t i = 0; i < edges->count; i++) {
        if (transport->tls && first_of_host(edges, i) != i) // one TLS port a host
            continue;
        target_of(edges, i, domain, target);
        bf_buf_fmt(into, "%s.%s. " TTL " IN SRV 10 10 %lld %s.\n", transport->service, domain,
                   (long long)(transport->tls ? edges->sips_port : edges->list[i].port), target);
    }
}

static void zone_of(const struct dns_edges *edges, const char *domain, struct bf_buf *into)
{
    int order = 0;

    bf_buf_fmt(into, "; %s\n", domain);
    addresses(edges, domain, into);
    for (size_t i = 0; i < BF_LEN(transports); i++) {
        const struct transport *transport = &transports[i];
        if (transport->tls && !edges->sips_port)
            continue;
        order += 10;
        bf_buf_fmt(into, "%s. " TTL " IN NAPTR %d 50 \"s\" \"%s\" \"\" %s.%s.\n", domain, order,
                   transport->naptr, transport->service, domain);
        services(edges, transport, domain, into);
    }
}

void dns_zone(const struct dns_edges *edges, const char *domains, struct bf_buf *into)
{
    for (const char *at = domains; at && *at;) {
        char domain[DOMAIN_BYTES_MAX + 1];
        size_t len = strcspn(at, " ");

        snprintf(domain, sizeof(domain), "%.*s", (int)len, at);
        zone_of(edges, domain, into);
        at += len + (at[len] == ' ');
    }
}
