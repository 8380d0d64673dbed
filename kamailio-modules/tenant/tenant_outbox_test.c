#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>
#include "tenant_outbox.h"

enum { MAX = TENANT_OUTBOX_MIN, FIELD = 3, ALL = 1 << 24 };

static struct tenant_outbox *outbox_new(void)
{
    return tenant_outbox_init(aligned_alloc(64, (tenant_outbox_bytes(MAX) + 63) & ~63ul), MAX);
}

static bool put(struct tenant_outbox *outbox, const char *text)
{
    return tenant_outbox_add(outbox, text, strlen(text));
}

// Of the binding that the first character names.
static bool change(struct tenant_outbox *outbox, const char *text)
{
    return tenant_outbox_add_binding(outbox, (uint64_t)*text, false, text, strlen(text));
}

static bool refresh(struct tenant_outbox *outbox, const char *text)
{
    return tenant_outbox_add_binding(outbox, (uint64_t)*text, true, text, strlen(text));
}

// What the reader gets, as "text text ", without the protobuf heads (texts are shorter than 128 bytes).
static const char *peeked(struct tenant_outbox *outbox, uint32_t max, size_t bytes_max, uint64_t *ret_first)
{
    static char text[4096];
    struct bf_buf into;
    size_t len = 0;

    bf_buf_init(&into, ALL);
    tenant_outbox_peek(outbox, max, bytes_max, FIELD, &into, ret_first);
    for (size_t at = 0; at < into.len; at += 2 + (uint8_t)into.at[at + 1]) {
        assert_int_equal((uint8_t)into.at[at], FIELD << 3 | 2);
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%.*s ", (uint8_t)into.at[at + 1],
                                into.at + at + 2);
    }
    text[len] = '\0';
    bf_buf_release(&into);
    return text;
}

static void test_an_entry_stays_until_it_is_taken(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    uint64_t first;

    put(outbox, "a");
    change(outbox, "b");
    put(outbox, "c");
    assert_string_equal(peeked(outbox, 10, ALL, &first), "a b c ");
    assert_int_equal(first, 1);
    assert_string_equal(peeked(outbox, 2, ALL, &first), "a b ");
    tenant_outbox_taken(outbox, 2);
    assert_string_equal(peeked(outbox, 10, ALL, &first), "c ");
    assert_int_equal(first, 3);
    assert_int_equal(tenant_outbox_figures(outbox).waiting, 1);
    tenant_outbox_taken(outbox, 3);
    assert_string_equal(peeked(outbox, 10, ALL, &first), "");
    assert_int_equal(first, 4);
    free(outbox);
}

static void test_nonsense_takes_nothing(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    uint64_t first;

    put(outbox, "a");
    tenant_outbox_taken(outbox, 2);
    tenant_outbox_taken(outbox, 0);
    assert_string_equal(peeked(outbox, 10, ALL, &first), "a ");
    tenant_outbox_taken(outbox, 1);
    tenant_outbox_taken(outbox, 1);
    tenant_outbox_taken(outbox, 0);
    assert_int_equal(tenant_outbox_figures(outbox).taken_seq, 1);
    free(outbox);
}

static void test_a_batch_ends_at_its_bytes(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    uint64_t first;

    put(outbox, "0123456789");
    put(outbox, "0123456789");
    assert_string_equal(peeked(outbox, 10, 30, &first), "0123456789 ");
    free(outbox);
}

static void test_it_goes_round_the_ring_with_entries_whole(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    char entry[100];
    uint64_t first;

    for (uint64_t seq = 1; seq < 40000; seq++) {
        snprintf(entry, 40 + seq % 50, "%080llu", (unsigned long long)seq);
        assert_true(put(outbox, entry));
        if (seq < 3)
            continue;
        snprintf(entry, 40 + (seq - 2) % 50, "%080llu", (unsigned long long)seq - 2);
        memcpy(entry + strlen(entry), " ", 2);
        assert_string_equal(peeked(outbox, 1, ALL, &first), entry);
        assert_int_equal(first, seq - 2);
        tenant_outbox_taken(outbox, seq - 2);
    }
    free(outbox);
}

