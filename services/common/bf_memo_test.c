// Remembered answers.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bf_memo.h"

static void an_answer_is_remembered_with_its_age_until_it_is_dropped(void **state)
{
    struct bf_memo *memo = bf_memo_new(64, sizeof(int));
    uint64_t age_ms;
    int value = 7;

    assert_false(bf_memo_get(memo, "a", 1, 1000, &value, &age_ms));
    bf_memo_put(memo, "a", 1, 1000, &value);
    value = 0;
    assert_true(bf_memo_get(memo, "a", 1, 1500, &value, &age_ms));
    assert_int_equal(value, 7);
    assert_int_equal(age_ms, 500);
    assert_false(bf_memo_get(memo, "b", 1, 1500, &value, &age_ms));
    value = 8;
    bf_memo_put(memo, "a", 1, 1600, &value);
    assert_true(bf_memo_get(memo, "a", 1, 1600, &value, &age_ms));
    assert_int_equal(value, 8);
    bf_memo_drop(memo, "a", 1);
    assert_false(bf_memo_get(memo, "a", 1, 1700, &value, &age_ms));
    bf_memo_free(memo);
}

static void strangers_cannot_fill_the_memory_and_the_newest_stays(void **state)
{
    struct bf_memo *memo = bf_memo_new(64, sizeof(uint32_t));
    uint64_t age_ms;
    uint32_t value;

    for (uint32_t i = 0; i < 100000; i++) {
        bf_memo_put(memo, &i, sizeof(i), i + 1, &i);
        assert_true(bf_memo_get(memo, &i, sizeof(i), i + 1, &value, &age_ms));
        assert_int_equal(value, i);
    }
    bf_memo_free(memo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_remembered_with_its_age_until_it_is_dropped),
        cmocka_unit_test(strangers_cannot_fill_the_memory_and_the_newest_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
