// What tests of the SQL stand on: a PostgreSQL of their own, migrated, as the service's role, and two
// tenants. Include it in a test program once.
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "bf_db_fixture.h"
#include "change_store.h"
#include "domain_store.h"
#include "extension_store.h"
#include "group_store.h"
#include "tenant_store.h"

static struct bf_db_fixture server;
static struct bf_db *db;
static const struct bf_id nobody = {{0}};
static struct tenant acme, bela;

static inline struct bf_tx *store_begin_as(enum bf_db_scope scope, struct bf_id tenant)
{
    struct bf_tx *tx = NULL;

    assert_int_equal(bf_tx_begin(db, scope, tenant, &tx), BF_OK);
    return tx;
}

static inline struct bf_tx *store_begin(void)
{
    return store_begin_as(BF_SCOPE_SYSTEM, nobody);
}

static inline void store_commit(struct bf_tx *tx)
{
    assert_int_equal(bf_tx_commit(tx), BF_OK);
    bf_tx_release(tx);
}

static inline struct extension store_extension(const char *number)
{
    struct extension extension = {
        .kind = EXTENSION_SOFTPHONE, .max_contacts = 5, .calls = {.ring_seconds = 30}};

    snprintf(extension.number, sizeof(extension.number), "%s", number);
    return extension;
}

static inline void store_make_tenant(struct tenant *tenant, const char *slug)
{
    struct extension extension = store_extension("100");
    struct bf_tx *tx = store_begin();

    *tenant = (struct tenant){.id = bf_id_new(), .status = TENANT_ACTIVE, .limits = {.max_calls = 3}};
    snprintf(tenant->slug, sizeof(tenant->slug), "%s", slug);
    snprintf(tenant->name, sizeof(tenant->name), "%s", slug);
    snprintf(tenant->realm, sizeof(tenant->realm), "%s.example", slug);
    struct extension_ha1 ha1 = extension_ha1("100", tenant->realm, "correct horse");
    assert_int_equal(tenant_store_add(tx, tenant), BF_OK);
    assert_int_equal(domain_store_add(tx, tenant->id, tenant->realm), BF_OK);
    assert_int_equal(extension_store_add(tx, tenant->id, &extension, &ha1), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_TENANT, tenant->id, NULL), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_DOMAIN, tenant->id, tenant->realm), BF_OK);
    store_commit(tx);
}

static inline int64_t store_number_of(struct bf_tx *tx, const char *sql)
{
    struct bf_rows *rows = NULL;

    assert_int_equal(bf_tx_exec(tx, &rows, sql), BF_OK);
    int64_t value = bf_rows_int(rows, 0, 0);
    bf_rows_release(rows);
    return value;
}

static inline struct group store_group(const char *number, const char *members)
{
    struct group group = {.strategy = GROUP_SEQUENCE, .ring_seconds = 15, .display_name = "Sales"};

    snprintf(group.number, sizeof(group.number), "%s", number);
    snprintf(group.members, sizeof(group.members), "%s", members);
    return group;
}

static inline void store_add_extension(struct bf_tx *tx, const struct tenant *tenant, const char *number)
{
    struct extension extension = store_extension(number);

    assert_int_equal(extension_store_add(tx, tenant->id, &extension, &(struct extension_ha1){.md5 = {1}}),
                     BF_OK);
}

static inline void store_add_group(struct bf_tx *tx, const struct tenant *tenant, const char *number,
                                   const char *members)
{
    struct group group = store_group(number, members);

    assert_int_equal(group_store_add(tx, tenant->id, &group), BF_OK);
    assert_int_equal(group_store_set_members(tx, tenant->id, &group), BF_OK);
}

static inline int store_start(void **state)
{
    if (!bf_db_fixture_start(&server))
        return -1;
    struct bf_db_options service = bf_db_fixture_options(&server, "belfry", "belfry_registry");
    assert_int_equal(bf_db_open(&service, &db), BF_OK);
    store_make_tenant(&acme, "acme");
    store_make_tenant(&bela, "bela");
    return 0;
}

static inline int store_stop(void **state)
{
    bf_db_close(db);
    return bf_db_fixture_stop(&server) ? 0 : -1;
}

#endif
