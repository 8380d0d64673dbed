#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_sdp.h"

static void becomes(const char *from, const char *to)
{
    char into[256];
    struct bf_str found = tenant_sdp_without_ssrc(bf_str(from), into);

    assert_true(bf_str_eq(found, bf_str(to)));
}

static void test_lines_that_name_an_ssrc_are_left_out(void **state)
{
    becomes("v=0\r\na=ssrc:1 cname:x\r\na=mid:0\r\na=ssrc-group:FID 1 2\r\n", "v=0\r\na=mid:0\r\n");
    becomes("a=ssrc:1\r\na=ssrc:2\r\n", "");
    becomes("v=0\na=ssrc:1\ns=-\n", "v=0\ns=-\n");
    becomes("v=0\r\na=ssrc:1", "v=0\r\n");
}

static void test_all_else_stays(void **state)
{
    becomes("", "");
    becomes("v=0\r\ns=a=ssrc:1\r\na=ssr\r\n", "v=0\r\ns=a=ssrc:1\r\na=ssr\r\n");
    becomes("a=sendrecv", "a=sendrecv");
    assert_int_equal(tenant_sdp_without_ssrc((struct bf_str){NULL, 0}, NULL).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_that_name_an_ssrc_are_left_out),
        cmocka_unit_test(test_all_else_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
