// What the events of a batch mean for sleeping devices.
#include "wake_events.h"

#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "directory.h"
#include "location_store.h"
#include "push_devices.h"
#include "wake_store.h"
#include "waker.h"

struct detail { // of an event about waking
    const struct call_event *event;
    struct wake_wait wait;
    struct tell_wake told;
    char caller_name[DIRECTORY_NAME_SIZE];
    char token[WAKE_TOKEN_SIZE];
    size_t bindings_at; // reply
    bool begins;
};

struct wake_events {
    struct control *control;
    struct detail *details;
    size_t count;
};

static bool is_about_waking(const struct call_event *event)
{
    return (event->kind == CALL_WAKING || event->kind == CALL_WOKEN || event->kind == CALL_WAKE_ENDED) &&
           !bf_id_is_nil(event->push) && *event->number && strlen(event->number) < DIRECTORY_NUMBER_SIZE;
}

static void find_name(const struct control *control, struct detail *detail)
{
    const struct directory_entry *entry = NULL;

    if (directory_look(control->directory, detail->event->tenant, detail->event->caller, &entry))
        return;
    snprintf(detail->caller_name, sizeof(detail->caller_name), "%s", entry->name);
    directory_entry_unref(entry);
}

static struct bf_id find_extension(const struct control *control, const struct detail *detail)
{
    const struct directory_entry *entry = NULL;
    struct bf_id id = {{0}};

    if (directory_look(control->directory, detail->event->tenant, detail->event->number, &entry))
        return id;
    id = entry->id;
    directory_entry_unref(entry);
    return id;
}

static bool recall(const struct control *control, struct bf_id tenant, const struct push_number *number,
                   struct plan_sleeper *sleeper)
{
    struct plan_sleepers found;
    bool known = false;

    push_devices_find(control->push, tenant, number, 1, &found);
    for (size_t i = 0; i < found.count && !known; i++) {
        known = bf_id_eq(found.at[i].id, sleeper->id);
        if (known)
            *sleeper = found.at[i];
    }
    free((void *)found.at);
    return known;
}

// What is remembered here may be older than the plan, which another replica may have made: it is asked again.
// Unknown, the device is known again by its token alone, or by being new.
static void find_device(const struct control *control, struct detail *detail)
{
    struct plan_sleeper *sleeper = &detail->wait.sleeper;
    struct push_number number = {sleeper->number, find_extension(control, detail)};

    sleeper->extension = number.extension;
    if (recall(control, detail->event->tenant, &number, sleeper))
        return;
    push_devices_void(control->push, detail->event->tenant, &number);
    recall(control, detail->event->tenant, &number, sleeper);
}

static void begin(const struct control *control, struct detail *detail)
{
    const struct call_event *event = detail->event;

    snprintf(detail->wait.edge, sizeof(detail->wait.edge), "%s", event->edge);
    detail->wait.until_ms = event->until_ms;
    detail->begins = event->until_ms > bf_unix_ms(); // it is not the past that is told
    if (!detail->begins)
        return;
    find_name(control, detail);
    find_device(control, detail);
    wake_token(control->settings.wake_key ? control->settings.wake_key : "", event->tenant, event->call,
               event->push, detail->token);
    detail->told = (struct tell_wake){detail->caller_name, detail->token};
}

struct wake_events *wake_events_new(struct control *control, const struct call_event *events, size_t count)
{
    size_t about = 0;

    for (size_t i = 0; i < count; i++)
        about += is_about_waking(&events[i]);
    if (about == 0)
        return NULL;
    struct wake_events *wakes = bf_xcalloc(1, sizeof(*wakes));
    wakes->control = control;
    wakes->details = bf_xcalloc(about, sizeof(wakes->details[0]));
    for (size_t i = 0; i < count; i++) {
        if (!is_about_waking(&events[i]))
            continue;
        struct detail *detail = &wakes->details[wakes->count++];
        detail->event = &events[i];
        detail->wait = (struct wake_wait){
            .tenant = events[i].tenant, .call = events[i].call, .sleeper = {.id = events[i].push}};
        snprintf(detail->wait.sleeper.number, DIRECTORY_NUMBER_SIZE, "%s", events[i].number);
        if (events[i].kind == CALL_WAKING)
            begin(control, detail);
    }
    return wakes;
}

void wake_events_free(struct wake_events *wakes)
{
    if (!wakes)
        return;
    free(wakes->details);
    free(wakes);
}

const struct tell_wake *wake_events_told(const struct wake_events *wakes, const struct call_event *event)
{
    for (size_t i = 0; wakes && i < wakes->count; i++)
        if (wakes->details[i].event == event && wakes->details[i].begins)
            return &wakes->details[i].told;
    return NULL;
}

// The wait is written first and the bindings are read then; who registers writes its binding first and reads
// the waits then: one of the two sees the other.
static void look_at_bindings(const struct wake_events *wakes, const struct detail *detail,
                             const struct bf_redis_reply *reply)
{
    struct bindings bindings;

    bindings_init(&bindings);
    location_store_read(reply, detail->wait.tenant, bf_unix_ms(), &bindings);
    for (size_t i = 0; i < bindings.count; i++)
        waker_look(wakes->control->waker, &detail->wait, 1, &bindings.at[i], false, 0);
    location_store_release(&bindings);
}

enum bf_err wake_events_write(struct wake_events *wakes)
{
    if (!wakes)
        return BF_OK;
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(wakes->control->redis);

    for (size_t i = 0; i < wakes->count; i++) {
        struct detail *detail = &wakes->details[i];
        if (detail->event->kind != CALL_WAKING) {
            wake_store_gone(batch, &detail->wait);
            continue;
        }
        if (!detail->begins)
            continue;
        wake_store_put(batch, &detail->wait);
        detail->bindings_at = location_store_ask(batch, detail->wait.tenant, detail->wait.sleeper.number);
    }
    enum bf_err err = bf_redis_run(batch);
    for (size_t i = 0; !err && i < wakes->count; i++)
        if (wakes->details[i].begins)
            look_at_bindings(wakes, &wakes->details[i], bf_redis_reply(batch, wakes->details[i].bindings_at));
    return err;
}
