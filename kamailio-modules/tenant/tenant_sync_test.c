// The sync against a model of the registry: a log of changes, a transport that loses, repeats and delays, a
// clock.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "tenant_fixture.h"
#include "tenant_sync.h"

enum { DOMAINS = 60, TENANTS = 8, LOG_MAX = 4000, PAGE = 7, CHANGES = 5, NAME = 24 };

static const struct tenant_hash_key KEY = {8, 9};

struct model {                   // the registry
    uint64_t epoch, seq, oldest; // Changes after < oldest: no longer kept
    uint32_t owner[DOMAINS];     // tenant + 1; 0: no such domain
    uint32_t version[TENANTS];   // stands in max_calls
    struct tenant_change log[LOG_MAX];
    char names[LOG_MAX][NAME];
};

struct question { // the one that is open, of each kind
    uint32_t serial;
    char after[NAME];
    uint64_t epoch, after_seq;
};

struct world {
    struct model model;
    struct tenant_sync *sync;
    struct tenant_table *table; // the newest
    struct question page, changes;
    uint64_t now_ms;
    uint32_t pages_asked, changes_asked, forgotten, tenants_gone, extensions_gone, app_keys;
    unsigned seed;
};

static unsigned dice(struct world *world, unsigned sides)
{
    return (unsigned)rand_r(&world->seed) % sides;
}

// ---- hooks ------------------------------------------------------------------------------------------------

static void on_ask_page(void *ctx, uint32_t serial, struct bf_str after)
{
    struct world *world = ctx;

    assert_int_equal(world->page.serial, 0); // one at a time
    world->page.serial = serial;
    snprintf(world->page.after, sizeof(world->page.after), "%.*s", (int)after.len, after.at);
    world->pages_asked++;
}

static void on_ask_changes(void *ctx, uint32_t serial, uint64_t epoch, uint64_t after_seq)
{
    struct world *world = ctx;

    world->changes = (struct question){.serial = serial, .epoch = epoch, .after_seq = after_seq};
    world->changes_asked++;
}

static void on_extension(void *ctx, struct bf_id tenant, struct bf_str number, bool gone, struct bf_id now)
{
    ((struct world *)ctx)->extensions_gone += gone;
}

static void on_tenant_gone(void *ctx, struct bf_id tenant)
{
    ((struct world *)ctx)->tenants_gone++;
}

static void on_app_keys(void *ctx)
{
    ((struct world *)ctx)->app_keys++;
}

static void on_forget(void *ctx)
{
    ((struct world *)ctx)->forgotten++;
}

static const struct tenant_sync_hooks HOOKS = {
    .ask_page = on_ask_page,
    .ask_changes = on_ask_changes,
    .extension = on_extension,
    .tenant_gone = on_tenant_gone,
    .app_keys = on_app_keys,
    .forget = on_forget,
};

