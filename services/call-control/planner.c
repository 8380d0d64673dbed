// Plans for INVITEs.
#include "planner.h"

#include <string.h>

#include "bf_clock.h"
#include "control.h"
#include "control_metrics.h"
#include "directory.h"
#include "edges.h"
#include "location_store.h"
#include "push_devices.h"

#define REDIS_MS       400          // later than that the edge has planned by itself
#define NUMBERS_MAX    512          // looked up for one plan; further ones are as unknown
#define PLAN_BYTES_MAX (256u << 10) // of several: together they fit the bus

struct planning {
    struct control *control;
    const struct wire_plan *asked;
    bool known_only; // nobody but Redis may be asked
    enum bf_err err; // how it went
    struct plan plan;
    struct bf_id call;
    // What has been looked up: the rules borrow from these.
    const struct directory_entry *entries[NUMBERS_MAX];
    size_t entry_count;
    // What is asked of Redis.
    const char *numbers[NUMBERS_MAX];
    size_t number_count;
    size_t first_reply; // the lease's when the tenant has limits; those of the numbers follow
    bool leased, no_push;
    struct bindings bindings;
    struct plan_sleepers sleepers;
};

// ---- the directory

static const struct directory_entry *looked_up(const struct planning *planning, const char *number)
{
    for (size_t i = 0; i < planning->entry_count; i++)
        if (strcmp(planning->entries[i]->number, number) == 0)
            return planning->entries[i];
    return NULL;
}

static enum bf_err ask_directory(struct planning *planning, const char *number,
                                 const struct directory_entry **ret_entry)
{
    struct directory *directory = planning->control->directory;

    if (!planning->known_only)
        return directory_look(directory, planning->asked->tenant, number, ret_entry);
    *ret_entry = directory_known(directory, planning->asked->tenant, number);
    return *ret_entry ? BF_OK : BF_NOT_FOUND;
}

static enum bf_err look(void *ctx, const char *number, const struct directory_entry **ret_entry)
{
    static const struct directory_entry unknown = {.kind = DIRECTORY_UNKNOWN};
    struct planning *planning = ctx;

    *ret_entry = looked_up(planning, number);
    if (*ret_entry)
        return BF_OK;
    if (planning->entry_count == NUMBERS_MAX) {
        control_count(CONTROL_PLAN_CUT, 1);
        *ret_entry = &unknown;
        return BF_OK;
    }
    enum bf_err err = ask_directory(planning, number, ret_entry);
    if (!err)
        planning->entries[planning->entry_count++] = *ret_entry;
    return err;
}

static struct bf_id extension_of(const struct planning *planning, const char *number)
{
    const struct directory_entry *entry = looked_up(planning, number);

    return entry ? entry->id : (struct bf_id){{0}};
}

// ---- Redis

static void add_number(struct planning *planning, const char *number)
{
    for (size_t i = 0; i < planning->number_count; i++)
        if (strcmp(planning->numbers[i], number) == 0)
            return;
    planning->numbers[planning->number_count++] = number;
}

static struct limit_lease lease_of(const struct planning *planning)
{
    return (struct limit_lease){planning->asked->tenant, planning->call, planning->asked->edge.id};
}

static void numbers_collect(struct planning *planning)
{
    for (size_t s = 0; s < planning->plan.step_count; s++)
        for (size_t n = 0; n < planning->plan.steps[s].number_count; n++)
            add_number(planning, planning->plan.steps[s].numbers[n]);
}

static bool is_limited(const struct planning *planning)
{
    return planning->plan.caps.max_calls > 0 || planning->plan.caps.calls_per_second > 0;
}

// The lease first, then every number's bindings. A call that nobody will be rung for takes no lease, nor does
// one that nothing limits before it is carried out: a plan of it only reads.
static void redis_ask(struct planning *planning, struct bf_redis_batch *batch)
{
    struct limit_lease lease = lease_of(planning);

    planning->first_reply = bf_redis_count(batch);
    if (is_limited(planning))
        limit_store_take(batch, &lease, planning->plan.caps);
    for (size_t i = 0; i < planning->number_count; i++)
        location_store_ask(batch, planning->asked->tenant, planning->numbers[i]);
    push_devices_mark(batch, planning->asked->tenant);
}

