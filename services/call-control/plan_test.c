// Who is rung: tables of what is dialled and the plan that comes of it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "bf_buf.h"
#include "plan.h"

#define NOW_MS 1000000

// ---- the tenant

struct number {
    const char *number;
    const char *always, *busy, *no_answer;
    const char *members[6];
    enum directory_kind kind;
    bool do_not_disturb;
};

static const struct number numbers[] = {
    {.number = "101", .kind = DIRECTORY_EXTENSION},
    {.number = "102", .kind = DIRECTORY_EXTENSION, .busy = "103", .no_answer = "201"},
    {.number = "103", .kind = DIRECTORY_EXTENSION},
    {.number = "104", .kind = DIRECTORY_EXTENSION, .do_not_disturb = true},
    {.number = "105", .kind = DIRECTORY_EXTENSION, .busy = "101", .do_not_disturb = true},
    {.number = "106", .kind = DIRECTORY_EXTENSION, .always = "101"},
    {.number = "107", .kind = DIRECTORY_EXTENSION, .always = "108"},
    {.number = "108", .kind = DIRECTORY_EXTENSION, .always = "107"},
    {.number = "109", .kind = DIRECTORY_EXTENSION, .no_answer = "101", .busy = "103"}, // has no device
    {.number = "110", .kind = DIRECTORY_EXTENSION},                                    // has no device
    {.number = "111", .kind = DIRECTORY_EXTENSION, .always = "999"},
    {.number = "112", .kind = DIRECTORY_EXTENSION, .busy = "102"},
    {.number = "113", .kind = DIRECTORY_EXTENSION, .busy = "113"},
    {.number = "114", .kind = DIRECTORY_EXTENSION, .no_answer = "114", .busy = "200"},
    {.number = "115", .kind = DIRECTORY_EXTENSION, .busy = "104", .no_answer = "999"},
    {.number = "116", .kind = DIRECTORY_EXTENSION, .always = "103", .do_not_disturb = true},
    {.number = "121", .kind = DIRECTORY_EXTENSION, .always = "122"},
    {.number = "122", .kind = DIRECTORY_EXTENSION, .always = "123"},
    {.number = "123", .kind = DIRECTORY_EXTENSION, .always = "124"},
    {.number = "124", .kind = DIRECTORY_EXTENSION, .always = "125"},
    {.number = "125", .kind = DIRECTORY_EXTENSION, .always = "126"},
    {.number = "126", .kind = DIRECTORY_EXTENSION, .always = "101"},
    {.number = "200", .kind = DIRECTORY_EXTENSION}, // the caller
    {.number = "201", .kind = DIRECTORY_EXTENSION, .no_answer = "600"},
    {.number = "600", .kind = DIRECTORY_GROUP_ALL, .members = {"101", "104", "200", "999", "103", "106"}},
    {.number = "601", .kind = DIRECTORY_GROUP_SEQUENCE, .members = {"101", "110", "200", "103"}},
    {.number = "602", .kind = DIRECTORY_GROUP_SEQUENCE, .members = {"104"}},
    {.number = "603", .kind = DIRECTORY_GROUP_ALL, .members = {"110"}},
    {.number = "604", .kind = DIRECTORY_GROUP_SEQUENCE, .members = {"110", "101"}},
    {.number = "131", .kind = DIRECTORY_EXTENSION, .busy = "601"},
    // Members' own forwarding: to who does not want to be disturbed, nowhere, to who forwards again, to a
    // group, to the caller.
    {.number = "132", .kind = DIRECTORY_EXTENSION, .always = "104"},
    {.number = "133", .kind = DIRECTORY_EXTENSION, .always = "600"},
    {.number = "134", .kind = DIRECTORY_EXTENSION, .always = "200"},
    {.number = "605", .kind = DIRECTORY_GROUP_ALL, .members = {"132", "111", "107", "133", "134", "104"}},
    {.number = "606", .kind = DIRECTORY_GROUP_SEQUENCE, .members = {"106", "101", "121", "116", "102x"}},
    {.number = "141", .kind = DIRECTORY_EXTENSION, .always = "605"},
    {.number = "142", .kind = DIRECTORY_EXTENSION, .busy = "605"},
};

