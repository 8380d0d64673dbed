// The SQL against a real PostgreSQL: who sees what, keys, answers that are kept, the audit trail.
#include "audit_store.h"
#include "bf_clock.h"
#include "bf_idempotency.h"
#include "key_store.h"
#include "store_fixture.h"

// ---- isolation

static void every_tenant_table_has_forced_row_level_security(void **state)
{
    struct bf_tx *tx = store_begin();

    assert_true(store_number_of(tx, "SELECT count(*) FROM pg_attribute WHERE attname = 'tenant_id' "
                                    "AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r' "
                                    "AND relnamespace = 'registry'::regnamespace)") >= 9);
    assert_int_equal(
        store_number_of(tx, "SELECT count(*) FROM pg_class c WHERE relkind = 'r' "
                            "AND relnamespace = 'registry'::regnamespace AND (relname = 'tenant' OR EXISTS "
                            "(SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id')) "
                            "AND NOT (relrowsecurity AND relforcerowsecurity)"),
        0);
    bf_tx_release(tx);
}

static void a_tenant_sees_and_makes_only_its_own_rows(void **state)
{
    static const char *const tables[] = {"domain",  "extension", "group_",      "group_member", "number",
                                         "api_key", "audit",     "idempotency", "change"};
    struct bf_tx *tx = store_begin_as(BF_SCOPE_TENANT, acme.id);
    struct tenant found;

    assert_int_equal(tenant_store_find(tx, "bela", TENANT_READ, &found), BF_NOT_FOUND);
    assert_int_equal(store_number_of(tx, "SELECT count(*) FROM registry.tenant"), 1);
    for (size_t i = 0; i < BF_LEN(tables); i++) {
        bf_autofree char *sql =
            bf_xasprintf("SELECT count(*) FROM registry.%s WHERE tenant_id IS DISTINCT FROM "
                         "current_setting('belfry.tenant_id')::uuid",
                         tables[i]);
        assert_int_equal(store_number_of(tx, sql), 0);
    }
    assert_int_equal(domain_store_remove(tx, bela.id, bela.realm), BF_NOT_FOUND);
    assert_int_equal(domain_store_add(tx, bela.id, "stolen.example"), BF_FORBIDDEN);
    bf_tx_release(tx);
}

static void without_a_tenant_nothing_is_seen(void **state)
{
    struct bf_tx *tx = store_begin_as(BF_SCOPE_TENANT, acme.id);

    assert_int_equal(bf_tx_exec(tx, NULL, "SELECT set_config('belfry.tenant_id', '', true)"), BF_OK);
    assert_int_equal(store_number_of(tx, "SELECT count(*) FROM registry.tenant"), 0);
    assert_int_equal(store_number_of(tx, "SELECT count(*) FROM registry.change"), 0);
    bf_tx_release(tx);
}

static void the_service_may_not_rewrite_what_is_for_ever(void **state)
{
    static const char *const forbidden[] = {
        "UPDATE registry.audit SET action = 'x'",
        "DELETE FROM registry.audit",
        "TRUNCATE registry.audit",
        "UPDATE registry.tenant SET realm = 'x'",
        "UPDATE registry.api_key SET role = 'admin'",
        "UPDATE registry.feed_head SET epoch = 1",
        "CREATE TABLE registry.mine (n int)",
        "ALTER TABLE registry.tenant DISABLE ROW LEVEL SECURITY",
    };

    for (size_t i = 0; i < BF_LEN(forbidden); i++) {
        struct bf_tx *tx = store_begin();
        if (bf_tx_exec(tx, NULL, forbidden[i]) != BF_FORBIDDEN)
            fail_msg("allowed: %s", forbidden[i]);
        bf_tx_release(tx);
    }
}

static void one_domain_belongs_to_one_tenant(void **state)
{
    struct bf_tx *tx = store_begin_as(BF_SCOPE_TENANT, acme.id);

    assert_int_equal(domain_store_add(tx, acme.id, bela.realm), BF_CONFLICT);
    assert_string_equal(bf_tx_constraint(tx), "domain_pkey");
    bf_tx_release(tx);
}

