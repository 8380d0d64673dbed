// The SQL against a real PostgreSQL: extensions, groups, and what the directory says about numbers.
#include <pthread.h>
#include <stdio.h>

#include "directory_store.h"
#include "store_fixture.h"

// ---- extensions, groups, the directory

static void what_becomes_of_calls_is_kept_and_cleared(void **state)
{
    struct extension extension = store_extension("150"), found;
    struct bf_tx *tx = store_begin();

    extension.calls = (struct extension_calls){
        .do_not_disturb = true, .forward_always = "151", .forward_no_answer = "+5511", .ring_seconds = 7};
    assert_int_equal(extension_store_add(tx, acme.id, &extension, &(struct extension_ha1){.md5 = {1}}),
                     BF_OK);
    assert_int_equal(extension_store_find(tx, acme.id, "150", &found), BF_OK);
    assert_true(found.calls.do_not_disturb);
    assert_string_equal(found.calls.forward_always, "151");
    assert_string_equal(found.calls.forward_busy, "");
    assert_string_equal(found.calls.forward_no_answer, "+5511");
    assert_int_equal(found.calls.ring_seconds, 7);
    found.calls = (struct extension_calls){.forward_busy = "152", .ring_seconds = 8};
    assert_int_equal(extension_store_update(tx, acme.id, &found), BF_OK);
    assert_int_equal(extension_store_find(tx, acme.id, "150", &extension), BF_OK);
    assert_false(extension.calls.do_not_disturb);
    assert_string_equal(extension.calls.forward_always, "");
    assert_string_equal(extension.calls.forward_busy, "152");
    assert_int_equal(extension.calls.ring_seconds, 8);
    bf_tx_release(tx);
}

static void a_number_is_an_extension_or_a_group(void **state)
{
    struct extension extension = store_extension("610");
    struct group group = store_group("100", "");
    struct bf_tx *tx = store_begin_as(BF_SCOPE_TENANT, acme.id);

    assert_int_equal(group_store_add(tx, acme.id, &group), BF_CONFLICT);
    assert_string_equal(bf_tx_constraint(tx), "number_pkey");
    bf_tx_release(tx);
    tx = store_begin_as(BF_SCOPE_TENANT, acme.id);
    store_add_group(tx, &acme, "610", "");
    assert_int_equal(extension_store_add(tx, acme.id, &extension, &(struct extension_ha1){.md5 = {1}}),
                     BF_CONFLICT);
    bf_tx_release(tx);
    tx = store_begin_as(BF_SCOPE_TENANT, acme.id);
    store_add_group(tx, &acme, "610", "");
    assert_int_equal(group_store_remove(tx, acme.id, "610"), BF_OK);
    store_add_extension(tx, &acme, "610"); // the number is free again
    bf_tx_release(tx);
}

struct taker {
    bool as_group;
    enum bf_err err;
};

// Each thread tries to make 620 an extension or a group; no lock on the tenant helps the database.
static void *take_620(void *at)
{
    struct taker *taker = at;
    struct extension extension = store_extension("620");
    struct group group = store_group("620", "");
    struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(db, BF_SCOPE_TENANT, acme.id, &tx);

    if (!err && taker->as_group)
        err = group_store_add(tx, acme.id, &group);
    else if (!err)
        err = extension_store_add(tx, acme.id, &extension, &(struct extension_ha1){.md5 = {1}});
    if (!err)
        err = bf_tx_commit(tx);
    bf_tx_release(tx);
    taker->err = err;
    return NULL;
}

static void of_many_that_take_a_number_at_once_one_gets_it(void **state)
{
    struct taker takers[6];
    pthread_t threads[BF_LEN(takers)];
    int got = 0;

    for (size_t i = 0; i < BF_LEN(takers); i++) {
        takers[i] = (struct taker){.as_group = i % 2};
        assert_int_equal(pthread_create(&threads[i], NULL, take_620, &takers[i]), 0);
    }
    for (size_t i = 0; i < BF_LEN(takers); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(takers[i].err == BF_OK || takers[i].err == BF_CONFLICT);
        got += takers[i].err == BF_OK;
    }
    assert_int_equal(got, 1);
    struct bf_tx *tx = store_begin();
    assert_int_equal(
        store_number_of(tx, "SELECT (SELECT count(*) FROM registry.extension WHERE number = '620') + "
                            "(SELECT count(*) FROM registry.group_ WHERE number = '620')"),
        1);
    bf_tx_release(tx);
}