// number, ruid and where; what stands for itself is a device like any other.
struct device {
    const char *number, *ruid;
    const char *instance;
    const char *received;
    uint64_t expires_ms;
    bool edge_dead;
};

static const struct device devices[] = {
    {.number = "101", .ruid = "a1"},
    {.number = "101", .ruid = "a2"},
    {.number = "101", .ruid = "old", .expires_ms = NOW_MS},
    {.number = "101", .ruid = "far", .edge_dead = true},
    {.number = "102", .ruid = "b1"},
    {.number = "103", .ruid = "c1"},
    {.number = "104", .ruid = "d1"},
    {.number = "106", .ruid = "f1"},
    {.number = "112", .ruid = "l1"},
    {.number = "113", .ruid = "m1"},
    {.number = "114", .ruid = "n1"},
    {.number = "115", .ruid = "o1", .instance = "<urn:1>", .expires_ms = NOW_MS + 10},
    {.number = "115", .ruid = "o2", .instance = "<urn:1>", .expires_ms = NOW_MS + 20},
    {.number = "115", .ruid = "o3", .instance = "<urn:2>", .expires_ms = NOW_MS + 15},
    {.number = "131", .ruid = "p1"},
    {.number = "142", .ruid = "q1"},
    {.number = "200", .ruid = "z1", .received = "sip:192.0.2.1:5060"},
    {.number = "200", .ruid = "z2", .received = "sip:192.0.2.2:5060;transport=tcp"},
    {.number = "201", .ruid = "y1"},
};

static struct plan_sleepers asleep; // what plans are made with

static struct directory_entry *entries[BF_LEN(numbers) + 1];
static bool suspended;
static enum bf_err looking;
static size_t looks;

static void set(char into[DIRECTORY_NUMBER_SIZE], const char *text)
{
    if (text)
        memcpy(into, text, strlen(text) + 1);
}

static struct directory_entry *entry_of(const struct number *number)
{
    size_t members = 0;

    while (members < BF_LEN(number->members) && number->members[members])
        members++;
    struct directory_entry *entry = directory_entry_new(members);
    entry->kind = number->kind;
    entry->do_not_disturb = number->do_not_disturb;
    entry->ring_seconds = number->kind == DIRECTORY_EXTENSION ? 25 : 40;
    entry->caps = (struct limit_caps){7, 3};
    snprintf(entry->name, sizeof(entry->name), "Name of %s", number->number);
    set(entry->number, number->number);
    set(entry->forward_always, number->always);
    set(entry->forward_busy, number->busy);
    set(entry->forward_no_answer, number->no_answer);
    for (size_t i = 0; i < members; i++)
        set(entry->members[i], number->members[i]);
    entry->member_count = members;
    return entry;
}

static int make_tenant(void **state)
{
    for (size_t i = 0; i < BF_LEN(numbers); i++)
        entries[i] = entry_of(&numbers[i]);
    entries[BF_LEN(numbers)] = directory_entry_new(0);
    return 0;
}

static int drop_tenant(void **state)
{
    for (size_t i = 0; i < BF_LEN(entries); i++)
        directory_entry_unref(entries[i]);
    return 0;
}

static enum bf_err look(void *ctx, const char *number, const struct directory_entry **ret_entry)
{
    looks++;
    if (looking)
        return looking;
    size_t i = 0;
    while (i < BF_LEN(numbers) && strcmp(numbers[i].number, number) != 0)
        i++;
    entries[i]->suspended = suspended && i < BF_LEN(numbers);
    *ret_entry = entries[i];
    return BF_OK;
}

