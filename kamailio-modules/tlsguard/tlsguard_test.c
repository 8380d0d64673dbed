#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "tlsguard.h"

static char shared[4], own[4];

static bool is_shared(const void *address)
{
    return (const char *)address >= shared && (const char *)address < shared + sizeof(shared);
}

static void test_versions_that_need_it(void **state)
{
    static const char *const needed[] = {"5.6.3", "5.7.6",   "5.0.0", "4.4.7", "5.6.3-2",
                                         "",      "unknown", "5",     "5.x"};
    static const char *const cured[] = {"5.8.0", "5.8.7", "5.10.0", "6.0.1", "6.1.0-dev0", "5.8", "10.0.0"};

    for (size_t i = 0; i < BF_LEN(needed); i++)
        assert_true(tlsguard_needed(bf_str(needed[i])));
    for (size_t i = 0; i < BF_LEN(cured); i++)
        assert_false(tlsguard_needed(bf_str(cured[i])));
}

static void test_forgets_what_is_shared_and_nothing_else(void **state)
{
    pthread_key_t keys[3];

    for (size_t i = 0; i < BF_LEN(keys); i++)
        assert_int_equal(pthread_key_create(&keys[i], NULL), 0);
    pthread_setspecific(keys[0], &shared[0]);
    pthread_setspecific(keys[1], &own[0]);
    pthread_setspecific(keys[2], &shared[3]);
    assert_int_equal(tlsguard_forget(is_shared), 2);
    assert_null(pthread_getspecific(keys[0]));
    assert_ptr_equal(pthread_getspecific(keys[1]), &own[0]);
    assert_null(pthread_getspecific(keys[2]));
    assert_int_equal(tlsguard_forget(is_shared), 0);
    for (size_t i = 0; i < BF_LEN(keys); i++)
        pthread_key_delete(keys[i]);
}

// Keys up to the last one that there can be.
static void test_forgets_a_value_of_any_key(void **state)
{
    static pthread_key_t keys[2000];
    size_t count = 0;

    while (count < BF_LEN(keys) && pthread_key_create(&keys[count], NULL) == 0)
        count++;
    assert_true(count > 64);
    pthread_setspecific(keys[count - 1], shared);
    assert_int_equal(tlsguard_forget(is_shared), 1);
    assert_null(pthread_getspecific(keys[count - 1]));
    while (count > 0)
        pthread_key_delete(keys[--count]);
}

static pthread_key_t key;

static void after_fork(void)
{
    tlsguard_forget(is_shared);
}

static void test_after_a_fork_the_child_forgets_and_the_parent_does_not(void **state)
{
    int status = 0;
    pid_t child;

    assert_int_equal(pthread_key_create(&key, NULL), 0);
    pthread_setspecific(key, shared);
    assert_int_equal(pthread_atfork(NULL, NULL, after_fork), 0);
    child = fork();
    if (child == 0)
        _exit(pthread_getspecific(key) ? 1 : 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_ptr_equal(pthread_getspecific(key), shared);
    pthread_key_delete(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions_that_need_it),
        cmocka_unit_test(test_forgets_what_is_shared_and_nothing_else),
        cmocka_unit_test(test_forgets_a_value_of_any_key),
        cmocka_unit_test(test_after_a_fork_the_child_forgets_and_the_parent_does_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
