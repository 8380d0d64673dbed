#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_fixture.h"
#include "tenant_master.h"
#include "tenant_table.h"

static const struct tenant_hash_key KEY = {11, 22};
static const struct bf_id NIL;

static struct bf_id put(struct tenant_master *master, const char *domain, uint32_t tenant, const char *realm)
{
    struct tenant_record record = fixture_record(tenant, "slug", realm);
    struct bf_id left;

    assert_int_equal(tenant_master_put(master, bf_str(domain), &record, &left), BF_OK);
    return left;
}

static struct tenant_table *build(const struct tenant_master *master)
{
    struct tenant_table_need plan = tenant_table_plan(master);
    struct tenant_table *table = tenant_table_build(master, plan, bf_xcalloc(1, plan.bytes));

    assert_int_equal(tenant_table_size(table), plan.bytes);
    tenant_journal_clear(tenant_master_journal((struct tenant_master *)master));
    return table;
}

// As the tenant process does it; *patches counts.
static struct tenant_table *next_table(struct tenant_table *old, struct tenant_master *master,
                                       unsigned *patches)
{
    void *memory = bf_xcalloc(1, tenant_table_size(old));
    struct tenant_table *table = tenant_table_patch(old, master, memory);

    *patches += table != NULL;
    if (!table) {
        assert_true(tenant_master_journal(master)->whole);
        free(memory);
        table = build(master);
    }
    tenant_journal_clear(tenant_master_journal(master));
    free(old);
    return table;
}

static void assert_found(const struct tenant_domain *domain, void *ctx)
{
    const struct tenant_entry *entry = domain->tenant;
    struct tenant_match match;

    memset(&match, 0xee, sizeof(match));
    assert_true(tenant_table_find(ctx, (struct bf_str){domain->name, domain->len}, &match));
    assert_true(bf_id_eq(match.id, entry->id));
    assert_int_equal(match.status, entry->status);
    assert_memory_equal(&match.limits, &entry->limits, sizeof(match.limits));
    assert_string_equal(match.slug, entry->slug);
    assert_string_equal(match.realm, entry->realm);
    assert_string_equal(match.domain, domain->name);
    assert_int_equal(match.slug_len, strlen(entry->slug));
    assert_int_equal(match.realm_len, strlen(entry->realm));
    assert_int_equal(match.domain_len, domain->len);
}

static void assert_table_has_all(const struct tenant_table *table, const struct tenant_master *master)
{
    tenant_master_each_domain(master, assert_found, (void *)table);
    assert_int_equal(tenant_table_domains(table), tenant_master_domains(master));
    assert_int_equal(tenant_table_tenants(table), tenant_master_tenants(master));
}

static void test_domain_is_made_normal(void **state)
{
    char name[TENANT_DOMAIN_MAX + 1], longest[TENANT_DOMAIN_MAX + 3];
    size_t len;

    assert_true(tenant_domain_normal(bf_str("BelaVista.Example."), name, &len));
    assert_string_equal(name, "belavista.example");
    assert_int_equal(len, 17);
    assert_false(tenant_domain_normal(bf_str(""), name, &len));
    assert_false(tenant_domain_normal(bf_str("."), name, &len));
    memset(longest, 'a', sizeof(longest));
    assert_true(tenant_domain_normal((struct bf_str){longest, TENANT_DOMAIN_MAX}, name, &len));
    assert_false(tenant_domain_normal((struct bf_str){longest, TENANT_DOMAIN_MAX + 1}, name, &len));
    longest[TENANT_DOMAIN_MAX] = '.';
    assert_true(tenant_domain_normal((struct bf_str){longest, TENANT_DOMAIN_MAX + 1}, name, &len));
}