// ---- a plan as text: "1 25s extension 101: a1 a2 | 2 busy of 1 25s forward-busy to 103: c1"

static const char *const whens[] = {
    [PLAN_ANY_FAILURE] = "failure", [PLAN_BUSY] = "busy", [PLAN_NO_ANSWER] = "no answer"};

static void put_plan(struct bf_buf *text, const struct plan *plan)
{
    if (plan->final_code)
        bf_buf_fmt(text, "%u %s", plan->final_code, plan->why);
    for (size_t s = 0; s < plan->step_count; s++) {
        const struct plan_step *step = &plan->steps[s];
        bf_buf_fmt(text, "%s%zu ", text->len ? " | " : "", s + 1);
        if (step->after)
            bf_buf_fmt(text, "%s of %zu ", whens[step->when], step->after);
        bf_buf_fmt(text, "%us %s:", step->seconds, step->why);
        for (size_t t = 0; t < step->target_count; t++)
            bf_buf_fmt(text, " %s", step->targets[t]->ruid);
        for (size_t w = 0; w < step->wake_count; w++)
            bf_buf_fmt(text, " (%s)", step->wakes[w]->device_id);
    }
}

static void make_plan(struct plan *plan, const char *caller, const char *callee, struct binding *bindings)
{
    struct plan_request request = {caller, callee, "udp:192.0.2.1:5060"};
    struct plan_device at[BF_LEN(devices)];

    for (size_t i = 0; i < BF_LEN(devices); i++) {
        const struct device *device = &devices[i];
        bindings[i] = (struct binding){
            .edge = "edge-1",
            .number = device->number,
            .ruid = device->ruid,
            .contact = device->ruid,
            .received = device->received ? device->received : "",
            .instance = device->instance ? device->instance : "",
            .expires_ms = device->expires_ms ? device->expires_ms : NOW_MS + 1,
        };
        at[i] = (struct plan_device){&bindings[i], !device->edge_dead};
    }
    plan_init(plan);
    assert_int_equal(plan_outline(plan, &request, look, NULL), BF_OK);
    plan_fill(plan, &request, at, BF_LEN(at), &asleep, NOW_MS);
}

static void assert_plan(const char *caller, const char *callee, const char *expected)
{
    struct binding bindings[BF_LEN(devices)];
    struct plan plan;
    struct bf_buf text;

    bf_buf_init(&text, 4096);
    make_plan(&plan, caller, callee, bindings);
    put_plan(&text, &plan);
    if (strcmp(text.at ? text.at : "", expected) != 0)
        fail_msg("%s dials %s:\n  planned  %s\n  expected %s", caller, callee, text.at ? text.at : "",
                 expected);
    bf_buf_release(&text);
    plan_release(&plan);
}

// ---- tests