static int setup(void **state)
{
    struct world *world = bf_xcalloc(1, sizeof(*world));

    world->model.epoch = 42;
    world->seed = 1;
    world->sync = tenant_sync_new(&KEY, &HOOKS, world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    tenant_sync_free(world->sync);
    free(world->table);
    free(world);
    return 0;
}

// ---- the registry -----------------------------------------------------------------------------------------

static struct tenant_record record_of(const struct model *model, uint32_t tenant)
{
    struct tenant_record record = fixture_record(tenant, "slug", "realm.example");

    record.limits.max_calls = model->version[tenant];
    return record;
}

static void log_add(struct model *model, struct tenant_change change, const char *name)
{
    uint64_t at = model->seq;

    assert_true(at < LOG_MAX);
    snprintf(model->names[at], NAME, "%s", name);
    change.seq = ++model->seq;
    change.name = bf_str(model->names[at]);
    model->log[at] = change;
}

static void model_domain(struct model *model, uint32_t domain, uint32_t tenant)
{
    char name[NAME];

    snprintf(name, sizeof(name), "d%02u.example", domain);
    model->owner[domain] = tenant + 1;
    log_add(model, (struct tenant_change){.kind = TENANT_CHANGE_DOMAIN, .record = record_of(model, tenant)},
            name);
}

static void model_domain_gone(struct model *model, uint32_t domain)
{
    char name[NAME];

    snprintf(name, sizeof(name), "d%02u.example", domain);
    model->owner[domain] = 0;
    log_add(model, (struct tenant_change){.kind = TENANT_CHANGE_DOMAIN_GONE}, name);
}

static void model_tenant_gone(struct model *model, uint32_t tenant)
{
    for (uint32_t i = 0; i < DOMAINS; i++)
        model->owner[i] = model->owner[i] == tenant + 1 ? 0 : model->owner[i];
    log_add(model, (struct tenant_change){.kind = TENANT_CHANGE_TENANT_GONE, .id = fixture_id(tenant)}, "");
}

static void model_tenant(struct model *model, uint32_t tenant)
{
    model->version[tenant]++;
    log_add(model, (struct tenant_change){.kind = TENANT_CHANGE_TENANT, .record = record_of(model, tenant)},
            "");
}

static void model_extension(struct model *model, bool gone)
{
    log_add(model, (struct tenant_change){.kind = TENANT_CHANGE_EXTENSION, .id = fixture_id(1), .gone = gone},
            "100");
}

static void model_step(struct world *world)
{
    struct model *model = &world->model;
    uint32_t domain = dice(world, DOMAINS), tenant = dice(world, TENANTS);

    switch (dice(world, 10)) {
    case 0:
        model_tenant(model, tenant);
        break;
    case 1:
        if (dice(world, 5) == 0)
            model_tenant_gone(model, tenant);
        break;
    case 2:
    case 3:
        model_domain_gone(model, domain);
        break;
    case 4:
        model_extension(model, false);
        break;
    default:
        model_domain(model, domain, tenant);
    }
}

// A change says what the thing is now, so what is sent of a tenant is its newest version.
static size_t log_read(struct model *model, uint64_t after, size_t max, struct tenant_change *changes)
{
    size_t count = 0;

    for (uint64_t i = after; i < model->seq && count < max; i++)
        changes[count++] = model->log[i];
    return count;
}

// ---- the transport ----------------------------------------------------------------------------------------

static void send_feed(struct world *world, uint64_t after, size_t max)
{
    struct tenant_change changes[64];
    size_t count = log_read(&world->model, after, max < 64 ? max : 64, changes);
    struct bf_buf bytes = fixture_feed(world->model.epoch, world->model.seq, changes, count);

    tenant_sync_feed(world->sync, world->now_ms, fixture_str(&bytes));
    bf_buf_release(&bytes);
}

static void answer_page(struct world *world)
{
    struct model *model = &world->model;
    struct question question = world->page;
    struct fixture_domain domains[PAGE];
    char names[PAGE][NAME];
    uint32_t i = question.after[0]
                     ? (uint32_t)(question.after[1] - '0') * 10 + (uint32_t)(question.after[2] - '0') + 1
                     : 0;
    size_t count = 0;
    struct bf_buf bytes;

    for (; i < DOMAINS && count < PAGE; i++) {
        if (!model->owner[i])
            continue;
        snprintf(names[count], NAME, "d%02u.example", i);
        domains[count] = (struct fixture_domain){names[count], record_of(model, model->owner[i] - 1)};
        count++;
    }
    bytes = fixture_page(model->epoch, model->seq, domains, count, count == PAGE ? names[count - 1] : "");
    world->page.serial = 0;
    tenant_sync_page(world->sync, world->now_ms, question.serial, BF_OK, fixture_str(&bytes));
    bf_buf_release(&bytes);
}

static void answer_changes(struct world *world)
{
    struct model *model = &world->model;
    struct question question = world->changes;
    struct tenant_change changes[CHANGES];
    struct bf_buf bytes;

    world->changes.serial = 0;
    if (question.epoch != model->epoch || question.after_seq < model->oldest) {
        tenant_sync_changes(world->sync, world->now_ms, question.serial, BF_NOT_FOUND, BF_STR(""));
        return;
    }
    bytes = fixture_changes(model->epoch, model->seq, changes,
                            log_read(model, question.after_seq, CHANGES, changes));
    tenant_sync_changes(world->sync, world->now_ms, question.serial, BF_OK, fixture_str(&bytes));
    bf_buf_release(&bytes);
}

static void answer_fails(struct world *world, enum bf_err err)
{
    struct question page = world->page, changes = world->changes;

    world->page.serial = world->changes.serial = 0;
    tenant_sync_page(world->sync, world->now_ms, page.serial, err, BF_STR(""));
    tenant_sync_changes(world->sync, world->now_ms, changes.serial, err, BF_STR(""));
}

// Everything works and the clock runs on, until nothing is left to ask.
static void settle(struct world *world)
{
    for (int i = 0; i < 200; i++) {
        world->now_ms += 100;
        tenant_sync_tick(world->sync, world->now_ms, true);
        while (world->page.serial || world->changes.serial) {
            if (world->page.serial)
                answer_page(world);
            if (world->changes.serial)
                answer_changes(world);
        }
        if (i % 10 == 0)
            send_feed(world, world->model.seq, 0); // the heartbeat
    }
}

// As the tenant process does it: a patch, or a build.
static void publish(struct world *world)
{
    struct tenant_master *master = tenant_sync_master(world->sync);
    struct tenant_table *table = NULL;

    if (!master)
        return;
    if (world->table && !tenant_master_journal(master)->whole) {
        void *memory = bf_xcalloc(1, tenant_table_size(world->table));
        table = tenant_table_patch(world->table, master, memory);
        if (!table)
            free(memory);
    }
    if (!table) {
        struct tenant_table_need plan = tenant_table_plan(master);
        table = tenant_table_build(master, plan, bf_xcalloc(1, plan.bytes));
    }
    free(world->table);
    world->table = table;
    tenant_journal_clear(tenant_master_journal(master));
}

static void check_same(struct world *world)
{
    const struct tenant_master *master = tenant_sync_master(world->sync);
    struct tenant_sync_figures figures = tenant_sync_figures(world->sync);
    uint32_t count = 0;

    assert_non_null(master);
    assert_true(figures.synced && figures.seq == world->model.seq && figures.epoch == world->model.epoch);
    publish(world);
    for (uint32_t i = 0; i < DOMAINS; i++) {
        uint32_t owner = world->model.owner[i];
        struct tenant_match match;
        char name[NAME];
        snprintf(name, sizeof(name), "d%02u.example", i);
        assert_int_equal(tenant_table_find(world->table, bf_str(name), &match), owner != 0);
        if (!owner)
            continue;
        assert_true(bf_id_eq(match.id, fixture_id(owner - 1)));
        assert_int_equal(match.limits.max_calls, world->model.version[owner - 1]);
        count++;
    }
    assert_int_equal(tenant_table_domains(world->table), count);
}

// ---- tests ------------------------------------------------------------------------------------------------

static void start(struct world *world, int steps)
{
    for (int i = 0; i < steps; i++)
        model_step(world);
    settle(world);
    check_same(world);
}

static void test_the_first_snapshot_comes_in_pages(void **state)
{
    struct world *world = *state;

    assert_null(tenant_sync_master(world->sync));
    for (uint32_t i = 0; i < DOMAINS; i++)
        model_domain(&world->model, i, i % TENANTS);
    settle(world);
    check_same(world);
    assert_int_equal(world->pages_asked, DOMAINS / PAGE + 1);
    assert_true(tenant_sync_dirty(world->sync));
}

static void test_nothing_is_asked_while_not_connected(void **state)
{
    struct world *world = *state;

    for (; world->now_ms < 10000; world->now_ms += 100)
        tenant_sync_tick(world->sync, world->now_ms, false);
    assert_int_equal(world->pages_asked + world->changes_asked, 0);
    tenant_sync_tick(world->sync, world->now_ms, true);
    assert_int_equal(world->pages_asked, 1);
}

static void test_a_change_of_the_feed_is_applied_at_once(void **state)
{
    struct world *world = *state;
    uint32_t asked;

    start(world, 50);
    asked = world->changes_asked;
    tenant_sync_clean(world->sync);
    model_domain(&world->model, 3, 1);
    send_feed(world, world->model.seq - 1, 1);
    check_same(world);
    assert_true(tenant_sync_dirty(world->sync));
    tenant_sync_clean(world->sync);
    model_extension(&world->model, true);
    send_feed(world, world->model.seq - 1, 1);
    assert_int_equal(world->extensions_gone, 1);
    assert_false(tenant_sync_dirty(world->sync)); // no table is built for an extension
    assert_int_equal(world->changes_asked, asked);
}

static void test_an_old_change_is_skipped_and_a_hole_asked_for(void **state)
{
    struct world *world = *state;

    start(world, 50);
    model_extension(&world->model, true);
    send_feed(world, world->model.seq - 1, 1);
    send_feed(world, world->model.seq - 1, 1); // twice
    assert_int_equal(world->extensions_gone, 1);
    model_domain(&world->model, 4, 2); // lost
    model_domain(&world->model, 5, 2);
    send_feed(world, world->model.seq - 1, 1);
    assert_true(world->changes.serial != 0);
    assert_int_equal(tenant_sync_figures(world->sync).gaps, 1);
    answer_changes(world);
    check_same(world);
    assert_int_equal(world->forgotten, 1); // that of the first snapshot: a hole that was filled voids nothing
}

static void test_other_keys_of_app_tokens_are_told(void **state)
{
    struct world *world = *state;

    start(world, 50);
    log_add(&world->model, (struct tenant_change){.kind = TENANT_CHANGE_APP_KEYS}, "");
    send_feed(world, world->model.seq - 1, 1);
    assert_int_equal(world->app_keys, 1);
    check_same(world);
}

static void test_a_heartbeat_ahead_of_us_is_a_hole(void **state)
{
    struct world *world = *state;

    start(world, 50);
    model_domain(&world->model, 4, 2);
    send_feed(world, world->model.seq, 0);
    assert_false(tenant_sync_figures(world->sync).synced);
    answer_changes(world);
    check_same(world);
}

static void test_too_old_or_a_new_epoch_means_a_snapshot_and_forgets(void **state)
{
    struct world *world = *state;

    start(world, 50);
    model_step(world);
    model_domain(&world->model, 1, 1);
    world->model.oldest = world->model.seq;
    settle(world);
    check_same(world);
    assert_int_equal(world->forgotten, 2);
    world->model.epoch++;
    memset(world->model.owner, 0, sizeof(world->model.owner)); // restored: empty but for one
    world->model.seq = 3;
    world->model.oldest = 0;
    world->model.owner[9] = 1;
    world->tenants_gone = 0;
    settle(world);
    check_same(world);
    assert_int_equal(world->forgotten, 3);
    assert_true(world->tenants_gone > 0);
}

static void test_the_old_table_serves_while_a_snapshot_is_taken(void **state)
{
    struct world *world = *state;
    const struct tenant_master *before;

    start(world, 200);
    before = tenant_sync_master(world->sync);
    tenant_sync_again(world->sync, world->now_ms);
    answer_page(world);
    assert_ptr_equal(tenant_sync_master(world->sync), before);
    answer_fails(world, BF_TIMEOUT); // from the start again, later
    assert_ptr_equal(tenant_sync_master(world->sync), before);
    settle(world);
    check_same(world);
}

static void test_a_failed_question_is_not_repeated_at_once(void **state)
{
    struct world *world = *state;

    tenant_sync_tick(world->sync, 0, true);
    answer_fails(world, BF_UNAVAILABLE);
    tenant_sync_tick(world->sync, TENANT_SYNC_RETRY_MS - 1, true);
    assert_int_equal(world->pages_asked, 1);
    tenant_sync_tick(world->sync, TENANT_SYNC_RETRY_MS, true);
    assert_int_equal(world->pages_asked, 2);
}

static void test_after_a_break_changes_are_asked_for_at_once(void **state)
{
    struct world *world = *state;
    uint32_t asked;

    start(world, 50);
    tenant_sync_tick(world->sync, ++world->now_ms, false);
    model_domain(&world->model, 6, 3);
    asked = world->changes_asked;
    tenant_sync_tick(world->sync, ++world->now_ms, true);
    assert_int_equal(world->changes_asked, asked + 1);
    answer_changes(world);
    check_same(world);
}

static void test_what_the_feed_misses_while_it_connects_comes_by_asking(void **state)
{
    struct world *world = *state;

    start(world, 50);
    tenant_sync_tick(world->sync, ++world->now_ms, false);
    tenant_sync_tick(world->sync, ++world->now_ms, true);
    answer_changes(world);
    model_domain(&world->model, 6, 3); // published to nobody
    tenant_sync_tick(world->sync, world->now_ms += TENANT_SYNC_FRESH_MS + 1, true);
    assert_true(world->changes.serial != 0);
    answer_changes(world);
    check_same(world);
    send_feed(world, world->model.seq, 0); // from now on there are heartbeats
    tenant_sync_tick(world->sync, world->now_ms += TENANT_SYNC_FRESH_MS + 1, true);
    assert_int_equal(world->changes.serial, 0);
}

static void test_a_silent_feed_is_replaced_by_asking(void **state)
{
    struct world *world = *state;

    start(world, 50);
    model_domain(&world->model, 7, 3);
    for (int i = 0; i < 60; i++) {
        tenant_sync_tick(world->sync, world->now_ms += 100, true);
        if (world->changes.serial)
            answer_changes(world);
    }
    check_same(world);
}

static void test_nonsense_is_counted_and_a_snapshot_gets_past_it(void **state)
{
    struct world *world = *state;

    start(world, 50);
    tenant_sync_feed(world->sync, world->now_ms, BF_STR("nonsense"));
    for (int i = 0; i < TENANT_SYNC_FAULTS_MAX; i++) {
        uint32_t serial = world->changes.serial;
        assert_true(serial != 0);
        tenant_sync_changes(world->sync, world->now_ms, serial, BF_OK, BF_STR("nonsense"));
        tenant_sync_tick(world->sync, world->now_ms += TENANT_SYNC_RETRY_MS, true);
    }
    assert_true(world->page.serial != 0);
    assert_int_equal(tenant_sync_figures(world->sync).faults, 1 + TENANT_SYNC_FAULTS_MAX);
    world->changes.serial = 0;
    settle(world);
    check_same(world);
}

// One random thing that a network, a registry or a clock may do.
static void misfortune(struct world *world)
{
    switch (dice(world, 12)) {
    case 0:
    case 1:
    case 2: // a feed message, perhaps late, perhaps of several
        send_feed(world, world->model.seq - dice(world, 4) % (world->model.seq + 1), 1 + dice(world, 3));
        break;
    case 3:
        send_feed(world, world->model.seq, 0);
        break;
    case 4:
    case 5:
        if (world->page.serial)
            answer_page(world);
        break;
    case 6:
    case 7:
        if (world->changes.serial)
            answer_changes(world);
        break;
    case 8:
        answer_fails(world, dice(world, 2) ? BF_TIMEOUT : BF_UNAVAILABLE);
        break;
    case 9:
        tenant_sync_tick(world->sync, world->now_ms, dice(world, 4) != 0);
        break;
    case 10:
        if (dice(world, 20) == 0)
            world->model.oldest = world->model.seq;
        if (dice(world, 40) == 0)
            world->model.epoch++;
        break;
    default:
        tenant_sync_tick(world->sync, world->now_ms += dice(world, 700), true);
    }
}

static void test_losses_repeats_delays_and_restores_always_converge(void **state)
{
    for (unsigned round = 0; round < 60; round++) {
        struct world *world;
        setup((void **)&world);
        world->seed = 1000 + round;
        for (int i = 0; i < 1200; i++) {
            if (dice(world, 3) == 0)
                model_step(world);
            misfortune(world);
            if (dice(world, 4) == 0)
                publish(world);
        }
        settle(world);
        check_same(world);
        teardown((void **)&world);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_first_snapshot_comes_in_pages),
        TEST(test_nothing_is_asked_while_not_connected),
        TEST(test_a_change_of_the_feed_is_applied_at_once),
        TEST(test_an_old_change_is_skipped_and_a_hole_asked_for),
        TEST(test_other_keys_of_app_tokens_are_told),
        TEST(test_a_heartbeat_ahead_of_us_is_a_hole),
        TEST(test_too_old_or_a_new_epoch_means_a_snapshot_and_forgets),
        TEST(test_the_old_table_serves_while_a_snapshot_is_taken),
        TEST(test_a_failed_question_is_not_repeated_at_once),
        TEST(test_after_a_break_changes_are_asked_for_at_once),
        TEST(test_what_the_feed_misses_while_it_connects_comes_by_asking),
        TEST(test_a_silent_feed_is_replaced_by_asking),
        TEST(test_nonsense_is_counted_and_a_snapshot_gets_past_it),
        cmocka_unit_test(test_losses_repeats_delays_and_restores_always_converge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
