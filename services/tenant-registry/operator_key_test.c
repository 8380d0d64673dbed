// The operator's key file.
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "operator_key.h"

static struct {
    char dir[32];
    char path[64];
} at;

static int make_dir(void **state)
{
    snprintf(at.dir, sizeof(at.dir), "/tmp/belfry_key_test.XXXXXX");
    if (!mkdtemp(at.dir))
        return -1;
    snprintf(at.path, sizeof(at.path), "%s/operator.key", at.dir);
    return 0;
}

static int remove_dir(void **state)
{
    unlink(at.path);
    return rmdir(at.dir); // fails when something was left beside the file
}

static void write_file(const char *text)
{
    FILE *file = fopen(at.path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_missing_file_is_made_for_its_owner_only(void **state)
{
    char key[KEY_TEXT_BYTES + 1], again[KEY_TEXT_BYTES + 1], wrong[256] = "";
    struct stat stat_of;
    bool made;

    assert_int_equal(operator_key_file(at.path, key, &made, wrong), BF_OK);
    assert_true(made);
    assert_true(key_well_formed(bf_str(key)));
    assert_int_equal(stat(at.path, &stat_of), 0);
    assert_int_equal(stat_of.st_mode & 07777, 0600);
    assert_int_equal(operator_key_file(at.path, again, &made, wrong), BF_OK);
    assert_false(made);
    assert_string_equal(key, again);
}

static void a_key_without_a_newline_is_read_too(void **state)
{
    char key[KEY_TEXT_BYTES + 1], read[KEY_TEXT_BYTES + 1], wrong[256];
    bool made;

    key_make(key);
    write_file(key);
    assert_int_equal(operator_key_file(at.path, read, &made, wrong), BF_OK);
    assert_string_equal(read, key);
}

static void a_file_that_holds_no_key_is_left_alone_and_explained(void **state)
{
    static const char *const bad[] = {"", "\n", "bfk_", "hello",
                                      "bfk_00000000000000000000000000000000000000\n"};
    char key[KEY_TEXT_BYTES + 1], wrong[256];
    bool made;

    for (size_t i = 0; i < BF_LEN(bad); i++) {
        write_file(bad[i]);
        assert_int_equal(operator_key_file(at.path, key, &made, wrong), BF_INVALID);
        assert_non_null(strstr(wrong, "delete it"));
    }
}

static void a_folder_that_is_not_there_is_explained(void **state)
{
    char key[KEY_TEXT_BYTES + 1], wrong[256];
    bool made;

    assert_int_equal(operator_key_file("/nowhere/at/all/operator.key", key, &made, wrong), BF_INTERNAL);
    assert_non_null(strstr(wrong, "folder"));
}

#define RACERS 8

static void *race(void *key)
{
    char wrong[256];
    bool made;

    return operator_key_file(at.path, key, &made, wrong) ? key : NULL;
}

static void all_that_start_at_once_take_the_same_key(void **state)
{
    char keys[RACERS][KEY_TEXT_BYTES + 1];
    pthread_t threads[RACERS];

    for (size_t i = 0; i < RACERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, keys[i]), 0);
    for (size_t i = 0; i < RACERS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
        assert_string_equal(keys[i], keys[0]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_missing_file_is_made_for_its_owner_only, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_key_without_a_newline_is_read_too, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_file_that_holds_no_key_is_left_alone_and_explained, make_dir,
                                        remove_dir),
        cmocka_unit_test(a_folder_that_is_not_there_is_explained),
        cmocka_unit_test_setup_teardown(all_that_start_at_once_take_the_same_key, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
