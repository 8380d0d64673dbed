// All lanes of pushes.
#include "push_lanes.h"

#include "bf_clock.h"
#include "fanout_metrics.h"
#include "push_credential_store.h"

void push_lanes_drop(struct push_lanes *lanes, struct push *push, const char *why, const char *more)
{
    struct push_outcome outcome = {.verdict = PUSH_DROPPED, .at_ms = bf_unix_ms()};
    bf_autofree char *text = bf_xasprintf("%s%s", why, more);

    bf_text_clean(text, outcome.detail, sizeof(outcome.detail));
    lanes->ended(lanes->ctx, push, &outcome);
}

static struct push_lane *lane_of(struct push_lanes *lanes, const struct push *push)
{
    struct push_lane *lane = lanes->first;

    while (lane && !push_lane_is_of(lane, push))
        lane = lane->next;
    if (lane && (bf_id_is_nil(push->credential) || push->credential_version <= lane->version))
        return lane;
    struct push_credential *credential = push_credential_open(
        &lanes->fanout->seal, push->provider, push->credential, push->sealed, push->sealed_len);
    if (!credential && !bf_id_is_nil(push->credential))
        return NULL;
    if (!lane) {
        lane = push_lane_new(push, bf_mono_ms());
        lane->next = lanes->first;
        lanes->first = lane;
    }
    push_lane_credential(lane, credential, push->credential_version);
    return lane;
}

// Why it cannot be sent at all; NULL: it can.
static const char *fault_of(const struct push *push)
{
    if (!push->token)
        return "the device is gone";
    if (bf_unix_ms() >= push->until_ms)
        return "no time left: it came too late";
    if (push->provider == PUSH_FCM && bf_id_is_nil(push->credential))
        return "there are no credentials for fcm";
    if (push->provider == PUSH_APNS && bf_id_is_nil(push->credential))
        return "there are no credentials for apns";
    return NULL;
}

void push_lanes_add(struct push_lanes *lanes, struct push *push)
{
    const char *fault = fault_of(push);
    struct push_lane *lane = fault ? NULL : lane_of(lanes, push);

    if (!fault && !lane)
        fault = "its credentials cannot be opened: sealed under another BELFRY_SEAL_KEY";
    if (!fault && push->provider == PUSH_APNS && !*push->topic && !*lane->credential->topic)
        fault = "neither the device nor the credentials have a topic";
    if (fault)
        push_lanes_drop(lanes, push, fault, "");
    else
        push_list_add(&lane->queue, push);
}

// Apple's token is made here, Google's asked for. False: not now.
static bool bearer_ready(struct push_lanes *lanes, struct push_lane *lane, uint64_t now_ms)
{
    if (lane->provider == PUSH_EXPO || push_lane_has_bearer(lane, now_ms))
        return true;
    if (lane->provider == PUSH_FCM) {
        if (!lane->asking && !push_flight_bearer(lanes->flights, lane))
            bf_error("push.not_signed", BF_S("provider", "fcm"));
        return false;
    }
    char *bearer = push_apns_bearer(lane->credential, bf_unix_ms());
    if (bearer)
        push_lane_bearer(lane, bearer, PUSH_APNS_FRESH_MS, now_ms);
    else
        bf_error("push.not_signed", BF_S("provider", "apns"));
    return bearer != NULL;
}

// What waits in a lane while its call waits no longer.
static void lane_expire(struct push_lanes *lanes, struct push_lane *lane)
{
    uint64_t now_ms = bf_unix_ms();
    struct push_list queue;

    push_list_init(&queue);
    push_list_move(&lane->queue, &queue);
    for (struct push *push; (push = push_list_take(&queue));)
        if (now_ms < push->until_ms)
            push_list_add(&lane->queue, push);
        else
            push_lanes_drop(lanes, push, "no time left: ", *lane->why ? lane->why : "the provider was busy");
}

static void lane_send(struct push_lanes *lanes, struct push_lane *lane, uint64_t now_ms)
{
    size_t max = (size_t)lanes->fanout->settings.push_requests_max;

    while (lane->queue.first && push_lane_may_send(lane, max, now_ms) && bearer_ready(lanes, lane, now_ms))
        push_flight_pushes(lanes->flights, lane);
}

void push_lanes_send(struct push_lanes *lanes)
{
    uint64_t now_ms = bf_mono_ms();
    int64_t open = 0;

    for (struct push_lane **at = &lanes->first; *at;) {
        struct push_lane *lane = *at;
        lane_send(lanes, lane, now_ms);
        open += push_lane_is_open(lane, now_ms);
        if (lane->queue.first || lane->under_way || now_ms < lane->used_ms + PUSH_LANE_IDLE_MS) {
            at = &lane->next;
            continue;
        }
        *at = lane->next;
        push_lane_free(lane);
    }
    bf_metric_set(&fanout_metrics[FANOUT_PUSH_CIRCUITS_OPEN], open);
}

void push_lanes_expire(struct push_lanes *lanes)
{
    for (struct push_lane *lane = lanes->first; lane; lane = lane->next)
        lane_expire(lanes, lane);
}

void push_lanes_release(struct push_lanes *lanes)
{
    for (struct push_lane *lane = lanes->first, *next; lane; lane = next) {
        next = lane->next;
        push_lane_free(lane);
    }
    lanes->first = NULL;
}
