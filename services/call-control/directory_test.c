// The directory against a registry that answers, is silent, or is away.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control_fixture.h"

static struct fixture fixture;
static uint64_t epoch = 1, head = 10;

static const struct fixture_number office[] = {
    {.number = "101"},
    {.number = "102", .busy = "101"},
    {.number = "600", .group = true, .members = {"101", "102"}},
};

static int start(void **state)
{
    memcpy(fixture.numbers, office, sizeof(office));
    return fixture_start(&fixture);
}

static int stop(void **state)
{
    fixture_stop(&fixture);
    return 0;
}

// How often the registry was asked for this look.
static unsigned look(const char *number, const struct directory_entry **ret_entry)
{
    unsigned before = fixture.asked;

    assert_int_equal(directory_look(fixture.control.directory, FIXTURE_TENANT, number, ret_entry), BF_OK);
    return fixture.asked - before;
}

static unsigned questions_for(const char *number)
{
    const struct directory_entry *entry;
    unsigned questions = look(number, &entry);

    directory_entry_unref(entry);
    return questions;
}

// The feed has no acknowledgement: a change counts as heard once what it voids is asked for again. Until then
// it is published again, as a second replica of the registry does.
static void publish_until_asked(uint64_t at_epoch, uint64_t at_head, uint64_t seq, const char *change,
                                const char *number)
{
    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS;

    do {
        fixture_publish(&fixture, at_epoch, at_head, seq, change);
        usleep(2000);
        assert_true(bf_mono_ms() < until);
    } while (questions_for(number) == 0);
}

static int begin(void **state)
{
    fixture.failing = BF_OK;
    publish_until_asked(++epoch, head, 0, NULL, "101"); // another epoch: everything is void
    return 0;
}

static void test_a_number_is_asked_once(void **state)
{
    const struct directory_entry *entry;

    assert_int_equal(look("600", &entry), 1);
    assert_int_equal(entry->kind, DIRECTORY_GROUP_ALL);
    assert_int_equal(entry->member_count, 2);
    assert_string_equal(entry->members[1], "102");
    directory_entry_unref(entry);
    assert_int_equal(questions_for("600"), 0);
    look("102", &entry);
    assert_string_equal(entry->forward_busy, "101");
    assert_int_equal(entry->ring_seconds, 20);
    directory_entry_unref(entry);
}

static void test_an_unknown_number_is_asked_once(void **state)
{
    const struct directory_entry *entry;

    assert_int_equal(look("999", &entry), 1);
    assert_int_equal(entry->kind, DIRECTORY_UNKNOWN);
    directory_entry_unref(entry);
    assert_int_equal(questions_for("999"), 0);
    head++;
    publish_until_asked(epoch, head, head, "999", "999"); // it was made
}

static void test_what_no_number_can_be_is_not_asked(void **state)
{
    assert_int_equal(questions_for(""), 0);
    assert_int_equal(questions_for("123456789012345678901234567890123"), 0);
}

static void test_a_change_voids_what_it_speaks_of(void **state)
{
    questions_for("101");
    questions_for("102");
    publish_until_asked(epoch, head + 1, head + 1, "102", "102");
    head++;
    assert_int_equal(questions_for("101"), 0);
}

static void test_a_gap_voids_everything(void **state)
{
    questions_for("101");
    head += 5;
    publish_until_asked(epoch, head, head, "102", "101");
}

static void test_a_head_ahead_of_us_voids_everything(void **state)
{
    questions_for("101");
    publish_until_asked(epoch, ++head, 0, NULL, "101");
    fixture_publish(&fixture, epoch, head, 0, NULL);
    assert_int_equal(questions_for("101"), 0);
}

static void test_the_newest_change_is_known(void **state)
{
    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS;
    struct directory_head found = {0, 0};

    publish_until_asked(epoch, ++head, 0, NULL, "101");
    while (!directory_head(fixture.control.directory, &found) || found.epoch != epoch || found.seq != head) {
        assert_true(bf_mono_ms() < until);
        usleep(2000);
    }
}

