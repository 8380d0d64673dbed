// The SQL against a real PostgreSQL of its own (tests/lib/pg-scratch), migrated by sql/migrate, as the
// service's role.
#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "audit_store.h"
#include "bf_clock.h"
#include "change_store.h"
#include "directory_store.h"
#include "domain_store.h"
#include "extension_store.h"
#include "group_store.h"
#include "idempotency.h"
#include "key_store.h"
#include "tenant_store.h"

#define SERVER_START_MS 60000
static struct {
    char dir[40];
    char host[64];
    pid_t pid;
} server;

static struct bf_db *db;
static const struct bf_id nobody = {{0}};
static struct tenant acme, bela;

// ---- fixture

static struct bf_db_options options(const char *dbname, const char *user)
{
    return (struct bf_db_options){.host = server.host,
                                  .port = 5432,
                                  .dbname = dbname,
                                  .user = user,
                                  .application = "store_test",
                                  .connections_max = 8,
                                  .connect_timeout_ms = 2000,
                                  .borrow_timeout_ms = 5000,
                                  .statement_timeout_ms = 20000};
}

static void wait_until_it_serves(void)
{
    struct bf_db_options superuser = options("postgres", "belfry");
    uint64_t deadline = bf_mono_ms() + SERVER_START_MS;
    struct bf_db *probe;

    assert_int_equal(bf_db_open(&superuser, &probe), BF_OK);
    while (bf_db_ping(probe)) {
        int status;
        if (waitpid(server.pid, &status, WNOHANG) == server.pid)
            fail_msg("PostgreSQL did not start: tests/lib/pg-scratch ended with %d", WEXITSTATUS(status));
        if (bf_mono_ms() > deadline)
            fail_msg("PostgreSQL did not serve within %d ms", SERVER_START_MS);
        usleep(20000);
    }
    bf_db_close(probe);
}

static struct bf_tx *begin_as(enum bf_db_scope scope, struct bf_id tenant)
{
    struct bf_tx *tx = NULL;

    assert_int_equal(bf_tx_begin(db, scope, tenant, &tx), BF_OK);
    return tx;
}

static struct bf_tx *begin(void)
{
    return begin_as(BF_SCOPE_SYSTEM, nobody);
}

static void commit(struct bf_tx *tx)
{
    assert_int_equal(bf_tx_commit(tx), BF_OK);
    bf_tx_release(tx);
}

static struct extension extension_of(const char *number)
{
    struct extension extension = {
        .kind = EXTENSION_SOFTPHONE, .max_contacts = 5, .calls = {.ring_seconds = 30}};

    snprintf(extension.number, sizeof(extension.number), "%s", number);
    return extension;
}

static void make_tenant(struct tenant *tenant, const char *slug)
{
    struct extension extension = extension_of("100");
    struct bf_tx *tx = begin();

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
    commit(tx);
}

// Runs a program as the given role; fails unless it ends with 0.
static void run(const char *user, const char *dbname, char *const argv[])
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setenv("PGHOST", server.host, 1);
        setenv("PGPORT", "5432", 1);
        setenv("PGUSER", user, 1);
        setenv("PGDATABASE", dbname, 1);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void make_database(void)
{
    run("belfry", "postgres",
        (char *[]){"psql", "-Xqv", "ON_ERROR_STOP=1", "-c", "CREATE ROLE belfry_owner LOGIN CREATEROLE", "-c",
                   "CREATE DATABASE belfry OWNER belfry_owner", NULL});
    run("belfry_owner", "belfry", (char *[]){"sql/migrate", NULL});
}

static int remove_entry(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    return remove(path);
}

static int start_server(void **state)
{
    snprintf(server.dir, sizeof(server.dir), "/tmp/belfry_store_test.XXXXXX");
    if (!mkdtemp(server.dir))
        return -1;
    snprintf(server.host, sizeof(server.host), "%s/sock", server.dir);
    server.pid = fork();
    if (server.pid == 0) {
        execl("tests/lib/pg-scratch", "pg-scratch", server.dir, (char *)NULL);
        _exit(127);
    }
    wait_until_it_serves();
    make_database();
    struct bf_db_options service = options("belfry", "belfry_registry");
    assert_int_equal(bf_db_open(&service, &db), BF_OK);
    make_tenant(&acme, "acme");
    make_tenant(&bela, "bela");
    return 0;
}

