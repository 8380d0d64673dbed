// Zone lines.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "dns.h"

static struct bf_buf zone;

static int zone_init(void **state)
{
    bf_buf_init(&zone, DNS_ZONE_BYTES_MAX);
    return 0;
}

static int zone_release(void **state)
{
    bf_buf_release(&zone);
    return 0;
}

static void write_zone(const char *edges_text, int64_t port, int64_t sips_port, const char *domains)
{
    struct dns_edges edges;
    const char *wrong = dns_edges_read(edges_text, port, sips_port, &edges);

    if (wrong)
        fail_msg("%s: %s", edges_text, wrong);
    dns_zone(&edges, domains, &zone);
}

static bool has(const char *line)
{
    return strstr(zone.at, line) != NULL;
}

static void an_address_gets_a_name_to_point_to(void **state)
{
    write_zone("192.0.2.7", 5060, 0, "acme.example");
    assert_string_equal(zone.at,
                        "; acme.example\n"
                        "acme.example. 3600 IN A 192.0.2.7\n"
                        "sip.acme.example. 3600 IN A 192.0.2.7\n"
                        "acme.example. 3600 IN NAPTR 10 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.acme.example.\n"
                        "_sip._udp.acme.example. 3600 IN SRV 10 10 5060 sip.acme.example.\n"
                        "acme.example. 3600 IN NAPTR 20 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp.acme.example.\n"
                        "_sip._tcp.acme.example. 3600 IN SRV 10 10 5060 sip.acme.example.\n");
}

static void a_name_is_pointed_to_and_tls_has_its_own_port(void **state)
{
    write_zone("edge.belfry.example", 5080, 5081, "a.example b.example");
    assert_true(has("_sip._udp.a.example. 3600 IN SRV 10 10 5080 edge.belfry.example.\n"));
    assert_true(has("_sips._tcp.b.example. 3600 IN SRV 10 10 5081 edge.belfry.example.\n"));
    assert_false(has("sip.a.example."));
}

static void ipv6_is_aaaa(void **state)
{
    write_zone("2001:db8::7", 5060, 5061, "a.example");
    assert_true(has("sip.a.example. 3600 IN AAAA 2001:db8::7\n"));
    assert_true(has("_sip._udp.a.example. 3600 IN SRV 10 10 5060 sip.a.example.\n"));
}

static void every_edge_is_named_by_equals(void **state)
{
    write_zone("192.0.2.7 [2001:db8::8]:5160 edge-3.example", 5060, 0, "acme.example");
    assert_string_equal(
        zone.at, "; acme.example\n"
                 "acme.example. 3600 IN A 192.0.2.7\n"
                 "sip.acme.example. 3600 IN A 192.0.2.7\n"
                 "acme.example. 3600 IN AAAA 2001:db8::8\n"
                 "sip2.acme.example. 3600 IN AAAA 2001:db8::8\n"
                 "; for phones that know no SRV also: acme.example. 3600 IN A <address of edge-3.example>\n"
                 "acme.example. 3600 IN NAPTR 10 50 \"s\" \"SIP+D2U\" \"\" _sip._udp.acme.example.\n"
                 "_sip._udp.acme.example. 3600 IN SRV 10 10 5060 sip.acme.example.\n"
                 "_sip._udp.acme.example. 3600 IN SRV 10 10 5160 sip2.acme.example.\n"
                 "_sip._udp.acme.example. 3600 IN SRV 10 10 5060 edge-3.example.\n"
                 "acme.example. 3600 IN NAPTR 20 50 \"s\" \"SIP+D2T\" \"\" _sip._tcp.acme.example.\n"
                 "_sip._tcp.acme.example. 3600 IN SRV 10 10 5060 sip.acme.example.\n"
                 "_sip._tcp.acme.example. 3600 IN SRV 10 10 5160 sip2.acme.example.\n"
                 "_sip._tcp.acme.example. 3600 IN SRV 10 10 5060 edge-3.example.\n");
}

static void edges_of_one_address_share_its_name(void **state)
{
    write_zone("192.0.2.7:5060 192.0.2.7:5160", 5060, 5061, "a.example");
    assert_true(has("_sip._udp.a.example. 3600 IN SRV 10 10 5060 sip.a.example.\n"
                    "_sip._udp.a.example. 3600 IN SRV 10 10 5160 sip.a.example.\n"));
    assert_false(has("sip2."));
    const char *once = strstr(zone.at, "\na.example. 3600 IN A ");
    assert_non_null(once);
    assert_null(strstr(once + 1, "\na.example. 3600 IN A "));
    const char *tls = strstr(zone.at, "\n_sips._tcp.a.example. 3600 IN SRV ");
    assert_non_null(tls);
    assert_null(strstr(tls + 1, "\n_sips._tcp.a.example. 3600 IN SRV "));
}

static void the_longest_names_at_all_edges_fit(void **state)
{
    struct bf_buf edges, domains;
    char name[254];
    size_t lines = 0;

    for (size_t i = 0; i < 253; i++)
        name[i] = i % 50 == 49 ? '.' : 'a';
    name[253] = '\0';
    bf_buf_init(&edges, 4096);
    bf_buf_init(&domains, 16384);
    for (int i = 0; i < DNS_EDGES_MAX; i++) {
        name[0] = (char)('a' + i);
        bf_buf_fmt(&edges, "%s ", name);
    }
    for (int i = 0; i < 50; i++)
        bf_buf_fmt(&domains, "%s%s", i ? " " : "", name);
    assert_true(bf_buf_ok(&edges) && bf_buf_ok(&domains));
    write_zone(edges.at, 5060, 5061, domains.at);
    bf_buf_release(&edges);
    bf_buf_release(&domains);
    assert_true(bf_buf_ok(&zone));
    for (const char *at = zone.at; (at = strchr(at, '\n')); at++)
        lines++;
    assert_int_equal(lines, 50 * (1 + DNS_EDGES_MAX + 3 * (1 + DNS_EDGES_MAX)));
}

static void what_names_no_edges_is_refused(void **state)
{
    static const char *const bad[] = {
        "",    " ",     "a b:0",   "a:x",     "a:70000", ":5060", "[]:5060", "[a:5060",   "a]:5060",
        "a/b", "a\nIN", "a;b:506", "-a:5060", "a:",      "1.2.3", "[::1",    "[::1]5060", "1 2 3 4 5 6 7 8 9",
    };
    struct dns_edges edges;

    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (!dns_edges_read(bad[i], 5060, 0, &edges))
            fail_msg("accepted: %s", bad[i]);
    assert_string_equal(dns_edges_read("a b c d e f g h i", 5060, 0, &edges), "names more than 8 edges");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_address_gets_a_name_to_point_to, zone_init, zone_release),
        cmocka_unit_test_setup_teardown(a_name_is_pointed_to_and_tls_has_its_own_port, zone_init,
                                        zone_release),
        cmocka_unit_test_setup_teardown(ipv6_is_aaaa, zone_init, zone_release),
        cmocka_unit_test_setup_teardown(every_edge_is_named_by_equals, zone_init, zone_release),
        cmocka_unit_test_setup_teardown(edges_of_one_address_share_its_name, zone_init, zone_release),
        cmocka_unit_test_setup_teardown(the_longest_names_at_all_edges_fit, zone_init, zone_release),
        cmocka_unit_test(what_names_no_edges_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
