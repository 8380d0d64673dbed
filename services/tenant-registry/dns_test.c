// Zone lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dns.h"

static void an_address_gets_a_name_to_point_to(void **state)
{
    const struct dns_edge edge = {"192.0.2.7", 5060, 0};
    struct bf_buf zone;

    bf_buf_init(&zone, DNS_ZONE_BYTES_MAX);
    dns_zone(&edge, "acme.example", &zone);
    assert_string_equal(zone.at,
                        "; acme.example\n"
                        "acme.example. 3600 IN A 192.0.2.7\n"
                        "sip.acme.example. 3600 IN A 192.0.2.7\n"
                        "acme.example. 3600 IN NAPTR 10 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.acme.example.\n"
                        "_sip._udp.acme.example. 3600 IN SRV 10 10 5060 sip.acme.example.\n"
                        "acme.example. 3600 IN NAPTR 20 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp.acme.example.\n"
                        "_sip._tcp.acme.example. 3600 IN SRV 10 10 5060 sip.acme.example.\n");
    bf_buf_release(&zone);
}

static void a_name_is_pointed_to_and_tls_has_its_own_port(void **state)
{
    const struct dns_edge edge = {"edge.belfry.example", 5080, 5081};
    struct bf_buf zone;

    bf_buf_init(&zone, DNS_ZONE_BYTES_MAX);
    dns_zone(&edge, "a.example b.example", &zone);
    assert_non_null(strstr(zone.at, "_sip._udp.a.example. 3600 IN SRV 10 10 5080 edge.belfry.example.\n"));
    assert_non_null(strstr(zone.at, "_sips._tcp.b.example. 3600 IN SRV 10 10 5081 edge.belfry.example.\n"));
    assert_null(strstr(zone.at, "sip.a.example."));
    bf_buf_release(&zone);
}

static void ipv6_is_aaaa(void **state)
{
    const struct dns_edge edge = {"2001:db8::7", 5060, 5061};
    struct bf_buf zone;

    bf_buf_init(&zone, DNS_ZONE_BYTES_MAX);
    dns_zone(&edge, "a.example", &zone);
    assert_non_null(strstr(zone.at, "sip.a.example. 3600 IN AAAA 2001:db8::7\n"));
    bf_buf_release(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_gets_a_name_to_point_to),
        cmocka_unit_test(a_name_is_pointed_to_and_tls_has_its_own_port),
        cmocka_unit_test(ipv6_is_aaaa),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
