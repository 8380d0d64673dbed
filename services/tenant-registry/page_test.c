// Pages and cursors.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "page.h"

static enum bf_err ask(enum page_kind kind, const char *limit, const char *after, struct page *page)
{
    const char *field, *wrong;

    return page_read(kind, limit, after, page, &field, &wrong);
}

static void a_cursor_comes_back_as_the_key_it_was_made_of(void **state)
{
    static const struct {
        enum page_kind kind;
        const char *key;
    } cases[] = {{PAGE_TENANTS, "acme"},
                 {PAGE_DOMAINS, "acme.example"},
                 {PAGE_EXTENSIONS, "+100"},
                 {PAGE_GROUPS, "600"},
                 {PAGE_IDS, "01a1f958-8737-7edc-aa41-500a5cd2c1d2"}};
    char cursor[PAGE_CURSOR_SIZE];
    struct page page;

    for (size_t i = 0; i < BF_LEN(cases); i++) {
        assert_int_equal(ask(cases[i].kind, NULL, page_cursor(cases[i].kind, cases[i].key, cursor), &page),
                         BF_OK);
        assert_string_equal(page.after, cases[i].key);
        assert_int_equal(page.limit, PAGE_LIMIT_DEFAULT);
    }
}

static void what_is_no_cursor_of_this_list_is_refused(void **state)
{
    static const char *const bad[] = {"",           "a",    "zz",      "65", "6531303", "not a cursor",
                                      "653130300a", "6500", "65310030"};
    char cursor[PAGE_CURSOR_SIZE];
    struct page page;

    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (!ask(PAGE_EXTENSIONS, NULL, bad[i], &page))
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(ask(PAGE_EXTENSIONS, NULL, page_cursor(PAGE_TENANTS, "acme", cursor), &page),
                     BF_INVALID);
}

static void the_longest_key_fits(void **state)
{
    char key[PAGE_KEY_BYTES_MAX + 1] = "", cursor[PAGE_CURSOR_SIZE];
    struct page page;

    for (size_t i = 0; i < PAGE_KEY_BYTES_MAX; i++)
        key[i] = i % 2 ? '.' : 'a';
    assert_int_equal(ask(PAGE_DOMAINS, "1", page_cursor(PAGE_DOMAINS, key, cursor), &page), BF_OK);
    assert_string_equal(page.after, key);
}

static void limits_are_1_to_200(void **state)
{
    static const char *const bad[] = {"0", "201", "-1", "", "1e1", " 1", "99999999999999999999"};
    struct page page;

    assert_int_equal(ask(PAGE_TENANTS, "200", NULL, &page), BF_OK);
    assert_int_equal(page.limit, 200);
    for (size_t i = 0; i < BF_LEN(bad); i++)
        assert_int_equal(ask(PAGE_TENANTS, bad[i], NULL, &page), BF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_comes_back_as_the_key_it_was_made_of),
        cmocka_unit_test(what_is_no_cursor_of_this_list_is_refused),
        cmocka_unit_test(the_longest_key_fits),
        cmocka_unit_test(limits_are_1_to_200),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