static void test_what_is_dialled_decides_who_is_rung(void **state)
{
    static const struct {
        const char *callee, *expected;
    } cases[] = {
        {"101", "1 25s extension 101: a1 a2"}, // all its devices that can be reached
        {"999", "404 unknown-number"},
        {"110", "480 not-registered"},
        {"104", "486 do-not-disturb"},
        {"105", "1 25s do-not-disturb: forward-busy to 101: a1 a2"},
        {"106", "1 25s forward-always to 101: a1 a2"},
        {"116", "1 25s forward-always to 103: c1"},
        {"111", "404 unknown-number: forward-always of 111 to 999"},
        {"102", "1 25s extension 102: b1 | 2 busy of 1 25s forward-busy to 103: c1 | "
                "3 no answer of 1 25s forward-no-answer to 201: y1 | "
                "4 no answer of 3 40s forward-no-answer to 600: a1 a2 c1"},
        {"112",
         "1 25s extension 112: l1 | 2 busy of 1 25s forward-busy to 102: b1 | "
         "3 busy of 2 25s forward-busy to 103: c1 | 4 no answer of 2 25s forward-no-answer to 201: y1 | "
         "5 no answer of 4 40s forward-no-answer to 600: a1 a2 c1"},
        {"109", "1 25s forward-no-answer to 101: a1 a2"}, // nobody there: as if nobody answered
        {"115", "1 25s extension 115; forward-busy of 115 to 104: do-not-disturb; "
                "forward-no-answer of 115 to 999: unknown-number: o2 o3"}, // one device twice
        {"600", "1 40s group 600: a1 a2 c1"},
        {"601", "1 40s group 601: 101: a1 a2 | 2 failure of 1 40s group 601: 103: c1"},
        {"602", "480 empty-group"},
        {"603", "480 not-registered"},
        {"605", "480 empty-group"},
        {"606", "1 40s group 606: 106 forward-always to 101: a1 a2 | "
                "2 failure of 1 40s group 606: 116 forward-always to 103: c1"},
        {"141", "480 empty-group: forward-always of 141 to 605"},
        {"142", "1 25s extension 142; forward-busy of 142 to 605: empty-group: q1"},
        {"604", "1 40s group 604: 101: a1 a2"},
        {"131", "1 25s extension 131: p1 | 2 busy of 1 40s group 601: 101: a1 a2 | "
                "3 failure of 2 40s group 601: 103: c1"},
    };

    for (size_t i = 0; i < BF_LEN(cases); i++)
        assert_plan("200", cases[i].callee, cases[i].expected);
}

static void test_forwarding_does_not_go_round(void **state)
{
    assert_plan("200", "107", "482 forward-loop: forward-always of 108 to 107");
    assert_plan("200", "113", "1 25s extension 113; forward-busy of 113 to 113: forward-loop: m1");
    assert_plan("200", "114",
                "1 25s extension 114; forward-busy of 114 to 200: forward-loop; " // to the caller
                "forward-no-answer of 114 to 114: forward-loop: n1");
    assert_plan("101", "106", "482 forward-loop: forward-always of 106 to 101"); // to the caller
    assert_plan("200", "122", "1 25s forward-always to 101: a1 a2");
    assert_plan("200", "121", "482 forward-loop: forward-always of 126 to 101"); // one too deep
}

static void test_own_number_rings_the_other_devices(void **state)
{
    assert_plan("200", "200", "1 25s extension 200: z2");
    assert_plan("104", "104", "486 do-not-disturb");
}

static void test_a_caller_in_the_group_is_not_rung(void **state)
{
    assert_plan("101", "601", "1 40s group 601: 200: z1 z2 | 2 failure of 1 40s group 601: 103: c1");
}

static void test_suspended_tenant_cannot_call(void **state)
{
    suspended = true;
    assert_plan("200", "101", "403 tenant-suspended");
    assert_plan("200", "999", "403 tenant-suspended");
    assert_plan("999", "101", "403 tenant-suspended");
    suspended = false;
}

static void test_the_plan_has_the_name_and_the_limits(void **state)
{
    struct binding bindings[BF_LEN(devices)];
    struct plan plan;

    make_plan(&plan, "200", "101", bindings);
    assert_string_equal(plan.caller_name, "Name of 200");
    assert_int_equal(plan.caps.max_calls, 7);
    assert_int_equal(plan.caps.calls_per_second, 3);
    assert_int_equal(plan.final_code, 0);
    plan_release(&plan);
    make_plan(&plan, "999", "101", bindings); // the caller's extension has just gone
    assert_string_equal(plan.caller_name, "");
    assert_int_equal(plan.caps.max_calls, 7);
    plan_release(&plan);
}

static void test_limits_refuse_with_a_reason(void **state)
{
    struct binding bindings[BF_LEN(devices)];
    struct plan plan;

    make_plan(&plan, "200", "102", bindings);
    plan_refuse(&plan, LIMIT_MAX_CALLS);
    assert_int_equal(plan.step_count, 0);
    assert_int_equal(plan.final_code, 486);
    assert_string_equal(plan.why, "limit:max_calls");
    plan_refuse(&plan, LIMIT_RATE);
    assert_int_equal(plan.final_code, 503);
    assert_string_equal(plan.why, "limit:calls_per_second");
    plan_release(&plan);
}

