// Which texts are SIP domains.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "domain.h"
#include "bf_buf.h"

static void host_names_are_domains(void **state)
{
    static const char *const good[] = {"acme.example", "ACME.Example",          "a",
                                       "localhost",    "xn--bcher-kva.example", "a-b.c-d.e1",
                                       "1st.example",  "10.0.0.example"};

    for (size_t i = 0; i < BF_LEN(good); i++)
        assert_null(domain_check(bf_str(good[i])));
}

static void what_is_no_host_name_is_none(void **state)
{
    static const char *const bad[] = {"",
                                      ".",
                                      "acme.example.",
                                      ".acme.example",
                                      "a..b",
                                      "-a.example",
                                      "a-.example",
                                      "a_b.example",
                                      "a b.example",
                                      "10.0.0.1",
                                      "[::1]",
                                      "bücher.example",
                                      "ab--cd.example",
                                      "a.example:5060",
                                      "sip:a.example",
                                      "a.example/x",
                                      "a.example\n"};

    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (!domain_check(bf_str(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    assert_non_null(domain_check((struct bf_str){"a\0b.example", 11}));
}

static void lengths_are_those_of_the_rfc(void **state)
{
    char label[DOMAIN_LABEL_MAX + 2], name[DOMAIN_BYTES_MAX + 2];

    memset(label, 'a', sizeof(label));
    assert_null(domain_check((struct bf_str){label, DOMAIN_LABEL_MAX}));
    assert_non_null(domain_check((struct bf_str){label, DOMAIN_LABEL_MAX + 1}));
    for (size_t i = 0; i < sizeof(name); i++)
        name[i] = i % 2 ? '.' : 'a';
    assert_null(domain_check((struct bf_str){name, DOMAIN_BYTES_MAX}));
    name[DOMAIN_BYTES_MAX] = 'a';
    assert_non_null(domain_check((struct bf_str){name, DOMAIN_BYTES_MAX + 1}));
}

static void names_are_kept_in_lower_case(void **state)
{
    char name[DOMAIN_BYTES_MAX + 1];

    domain_normalise(BF_STR("Sip.ACME-1.Example"), name);
    assert_string_equal(name, "sip.acme-1.example");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(host_names_are_domains),
        cmocka_unit_test(what_is_no_host_name_is_none),
        cmocka_unit_test(lengths_are_those_of_the_rfc),
        cmocka_unit_test(names_are_kept_in_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
