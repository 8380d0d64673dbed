// Lanes of pushes.
#include "push_lane.h"

#include "bf_vault.h"

struct push_lane *push_lane_new(const struct push *push, uint64_t now_ms)
{
    struct push_lane *lane = bf_xcalloc(1, sizeof(*lane));

    lane->provider = push->provider;
    lane->credential_id = push->credential;
    if (push->provider == PUSH_EXPO)
        lane->tenant = push->tenant;
    lane->used_ms = now_ms;
    push_list_init(&lane->queue);
    return lane;
}

void push_lane_free(struct push_lane *lane)
{
    if (!lane)
        return;
    push_list_free(&lane->queue);
    push_credential_free(lane->credential);
    bf_vault_forget(lane->bearer);
    free(lane);
}

bool push_lane_is_of(const struct push_lane *lane, const struct push *push)
{
    return lane->provider == push->provider && bf_id_eq(lane->credential_id, push->credential) &&
           (lane->provider != PUSH_EXPO || bf_id_eq(lane->tenant, push->tenant));
}

static void forget_bearer(struct push_lane *lane)
{
    bf_vault_forget(lane->bearer);
    lane->bearer = NULL;
}

void push_lane_credential(struct push_lane *lane, struct push_credential *credential, uint64_t version)
{
    push_credential_free(lane->credential);
    lane->credential = credential;
    lane->version = version;
    lane->failures = 0;
    lane->open_until_ms = 0;
    forget_bearer(lane);
}

bool push_lane_is_open(const struct push_lane *lane, uint64_t now_ms)
{
    return now_ms < lane->open_until_ms;
}

bool push_lane_may_send(const struct push_lane *lane, size_t requests_max, uint64_t now_ms)
{
    if (push_lane_is_open(lane, now_ms))
        return false;
    return lane->under_way < (lane->failures >= PUSH_LANE_FAILURES_MAX ? 1 : requests_max);
}

static uint64_t open_ms(unsigned failures)
{
    uint64_t ms = PUSH_LANE_OPEN_MS;

    for (unsigned i = PUSH_LANE_FAILURES_MAX; i < failures && ms < PUSH_LANE_OPEN_MAX_MS; i++)
        ms *= 2;
    return ms < PUSH_LANE_OPEN_MAX_MS ? ms : PUSH_LANE_OPEN_MAX_MS;
}

void push_lane_ended(struct push_lane *lane, bool failed, uint64_t wait_ms, uint64_t now_ms)
{
    uint64_t pause_ms = wait_ms < PUSH_LANE_OPEN_MAX_MS ? wait_ms : PUSH_LANE_OPEN_MAX_MS;

    lane->under_way--;
    lane->used_ms = now_ms;
    if (!failed)
        lane->failures = 0;
    else if (lane->failures < UINT32_MAX)
        lane->failures++;
    if (lane->failures >= PUSH_LANE_FAILURES_MAX && pause_ms < open_ms(lane->failures))
        pause_ms = open_ms(lane->failures);
    if (pause_ms && now_ms + pause_ms > lane->open_until_ms)
        lane->open_until_ms = now_ms + pause_ms;
}

bool push_lane_has_bearer(const struct push_lane *lane, uint64_t now_ms)
{
    return lane->bearer && now_ms < lane->bearer_until_ms;
}

void push_lane_bearer(struct push_lane *lane, char *bearer, uint64_t life_ms, uint64_t now_ms)
{
    uint64_t spare_ms = life_ms / 10 < 60000 ? life_ms / 10 : 60000;

    forget_bearer(lane);
    lane->bearer = bearer;
    lane->bearer_made_ms = now_ms;
    lane->bearer_until_ms = now_ms + life_ms - spare_ms;
}

// Requests that began with an older one say nothing of this one. Apple wants each token to live for a while.
void push_lane_refused(struct push_lane *lane, uint64_t began_ms, uint64_t now_ms)
{
    bool young = lane->provider == PUSH_APNS && now_ms < lane->bearer_made_ms + PUSH_APNS_RENEW_MS;

    if (lane->bearer && began_ms >= lane->bearer_made_ms && !young)
        forget_bearer(lane);
}