static void test_no_directory_no_plan(void **state)
{
    struct plan_request request = {"200", "101", ""};
    struct plan plan;

    plan_init(&plan);
    looking = BF_UNAVAILABLE;
    assert_int_equal(plan_outline(&plan, &request, look, NULL), BF_UNAVAILABLE);
    looking = BF_OK;
    plan_release(&plan);
}

static struct plan_sleeper sleeper(const char *number, const char *device_id)
{
    struct plan_sleeper made = {.id = {{1}}};

    snprintf(made.number, sizeof(made.number), "%s", number);
    snprintf(made.device_id, sizeof(made.device_id), "%s", device_id);
    return made;
}

static void test_devices_that_sleep_are_woken(void **state)
{
    struct plan_sleeper all[] = {sleeper("101", "phone"),  sleeper("110", "tablet"), sleeper("109", "nine"),
                                 sleeper("104", "silent"), sleeper("103", "urn:9"),  sleeper("200", "own"),
                                 sleeper("115", "URN:1"),  sleeper("998", "nobody")};
    static const struct {
        const char *callee, *plan;
    } cases[] = {
        // Beside devices that ring, and alone: what would have been "not-registered" is a step now.
        {"101", "1 25s extension 101: a1 a2 (phone)"},
        {"110", "1 25s extension 110: (tablet)"},
        {"106", "1 25s forward-always to 101: a1 a2 (phone)"},
        {"109", "1 25s extension 109: (nine) | 2 busy of 1 25s forward-busy to 103: c1 (urn:9) | "
                "3 no answer of 1 25s forward-no-answer to 101: a1 a2 (phone)"},
        // Who is not rung is not woken.
        {"104", "486 do-not-disturb"},
        // A group's members, all and one after the other; the caller's own phones are not of it.
        {"600", "1 40s group 600: a1 a2 c1 (phone) (urn:9)"},
        {"604", "1 40s group 604: 110: (tablet) | 2 failure of 1 40s group 604: 101: a1 a2 (phone)"},
        // Awake: a binding names it.
        {"115", "1 25s extension 115; forward-busy of 115 to 104: do-not-disturb; "
                "forward-no-answer of 115 to 999: unknown-number: o2 o3"},
        {"998", "404 unknown-number"},
    };

    asleep = (struct plan_sleepers){all, BF_LEN(all), false};
    for (size_t i = 0; i < BF_LEN(cases); i++)
        assert_plan("200", cases[i].callee, cases[i].plan);
    asleep = (struct plan_sleepers){.count = 0};
}

static void test_without_event_fanout_the_plan_says_that_nobody_is_woken(void **state)
{
    asleep = (struct plan_sleepers){.unknown = true};
    assert_plan("200", "103", "1 25s extension 103; nobody is woken: event-fanout is away: c1");
    assert_plan("200", "110", "480 not-registered; nobody is woken: event-fanout is away");
    asleep = (struct plan_sleepers){.count = 0};
}

static void test_a_device_is_known_by_its_prid(void **state)
{
    struct plan_sleeper phone = sleeper("101", "");
    struct binding binding = {.number = "101", .instance = ""};

    assert_false(plan_sleeper_is(&phone, &binding));
    plan_pn_id("abc", phone.pn_id);
    assert_false(plan_sleeper_is(&phone, &binding));
    plan_pn_id("abc", binding.pn_id);
    assert_true(plan_sleeper_is(&phone, &binding));
    plan_pn_id("", phone.pn_id);
    assert_false(plan_sleeper_is(&phone, &binding));
    plan_pn_id("abc", phone.pn_id);
    binding.number = "102";
    assert_false(plan_sleeper_is(&phone, &binding));
}

