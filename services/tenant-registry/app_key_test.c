// When keys of app tokens take turns; the SQL against a real PostgreSQL.
#include <stdio.h>

#include "app_key_store.h"
#include "store_fixture.h"

#define NOW 1800000000000ull

static struct app_key key_from(uint64_t not_before_ms)
{
    return (struct app_key){.public = {.not_before_ms = not_before_ms}, .opened = true};
}

static void the_first_key_signs_at_once(void **state)
{
    uint64_t from;

    assert_true(app_key_due(NULL, 0, NOW, &from));
    assert_int_equal(from, NOW);
    assert_null(app_key_signing(NULL, 0, NOW));
}

static void the_next_is_told_an_hour_before(void **state)
{
    struct app_key keys[] = {key_from(NOW)};
    uint64_t turn = NOW + APP_KEY_SIGNS_MS, from;

    assert_false(app_key_due(keys, 1, NOW, &from));
    assert_false(app_key_due(keys, 1, turn - APP_KEY_TOLD_MS - 1, &from));
    assert_true(app_key_due(keys, 1, turn - APP_KEY_TOLD_MS, &from));
    assert_int_equal(from, turn);
    assert_true(app_key_due(keys, 1, turn + 5, &from)); // nobody looked for a while: an hour all the same
    assert_int_equal(from, turn + 5 + APP_KEY_TOLD_MS);
}

static void the_old_key_signs_until_the_turn(void **state)
{
    struct app_key keys[] = {key_from(NOW + APP_KEY_TOLD_MS), key_from(NOW - APP_KEY_SIGNS_MS)};
    uint64_t from;

    assert_ptr_equal(app_key_signing(keys, 2, NOW), &keys[1]);
    assert_ptr_equal(app_key_signing(keys, 2, NOW + APP_KEY_TOLD_MS), &keys[0]);
    assert_false(app_key_due(keys, 2, NOW, &from));
    assert_true(app_key_ends_ms(NOW) > NOW + BF_APP_TOKEN_LIFE_S * 1000ull);
}

static void a_key_that_cannot_be_opened_does_not_sign(void **state)
{
    struct app_key keys[] = {key_from(NOW - 1)};
    uint64_t from;

    keys[0].opened = false;
    assert_null(app_key_signing(keys, 1, NOW));
    assert_true(app_key_due(keys, 1, NOW, &from));
    assert_int_equal(from, NOW);
}

// ---- SQL

static size_t turn_at(uint64_t now_ms, const char *passphrase, struct app_key keys[BF_APP_KEYS_MAX],
                      bool *ret_made)
{
    struct bf_tx *tx = store_begin();
    struct bf_vault vault;
    size_t count;

    bf_vault_init(&vault, passphrase);
    assert_int_equal(app_key_store_turn(tx, &vault, now_ms, ret_made), BF_OK);
    assert_int_equal(app_key_store_list(tx, &vault, keys, &count), BF_OK);
    store_commit(tx);
    return count;
}

static void keys_come_and_go(void **state)
{
    struct app_key keys[BF_APP_KEYS_MAX], first;
    uint8_t public_key[BF_ED25519_BYTES];
    bool made;

    assert_int_equal(turn_at(NOW, "a passphrase", keys, &made), 1);
    assert_true(made && keys[0].opened && !keys[0].public.not_after_ms);
    assert_int_equal(keys[0].public.not_before_ms, NOW);
    assert_true(bf_app_kid_ok(bf_str(keys[0].public.kid)));
    bf_ed25519_public(keys[0].private_key, public_key);
    assert_memory_equal(public_key, keys[0].public.ed25519, sizeof(public_key));
    first = keys[0];
    assert_int_equal(turn_at(NOW + 1, "a passphrase", keys, &made), 1);
    assert_false(made);
    assert_int_equal(turn_at(NOW + APP_KEY_SIGNS_MS - 1000, "a passphrase", keys, &made), 2);
    assert_true(made);
    uint64_t turn = keys[0].public.not_before_ms;
    assert_string_equal(keys[1].public.kid, first.public.kid);
    assert_int_equal(keys[1].public.not_after_ms, app_key_ends_ms(turn));
    assert_int_equal(turn_at(app_key_ends_ms(turn), "a passphrase", keys, &made), 2);
    assert_int_equal(turn_at(app_key_ends_ms(turn) + 1, "a passphrase", keys, &made), 1);
    assert_false(made);
    assert_int_equal(turn_at(app_key_ends_ms(turn) + 2, "another passphrase", keys, &made), 2);
    assert_true(made && keys[0].opened && !keys[1].opened);
}

static void a_new_key_is_in_the_feed(void **state)
{
    struct bf_tx *tx = store_begin();

    assert_int_equal(store_number_of(tx, "SELECT count(*) FROM registry.change WHERE kind = 'app-keys'"), 3);
    store_commit(tx);
}

static void a_tenant_reads_but_does_not_write(void **state)
{
    struct app_key keys[BF_APP_KEYS_MAX];
    struct bf_vault vault;
    struct bf_tx *tx = store_begin_as(BF_SCOPE_TENANT, acme.id);
    size_t count;

    bf_vault_init(&vault, "another passphrase");
    assert_int_equal(app_key_store_list(tx, &vault, keys, &count), BF_OK);
    assert_int_equal(count, 2);
    assert_int_equal(bf_tx_exec(tx, NULL, "DELETE FROM registry.app_key"), BF_OK);
    assert_int_equal(app_key_store_list(tx, &vault, keys, &count), BF_OK);
    assert_int_equal(count, 2); // none of them was its own to delete
    bf_tx_release(tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_key_signs_at_once),
        cmocka_unit_test(the_next_is_told_an_hour_before),
        cmocka_unit_test(the_old_key_signs_until_the_turn),
        cmocka_unit_test(a_key_that_cannot_be_opened_does_not_sign),
        cmocka_unit_test(keys_come_and_go),
        cmocka_unit_test(a_new_key_is_in_the_feed),
        cmocka_unit_test(a_tenant_reads_but_does_not_write),
    };

    return cmocka_run_group_tests(tests, store_start, store_stop);
}