static void test_a_domain_is_found_whatever_its_case(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *table;
    struct tenant_match match;

    put(master, "belavista.example", 1, "belavista.example");
    put(master, "other.example", 1, "belavista.example");
    put(master, "acme.example", 2, "long-gone.example"); // its first domain went, the realm stays
    table = build(master);
    assert_int_equal(tenant_table_domains(table), 3);
    assert_int_equal(tenant_table_tenants(table), 2);
    assert_true(tenant_table_find(table, bf_str("OTHER.example."), &match));
    assert_true(bf_id_eq(match.id, fixture_id(1)));
    assert_string_equal(match.realm, "belavista.example");
    assert_string_equal(match.domain, "other.example");
    assert_string_equal(match.slug, "slug");
    assert_int_equal(match.limits.max_calls, 1);
    assert_true(tenant_table_find(table, bf_str("acme.example"), &match));
    assert_string_equal(match.realm, "long-gone.example");
    assert_false(tenant_table_find(table, bf_str("cme.example"), &match));
    assert_false(tenant_table_find(table, bf_str(""), &match));
    free(table);
    tenant_master_free(master);
}

enum { SLUG_FIRST, SLUG_INSIDE, SLUG_APART, SLUG_KINDS };
enum { REALM_SAME, REALM_OTHER, REALM_NONE, REALM_KINDS }; // than the domain; the last was one, once

// A domain of this length, of a tenant of its own.
static void put_long(struct tenant_master *master, size_t len, int slug_kind, int realm_kind)
{
    char name[TENANT_DOMAIN_MAX + 1] = "", other[TENANT_DOMAIN_MAX + 1];
    uint32_t tenant = (uint32_t)((len * SLUG_KINDS + (size_t)slug_kind) * REALM_KINDS + (size_t)realm_kind);
    size_t slug_len = len / 2 < TENANT_SLUG_MAX ? len / 2 : TENANT_SLUG_MAX;
    struct tenant_record record = fixture_record(tenant, "", "");
    struct bf_id left;

    memset(name, 'a', len);
    name[0] = (char)('a' + slug_kind);
    name[len - 1] = (char)('a' + realm_kind);
    memset(other, 'z', sizeof(other));
    record.status = tenant % 2 ? TENANT_ACTIVE : TENANT_SUSPENDED;
    record.limits.calls_per_second = UINT32_MAX;
    record.slug = slug_kind == SLUG_APART ? (struct bf_str){other, TENANT_SLUG_MAX - slug_len}
                                          : (struct bf_str){name + (slug_kind == SLUG_INSIDE), slug_len};
    record.realm =
        realm_kind == REALM_SAME ? bf_str(name) : (struct bf_str){other, TENANT_DOMAIN_MAX + 1 - len};
    if (realm_kind == REALM_OTHER) {
        snprintf(other, sizeof(other), "other-%u.example", tenant);
        record.realm = bf_str(other);
        assert_int_equal(tenant_master_put(master, record.realm, &record, &left), BF_OK);
    }
    assert_int_equal(tenant_master_put(master, bf_str(name), &record, &left), BF_OK);
}

static void put_all_lengths(struct tenant_master *master, size_t from, size_t to)
{
    for (size_t len = from; len <= to; len++) {
        for (int kind = 0; kind < SLUG_KINDS * REALM_KINDS; kind++)
            put_long(master, len, kind / REALM_KINDS, kind % REALM_KINDS);
    }
}

static void test_names_of_all_lengths_come_back_whole(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *table;
    unsigned patches = 0;

    put_all_lengths(master, 3, TENANT_DOMAIN_MAX - 1);
    table = build(master);
    assert_table_has_all(table, master);
    put_all_lengths(master, TENANT_DOMAIN_MAX, TENANT_DOMAIN_MAX);
    table = next_table(table, master, &patches);
    assert_int_equal(patches, 1);
    assert_table_has_all(table, master);
    free(table);
    tenant_master_free(master);
}

enum { LINE = 64 };

