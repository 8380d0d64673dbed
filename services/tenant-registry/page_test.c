// Kinds of lists.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "page.h"

static enum bf_err ask(const struct bf_page_kind *kind, const char *after, struct bf_page *page)
{
    const char *field, *wrong;

    return bf_page_read(kind, NULL, after, page, &field, &wrong);
}

static void a_cursor_comes_back_to_its_list_only(void **state)
{
    static const struct {
        const struct bf_page_kind *kind;
        const char *key, *bad;
    } cases[] = {{&page_tenants, "acme", "A b"},
                 {&page_domains, "acme.example", "acme..example"},
                 {&page_extensions, "+100", "1 0"},
                 {&page_groups, "600", "\n"},
                 {&page_ids, "01a1f958-8737-7edc-aa41-500a5cd2c1d2", "17"}};
    char cursor[BF_CURSOR_SIZE];
    struct bf_page page;

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        bf_page_cursor(cases[i].kind, cases[i].key, cursor);
        for (size_t j = 0; j < BF_LEN(cases); j++)
            assert_int_equal(ask(cases[j].kind, cursor, &page), i == j ? BF_OK : BF_INVALID);
        assert_int_equal(ask(cases[i].kind, cursor, &page), BF_OK);
        assert_string_equal(page.after, cases[i].key);
        bf_page_cursor(cases[i].kind, cases[i].bad, cursor);
        assert_int_equal(ask(cases[i].kind, cursor, &page), BF_INVALID);
    }
}

static void the_longest_domain_fits(void **state)
{
    char key[254] = "", cursor[BF_CURSOR_SIZE];
    struct bf_page page;

    for (size_t i = 0; i < 253; i++)
        key[i] = i % 2 ? '.' : 'a';
    assert_int_equal(ask(&page_domains, bf_page_cursor(&page_domains, key, cursor), &page), BF_OK);
    assert_string_equal(page.after, key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_comes_back_to_its_list_only),
        cmocka_unit_test(the_longest_domain_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