static void test_when_full_it_drops_and_counts(void **state)
{
    struct tenant_outbox *outbox = outbox_new();

    for (int i = 0; i < MAX; i++)
        assert_true(put(outbox, "x"));
    assert_false(put(outbox, "x"));
    assert_int_equal(tenant_outbox_figures(outbox).dropped, 1);
    assert_int_equal(tenant_outbox_figures(outbox).put_seq, MAX); // what is dropped has no number
    assert_false(tenant_outbox_lost_bindings(outbox));
    tenant_outbox_taken(outbox, 1);
    assert_true(put(outbox, "x"));
    free(outbox);
}

static void test_bytes_are_limited_too(void **state)
{
    static const char large[TENANT_OUTBOX_ENTRY_BYTES_MAX + 1];
    struct tenant_outbox *outbox = outbox_new();
    int fit = 0;

    assert_false(tenant_outbox_add(outbox, large, sizeof(large)));
    while (tenant_outbox_add(outbox, large, sizeof(large) - 1))
        fit++;
    assert_int_equal(fit, MAX * 512 / (TENANT_OUTBOX_ENTRY_BYTES_MAX + 4));
    free(outbox);
}

static void test_bindings_leave_room_to_events_and_are_asked_for_again(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    int fit = 0;

    while (change(outbox, "x"))
        fit++;
    assert_int_equal(fit, MAX * 3 / 4);
    assert_true(put(outbox, "x"));
    assert_true(tenant_outbox_lost_bindings(outbox));
    assert_false(tenant_outbox_lost_bindings(outbox)); // once
    free(outbox);
}

static void test_a_refresh_takes_the_place_of_one_that_waits(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    uint64_t first;

    refresh(outbox, "a1");
    refresh(outbox, "b1");
    refresh(outbox, "a2");
    assert_string_equal(peeked(outbox, 1, ALL, &first), "a2 ");
    refresh(outbox, "a3"); // the one before is on its way
    refresh(outbox, "b2"); // its one is not
    assert_string_equal(peeked(outbox, 10, ALL, &first), "a2 b2 a3 ");
    assert_int_equal(tenant_outbox_figures(outbox).put_seq, 3);
    assert_string_equal(peeked(outbox, 1, ALL, &first),
                        "a2 "); // sent again, but all of it may have been taken
    refresh(outbox, "b3");
    assert_string_equal(peeked(outbox, 10, ALL, &first), "a2 b2 a3 b3 ");
    free(outbox);
}

static void test_a_refresh_takes_no_other_place(void **state)
{
    static const struct {
        bool (*before)(struct tenant_outbox *outbox, const char *text);
        const char *text, *wanted;
    } rows[] = {
        {change, "a2", "a1 a2 a3 "},    // it was deregistered meanwhile
        {put, "mark", "a1 mark a3 "},   // a resync began
        {refresh, "a22", "a1 a22 a3 "}, // of another length
    };

    for (size_t i = 0; i < BF_LEN(rows); i++) {
        struct tenant_outbox *outbox = outbox_new();
        uint64_t first;
        refresh(outbox, "a1");
        rows[i].before(outbox, rows[i].text);
        refresh(outbox, "a3");
        assert_string_equal(peeked(outbox, 10, ALL, &first), rows[i].wanted);
        free(outbox);
    }
}

// MAX keys apart is the same place among the last ones.
static void test_two_bindings_are_never_taken_for_one(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    uint64_t first;

    tenant_outbox_add_binding(outbox, 1, true, "a1", 2);
    tenant_outbox_add_binding(outbox, 1 + MAX, true, "b1", 2);
    tenant_outbox_add_binding(outbox, 1, true, "a2", 2);
    assert_string_equal(peeked(outbox, 10, ALL, &first), "a1 b1 a2 ");
    free(outbox);
}

static bool readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 1;
}

static void test_a_sleeping_reader_is_woken_once(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    int fd = eventfd(0, EFD_NONBLOCK);
    uint64_t count;

    tenant_outbox_wake_by(outbox, fd);
    put(outbox, "x");
    assert_false(readable(fd)); // nobody sleeps
    tenant_outbox_sleep(outbox);
    put(outbox, "x");
    put(outbox, "x");
    assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
    assert_int_equal(count, 1);
    close(fd);
    free(outbox);
}