static void test_a_block_may_stand_anywhere(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *last = NULL;
    char *room, *memory[2];
    size_t size;

    put_all_lengths(master, 20, 40);
    size = tenant_table_plan(master).bytes / LINE * LINE + (size_t)8 * LINE;
    memory[0] = room = aligned_alloc(LINE, 2 * size);
    memory[1] = room + size;
    for (uint32_t i = 0; i < 16; i++) {
        char name[32];
        snprintf(name, sizeof(name), "d%u.anywhere.of.long.example", i);
        put(master, name, i, "realm.example");
        if (!last)
            last = tenant_table_build(master, tenant_table_plan(master), memory[0]);
        else
            last = tenant_table_patch(last, master, memory[i % 2] + (size_t)i / 2 * 8);
        assert_non_null(last);
        tenant_journal_clear(tenant_master_journal(master));
        assert_table_has_all(last, master);
    }
    free(room);
    tenant_master_free(master);
}

static void test_an_empty_table_finds_nothing(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *table = build(master);
    struct tenant_match match;

    assert_false(tenant_table_find(table, bf_str("a.example"), &match));
    free(table);
    tenant_master_free(master);
}

static void test_a_tenant_goes_with_its_last_domain(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct bf_id left;

    put(master, "a.example", 1, "a.example");
    put(master, "b.example", 1, "a.example");
    assert_true(tenant_master_drop(master, bf_str("a.example"), &left));
    assert_true(bf_id_eq(left, NIL));
    assert_true(bf_id_eq(put(master, "b.example", 2, "b.example"), fixture_id(1))); // moved
    assert_false(tenant_master_has(master, fixture_id(1)));
    assert_true(bf_id_eq(tenant_master_domain(master, bf_str("b.example"))->tenant->id, fixture_id(2)));
    assert_true(bf_id_eq(put(master, "b.example", 2, "b.example"), NIL)); // the same again
    assert_true(tenant_master_drop_tenant(master, fixture_id(2)));
    assert_false(tenant_master_drop_tenant(master, fixture_id(2)));
    assert_false(tenant_master_drop(master, bf_str("b.example"), &left));
    assert_int_equal(tenant_master_domains(master) + tenant_master_tenants(master), 0);
    tenant_master_free(master);
}

static void test_an_update_says_whether_anything_changed(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_record record = fixture_record(1, "slug", "a.example");

    assert_false(tenant_master_update(master, &record)); // not here
    put(master, "a.example", 1, "a.example");
    assert_false(tenant_master_update(master, &record));
    record.status = TENANT_SUSPENDED;
    assert_true(tenant_master_update(master, &record));
    record.slug = bf_str("renamed");
    assert_true(tenant_master_update(master, &record));
    tenant_master_free(master);
}

static void count_domain(const struct tenant_domain *domain, void *ctx)
{
    uint32_t *tenants = ctx;
    const struct tenant_domain *among = domain->tenant->first;

    while (among && among != domain)
        among = among->sibling;
    assert_ptr_equal(among, domain);
    memcpy(&tenants[0], domain->tenant->id.bytes + 12, sizeof(tenants[0]));
    tenants[tenants[0]]++;
}

static void count_tenant(struct tenant_entry *entry, void *ctx)
{
    uint32_t *tenants = ctx;

    memcpy(&tenants[0], entry->id.bytes + 12, sizeof(tenants[0]));
    for (const struct tenant_domain *domain = entry->first; domain; domain = domain->sibling)
        tenants[tenants[0]]--;
}

// A tenant's list has its domains, all of them and no other.
static void assert_lists(const struct tenant_master *master)
{
    uint32_t tenants[51] = {0}; // [0]: scratch

    tenant_master_each_domain(master, count_domain, tenants);
    tenant_master_each_tenant(master, count_tenant, tenants);
    for (uint32_t i = 1; i < BF_LEN(tenants); i++)
        assert_int_equal(tenants[i], 0);
}

