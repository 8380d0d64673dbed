// A device's registration: what others may see of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "binding.h"

static void test_push_parameters_are_nobodys_business(void **state)
{
    static const struct {
        const char *contact, *shown;
    } cases[] = {
        {"sip:101@192.0.2.1:5060", "sip:101@192.0.2.1:5060"},
        {"sip:101@192.0.2.1;transport=tcp", "sip:101@192.0.2.1;transport=tcp"},
        {"sip:101@192.0.2.1;pn-prid=a;pn-provider=apns;pn-param=T.app.voip", "sip:101@192.0.2.1"},
        {"sip:101@192.0.2.1;pn-prid=a;transport=tcp;PN-Param=b;ob", "sip:101@192.0.2.1;transport=tcp;ob"},
        {"sip:101@192.0.2.1;pn-prid;x=1", "sip:101@192.0.2.1;x=1"},
        {"sip:101@192.0.2.1;pn-prid=a?Subject=x;pn-prid=y", "sip:101@192.0.2.1?Subject=x;pn-prid=y"},
        {"sip:101@192.0.2.1;pn-pridx=a", "sip:101@192.0.2.1;pn-pridx=a"},
        {"sip:101@192.0.2.1;", "sip:101@192.0.2.1;"},
    };
    char shown[BINDING_URI_BYTES_MAX + 1];

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        struct binding binding = {.contact = cases[i].contact};
        binding_public(&binding, shown, sizeof(shown));
        assert_string_equal(shown, cases[i].shown);
    }
}

static void test_a_copy_has_its_own_texts(void **state)
{
    char number[] = "101";
    struct binding binding = {.number = number, .contact = "sip:101@a", .expires_ms = 7};
    struct binding *copy = binding_dup(&binding);

    memset(number, 'x', 3);
    assert_string_equal(copy->number, "101");
    assert_string_equal(copy->contact, "sip:101@a");
    assert_string_equal(copy->wake, "");
    assert_int_equal(copy->expires_ms, 7);
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push_parameters_are_nobodys_business),
        cmocka_unit_test(test_a_copy_has_its_own_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