static void test_what_is_old_serves_while_the_registry_is_away(void **state)
{
    const struct directory_entry *entry = NULL;

    questions_for("101");
    fixture.failing = BF_UNAVAILABLE;
    publish_until_asked(epoch, ++head, 0, NULL, "101"); // void, asked in vain, and served
    assert_int_equal(questions_for("101"), 0);          // and not asked again at once
    assert_int_equal(directory_look(fixture.control.directory, FIXTURE_TENANT, "555", &entry),
                     BF_UNAVAILABLE);
    fixture.failing = BF_OK;
    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS;
    while (questions_for("101") == 0) {
        assert_true(bf_mono_ms() < until);
        usleep(10000);
    }
    assert_int_equal(questions_for("101"), 0);
}

static void test_a_silent_feed_voids_everything(void **state)
{
    struct directory_head found;
    uint64_t until = bf_mono_ms() + FIXTURE_WAIT_MS;

    assert_int_equal(questions_for("101"), 0);
    while (questions_for("101") == 0) {
        assert_true(bf_mono_ms() < until);
        usleep(20000);
    }
    assert_false(directory_head(fixture.control.directory, &found));
}

// ---- the cache alone

static void put(struct directory_cache *cache, const char *number, uint64_t version)
{
    struct directory_entry *entry = directory_entry_new(0);

    entry->tenant = FIXTURE_TENANT;
    memcpy(entry->number, number, strlen(number) + 1);
    directory_cache_put(cache, entry, version);
    directory_entry_unref(entry);
}

static bool has(struct directory_cache *cache, const char *number, bool *ret_void)
{
    const struct directory_entry *entry = directory_cache_get(cache, FIXTURE_TENANT, number, ret_void);

    directory_entry_unref(entry);
    return entry;
}

static void test_the_least_recently_used_goes(void **state)
{
    struct directory_cache *cache = directory_cache_new(2);
    bool is_void;

    put(cache, "1", 0);
    put(cache, "2", 0);
    assert_true(has(cache, "1", &is_void));
    put(cache, "3", 0);
    assert_true(has(cache, "1", &is_void));
    assert_false(has(cache, "2", &is_void));
    assert_int_equal(directory_cache_count(cache), 2);
    assert_int_equal(directory_cache_evicted(cache), 1);
    directory_cache_free(cache);
}

static void test_an_answer_that_a_change_overtook_is_void(void **state)
{
    struct directory_cache *cache = directory_cache_new(10);
    uint64_t version = directory_cache_version(cache);
    bool is_void;

    directory_cache_void_number(cache, FIXTURE_TENANT, "1"); // between the question and the answer
    put(cache, "1", version);
    assert_true(has(cache, "1", &is_void) && is_void);
    put(cache, "1", directory_cache_version(cache));
    assert_true(has(cache, "1", &is_void) && !is_void);
    directory_cache_void_tenant(cache, (struct bf_id){{9}});
    assert_true(has(cache, "1", &is_void) && !is_void);
    directory_cache_void_tenant(cache, FIXTURE_TENANT);
    assert_true(has(cache, "1", &is_void) && is_void);
    directory_cache_free(cache);
}

static void test_a_held_entry_outlives_the_cache(void **state)
{
    struct directory_cache *cache = directory_cache_new(1);
    bool is_void;

    put(cache, "1", 0);
    const struct directory_entry *held = directory_cache_get(cache, FIXTURE_TENANT, "1", &is_void);
    put(cache, "2", 0);
    directory_cache_free(cache);
    assert_string_equal(held->number, "1");
    directory_entry_unref(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_number_is_asked_once, begin),
        cmocka_unit_test_setup(test_an_unknown_number_is_asked_once, begin),
        cmocka_unit_test_setup(test_what_no_number_can_be_is_not_asked, begin),
        cmocka_unit_test_setup(test_a_change_voids_what_it_speaks_of, begin),
        cmocka_unit_test_setup(test_a_gap_voids_everything, begin),
        cmocka_unit_test_setup(test_a_head_ahead_of_us_voids_everything, begin),
        cmocka_unit_test_setup(test_the_newest_change_is_known, begin),
        cmocka_unit_test_setup(test_what_is_old_serves_while_the_registry_is_away, begin),
        cmocka_unit_test_setup(test_a_silent_feed_voids_everything, begin),
        cmocka_unit_test(test_the_least_recently_used_goes),
        cmocka_unit_test(test_an_answer_that_a_change_overtook_is_void),
        cmocka_unit_test(test_a_held_entry_outlives_the_cache),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