// ---- credentials and keys

static void a_credential_is_found_by_tenant_and_number(void **state)
{
    struct extension_ha1 expected = extension_ha1("100", "acme.example", "correct horse");
    struct extension_credential found;
    struct bf_tx *tx = store_begin();

    assert_int_equal(extension_store_credential(tx, acme.id, "100", &found), BF_OK);
    assert_true(bf_id_eq(found.tenant, acme.id));
    assert_string_equal(found.number, "100");
    assert_memory_equal(&found.ha1, &expected, sizeof(expected));
    assert_int_equal(extension_store_credential(tx, acme.id, "101", &found), BF_NOT_FOUND);
    assert_int_equal(extension_store_credential(tx, bf_id_new(), "100", &found), BF_NOT_FOUND);
    bf_tx_release(tx);
}

static void an_owner_is_found_by_domain_and_number(void **state)
{
    struct extension_credential expected;
    struct bf_id tenant, extension;
    struct bf_tx *tx = store_begin();

    assert_int_equal(extension_store_credential(tx, acme.id, "100", &expected), BF_OK);
    assert_int_equal(extension_store_owner(tx, "acme.example", "100", &tenant, &extension), BF_OK);
    assert_true(bf_id_eq(tenant, acme.id) && bf_id_eq(extension, expected.extension));
    assert_int_equal(extension_store_owner(tx, "acme.example", "101", &tenant, &extension), BF_NOT_FOUND);
    assert_int_equal(extension_store_owner(tx, "nobody.example", "100", &tenant, &extension), BF_NOT_FOUND);
    bf_tx_release(tx);
}

static void an_expired_key_is_no_key(void **state)
{
    struct key key = {.id = bf_id_new(), .role = BF_ROLE_READER, .expires_ms = bf_unix_ms() - 1000};
    struct key good = {.id = bf_id_new(), .role = BF_ROLE_ADMIN, .expires_ms = bf_unix_ms() + 600000};
    const uint8_t old_hash[BF_SHA256_BYTES] = {1}, new_hash[BF_SHA256_BYTES] = {2},
                  no_hash[BF_SHA256_BYTES] = {3};
    struct key_owner owner;
    struct bf_tx *tx = store_begin();

    assert_int_equal(key_store_add(tx, acme.id, &key, old_hash), BF_OK);
    assert_int_equal(key_store_add(tx, acme.id, &good, new_hash), BF_OK);
    assert_int_equal(key_store_authenticate(tx, old_hash, &owner), BF_UNAUTHENTICATED);
    assert_int_equal(key_store_authenticate(tx, no_hash, &owner), BF_UNAUTHENTICATED);
    assert_int_equal(key_store_authenticate(tx, new_hash, &owner), BF_OK);
    assert_int_equal(owner.role, BF_ROLE_ADMIN);
    assert_string_equal(owner.tenant.slug, "acme");
    assert_int_equal(owner.tenant.limits.max_calls, 3);
    assert_int_equal(key_store_find(tx, acme.id, good.id, &key), BF_OK);
    assert_int_equal(key.last_used_ms % 3600000, 0);
    assert_true(key.last_used_ms > 0);
    assert_int_equal(key_store_find(tx, bela.id, good.id, &key), BF_NOT_FOUND);
    bf_tx_release(tx);
}

// ---- idempotency and audit

