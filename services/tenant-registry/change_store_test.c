// The SQL against a real PostgreSQL: the feed of changes and its snapshots.
#include <pthread.h>
#include <stdio.h>

#include "store_fixture.h"

// ---- the feed

struct heard {
    size_t count;
    struct change last;
    uint64_t first;
};

static void hear(void *ctx, const struct change *change)
{
    struct heard *heard = ctx;

    if (heard->count++ == 0)
        heard->first = change->seq;
    else
        assert_int_equal(change->seq, heard->last.seq + 1);
    heard->last = *change;
}

static void a_change_says_what_the_thing_is_now(void **state)
{
    struct heard heard = {.count = 0};
    struct extension extension = store_extension("200");
    struct extension_ha1 ha1 = {.md5 = {1}};
    struct change_head before, after;
    struct bf_tx *tx = store_begin();

    assert_int_equal(change_store_head(tx, &before), BF_OK);
    assert_int_equal(extension_store_add(tx, acme.id, &extension, &ha1), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_EXTENSION, acme.id, "200"), BF_OK);
    store_commit(tx);
    tx = store_begin();
    assert_int_equal(change_store_after(tx, before.seq, INT64_MAX, 10, hear, &heard), BF_OK);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.last.kind, CHANGE_EXTENSION);
    assert_false(heard.last.gone);
    assert_int_equal(extension_store_remove(tx, acme.id, "200"), BF_OK);
    heard = (struct heard){.count = 0};
    assert_int_equal(change_store_after(tx, before.seq, INT64_MAX, 10, hear, &heard), BF_OK);
    assert_true(heard.last.gone);
    assert_string_equal(heard.last.number, "200");
    assert_int_equal(change_store_head(tx, &after), BF_OK);
    assert_int_equal(after.seq, before.seq + 1);
    assert_true(after.epoch == before.epoch);
    bf_tx_release(tx);
}

// Told late, its end cannot be seen any more: that it is another one can.
static void an_extension_that_was_made_again_is_told_as_another(void **state)
{
    struct heard heard = {.count = 0};
    struct extension extension = store_extension("201"), found;
    struct extension_ha1 ha1 = {.md5 = {1}};
    struct change_head before;
    struct bf_tx *tx = store_begin();

    assert_int_equal(change_store_head(tx, &before), BF_OK);
    assert_int_equal(extension_store_add(tx, acme.id, &extension, &ha1), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_EXTENSION, acme.id, "201"), BF_OK);
    assert_int_equal(change_store_after(tx, before.seq, INT64_MAX, 10, hear, &heard), BF_OK);
    struct bf_id first = heard.last.extension;
    assert_int_equal(extension_store_find(tx, acme.id, "201", &found), BF_OK);
    assert_true(bf_id_eq(found.id, first) && !bf_id_is_nil(first));
    assert_int_equal(extension_store_remove(tx, acme.id, "201"), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_EXTENSION, acme.id, "201"), BF_OK);
    assert_int_equal(extension_store_add(tx, acme.id, &extension, &ha1), BF_OK);
    heard = (struct heard){.count = 0};
    assert_int_equal(change_store_after(tx, before.seq + 1, INT64_MAX, 10, hear, &heard), BF_OK);
    assert_false(heard.last.gone);
    assert_true(memcmp(heard.last.extension.bytes, first.bytes, sizeof(first.bytes)) > 0);
    bf_tx_release(tx);
}

static void a_domain_that_moved_is_sent_with_its_new_tenant(void **state)
{
    struct heard heard = {.count = 0};
    struct change_head head;
    struct bf_tx *tx = store_begin();

    assert_int_equal(change_store_head(tx, &head), BF_OK);
    assert_int_equal(domain_store_add(tx, acme.id, "moves.example"), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_DOMAIN, acme.id, "moves.example"), BF_OK);
    assert_int_equal(domain_store_remove(tx, acme.id, "moves.example"), BF_OK);
    assert_int_equal(domain_store_add(tx, bela.id, "moves.example"), BF_OK);
    assert_int_equal(change_store_after(tx, head.seq, INT64_MAX, 10, hear, &heard), BF_OK);
    assert_int_equal(heard.last.kind, CHANGE_DOMAIN);
    assert_false(heard.last.gone);
    assert_string_equal(heard.last.tenant.slug, "bela");
    bf_tx_release(tx);
}

