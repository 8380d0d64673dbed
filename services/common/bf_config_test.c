#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "bf_config.h"
#include "bf_log.h"

struct settings {
    char *host;
    char *password;
    int64_t port;
    bool fast;
    enum bf_log_level level;
};

static const struct bf_setting table[] = {
    {"UNIT_HOST", BF_SETTING_TEXT, offsetof(struct settings, host), NULL, 0, 0, "where it listens"},
    {"UNIT_PASSWORD", BF_SETTING_SECRET, offsetof(struct settings, password), NULL, 0, 0, "what it says"},
    {"UNIT_PORT", BF_SETTING_INT, offsetof(struct settings, port), "8001", 1, 65535, "port"},
    {"UNIT_FAST", BF_SETTING_BOOL, offsetof(struct settings, fast), "off", 0, 0, "whether it hurries"},
    {"UNIT_LOG", BF_SETTING_LOGLEVEL, offsetof(struct settings, level), "info", 0, 0, "least level logged"},
};

static char output[16384];

// Reads the settings with stdout and stderr going into `output`.
static enum bf_err read_settings(const char *option, struct settings *into, bool *ret_ended)
{
    char *argv[] = {"unit", (char *)option, NULL};
    FILE *file = tmpfile();
    assert_non_null(file);
    fflush(stdout);
    int out = dup(STDOUT_FILENO);
    int err = dup(STDERR_FILENO);
    dup2(fileno(file), STDOUT_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    enum bf_err result =
        bf_config_read("unit", "a test", table, BF_LEN(table), option ? 2 : 1, argv, into, ret_ended);
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    close(out);
    close(err);
    rewind(file);
    size_t len = fread(output, 1, sizeof(output) - 1, file);
    output[len] = '\0';
    fclose(file);
    return result;
}

static int clean_environment(void **state)
{
    for (size_t i = 0; i < BF_LEN(table); i++)
        unsetenv(table[i].name);
    unsetenv("UNIT_PASSWORD_FILE");
    return 0;
}

static void set_required(void)
{
    setenv("UNIT_HOST", "127.0.0.1", 1);
    setenv("UNIT_PASSWORD", "hush-hush", 1);
}

static void test_reads_values_and_defaults(void **state)
{
    struct settings s;
    bool ended = true;
    set_required();
    setenv("UNIT_FAST", "on", 1);
    setenv("UNIT_LOG", "warn", 1);
    assert_int_equal(read_settings(NULL, &s, &ended), BF_OK);
    assert_false(ended);
    assert_string_equal(s.host, "127.0.0.1");
    assert_string_equal(s.password, "hush-hush");
    assert_int_equal(s.port, 8001);
    assert_true(s.fast);
    assert_int_equal(s.level, BF_LOG_WARN);
    assert_string_equal(output, "");
    bf_config_release(table, BF_LEN(table), &s);
    assert_null(s.host);
}

static void test_says_everything_that_is_wrong_at_once(void **state)
{
    struct settings s;
    bool ended = false;
    setenv("UNIT_HOST", "", 1);
    setenv("UNIT_PORT", "65536", 1);
    setenv("UNIT_FAST", "yes", 1);
    setenv("UNIT_LOG", "loud", 1);
    assert_int_equal(read_settings(NULL, &s, &ended), BF_INVALID);
    assert_true(ended);
    assert_non_null(strstr(output, "UNIT_HOST is empty"));
    assert_non_null(strstr(output, "UNIT_PASSWORD is missing: set it, or its _FILE form"));
    assert_non_null(strstr(output, "UNIT_PORT must be a whole number from 1 to 65535"));
    assert_non_null(strstr(output, "UNIT_FAST must be \"on\" or \"off\""));
    assert_non_null(strstr(output, "UNIT_LOG must be"));
}

static void write_secret_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_a_secret_comes_from_a_files_first_line(void **state)
{
    char path[] = "/tmp/bf_config_test.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_secret_file(path, "from file\r\nnot this\n");
    struct settings s;
    bool ended = true;
    set_required();
    unsetenv("UNIT_PASSWORD");
    setenv("UNIT_PASSWORD_FILE", path, 1);
    assert_int_equal(read_settings(NULL, &s, &ended), BF_OK);
    assert_string_equal(s.password, "from file");
    bf_config_release(table, BF_LEN(table), &s);

    setenv("UNIT_PASSWORD", "hush-hush", 1);
    assert_int_equal(read_settings(NULL, &s, &ended), BF_INVALID);
    assert_non_null(strstr(output, "set only one of them"));
    assert_null(strstr(output, "hush-hush"));
    unsetenv("UNIT_PASSWORD");
    write_secret_file(path, "");
    assert_int_equal(read_settings(NULL, &s, &ended), BF_INVALID);
    assert_non_null(strstr(output, "it is empty"));
    unlink(path);
    assert_int_equal(read_settings(NULL, &s, &ended), BF_INVALID);
    assert_non_null(strstr(output, "No such file"));
}

static void test_options_end_the_program(void **state)
{
    struct settings s;
    bool ended = false;
    assert_int_equal(read_settings("--help", &s, &ended), BF_OK);
    assert_true(ended);
    assert_non_null(strstr(output, "UNIT_PASSWORD[_FILE]"));
    assert_non_null(strstr(output, "integer, default: 8001, 1..65535"));
    assert_int_equal(read_settings("--settings", &s, &ended), BF_OK);
    assert_non_null(strstr(output, "UNIT_PORT\tinteger\t8001\tport\n"));
    assert_non_null(strstr(output, "UNIT_HOST\ttext\t(required)\twhere it listens\n"));
    assert_int_equal(read_settings("--version", &s, &ended), BF_OK);
    assert_memory_equal(output, "unit ", 5);
    ended = false;
    assert_int_equal(read_settings("--nonsense", &s, &ended), BF_INVALID);
    assert_true(ended);
    assert_non_null(strstr(output, "see --help"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_reads_values_and_defaults, clean_environment),
        cmocka_unit_test_setup(test_says_everything_that_is_wrong_at_once, clean_environment),
        cmocka_unit_test_setup(test_a_secret_comes_from_a_files_first_line, clean_environment),
        cmocka_unit_test_setup(test_options_end_the_program, clean_environment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