static void test_more_devices_than_branches_are_cut(void **state)
{
    struct plan_request request = {"200", "101", ""};
    struct binding bindings[PLAN_TARGETS_MAX + 5];
    struct plan_device at[BF_LEN(bindings)];
    char contacts[BF_LEN(bindings)][8];
    struct plan plan;

    for (size_t i = 0; i < BF_LEN(at); i++) {
        snprintf(contacts[i], sizeof(contacts[i]), "c%zu", i);
        bindings[i] = (struct binding){.edge = "e",
                                       .number = "101",
                                       .ruid = contacts[i],
                                       .contact = contacts[i],
                                       .received = "",
                                       .instance = "",
                                       .expires_ms = NOW_MS + 1};
        at[i] = (struct plan_device){&bindings[i], true};
    }
    plan_init(&plan);
    assert_int_equal(plan_outline(&plan, &request, look, NULL), BF_OK);
    plan_fill(&plan, &request, at, BF_LEN(at), &asleep, NOW_MS);
    assert_int_equal(plan.steps[0].target_count, PLAN_TARGETS_MAX);
    assert_int_equal(plan.cut_targets, 5);
    plan_release(&plan);
}

// Every extension forwards to two others: what would be a tree without end is cut, not followed for ever.
static enum bf_err look_wide(void *ctx, const char *number, const struct directory_entry **ret_entry)
{
    static struct directory_entry *made[200];
    size_t n = (size_t)strtoul(number, NULL, 10) % BF_LEN(made);

    looks++;
    if (!made[n]) {
        made[n] = directory_entry_new(0);
        made[n]->kind = DIRECTORY_EXTENSION;
        snprintf(made[n]->number, sizeof(made[n]->number), "%zu", n);
        snprintf(made[n]->forward_busy, sizeof(made[n]->forward_busy), "%zu", 2 * n + 1);
        snprintf(made[n]->forward_no_answer, sizeof(made[n]->forward_no_answer), "%zu", 2 * n + 2);
        ((struct directory_entry **)ctx)[n] = made[n];
    }
    *ret_entry = made[n];
    return BF_OK;
}

static void test_forwarding_is_bounded(void **state)
{
    struct directory_entry *made[200] = {NULL};
    struct plan_request request = {"199", "1", ""};
    struct plan plan;

    looks = 0;
    plan_init(&plan);
    assert_int_equal(plan_outline(&plan, &request, look_wide, made), BF_OK);
    assert_int_equal(plan.step_count, 63); // six levels of a tree of twos
    assert_int_equal(plan.loops, 64);
    assert_true(looks < 100);
    assert_int_equal(plan.steps[0].seconds, PLAN_SECONDS);
    plan_release(&plan);
    for (size_t i = 0; i < BF_LEN(made); i++)
        directory_entry_unref(made[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_dialled_decides_who_is_rung),
        cmocka_unit_test(test_forwarding_does_not_go_round),
        cmocka_unit_test(test_own_number_rings_the_other_devices),
        cmocka_unit_test(test_a_caller_in_the_group_is_not_rung),
        cmocka_unit_test(test_suspended_tenant_cannot_call),
        cmocka_unit_test(test_the_plan_has_the_name_and_the_limits),
        cmocka_unit_test(test_limits_refuse_with_a_reason),
        cmocka_unit_test(test_no_directory_no_plan),
        cmocka_unit_test(test_devices_that_sleep_are_woken),
        cmocka_unit_test(test_without_event_fanout_the_plan_says_that_nobody_is_woken),
        cmocka_unit_test(test_a_device_is_known_by_its_prid),
        cmocka_unit_test(test_more_devices_than_branches_are_cut),
        cmocka_unit_test(test_forwarding_is_bounded),
    };

    return cmocka_run_group_tests(tests, make_tenant, drop_tenant);
}