static enum limit_verdict redis_read(struct planning *planning, const struct bf_redis_batch *batch)
{
    size_t reply = planning->first_reply;
    enum limit_verdict verdict = LIMIT_FREE;
    uint64_t now_ms = bf_unix_ms();

    if (is_limited(planning)) {
        verdict = limit_store_verdict(bf_redis_reply(batch, reply++));
        planning->leased = verdict == LIMIT_FREE;
    }
    for (size_t i = 0; i < planning->number_count; i++)
        location_store_read(bf_redis_reply(batch, reply++), planning->asked->tenant, now_ms,
                            &planning->bindings);
    planning->no_push = push_devices_none(bf_redis_reply(batch, reply));
    return verdict;
}

// A call that its edge has named goes on under that name whoever plans it, and its end frees its place.
static bool is_over(const struct planning *planning, enum bf_err err)
{
    return err ? bf_id_is_nil(planning->asked->call) : planning->plan.step_count == 0;
}

static void give_lease_back(struct planning *planning)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(planning->control->redis);
    struct limit_lease lease = lease_of(planning);

    if (!planning->leased)
        return;
    bf_redis_hurry(batch, REDIS_MS);
    limit_store_free(batch, &lease);
    (void)!bf_redis_run(batch); // else it ends by itself
}

// ---- devices

// The asking edge lives, whatever its heartbeat says.
static bool is_reachable(const struct planning *planning, const char *edge)
{
    struct edge found;

    if (strcmp(edge, planning->asked->edge.id) == 0)
        return true;
    return edges_find(planning->control->edges, edge, &found) && found.alive && found.internal[0];
}

static void push_numbers(const struct planning *planning, struct push_number numbers[NUMBERS_MAX])
{
    for (size_t i = 0; i < planning->number_count; i++)
        numbers[i] = (struct push_number){planning->numbers[i], extension_of(planning, planning->numbers[i])};
}

static bool sleepers_known(const struct planning *planning)
{
    struct push_number numbers[NUMBERS_MAX];

    if (planning->no_push)
        return true;
    push_numbers(planning, numbers);
    return push_devices_known(planning->control->push, planning->asked->tenant, numbers,
                              planning->number_count);
}

static void find_sleepers(struct planning *planning)
{
    struct push_number numbers[NUMBERS_MAX];

    if (planning->no_push)
        return;
    push_numbers(planning, numbers);
    push_devices_find(planning->control->push, planning->asked->tenant, numbers, planning->number_count,
                      &planning->sleepers);
}

// Of whoever had a number before nobody is rung, though its edge has not heard of it yet.
static void fill(struct planning *planning)
{
    const struct bindings *bindings = &planning->bindings;
    bf_autofree struct plan_device *devices = bf_xcalloc(bindings->count + 1, sizeof(*devices));
    size_t count = 0;

    for (size_t i = 0; i < bindings->count; i++) {
        const struct binding *binding = &bindings->at[i];
        if (!binding_is_of(binding, extension_of(planning, binding->number))) {
            control_count(CONTROL_BINDINGS_FORMER, 1);
            continue;
        }
        devices[count] = (struct plan_device){binding, is_reachable(planning, binding->edge)};
        control_count(CONTROL_BINDINGS_UNREACHABLE, !devices[count++].reachable);
    }
    find_sleepers(planning);
    plan_fill(&planning->plan, &planning->asked->request, devices, count, &planning->sleepers, bf_unix_ms());
}

// ---- the steps of planning, of all at once

static void outline(struct planning *planning)
{
    planning->err = plan_outline(&planning->plan, &planning->asked->request, look, planning);
    numbers_collect(planning);
}

static bool wants_redis(const struct planning *planning)
{
    return !planning->err && planning->plan.step_count > 0;
}

static void conclude(struct planning *planning, const struct bf_redis_batch *batch)
{
    enum limit_verdict verdict = redis_read(planning, batch);

    if (verdict == LIMIT_FREE && planning->known_only && !sleepers_known(planning)) {
        planning->err = BF_NOT_FOUND; // planned again it has its lease already
        return;
    }
    if (verdict == LIMIT_FREE) {
        fill(planning);
        return;
    }
    control_count(verdict == LIMIT_RATE ? CONTROL_LIMIT_RATE : CONTROL_LIMIT_MAX_CALLS, 1);
    plan_refuse(&planning->plan, verdict);
}

