// Memory that is freed all at once.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_arena.h"

static void parts_do_not_overlap(void **state)
{
    struct bf_arena arena = {NULL};
    char *parts[2000];

    for (size_t i = 0; i < BF_LEN(parts); i++) {
        parts[i] = bf_arena_alloc(&arena, i);
        assert_int_equal((uintptr_t)parts[i] % 16, 0);
        memset(parts[i], (int)(i % 251), i);
    }
    for (size_t i = 0; i < BF_LEN(parts); i++)
        for (size_t at = 0; at < i; at++)
            assert_int_equal((unsigned char)parts[i][at], i % 251);
    bf_arena_release(&arena);
    assert_null(arena.last);
}

static void one_may_be_larger_than_a_chunk(void **state)
{
    struct bf_arena arena = {NULL};
    char *small = bf_arena_alloc(&arena, 8), *large = bf_arena_alloc(&arena, 1u << 20);

    memset(large, 1, 1u << 20);
    memset(small, 2, 8);
    assert_int_equal(large[0] + large[(1u << 20) - 1], 2);
    assert_non_null(bf_arena_alloc(&arena, 0));
    bf_arena_release(&arena);
    bf_arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_do_not_overlap),
        cmocka_unit_test(one_may_be_larger_than_a_chunk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