static int stop_server(void **state)
{
    bf_db_close(db);
    kill(server.pid, SIGINT);
    while (waitpid(server.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return nftw(server.dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static int64_t number_of(struct bf_tx *tx, const char *sql)
{
    struct bf_rows *rows = NULL;

    assert_int_equal(bf_tx_exec(tx, &rows, sql), BF_OK);
    int64_t value = bf_rows_int(rows, 0, 0);
    bf_rows_release(rows);
    return value;
}

// ---- isolation

static void every_tenant_table_has_forced_row_level_security(void **state)
{
    struct bf_tx *tx = begin();

    assert_true(number_of(tx, "SELECT count(*) FROM pg_attribute WHERE attname = 'tenant_id' "
                              "AND attrelid IN (SELECT oid FROM pg_class WHERE relkind = 'r' "
                              "AND relnamespace = 'registry'::regnamespace)") >= 9);
    assert_int_equal(
        number_of(tx, "SELECT count(*) FROM pg_class c WHERE relkind = 'r' "
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
    struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, acme.id);
    struct tenant found;

    assert_int_equal(tenant_store_find(tx, "bela", TENANT_READ, &found), BF_NOT_FOUND);
    assert_int_equal(number_of(tx, "SELECT count(*) FROM registry.tenant"), 1);
    for (size_t i = 0; i < BF_LEN(tables); i++) {
        bf_autofree char *sql =
            bf_xasprintf("SELECT count(*) FROM registry.%s WHERE tenant_id IS DISTINCT FROM "
                         "current_setting('belfry.tenant_id')::uuid",
                         tables[i]);
        assert_int_equal(number_of(tx, sql), 0);
    }
    assert_int_equal(domain_store_remove(tx, bela.id, bela.realm), BF_NOT_FOUND);
    assert_int_equal(domain_store_add(tx, bela.id, "stolen.example"), BF_FORBIDDEN);
    bf_tx_release(tx);
}

static void without_a_tenant_nothing_is_seen(void **state)
{
    struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, acme.id);

    assert_int_equal(bf_tx_exec(tx, NULL, "SELECT set_config('belfry.tenant_id', '', true)"), BF_OK);
    assert_int_equal(number_of(tx, "SELECT count(*) FROM registry.tenant"), 0);
    assert_int_equal(number_of(tx, "SELECT count(*) FROM registry.change"), 0);
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
        struct bf_tx *tx = begin();
        if (bf_tx_exec(tx, NULL, forbidden[i]) != BF_FORBIDDEN)
            fail_msg("allowed: %s", forbidden[i]);
        bf_tx_release(tx);
    }
}

static void one_domain_belongs_to_one_tenant(void **state)
{
    struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, acme.id);

    assert_int_equal(domain_store_add(tx, acme.id, bela.realm), BF_CONFLICT);
    assert_string_equal(bf_tx_constraint(tx), "domain_pkey");
    bf_tx_release(tx);
}

// ---- extensions, groups, the directory

static void add_extension(struct bf_tx *tx, const struct tenant *tenant, const char *number)
{
    struct extension extension = extension_of(number);

    assert_int_equal(extension_store_add(tx, tenant->id, &extension, &(struct extension_ha1){.md5 = {1}}),
                     BF_OK);
}

static struct group group_of(const char *number, const char *members)
{
    struct group group = {.strategy = GROUP_SEQUENCE, .ring_seconds = 15, .display_name = "Sales"};

    snprintf(group.number, sizeof(group.number), "%s", number);
    snprintf(group.members, sizeof(group.members), "%s", members);
    return group;
}

static void add_group(struct bf_tx *tx, const struct tenant *tenant, const char *number, const char *members)
{
    struct group group = group_of(number, members);

    assert_int_equal(group_store_add(tx, tenant->id, &group), BF_OK);
    assert_int_equal(group_store_set_members(tx, tenant->id, &group), BF_OK);
}

static void what_becomes_of_calls_is_kept_and_cleared(void **state)
{
    struct extension extension = extension_of("150"), found;
    struct bf_tx *tx = begin();

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
    struct extension extension = extension_of("610");
    struct group group = group_of("100", "");
    struct bf_tx *tx = begin_as(BF_SCOPE_TENANT, acme.id);

    assert_int_equal(group_store_add(tx, acme.id, &group), BF_CONFLICT);
    assert_string_equal(bf_tx_constraint(tx), "number_pkey");
    bf_tx_release(tx);
    tx = begin_as(BF_SCOPE_TENANT, acme.id);
    add_group(tx, &acme, "610", "");
    assert_int_equal(extension_store_add(tx, acme.id, &extension, &(struct extension_ha1){.md5 = {1}}),
                     BF_CONFLICT);
    bf_tx_release(tx);
    tx = begin_as(BF_SCOPE_TENANT, acme.id);
    add_group(tx, &acme, "610", "");
    assert_int_equal(group_store_remove(tx, acme.id, "610"), BF_OK);
    add_extension(tx, &acme, "610"); // the number is free again
    bf_tx_release(tx);
}

// Each thread tries to make 620 an extension or a group; no lock on the tenant helps the database.
static void *take_620(void *as_group)
{
    struct extension extension = extension_of("620");
    struct group group = group_of("620", "");
    struct bf_tx *tx = NULL;
    enum bf_err err = bf_tx_begin(db, BF_SCOPE_TENANT, acme.id, &tx);

    if (!err && as_group)
        err = group_store_add(tx, acme.id, &group);
    else if (!err)
        err = extension_store_add(tx, acme.id, &extension, &(struct extension_ha1){.md5 = {1}});
    if (!err)
        err = bf_tx_commit(tx);
    bf_tx_release(tx);
    return (void *)(intptr_t)err;
}

static void of_many_that_take_a_number_at_once_one_gets_it(void **state)
{
    pthread_t threads[6];
    int got = 0;

    for (size_t i = 0; i < BF_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_620, i % 2 ? "group" : NULL), 0);
    for (size_t i = 0; i < BF_LEN(threads); i++) {
        void *err;
        assert_int_equal(pthread_join(threads[i], &err), 0);
        assert_true((intptr_t)err == BF_OK || (intptr_t)err == BF_CONFLICT);
        got += (intptr_t)err == BF_OK;
    }
    assert_int_equal(got, 1);
    struct bf_tx *tx = begin();
    assert_int_equal(number_of(tx, "SELECT (SELECT count(*) FROM registry.extension WHERE number = '620') + "
                                   "(SELECT count(*) FROM registry.group_ WHERE number = '620')"),
                     1);
    bf_tx_release(tx);
}

static void members_are_extensions_of_the_tenant_in_order(void **state)
{
    char stranger[EXTENSION_NUMBER_BYTES_MAX + 1];
    struct group group;
    struct bf_tx *tx = begin();

    add_extension(tx, &acme, "101");
    add_extension(tx, &bela, "102");
    add_group(tx, &acme, "600", "101 100");
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
    group = group_of("600", "100 102");
    assert_int_equal(group_store_set_members(tx, acme.id, &group), BF_NOT_FOUND);
    bf_tx_release(tx);
}

static void the_directory_knows_extensions_and_groups(void **state)
{
    struct directory_entry entry;
    struct bf_tx *tx = begin();

    add_group(tx, &acme, "600", "100");
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

// ---- credentials and keys

static void a_credential_is_found_by_domain_and_number(void **state)
{
    struct extension_ha1 expected = extension_ha1("100", "acme.example", "correct horse");
    struct extension_credential found;
    struct bf_tx *tx = begin();

    assert_int_equal(extension_store_credential(tx, "acme.example", "100", &found), BF_OK);
    assert_true(bf_id_eq(found.tenant, acme.id));
    assert_memory_equal(&found.ha1, &expected, sizeof(expected));
    assert_int_equal(extension_store_credential(tx, "acme.example", "101", &found), BF_NOT_FOUND);
    assert_int_equal(extension_store_credential(tx, "nobody.example", "100", &found), BF_NOT_FOUND);
    bf_tx_release(tx);
}

static void an_expired_key_is_no_key(void **state)
{
    struct key key = {.id = bf_id_new(), .role = BF_ROLE_READER, .expires_ms = bf_unix_ms() - 1000};
    struct key good = {.id = bf_id_new(), .role = BF_ROLE_ADMIN, .expires_ms = bf_unix_ms() + 600000};
    const uint8_t old_hash[BF_SHA256_BYTES] = {1}, new_hash[BF_SHA256_BYTES] = {2},
                  no_hash[BF_SHA256_BYTES] = {3};
    struct key_owner owner;
    struct bf_tx *tx = begin();

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
    struct extension extension = extension_of("200");
    struct extension_ha1 ha1 = {.md5 = {1}};
    struct change_head before, after;
    struct bf_tx *tx = begin();

    assert_int_equal(change_store_head(tx, &before), BF_OK);
    assert_int_equal(extension_store_add(tx, acme.id, &extension, &ha1), BF_OK);
    assert_int_equal(change_store_note(tx, CHANGE_EXTENSION, acme.id, "200"), BF_OK);
    commit(tx);
    tx = begin();
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

static void a_domain_that_moved_is_sent_with_its_new_tenant(void **state)
{
    struct heard heard = {.count = 0};
    struct change_head head;
    struct bf_tx *tx = begin();

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
    struct bf_tx *tx = begin();

    add_extension(tx, &acme, "160");
    add_group(tx, &acme, "600", "160 100");
    add_group(tx, &acme, "601", "160");
    add_group(tx, &acme, "602", "100");
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
    struct bf_tx *tx = begin();

    assert_int_equal(change_store_head(tx, &before), BF_OK);
    assert_int_equal(group_store_leave_all(tx, acme.id, "100"), BF_OK);
    assert_int_equal(change_store_head(tx, &after), BF_OK);
    assert_int_equal(after.seq, before.seq);
    bf_tx_release(tx);
}

static void a_deleted_tenant_leaves_no_group_and_no_number(void **state)
{
    struct tenant short_lived;

    make_tenant(&short_lived, "brief");
    struct bf_tx *tx = begin();
    int64_t numbers = number_of(tx, "SELECT count(*) FROM registry.number");
    add_group(tx, &short_lived, "600", "100");
    assert_int_equal(tenant_store_remove(tx, short_lived.id), BF_OK);
    assert_int_equal(number_of(tx, "SELECT count(*) FROM registry.number"), numbers - 1);
    assert_int_equal(number_of(tx, "SELECT count(*) FROM registry.group_member"), 0);
    commit(tx);
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
    struct bf_tx *tx = begin();

    assert_int_equal(change_store_head(tx, &before), BF_OK);
    bf_tx_release(tx);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_changes, NULL), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    tx = begin();
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
    struct bf_tx *tx = begin();

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
    struct bf_tx *tx = begin();
    int64_t domains = number_of(tx, "SELECT count(*) FROM registry.domain");

    for (int i = 0; more && i < 100; i++)
        assert_int_equal(change_store_snapshot(tx, paged.last, 1, page_add, &paged, &more), BF_OK);
    assert_int_equal(paged.count, domains);
    paged = (struct paged){.stop_at = 1};
    assert_int_equal(change_store_snapshot(tx, "", 100, page_add, &paged, &more), BF_OK);
    assert_true(more); // it was ended early
    assert_int_equal(paged.count, 1);
    bf_tx_release(tx);
}

// ---- idempotency and audit

static void the_same_request_gets_the_same_answer_and_another_none(void **state)
{
    const uint8_t request[BF_SHA256_BYTES] = {7}, other[BF_SHA256_BYTES] = {8};
    struct key key = {.id = bf_id_new(), .role = BF_ROLE_ADMIN};
    const uint8_t hash[BF_SHA256_BYTES] = {9};
    struct idempotency first, again, different;
    struct idempotency_answer answer;
    bool busy;
    struct bf_tx *tx = begin();

    assert_int_equal(key_store_add(tx, acme.id, &key, hash), BF_OK);
    commit(tx);
    idempotency_init(&first, key.id, "bearer", "once", request);
    idempotency_init(&again, key.id, "bearer", "once", request);
    idempotency_init(&different, key.id, "bearer", "once", other);
    tx = begin();
    assert_int_equal(idempotency_look(tx, &first, &busy, &answer), BF_OK);
    assert_int_equal(answer.status, 0);
    struct bf_tx *meanwhile = begin();
    assert_int_equal(idempotency_look(meanwhile, &again, &busy, &answer), BF_CONFLICT);
    assert_true(busy);
    bf_tx_release(meanwhile);
    assert_int_equal(idempotency_keep(tx, &first, acme.id, 201, BF_STR("{\"password\":\"secret\"}")), BF_OK);
    assert_int_equal(
        number_of(tx, "SELECT count(*) FROM registry.idempotency WHERE position('secret' in answer) > 0"), 0);
    commit(tx);
    tx = begin();
    assert_int_equal(idempotency_look(tx, &again, &busy, &answer), BF_OK);
    assert_int_equal(answer.status, 201);
    assert_int_equal(answer.len, 21);
    assert_memory_equal(answer.body, "{\"password\":\"secret\"}", 21);
    free(answer.body);
    assert_int_equal(idempotency_look(tx, &different, &busy, &answer), BF_CONFLICT);
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
    const struct page page = {.kind = PAGE_IDS, .limit = 10};
    json_t *before = json_pack("{s:s}", "slug", "gone");
    struct tenant gone;
    int count = 0;
    bool more, knows;

    make_tenant(&gone, "gone");
    struct bf_tx *tx = begin();
    assert_int_equal(audit_store_add(tx, &(struct audit){.tenant = gone.id,
                                                         .role = BF_ROLE_OPERATOR,
                                                         .request_id = "r",
                                                         .remote = "127.0.0.1",
                                                         .action = "tenant.delete",
                                                         .target = "tenant/gone",
                                                         .before = before}),
                     BF_OK);
    assert_int_equal(tenant_store_remove(tx, gone.id), BF_OK);
    commit(tx);
    tx = begin();
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
        cmocka_unit_test(what_becomes_of_calls_is_kept_and_cleared),
        cmocka_unit_test(a_number_is_an_extension_or_a_group),
        cmocka_unit_test(of_many_that_take_a_number_at_once_one_gets_it),
        cmocka_unit_test(members_are_extensions_of_the_tenant_in_order),
        cmocka_unit_test(the_directory_knows_extensions_and_groups),
        cmocka_unit_test(a_credential_is_found_by_domain_and_number),
        cmocka_unit_test(an_expired_key_is_no_key),
        cmocka_unit_test(a_change_says_what_the_thing_is_now),
        cmocka_unit_test(a_domain_that_moved_is_sent_with_its_new_tenant),
        cmocka_unit_test(a_deleted_extension_leaves_its_groups_and_the_feed_says_so),
        cmocka_unit_test(leaving_no_group_takes_no_number_of_the_feed),
        cmocka_unit_test(a_deleted_tenant_leaves_no_group_and_no_number),
        cmocka_unit_test(the_sequence_has_no_holes_whoever_writes_and_rolls_back),
        cmocka_unit_test(what_was_pruned_is_said_to_be_gone),
        cmocka_unit_test(a_snapshot_comes_in_pages_by_name),
        cmocka_unit_test(the_same_request_gets_the_same_answer_and_another_none),
        cmocka_unit_test(the_audit_trail_outlives_its_tenant),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