static void test_a_message_is_answered_before_the_reader_wakes(void **state)
{
    struct tenant_outbox *outboxes[TENANT_OUTBOX_HELD_MAX + 1];
    int fds[BF_LEN(outboxes)];

    for (size_t i = 0; i < BF_LEN(outboxes); i++) {
        outboxes[i] = outbox_new();
        fds[i] = eventfd(0, EFD_NONBLOCK);
        tenant_outbox_wake_by(outboxes[i], fds[i]);
        tenant_outbox_sleep(outboxes[i]);
    }
    tenant_outbox_hold();
    for (size_t i = 0; i < 2 * BF_LEN(outboxes); i++)
        put(outboxes[i % BF_LEN(outboxes)], "x");
    for (size_t i = 0; i < TENANT_OUTBOX_HELD_MAX; i++)
        assert_false(readable(fds[i]));
    assert_true(readable(fds[TENANT_OUTBOX_HELD_MAX])); // one too many to be held
    tenant_outbox_let_go();
    for (size_t i = 0; i < BF_LEN(outboxes); i++)
        assert_true(readable(fds[i]));

    tenant_outbox_sleep(outboxes[0]); // and nothing is owed any more
    assert_int_equal(eventfd_read(fds[0], &(eventfd_t){0}), 0);
    tenant_outbox_hold();
    tenant_outbox_let_go();
    assert_false(readable(fds[0]));
    put(outboxes[0], "x");
    assert_true(readable(fds[0]));
    for (size_t i = 0; i < BF_LEN(outboxes); i++) {
        close(fds[i]);
        free(outboxes[i]);
    }
}

static void test_without_call_control_nothing_happens(void **state)
{
    struct tenant_outbox *outbox = outbox_new();

    tenant_outbox_put("x", 1);
    tenant_outbox_use(outbox);
    tenant_outbox_put("x", 1);
    assert_int_equal(tenant_outbox_figures(outbox).put_seq, 1);
    tenant_outbox_use(NULL);
    free(outbox);
}

// ---- many writers, one reader

enum { WRITERS = 4, EACH = 20000 };

struct writer {
    struct tenant_outbox *outbox;
    uint32_t number;
};

static void *write_all(void *at)
{
    const struct writer *writer = at;
    uint32_t entry[2] = {writer->number};

    while (entry[1] < EACH) {
        if (tenant_outbox_add(writer->outbox, entry, sizeof(entry)))
            entry[1]++;
    }
    return NULL;
}

static void test_each_writers_entries_come_in_order_and_whole(void **state)
{
    struct tenant_outbox *outbox = outbox_new();
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    uint32_t next[WRITERS] = {0};
    uint64_t first, taken = 0;
    struct bf_buf into;

    bf_buf_init(&into, ALL);
    for (uint32_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){outbox, i};
        pthread_create(&threads[i], NULL, write_all, &writers[i]);
    }
    while (taken < (uint64_t)WRITERS * EACH) {
        bf_buf_clear(&into);
        uint32_t count = tenant_outbox_peek(outbox, 100, ALL, FIELD, &into, &first);
        assert_int_equal(first, taken + 1);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t entry[2];
            memcpy(entry, into.at + i * (2 + sizeof(entry)) + 2, sizeof(entry));
            assert_true(entry[0] < WRITERS);
            assert_int_equal(entry[1], next[entry[0]]++);
        }
        taken += count;
        tenant_outbox_taken(outbox, taken);
    }
    for (uint32_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    bf_buf_release(&into);
    free(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_entry_stays_until_it_is_taken),
        cmocka_unit_test(test_nonsense_takes_nothing),
        cmocka_unit_test(test_a_batch_ends_at_its_bytes),
        cmocka_unit_test(test_it_goes_round_the_ring_with_entries_whole),
        cmocka_unit_test(test_when_full_it_drops_and_counts),
        cmocka_unit_test(test_bytes_are_limited_too),
        cmocka_unit_test(test_bindings_leave_room_to_events_and_are_asked_for_again),
        cmocka_unit_test(test_a_refresh_takes_the_place_of_one_that_waits),
        cmocka_unit_test(test_a_refresh_takes_no_other_place),
        cmocka_unit_test(test_two_bindings_are_never_taken_for_one),
        cmocka_unit_test(test_a_sleeping_reader_is_woken_once),
        cmocka_unit_test(test_a_message_is_answered_before_the_reader_wakes),
        cmocka_unit_test(test_without_call_control_nothing_happens),
        cmocka_unit_test(test_each_writers_entries_come_in_order_and_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
