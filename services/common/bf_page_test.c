// Pages and cursors.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_page.h"

static const char *digits_check(struct bf_str place)
{
    int64_t number;

    return place.at[place.len] == '\0' && bf_parse_int(place, 0, INT64_MAX, &number) ? NULL : "no number";
}

static const char *any_check(struct bf_str place)
{
    return NULL;
}

static const struct bf_page_kind numbers = {'n', digits_check}, others = {'o', any_check};

static enum bf_err ask(const struct bf_page_kind *kind, const char *limit, const char *after,
                       struct bf_page *page)
{
    const char *field = "", *wrong;
    enum bf_err err = bf_page_read(kind, limit, after, page, &field, &wrong);

    if (err)
        assert_string_equal(field, limit ? "limit" : "after");
    return err;
}

static void a_cursor_comes_back_and_only_to_its_list(void **state)
{
    char cursor[BF_CURSOR_SIZE];
    struct bf_page page;

    assert_int_equal(ask(&numbers, NULL, bf_page_cursor(&numbers, "100", cursor), &page), BF_OK);
    assert_string_equal(page.after, "100");
    assert_int_equal(page.limit, BF_PAGE_LIMIT_DEFAULT);
    assert_ptr_equal(page.kind, &numbers);
    assert_int_equal(ask(&others, NULL, cursor, &page), BF_INVALID);
}

static void what_was_never_given_out_is_refused(void **state)
{
    static const char *const bad[] = {"",           "6",    "6e",       "zz",       "6e31303", "not a cursor",
                                      "6e3130300a", "6e00", "6e310030", "6e310000", "6e61"};
    struct bf_page page;

    for (size_t i = 0; i < BF_LEN(bad); i++)
        if (!ask(&numbers, NULL, bad[i], &page))
            fail_msg("accepted: %s", bad[i]);
}

static void the_longest_place_fits_and_a_longer_one_is_cut(void **state)
{
    char place[BF_PLACE_SIZE + 10] = "", cursor[BF_CURSOR_SIZE];
    struct bf_page page;

    memset(place, 'x', BF_PLACE_SIZE - 1);
    assert_int_equal(ask(&others, NULL, bf_page_cursor(&others, place, cursor), &page), BF_OK);
    assert_string_equal(page.after, place);
    memset(place, 'x', BF_PLACE_SIZE + 9);
    assert_int_equal(ask(&others, NULL, bf_page_cursor(&others, place, cursor), &page), BF_OK);
    assert_int_equal(strlen(page.after), BF_PLACE_SIZE - 1);
    memset(cursor, '6', sizeof(cursor) - 1);
    cursor[sizeof(cursor) - 1] = '\0';
    memcpy(cursor, "6f", 2);
    assert_int_equal(ask(&others, NULL, cursor, &page), BF_OK);
    assert_int_equal(strlen(page.after), BF_PLACE_SIZE - 1);
}

static void limits_are_1_to_200(void **state)
{
    static const char *const bad[] = {"0", "201", "-1", "", "1e1", " 1", "x", "99999999999999999999"};
    struct bf_page page;

    assert_int_equal(ask(&numbers, "200", NULL, &page), BF_OK);
    assert_int_equal(page.limit, 200);
    assert_string_equal(page.after, "");
    for (size_t i = 0; i < BF_LEN(bad); i++)
        assert_int_equal(ask(&numbers, bad[i], NULL, &page), BF_INVALID);
}

static void a_page_says_where_the_next_one_begins(void **state)
{
    const struct bf_page page = {.kind = &numbers};
    json_t *more = bf_page_json(&page, json_array(), "7", true),
           *last = bf_page_json(&page, json_array(), "", false);

    assert_string_equal(json_string_value(json_object_get(more, "next")), "6e37");
    assert_true(json_is_array(json_object_get(more, "items")));
    assert_true(json_is_null(json_object_get(last, "next")));
    json_decref(more);
    json_decref(last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_comes_back_and_only_to_its_list),
        cmocka_unit_test(what_was_never_given_out_is_refused),
        cmocka_unit_test(the_longest_place_fits_and_a_longer_one_is_cut),
        cmocka_unit_test(limits_are_1_to_200),
        cmocka_unit_test(a_page_says_where_the_next_one_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