static void a_deleted_extension_leaves_its_groups_and_the_feed_says_so(void **state)
{
    struct heard heard = {.count = 0};
    struct change_head before, after;
    struct group group;
    struct bf_tx *tx = store_begin();

    store_add_extension(tx, &acme, "160");
    store_add_group(tx, &acme, "600", "160 100");
    store_add_group(tx, &acme, "601", "160");
    store_add_group(tx, &acme, "602", "100");
    assert_int_equal(change_store_head(tx, &before), BF_OK);
    assert_int_equal(group_store_leave_all(tx, acme.id, "160"), BF_OK);
    assert_int_equal(extension_store_remove(tx, acme.id, "160"), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_EXTENSION, acme.id, "160"), BF_OK);
    assert_int_equal(group_store_find(tx, acme.id, "600", &group), BF_OK);
    assert_string_equal(group.members, "100");
    assert_int_equal(group_store_find(tx, acme.id, "601", &group), BF_OK);
    assert_string_equal(group.members, ""); // it stays, with nobody
    assert_int_equal(change_store_head(tx, &after), BF_OK);
    assert_int_equal(after.seq, before.seq + 3);
    assert_int_equal(change_store_after(tx, before.seq, after.seq - 1, 10, hear, &heard), BF_OK);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.last.kind, CHANGE_GROUP);
    assert_string_equal(heard.last.number, "601");
    assert_false(heard.last.gone);
    assert_int_equal(group_store_remove(tx, acme.id, "601"), BF_OK);
    heard = (struct heard){.count = 0};
    assert_int_equal(change_store_after(tx, before.seq, after.seq - 1, 10, hear, &heard), BF_OK);
    assert_true(heard.last.gone);
    bf_tx_release(tx);
}

static void leaving_no_group_takes_no_number_of_the_feed(void **state)
{
    struct change_head before, after;
    struct bf_tx *tx = store_begin();

    assert_int_equal(change_store_head(tx, &before), BF_OK);
    assert_int_equal(group_store_leave_all(tx, acme.id, "100"), BF_OK);
    assert_int_equal(change_store_head(tx, &after), BF_OK);
    assert_int_equal(after.seq, before.seq);
    bf_tx_release(tx);
}

static void a_deleted_tenant_leaves_no_group_and_no_number(void **state)
{
    struct tenant short_lived;

    store_make_tenant(&short_lived, "brief");
    struct bf_tx *tx = store_begin();
    int64_t numbers = store_number_of(tx, "SELECT count(*) FROM registry.number");
    store_add_group(tx, &short_lived, "600", "100");
    assert_int_equal(tenant_store_remove(tx, short_lived.id), BF_OK);
    assert_int_equal(store_number_of(tx, "SELECT count(*) FROM registry.number"), numbers - 1);
    assert_int_equal(store_number_of(tx, "SELECT count(*) FROM registry.group_member"), 0);
    store_commit(tx);
}

#define WRITERS 4
#define WRITES  40

// Every third transaction is rolled back.
static void *write_changes(void *unused)
{
    for (int i = 0; i < WRITES; i++) {
        struct bf_tx *tx = NULL;
        if (bf_tx_begin(db, BF_SCOPE_TENANT, acme.id, &tx) ||
            change_store_note(tx, CHANGE_TENANT, acme.id, NULL))
            return "a writer failed";
        if (i % 3 && bf_tx_commit(tx))
            return "a commit failed";
        bf_tx_release(tx);
    }
    return NULL;
}