// Random puts, moves and drops against a plain array.
static void test_the_table_agrees_with_a_model(void **state)
{
    enum { NAMES = 400 };
    struct tenant_master *master = tenant_master_new(&KEY);
    uint32_t model[NAMES] = {0};
    unsigned seed = 20261120;
    char name[32];

    for (int step = 0; step < 20000; step++) {
        uint32_t i = (uint32_t)rand_r(&seed) % NAMES, tenant = 1 + (uint32_t)rand_r(&seed) % 50;
        struct bf_id left;
        snprintf(name, sizeof(name), "d%u.example", i);
        if (rand_r(&seed) % 3 == 0) {
            assert_int_equal(tenant_master_drop(master, bf_str(name), &left), model[i] != 0);
            model[i] = 0;
        } else if (rand_r(&seed) % 200 == 0) {
            tenant_master_drop_tenant(master, fixture_id(tenant));
            for (int k = 0; k < NAMES; k++)
                model[k] = model[k] == tenant ? 0 : model[k];
        } else {
            put(master, name, tenant, "r.example");
            model[i] = tenant;
        }
        if (step % 1000 == 0)
            assert_lists(master);
    }
    struct tenant_table *table = build(master);
    uint32_t count = 0;
    for (uint32_t i = 0; i < NAMES; i++) {
        struct tenant_match match;
        snprintf(name, sizeof(name), "d%u.example", i);
        assert_int_equal(tenant_table_find(table, bf_str(name), &match), model[i] != 0);
        if (model[i])
            assert_true(bf_id_eq(match.id, fixture_id(model[i])));
        count += model[i] != 0;
    }
    assert_int_equal(tenant_table_domains(table), count);
    free(table);
    tenant_master_free(master);
}

static uint32_t random_below(unsigned *seed, uint32_t limit)
{
    return (uint32_t)rand_r(seed) % limit;
}

enum { NAMES = 300, TENANTS = 40 };

static const char *patch_name(uint32_t i, char name[32])
{
    snprintf(name, 32, "d%u.patch.example", i);
    return name;
}

static void change_something(struct tenant_master *master, unsigned *seed)
{
    uint32_t what = random_below(seed, 10), tenant = 1 + random_below(seed, TENANTS);
    struct tenant_record record =
        fixture_record(tenant, random_below(seed, 50) ? "slug" : "renamed", "realm.example");
    char name[32];
    struct bf_id left;

    patch_name(random_below(seed, NAMES), name);
    record.status = random_below(seed, 2) ? TENANT_ACTIVE : TENANT_SUSPENDED;
    record.limits.max_calls = random_below(seed, 100);
    if (what < 5)
        assert_int_equal(tenant_master_put(master, bf_str(name), &record, &left), BF_OK);
    else if (what < 8)
        (void)tenant_master_drop(master, bf_str(name), &left);
    else if (what < 9)
        (void)tenant_master_update(master, &record);
    else if (random_below(seed, 8) == 0)
        (void)tenant_master_drop_tenant(master, record.id);
}

static void assert_table_is_master(const struct tenant_table *table, const struct tenant_master *master)
{
    for (uint32_t i = 0; i < NAMES; i++) {
        char name[32];
        struct tenant_match match;
        struct bf_str text = bf_str(patch_name(i, name));
        assert_int_equal(tenant_table_find(table, text, &match), tenant_master_domain(master, text) != NULL);
    }
    assert_table_has_all(table, master);
}

// Thousands of changes, a few a table: patched again and again, built anew when the room is full.
static void test_a_patched_table_is_what_a_built_one_would_be(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *table = build(master);
    unsigned seed = 4711, patches = 0, rounds = 3000;

    for (unsigned round = 0; round < rounds; round++) {
        for (uint32_t n = random_below(&seed, 4); n > 0; n--)
            change_something(master, &seed);
        table = next_table(table, master, &patches);
        assert_table_is_master(table, master);
    }
    assert_in_range(patches, rounds / 2, rounds - 10); // both ways were gone
    free(table);
    tenant_master_free(master);
}