static void carry_out(struct control *control, struct planning *const *all, size_t count)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);

    bf_redis_hurry(batch, REDIS_MS);
    for (size_t i = 0; i < count; i++) {
        outline(all[i]);
        if (wants_redis(all[i]))
            redis_ask(all[i], batch);
    }
    enum bf_err err = bf_redis_run(batch);
    if (err == BF_INTERNAL && count > 1)
        err = BF_NOT_FOUND; // whose fault it is shows when each is planned alone
    for (size_t i = 0; i < count; i++) {
        if (!wants_redis(all[i]))
            continue;
        all[i]->err = err;
        if (!err)
            conclude(all[i], batch);
    }
}

// ---- the answer

static enum bf_err answer(struct planning *planning, uint64_t deadline_unix_ms, struct bf_buf *ret_body)
{
    struct edges_internal internal = {.edges = planning->control->edges};
    const struct plan *plan = &planning->plan;

    control_count(CONTROL_FORWARD_LOOPS, (int64_t)plan->loops);
    control_count(CONTROL_PLAN_CUT, (int64_t)(plan->cut_steps + plan->cut_targets + plan->cut_wakes));
    if (bf_unix_ms() >= deadline_unix_ms) { // the edge has planned by itself meanwhile
        control_count(CONTROL_PLAN_LATE, 1);
        return BF_TIMEOUT;
    }
    wire_write_plan(ret_body, plan, planning->call, planning->asked->edge.id, edges_internal, &internal);
    if (!bf_buf_ok(ret_body))
        return BF_TOO_LARGE;
    control_count(plan->step_count ? CONTROL_PLAN_RUNG : CONTROL_PLAN_REFUSED, 1);
    return BF_OK;
}

static struct planning *planning_new(struct control *control, const struct wire_plan *asked, bool known_only)
{
    struct planning *planning = bf_xcalloc(1, sizeof(*planning));

    planning->control = control;
    planning->asked = asked;
    planning->known_only = known_only;
    planning->call = bf_id_is_nil(asked->call) ? bf_id_new() : asked->call;
    plan_init(&planning->plan);
    return planning;
}

static void planning_free(struct planning *planning)
{
    for (size_t i = 0; i < planning->entry_count; i++)
        directory_entry_unref(planning->entries[i]);
    location_store_release(&planning->bindings);
    free((void *)planning->sleepers.at);
    plan_release(&planning->plan);
    free(planning);
}

// Of a plan that was carried out.
static enum bf_err finish(struct planning *planning, uint64_t deadline_unix_ms, uint64_t began_us,
                          struct bf_buf *ret_body)
{
    enum bf_err err = planning->err;

    if (planning->known_only && err == BF_NOT_FOUND)
        return err; // it is planned alone, and counted then
    if (err)
        control_count(CONTROL_PLAN_FAILED, 1);
    else
        err = answer(planning, deadline_unix_ms, ret_body);
    if (is_over(planning, err))
        give_lease_back(planning);
    bf_metric_observe_us(&control_metrics[CONTROL_PLAN_SECONDS], bf_mono_us() - began_us);
    return err;
}

enum bf_err planner_plan(struct control *control, const struct wire_plan *asked, uint64_t deadline_unix_ms,
                         struct bf_buf *ret_body)
{
    uint64_t began_us = bf_mono_us();
    struct planning *planning = planning_new(control, asked, false);

    carry_out(control, &planning, 1);
    enum bf_err err = finish(planning, deadline_unix_ms, began_us, ret_body);
    planning_free(planning);
    return err;
}

void planner_plan_all(struct control *control, struct planner_job *jobs, size_t count,
                      uint64_t deadline_unix_ms)
{
    bf_autofree struct planning **all = bf_xcalloc(count + 1, sizeof(struct planning *));
    uint64_t began_us = bf_mono_us();

    for (size_t i = 0; i < count; i++)
        all[i] = planning_new(control, jobs[i].asked, true);
    carry_out(control, all, count);
    for (size_t i = 0; i < count; i++) {
        bf_buf_init(&jobs[i].reply, PLAN_BYTES_MAX);
        jobs[i].err = finish(all[i], deadline_unix_ms, began_us, &jobs[i].reply);
        planning_free(all[i]);
    }
}
