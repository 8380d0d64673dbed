#include <setjmp.h>
#include <stdarg.h>
#include <pthread.h>
#include <string.h>
#include <cmocka.h>

#include "bf_clock.h"
#include "bf_id.h"

static void test_newer_ids_sort_later(void **state)
{
    struct bf_id older = bf_id_new();
    for (int i = 0; i < 10000; i++) {
        struct bf_id newer = bf_id_new();
        assert_true(memcmp(older.bytes, newer.bytes, 16) < 0);
        older = newer;
    }
}

static void test_is_version_7_with_the_time_in_front(void **state)
{
    uint64_t before = bf_unix_ms();
    struct bf_id id = bf_id_new();
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id.bytes[i];
    assert_int_equal(id.bytes[6] >> 4, 7);
    assert_int_equal(id.bytes[8] >> 6, 2);
    assert_true(ms >= before && ms <= bf_unix_ms() + 1000);
    assert_false(bf_id_is_nil(id));
}

static void test_text_and_back(void **state)
{
    char text[BF_ID_TEXT_SIZE];
    struct bf_id id;
    assert_true(bf_id_parse(BF_STR("0193A4b2-7c00-7abc-8def-0123456789ab"), &id));
    assert_string_equal(bf_id_text(id, text), "0193a4b2-7c00-7abc-8def-0123456789ab");
    struct bf_id fresh = bf_id_new();
    struct bf_id back;
    assert_true(bf_id_parse(bf_str(bf_id_text(fresh, text)), &back));
    assert_true(bf_id_eq(fresh, back));
}

static void test_other_forms_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "0193a4b27c007abc8def0123456789ab",
        "{0193a4b2-7c00-7abc-8def-0123456789ab}",
        "0193a4b2-7c00-7abc-8def-0123456789a",
        "0193a4b2-7c00-7abc-8def-0123456789abc",
        "0193a4b2-7c00-7abc-8def-0123456789ag",
        "0193a4b2_7c00-7abc-8def-0123456789ab",
        "0193a4b-27c00-7abc-8def-0123456789ab",
    };
    struct bf_id id = {{1}};
    for (size_t i = 0; i < BF_LEN(bad); i++)
        assert_false(bf_id_parse(bf_str(bad[i]), &id));
    assert_int_equal(id.bytes[0], 1);
}

#define THREADS ((size_t)4)
#define EACH    ((size_t)2000)

static void *make_ids(void *at)
{
    struct bf_id *ids = at;
    for (size_t i = 0; i < EACH; i++)
        ids[i] = bf_id_new();
    return NULL;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct bf_id));
}

static void test_threads_never_make_the_same(void **state)
{
    static struct bf_id ids[THREADS * EACH];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_ids, ids + i * EACH), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    qsort(ids, THREADS * EACH, sizeof(ids[0]), by_bytes);
    for (size_t i = 1; i < THREADS * EACH; i++)
        assert_false(bf_id_eq(ids[i - 1], ids[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newer_ids_sort_later),
        cmocka_unit_test(test_is_version_7_with_the_time_in_front),
        cmocka_unit_test(test_text_and_back),
        cmocka_unit_test(test_other_forms_are_refused),
        cmocka_unit_test(test_threads_never_make_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