static void the_sequence_has_no_holes_whoever_writes_and_rolls_back(void **state)
{
    pthread_t threads[WRITERS];
    struct heard heard = {.count = 0};
    struct change_head before, after;
    struct bf_tx *tx = store_begin();

    assert_int_equal(change_store_head(tx, &before), BF_OK);
    bf_tx_release(tx);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_changes, NULL), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    tx = store_begin();
    assert_int_equal(change_store_head(tx, &after), BF_OK);
    assert_int_equal(change_store_after(tx, before.seq, INT64_MAX, 10000, hear, &heard), BF_OK);
    assert_int_equal(heard.count, after.seq - before.seq);
    assert_int_equal(heard.count, WRITERS * (WRITES - (WRITES + 2) / 3));
    assert_int_equal(heard.first, before.seq + 1);
    heard = (struct heard){.count = 0};
    assert_int_equal(change_store_after(tx, before.seq, after.seq - 1, 10000, hear, &heard), BF_OK);
    assert_int_equal(heard.last.seq, after.seq - 1);
    bf_tx_release(tx);
}

static void what_was_pruned_is_said_to_be_gone(void **state)
{
    struct heard heard = {.count = 0};
    struct change_head head;
    int64_t pruned;
    struct bf_tx *tx = store_begin();

    assert_int_equal(change_store_head(tx, &head), BF_OK);
    assert_int_equal(change_store_prune(tx, 2, 24, 1000, &pruned), BF_OK);
    assert_int_equal(pruned, 0); // they are young
    assert_int_equal(change_store_prune(tx, 2, 0, 1000, &pruned), BF_OK);
    assert_int_equal(pruned, head.seq - 2);
    assert_int_equal(change_store_after(tx, 0, INT64_MAX, 10, hear, &heard), BF_NOT_FOUND);
    assert_int_equal(change_store_after(tx, head.seq - 2, INT64_MAX, 10, hear, &heard), BF_OK);
    assert_int_equal(heard.count, 2);
    bf_tx_release(tx);
}

struct paged {
    size_t count, stop_at;
    char last[DOMAIN_BYTES_MAX + 1];
};

static bool page_add(void *ctx, const char *domain, const struct tenant *tenant)
{
    struct paged *paged = ctx;

    assert_true(strcmp(paged->last, domain) < 0);
    snprintf(paged->last, sizeof(paged->last), "%s", domain);
    return ++paged->count != paged->stop_at;
}

static void a_snapshot_comes_in_pages_by_name(void **state)
{
    struct paged paged = {.stop_at = 0};
    bool more = true;
    struct bf_tx *tx = store_begin();
    int64_t domains = store_number_of(tx, "SELECT count(*) FROM registry.domain");

    for (int i = 0; more && i < 100; i++)
        assert_int_equal(change_store_snapshot(tx, paged.last, 1, page_add, &paged, &more), BF_OK);
    assert_int_equal(paged.count, domains);
    paged = (struct paged){.stop_at = 1};
    assert_int_equal(change_store_snapshot(tx, "", 100, page_add, &paged, &more), BF_OK);
    assert_true(more); // it was ended early
    assert_int_equal(paged.count, 1);
    bf_tx_release(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_says_what_the_thing_is_now),
        cmocka_unit_test(an_extension_that_was_made_again_is_told_as_another),
        cmocka_unit_test(a_domain_that_moved_is_sent_with_its_new_tenant),
        cmocka_unit_test(a_deleted_extension_leaves_its_groups_and_the_feed_says_so),
        cmocka_unit_test(leaving_no_group_takes_no_number_of_the_feed),
        cmocka_unit_test(a_deleted_tenant_leaves_no_group_and_no_number),
        cmocka_unit_test(the_sequence_has_no_holes_whoever_writes_and_rolls_back),
        cmocka_unit_test(what_was_pruned_is_said_to_be_gone),
        cmocka_unit_test(a_snapshot_comes_in_pages_by_name),
    };

    return cmocka_run_group_tests(tests, store_start, store_stop);
}