// Its slots: one with the text inside, one with it behind the slots, one whose realm is its own.
static void test_all_domains_of_a_tenant_see_its_change(void **state)
{
    static const char *slugs[] = {"a", "slug", "a-slug-that-is-not-short-at-all"};
    static const char *realms[] = {"a.example", "gone.example", "a-domain-of-forty-letters.of.the.example"};
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_record record = fixture_record(1, "a", "a.example");
    struct tenant_table *table;
    unsigned patches = 0, changes = 0;

    put(master, "a.example", 1, "a.example");
    put(master, "b.a.example", 1, "a.example");
    put(master, "a-domain-of-forty-letters.of.the.example", 1, "a.example");
    put(master, "other.example", 2, "other.example");
    table = build(master);
    for (; changes < 18; changes++) {
        record.status = changes % 2 ? TENANT_ACTIVE : TENANT_SUSPENDED;
        record.limits.max_calls = changes;
        record.slug = bf_str(slugs[changes % 3]);
        record.realm = bf_str(realms[changes / 3 % 3]);
        assert_true(tenant_master_update(master, &record));
        table = next_table(table, master, &patches);
        assert_table_has_all(table, master);
    }
    assert_int_equal(patches, changes);
    free(table);
    tenant_master_free(master);
}

static void test_a_table_grows_when_it_is_full(void **state)
{
    enum { DOMAINS = 3000 };
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *table = build(master);
    unsigned patches = 0;

    for (uint32_t i = 0; i < DOMAINS; i++) {
        char name[32];
        put(master, patch_name(i, name), i, name);
        table = next_table(table, master, &patches);
        if (i % 100 == 0)
            assert_table_has_all(table, master);
    }
    assert_table_has_all(table, master);
    assert_in_range(patches, DOMAINS * 9 / 10, DOMAINS - 10);
    free(table);
    tenant_master_free(master);
}

static void test_what_comes_and_goes_takes_no_room(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *table;
    unsigned patches = 0, rounds = 1000;
    struct bf_id left;

    put(master, "a.example", 1, "a.example");
    table = build(master);
    for (unsigned round = 0; round < rounds; round++) {
        if (round % 2 == 0)
            put(master, "b.example", 2, "b.example");
        else
            assert_true(tenant_master_drop(master, bf_str("b.example"), &left));
        table = next_table(table, master, &patches);
        assert_table_has_all(table, master);
    }
    assert_int_equal(patches, rounds);
    free(table);
    tenant_master_free(master);
}

static void test_more_changes_than_the_journal_holds_take_a_build(void **state)
{
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_table *table = build(master);
    unsigned patches = 0;

    for (uint32_t i = 0; i <= TENANT_JOURNAL_MAX; i++) {
        char name[32];
        put(master, patch_name(i, name), 1, "realm.example");
    }
    table = next_table(table, master, &patches);
    assert_int_equal(patches, 0);
    assert_int_equal(tenant_table_domains(table), TENANT_JOURNAL_MAX + 1);
    free(table);
    tenant_master_free(master);
}

static size_t bytes_of_many(const char *suffix, size_t slug_len)
{
    enum { DOMAINS = 20000 };
    struct tenant_master *master = tenant_master_new(&KEY);
    size_t bytes;

    for (uint32_t i = 0; i < DOMAINS; i++) {
        char name[64];
        struct tenant_record record = fixture_record(i, "slug", "");
        struct bf_id left;
        snprintf(name, sizeof(name), "tenant-%06u%s", i, suffix);
        record.realm = bf_str(name);
        if (slug_len > 0)
            record.slug = (struct bf_str){name, slug_len};
        assert_int_equal(tenant_master_put(master, bf_str(name), &record, &left), BF_OK);
    }
    bytes = tenant_table_plan(master).bytes / DOMAINS;
    tenant_master_free(master);
    return bytes;
}

