// Zone lines.
#include "dns.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "domain.h"

#define TTL "3600"

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

static void zone_of(const struct dns_edge *edge, const char *domain, struct bf_buf *into)
{
    const char *type = address_type(edge->host);
    char target[DOMAIN_BYTES_MAX + 8];
    int order = 0;

    // SRV must point to a name: an address gets one in the domain itself.
    snprintf(target, sizeof(target), type ? "sip.%.253s" : "%.253s", type ? domain : edge->host);
    bf_buf_fmt(into, "; %s\n", domain);
    if (type) {
        bf_buf_fmt(into, "%s. " TTL " IN %s %s\n", domain, type, edge->host);
        bf_buf_fmt(into, "%s. " TTL " IN %s %s\n", target, type, edge->host);
    } else {
        bf_buf_fmt(into, "; for phones that know no SRV also: %s. " TTL " IN A <address of %s>\n", domain,
                   edge->host);
    }
    for (size_t i = 0; i < BF_LEN(transports); i++) {
        const struct transport *transport = &transports[i];
        if (transport->tls && !edge->sips_port)
            continue;
        order += 10;
        bf_buf_fmt(into, "%s. " TTL " IN NAPTR %d 50 \"s\" \"%s\" \"\" %s.%s.\n", domain, order,
                   transport->naptr, transport->service, domain);
        bf_buf_fmt(into, "%s.%s. " TTL " IN SRV 10 10 %lld %s.\n", transport->service, domain,
                   (long long)(transport->tls ? edge->sips_port : edge->port), target);
    }
}

void dns_zone(const struct dns_edge *edge, const char *domains, struct bf_buf *into)
{
    for (const char *at = domains; at && *at;) {
        char domain[DOMAIN_BYTES_MAX + 1];
        size_t len = strcspn(at, " ");

        snprintf(domain, sizeof(domain), "%.*s", (int)len, at);
        zone_of(edge, domain, into);
        at += len + (at[len] == ' ');
    }
}
