#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "bf_log.h"

// What `bf_log` wrote goes to a file instead of stderr; each test reads its lines back.
static int saved_stderr;
static int captured;

static int capture(void **state)
{
    char path[] = "/tmp/bf_log_test.XXXXXX";
    captured = mkstemp(path);
    assert_true(captured >= 0);
    unlink(path);
    saved_stderr = dup(STDERR_FILENO);
    dup2(captured, STDERR_FILENO);
    return 0;
}

static int release(void **state)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    close(captured);
    return 0;
}

static char written[65536];

static const char *lines(void)
{
    ssize_t len = pread(captured, written, sizeof(written) - 1, 0);
    assert_true(len >= 0);
    written[len] = '\0';
    return written;
}

// The one line there is, as JSON.
static json_t *line(void)
{
    const char *text = lines();
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s: %.200s", error.text, text);
    return json;
}

static const char *field(json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static void test_a_line_is_one_json_object(void **state)
{
    bf_log_start("unit", BF_LOG_INFO);
    bf_warn("unit.happened", BF_S("tenant", "acme"), BF_I("count", -3), BF_E(BF_CONFLICT),
            BF_S("none", NULL));
    json_t *json = line();
    assert_string_equal(field(json, "level"), "warn");
    assert_string_equal(field(json, "service"), "unit");
    assert_string_equal(field(json, "event"), "unit.happened");
    assert_string_equal(field(json, "tenant"), "acme");
    assert_int_equal(json_integer_value(json_object_get(json, "count")), -3);
    assert_string_equal(field(json, "error"), "CONFLICT");
    assert_string_equal(field(json, "none"), "");
    assert_int_equal(strlen(field(json, "time")), 24);
    json_decref(json);
}

static void test_hostile_text_stays_inside_its_field(void **state)
{
    bf_info("unit.hostile", BF_SN("text", BF_STR("a\"}\n{\"level\":\"error\\\x01\x7f\xff\xe2\x82€\0z")));
    json_t *json = line();
    assert_string_equal(field(json, "level"), "info");
    // Each byte that is not UTF-8 becomes U+FFFD; a NUL too.
    const char *text = field(json, "text");
    assert_string_equal(
        text, "a\"}\n{\"level\":\"error\\\x01\x7f\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd€\xef\xbf\xbdz");
    json_decref(json);
}

static void test_a_long_line_is_cut_and_says_so(void **state)
{
    for (size_t len = 7900; len < 8300; len++) {
        assert_int_equal(ftruncate(captured, 0), 0);
        lseek(captured, 0, SEEK_SET);
        char text[8300];
        memset(text, 'x', len);
        bf_info("unit.long", BF_SN("text", ((struct bf_str){text, len})), BF_I("after", 1));
        json_t *json = line();
        assert_true(strlen(written) <= 8192);
        bool whole = json_object_get(json, "after") != NULL;
        assert_true(whole != (json_object_get(json, "cut") != NULL));
        json_decref(json);
    }
}

static void test_below_the_least_level_nothing_is_written(void **state)
{
    bf_debug("unit.quiet");
    bf_log_start("unit", BF_LOG_ERROR);
    bf_warn("unit.quiet");
    bf_log_start("unit", BF_LOG_INFO);
    assert_string_equal(lines(), "");
}

static void test_levels_have_names(void **state)
{
    enum bf_log_level level = BF_LOG_ERROR;
    assert_true(bf_log_level_parse("debug", &level));
    assert_int_equal(level, BF_LOG_DEBUG);
    assert_false(bf_log_level_parse("DEBUG", &level));
    assert_false(bf_log_level_parse("", &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_line_is_one_json_object, capture, release),
        cmocka_unit_test_setup_teardown(test_hostile_text_stays_inside_its_field, capture, release),
        cmocka_unit_test_setup_teardown(test_a_long_line_is_cut_and_says_so, capture, release),
        cmocka_unit_test_setup_teardown(test_below_the_least_level_nothing_is_written, capture, release),
        cmocka_unit_test(test_levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