static void members_are_extensions_of_the_tenant_in_order(void **state)
{
    char stranger[EXTENSION_NUMBER_BYTES_MAX + 1];
    struct group group;
    struct bf_tx *tx = store_begin();

    store_add_extension(tx, &acme, "101");
    store_add_extension(tx, &bela, "102");
    store_add_group(tx, &acme, "600", "101 100");
    assert_int_equal(group_store_find(tx, acme.id, "600", &group), BF_OK);
    assert_string_equal(group.members, "101 100");
    assert_string_equal(group.display_name, "Sales");
    assert_int_equal(group.strategy, GROUP_SEQUENCE);
    assert_int_equal(group.ring_seconds, 15);
    assert_int_equal(group_store_find(tx, bela.id, "600", &group), BF_NOT_FOUND);
    assert_int_equal(group_store_stranger(tx, acme.id, "100 101", stranger), BF_OK);
    assert_string_equal(stranger, "");
    assert_int_equal(group_store_stranger(tx, acme.id, "100 600 102", stranger), BF_OK);
    assert_string_equal(stranger, "600"); // a group is none either
    assert_int_equal(group_store_stranger(tx, acme.id, "100 102", stranger), BF_OK);
    assert_string_equal(stranger, "102"); // another tenant's
    assert_int_equal(group_store_stranger(tx, acme.id, "", stranger), BF_OK);
    assert_string_equal(stranger, "");
    group = store_group("600", "100 102");
    assert_int_equal(group_store_set_members(tx, acme.id, &group), BF_NOT_FOUND);
    bf_tx_release(tx);
}

static void note_place(void *ctx, uint32_t at)
{
    uint32_t *places = ctx;

    places[++places[0]] = at;
}

static void the_directory_knows_who_is_no_extension(void **state)
{
    char text[BF_ID_TEXT_SIZE], other[BF_ID_TEXT_SIZE];
    uint32_t places[8] = {0};
    struct bf_tx *tx = store_begin();

    store_add_group(tx, &acme, "600", "100");
    bf_autofree char *tenants =
        bf_xasprintf("%s %s %s %s", bf_id_text(acme.id, text), text, text, bf_id_text(nobody, other));
    assert_int_equal(directory_store_unknown(tx, tenants, "999 100 600 100", "- - - -", note_place, places),
                     BF_OK);
    assert_int_equal(places[0], 3); // a group has no devices
    assert_int_equal(places[1], 0);
    assert_int_equal(places[2], 2);
    assert_int_equal(places[3], 3);
    bf_tx_release(tx);
}

// Deleted and made again, a number is another extension: who has kept something of the one before learns it.
static void a_number_that_is_made_again_is_another_extension(void **state)
{
    char tenant[BF_ID_TEXT_SIZE], old[BF_ID_TEXT_SIZE], now[BF_ID_TEXT_SIZE];
    struct extension extension;
    struct directory_entry entry;
    uint32_t places[8] = {0};
    struct bf_tx *tx = store_begin();

    store_add_extension(tx, &acme, "170");
    assert_int_equal(extension_store_find(tx, acme.id, "170", &extension), BF_OK);
    bf_id_text(extension.id, old);
    assert_int_equal(extension_store_remove(tx, acme.id, "170"), BF_OK);
    store_add_extension(tx, &acme, "170");
    assert_int_equal(directory_store_find(tx, acme.id, "170", &entry), BF_OK);
    assert_true(memcmp(entry.extension.id.bytes, extension.id.bytes, sizeof(extension.id.bytes)) > 0);
    bf_autofree char *tenants = bf_xasprintf("%s %s %s", bf_id_text(acme.id, tenant), tenant, tenant);
    bf_autofree char *ids = bf_xasprintf("%s %s -", old, bf_id_text(entry.extension.id, now));
    assert_int_equal(directory_store_unknown(tx, tenants, "170 170 170", ids, note_place, places), BF_OK);
    assert_int_equal(places[0], 1);
    assert_int_equal(places[1], 0);
    bf_tx_release(tx);
}

static void the_directory_knows_extensions_and_groups(void **state)
{
    struct directory_entry entry;
    struct bf_tx *tx = store_begin();

    store_add_group(tx, &acme, "600", "100");
    assert_int_equal(directory_store_find(tx, acme.id, "100", &entry), BF_OK);
    assert_false(entry.is_group);
    assert_string_equal(entry.extension.number, "100");
    assert_int_equal(entry.extension.calls.ring_seconds, 30);
    assert_string_equal(entry.tenant.slug, "acme");
    assert_int_equal(entry.tenant.limits.max_calls, 3);
    assert_int_equal(directory_store_find(tx, acme.id, "600", &entry), BF_OK);
    assert_true(entry.is_group);
    assert_string_equal(entry.group.members, "100");
    assert_string_equal(entry.group.display_name, "Sales");
    assert_int_equal(entry.group.ring_seconds, 15);
    assert_int_equal(directory_store_find(tx, acme.id, "999", &entry), BF_NOT_FOUND);
    assert_int_equal(directory_store_find(tx, bela.id, "600", &entry), BF_NOT_FOUND);
    assert_int_equal(directory_store_find(tx, nobody, "100", &entry), BF_NOT_FOUND);
    bf_tx_release(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_becomes_of_calls_is_kept_and_cleared),
        cmocka_unit_test(a_number_is_an_extension_or_a_group),
        cmocka_unit_test(of_many_that_take_a_number_at_once_one_gets_it),
        cmocka_unit_test(members_are_extensions_of_the_tenant_in_order),
        cmocka_unit_test(the_directory_knows_extensions_and_groups),
        cmocka_unit_test(the_directory_knows_who_is_no_extension),
        cmocka_unit_test(a_number_that_is_made_again_is_another_extension),
    };

    return cmocka_run_group_tests(tests, store_start, store_stop);
}
