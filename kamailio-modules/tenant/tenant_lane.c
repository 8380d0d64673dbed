#include "tenant_lane.h"

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bf_clock.h"

// ---- turns ------------------------------------------------------------------------------------------------

// Numbers wrap around.
static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

// Until `serving` is no longer `seen`, or the time is over, or without a reason.
static void sleep_on(struct tenant_lane *lane, uint32_t seen, uint64_t us)
{
    struct timespec time = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

    syscall(SYS_futex, &lane->serving, FUTEX_WAIT, seen, &time, NULL, 0);
}

uint32_t tenant_lane_enter(struct tenant_lane *lane)
{
    return atomic_fetch_add(&lane->next, 1);
}

static enum tenant_lane_turn wait_among_few(struct tenant_lane *lane, uint32_t number, uint32_t wait_ms)
{
    uint64_t now_us = bf_mono_us(), deadline_us = now_us + wait_ms * 1000ULL;
    uint32_t serving;

    while (before(serving = lane->serving, number)) {
        if (now_us >= deadline_us)
            return TENANT_LANE_PASSED;
        sleep_on(lane, serving, deadline_us - now_us);
        now_us = bf_mono_us();
    }
    return TENANT_LANE_WAITED;
}

enum tenant_lane_turn tenant_lane_wait(struct tenant_lane *lane, uint32_t number, uint32_t wait_ms)
{
    enum tenant_lane_turn turn = TENANT_LANE_PASSED;

    if (!before(lane->serving, number))
        return TENANT_LANE_FREE;
    if (atomic_fetch_add(&lane->waiting, 1) < TENANT_LANE_WAITING_MAX)
        turn = wait_among_few(lane, number, wait_ms);
    atomic_fetch_sub(&lane->waiting, 1);
    return turn;
}

// Never back: of one that went on out of turn the earlier ones may still be at work.
void tenant_lane_leave(struct tenant_lane *lane, uint32_t number)
{
    uint32_t serving = lane->serving;

    do {
        if (before(number, serving))
            return;
    } while (!atomic_compare_exchange_weak(&lane->serving, &serving, number + 1));
    if (lane->next != number + 1)
        syscall(SYS_futex, &lane->serving, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

// ---- Call-ID ----------------------------------------------------------------------------------------------

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct bf_str trimmed(struct bf_str text)
{
    while (text.len > 0 && (is_space(text.at[text.len - 1]) || text.at[text.len - 1] == '\r'))
        text.len--;
    while (text.len > 0 && is_space(*text.at)) {
        text.at++;
        text.len--;
    }
    return text;
}

// The line's value when its name is that of Call-ID.
static struct bf_str call_id_in(struct bf_str line)
{
    const char *colon;
    struct bf_str name;

    if (line.len == 0 || !strchr("CcIi", *line.at) || !(colon = memchr(line.at, ':', line.len)))
        return (struct bf_str){0};
    name = trimmed((struct bf_str){line.at, (size_t)(colon - line.at)});
    if (!bf_str_case_eq(name, BF_STR("Call-ID")) && !bf_str_case_eq(name, BF_STR("i")))
        return (struct bf_str){0};
    return trimmed((struct bf_str){colon + 1, line.len - (size_t)(colon + 1 - line.at)});
}

struct bf_str tenant_lane_call_id(struct bf_str message)
{
    const char *at = message.at, *end = message.at + message.len;

    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        struct bf_str line = {at, (size_t)((feed ? feed : end) - at)}, found;

        if (line.len == 0 || (line.len == 1 && *at == '\r')) // the body begins
            break;
        found = call_id_in(line);
        if (found.len > 0)
            return found;
        at = line.at + line.len + 1;
    }
    return (struct bf_str){0};
}