static void test_a_domain_takes_a_slot_and_a_text_that_does_not_fit(void **state)
{
    assert_in_range(2 * bytes_of_many(".example.com", 13), 160, 170);
    assert_in_range(bytes_of_many(".example.com", 0), 81 + 29, 85 + 29);
    assert_in_range(bytes_of_many("-that-has-a-long-name.example.com", 13), 81 + 46, 85 + 46);
}

// ---- sharing ----------------------------------------------------------------------------------------------

enum { READERS = 3 };

struct race {
    struct tenant_share *share;
    _Atomic uint32_t next_reader;
    _Atomic bool end;
    _Atomic uint64_t found, wrong;
};

// Every published block maps the domain to the tenant whose number stands in max_calls, too: a torn or freed
// block shows.
static void *race_read(void *ctx)
{
    struct race *race = ctx;
    uint32_t reader = race->next_reader++;
    struct tenant_match match;

    while (!race->end) {
        if (tenant_share_find(race->share, reader, bf_str("a.example"), &match) != TENANT_FOUND)
            continue;
        race->found++;
        if (!bf_id_eq(match.id, fixture_id(match.limits.max_calls)))
            race->wrong++;
    }
    return NULL;
}

static void test_readers_never_see_a_block_that_is_gone(void **state)
{
    struct race race = {0};
    pthread_t threads[READERS];

    race.share = aligned_alloc(64, (tenant_share_bytes(READERS) + 63) & ~63ul);
    tenant_share_init(race.share, READERS);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race_read, &race), 0);
    for (uint32_t round = 1; round < 2000 || race.found < 1000; round++) {
        struct tenant_master *master = tenant_master_new(&KEY);
        put(master, "a.example", round, "a.example");
        struct tenant_table *old = tenant_share_swap(race.share, build(master));
        tenant_master_free(master);
        while (old && tenant_share_read(race.share, old))
            sched_yield();
        free(old);
    }
    race.end = true;
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(race.wrong, 0);
    free(tenant_share_swap(race.share, NULL));
    free(race.share);
}

static void test_no_table_is_not_the_same_as_not_found(void **state)
{
    struct tenant_share *share = aligned_alloc(64, (tenant_share_bytes(1) + 63) & ~63ul);
    struct tenant_master *master = tenant_master_new(&KEY);
    struct tenant_match match;

    tenant_share_init(share, 1);
    assert_int_equal(tenant_share_find(share, 0, bf_str("a.example"), &match), TENANT_NO_TABLE);
    assert_null(tenant_share_swap(share, build(master)));
    assert_int_equal(tenant_share_find(share, 0, bf_str("a.example"), &match), TENANT_NOT_FOUND);
    free(tenant_share_swap(share, NULL));
    free(share);
    tenant_master_free(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_domain_is_made_normal),
        cmocka_unit_test(test_a_domain_is_found_whatever_its_case),
        cmocka_unit_test(test_names_of_all_lengths_come_back_whole),
        cmocka_unit_test(test_a_block_may_stand_anywhere),
        cmocka_unit_test(test_an_empty_table_finds_nothing),
        cmocka_unit_test(test_a_tenant_goes_with_its_last_domain),
        cmocka_unit_test(test_an_update_says_whether_anything_changed),
        cmocka_unit_test(test_the_table_agrees_with_a_model),
        cmocka_unit_test(test_a_patched_table_is_what_a_built_one_would_be),
        cmocka_unit_test(test_all_domains_of_a_tenant_see_its_change),
        cmocka_unit_test(test_a_table_grows_when_it_is_full),
        cmocka_unit_test(test_what_comes_and_goes_takes_no_room),
        cmocka_unit_test(test_more_changes_than_the_journal_holds_take_a_build),
        cmocka_unit_test(test_a_domain_takes_a_slot_and_a_text_that_does_not_fit),
        cmocka_unit_test(test_readers_never_see_a_block_that_is_gone),
        cmocka_unit_test(test_no_table_is_not_the_same_as_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