static void the_same_request_gets_the_same_answer_and_another_none(void **state)
{
    const uint8_t request[BF_SHA256_BYTES] = {7}, other[BF_SHA256_BYTES] = {8};
    struct key key = {.id = bf_id_new(), .role = BF_ROLE_ADMIN};
    const uint8_t hash[BF_SHA256_BYTES] = {9};
    struct bf_idempotency first, again, different;
    struct bf_idempotency_answer answer;
    bool busy;
    struct bf_tx *tx = store_begin();

    assert_int_equal(key_store_add(tx, acme.id, &key, hash), BF_OK);
    store_commit(tx);
    bf_idempotency_init(&first, "registry.idempotency", key.id, "bearer", "once", request);
    bf_idempotency_init(&again, "registry.idempotency", key.id, "bearer", "once", request);
    bf_idempotency_init(&different, "registry.idempotency", key.id, "bearer", "once", other);
    tx = store_begin();
    assert_int_equal(bf_idempotency_look(tx, &first, &busy, &answer), BF_OK);
    assert_int_equal(answer.status, 0);
    struct bf_tx *meanwhile = store_begin();
    assert_int_equal(bf_idempotency_look(meanwhile, &again, &busy, &answer), BF_CONFLICT);
    assert_true(busy);
    bf_tx_release(meanwhile);
    assert_int_equal(bf_idempotency_keep(tx, &first, acme.id, 201, BF_STR("{\"password\":\"secret\"}")),
                     BF_OK);
    assert_int_equal(
        store_number_of(tx,
                        "SELECT count(*) FROM registry.idempotency WHERE position('secret' in answer) > 0"),
        0);
    store_commit(tx);
    tx = store_begin();
    assert_int_equal(bf_idempotency_look(tx, &again, &busy, &answer), BF_OK);
    assert_int_equal(answer.status, 201);
    assert_int_equal(answer.len, 21);
    assert_memory_equal(answer.body, "{\"password\":\"secret\"}", 21);
    free(answer.body);
    assert_int_equal(bf_idempotency_look(tx, &different, &busy, &answer), BF_CONFLICT);
    assert_false(busy);
    bf_tx_release(tx);
}

static void count_audit(void *ctx, const struct audit *audit)
{
    ++*(int *)ctx;
    assert_string_equal(audit->action, "tenant.delete");
    assert_string_equal(json_string_value(json_object_get(audit->before, "slug")), "gone");
    assert_null(audit->after);
}

static void the_audit_trail_outlives_its_tenant(void **state)
{
    const struct bf_page page = {.kind = &page_ids, .limit = 10};
    json_t *before = json_pack("{s:s}", "slug", "gone");
    struct tenant gone;
    int count = 0;
    bool more, knows;

    store_make_tenant(&gone, "gone");
    struct bf_tx *tx = store_begin();
    assert_int_equal(audit_store_add(tx, &(struct audit){.tenant = gone.id,
                                                         .role = BF_ROLE_OPERATOR,
                                                         .request_id = "r",
                                                         .remote = "127.0.0.1",
                                                         .action = "tenant.delete",
                                                         .target = "tenant/gone",
                                                         .before = before}),
                     BF_OK);
    assert_int_equal(tenant_store_remove(tx, gone.id), BF_OK);
    store_commit(tx);
    tx = store_begin();
    assert_int_equal(audit_store_list(tx, gone.id, &page, count_audit, &count, &more), BF_OK);
    assert_int_equal(count, 1);
    assert_int_equal(audit_store_knows(tx, gone.id, &knows), BF_OK);
    assert_true(knows);
    bf_tx_release(tx);
    json_decref(before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tenant_table_has_forced_row_level_security),
        cmocka_unit_test(a_tenant_sees_and_makes_only_its_own_rows),
        cmocka_unit_test(without_a_tenant_nothing_is_seen),
        cmocka_unit_test(the_service_may_not_rewrite_what_is_for_ever),
        cmocka_unit_test(one_domain_belongs_to_one_tenant),
        cmocka_unit_test(a_credential_is_found_by_tenant_and_number),
        cmocka_unit_test(an_owner_is_found_by_domain_and_number),
        cmocka_unit_test(an_expired_key_is_no_key),
        cmocka_unit_test(the_same_request_gets_the_same_answer_and_another_none),
        cmocka_unit_test(the_audit_trail_outlives_its_tenant),
    };

    return cmocka_run_group_tests(tests, store_start, store_stop);
}
