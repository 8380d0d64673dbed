#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "bf_contact.h"

static void test_parameters_of_a_contact(void **state)
{
    static const struct {
        const char *uri, *name, *value;
    } CASES[] = {
        {"sip:101@h;pn-prid=abc", "pn-prid", "abc"},
        {"sip:101@h;x;PN-Prid=abc;y=1", "pn-prid", "abc"},
        {"sip:101@h;pn-prid=abc?Subject=;pn-prid=no", "pn-prid", "abc"},
        {"sip:101@h?a=;pn-prid=no", "pn-prid", ""},
        {"sip:101;pn-prid=no@h;pn-prid=abc", "pn-prid", "abc"},
        {"sip:101;pn-prid=no@h", "pn-prid", ""},
        {"sip:101@h;pn-prid=", "pn-prid", ""},
        {"sip:101@h;pn-prid", "pn-prid", ""},
        {"sip:101@h;pn-pridx=1", "pn-prid", ""},
        {"sip:h;pn-prid=abc", "pn-prid", "abc"},
        {"sip:101@h;", "pn-prid", ""},
        {"", "pn-prid", ""},
    };

    for (size_t i = 0; i < BF_LEN(CASES); i++) {
        struct bf_str got = bf_contact_param(bf_str(CASES[i].uri), bf_str(CASES[i].name));
        if (!bf_str_eq(got, bf_str(CASES[i].value)))
            fail_msg("%s: %.*s", CASES[i].uri, (int)got.len, got.at);
    }
}

static void test_push_parameters_are_nobodys_business(void **state)
{
    static const struct {
        const char *uri, *shown;
    } CASES[] = {
        {"sip:101@192.0.2.1:5060;transport=tcp", "sip:101@192.0.2.1:5060;transport=tcp"},
        {"sip:101@a;pn-provider=apns;pn-prid=TOKEN;pn-param=T.app;ob", "sip:101@a;ob"},
        {"sip:101@a;PN-PRID=TOKEN", "sip:101@a"},
        {"sip:101@a;pn-prid", "sip:101@a"},
        {"sip:101@a;pn-pridx=1;lr", "sip:101@a;pn-pridx=1;lr"},
        {"sip:101@a;pn-purr=X;belfry-wake=Y?Subject=a;pn-prid=b", "sip:101@a?Subject=a;pn-prid=b"},
        {"sip:101;pn-prid=a@h;pn-prid=b", "sip:101;pn-prid=a@h"},
        {"sip:101@a;;x", "sip:101@a;;x"},
        {"sip:101@a;", "sip:101@a;"},
        {"sip:a", "sip:a"},
        {"", ""},
    };

    for (size_t i = 0; i < BF_LEN(CASES); i++) {
        char room[128];
        struct bf_str got = bf_contact_public(bf_str(CASES[i].uri), room);
        if (!bf_str_eq(got, bf_str(CASES[i].shown)))
            fail_msg("%s: %.*s", CASES[i].uri, (int)got.len, got.at);
        memcpy(room, CASES[i].uri, strlen(CASES[i].uri) + 1);
        got = bf_contact_public(bf_str(room), room);
        assert_true(bf_str_eq(got, bf_str(CASES[i].shown)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_of_a_contact),
        cmocka_unit_test(test_push_parameters_are_nobodys_business),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
