// Whose turn it is, and circuit breakers.
#include "endpoint.h"

#include <assert.h>
#include <string.h>

#define BUCKETS       4096 // a power of two
#define FULL_AGAIN_MS 1000

struct endpoint {
    struct bf_id webhook;
    int64_t version;
    int64_t under_way;
    int64_t count;   // in memory
    bool proven;     // has answered well, and not failed since
    unsigned opened; // how often in a row
    struct endpoint_health health;
    struct delivery *ready, **ready_end;
    struct endpoint *next;            // of the bucket
    struct endpoint *turn, **turn_at; // of the queue of those with something ready; at NULL: not in it
};

struct endpoints {
    struct endpoints_options options;
    struct endpoint *buckets[BUCKETS];
    struct endpoint *turns, **turns_end;
    size_t count, resting;
    int64_t under_way;
};

struct endpoints *endpoints_new(const struct endpoints_options *options)
{
    struct endpoints *endpoints = bf_xcalloc(1, sizeof(*endpoints));

    endpoints->options = *options;
    endpoints->turns_end = &endpoints->turns;
    return endpoints;
}

static bool is_idle(const struct endpoint *endpoint)
{
    return endpoint->count == 0 && endpoint->under_way == 0 && !endpoint->opened;
}

static void forget(struct endpoints *endpoints, bool all)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct endpoint **at = &endpoints->buckets[i], *each; (each = *at);) {
            if (!all && !is_idle(each)) {
                at = &each->next;
                continue;
            }
            *at = each->next;
            endpoints->count--;
            free(each);
        }
}

void endpoints_free(struct endpoints *endpoints)
{
    if (!endpoints)
        return;
    forget(endpoints, true);
    free(endpoints);
}

static void begin_anew(struct endpoints *endpoints, struct endpoint *endpoint, int64_t version)
{
    endpoints->resting -= endpoint->opened > 0;
    endpoint->version = version;
    endpoint->proven = false;
    endpoint->opened = 0;
    endpoint->health = (struct endpoint_health){.failures = 0};
}

struct endpoint *endpoints_of(struct endpoints *endpoints, const struct delivery *delivery)
{
    uint32_t hash;

    memcpy(&hash, delivery->webhook.bytes + 12, sizeof(hash));
    struct endpoint **at = &endpoints->buckets[hash % BUCKETS];
    for (struct endpoint *each = *at; each; each = each->next)
        if (bf_id_eq(each->webhook, delivery->webhook)) {
            if (delivery->version > each->version)
                begin_anew(endpoints, each, delivery->version);
            return each;
        }
    if (endpoints->count >= ENDPOINTS_KEPT)
        forget(endpoints, false);
    struct endpoint *endpoint = bf_xcalloc(1, sizeof(*endpoint));
    endpoint->webhook = delivery->webhook;
    endpoint->version = delivery->version;
    endpoint->ready_end = &endpoint->ready;
    endpoint->next = *at;
    *at = endpoint;
    endpoints->count++;
    return endpoint;
}

static bool is_failing(const struct endpoint *endpoint)
{
    return endpoint->health.failures >= ENDPOINT_FAILURES;
}

static uint64_t spread(uint64_t ms, uint32_t random)
{
    return ms * 3 / 4 + ms / 2 * random / UINT32_MAX;
}

enum endpoint_room endpoint_room(const struct endpoints *endpoints, const struct endpoint *endpoint,
                                 uint64_t now_ms, uint32_t random, uint64_t *ret_wait_ms)
{
    if (endpoint_rests(endpoint, now_ms)) {
        // Not all at the same moment, and none before the one that tries.
        *ret_wait_ms = endpoint->health.open_until_ms - now_ms + spread(ENDPOINT_REST_MS, random) / 2;
        return ENDPOINT_RESTS;
    }
    if (is_failing(endpoint) && endpoint->count > 0) {
        *ret_wait_ms = spread(ENDPOINT_REST_MS, random);
        return ENDPOINT_RESTS;
    }
    if ((uint64_t)endpoint->count >= endpoints->options.queue_max) {
        *ret_wait_ms = spread(FULL_AGAIN_MS, random);
        return ENDPOINT_FULL;
    }
    return ENDPOINT_ROOM;
}

void endpoint_count(struct endpoint *endpoint, int by)
{
    endpoint->count += by;
    assert(endpoint->count >= 0);
}

// ---- turns

static void turn_join(struct endpoints *endpoints, struct endpoint *endpoint)
{
    if (endpoint->turn_at)
        return;
    endpoint->turn = NULL;
    endpoint->turn_at = endpoints->turns_end;
    *endpoints->turns_end = endpoint;
    endpoints->turns_end = &endpoint->turn;
}

static void turn_leave(struct endpoints *endpoints, struct endpoint *endpoint)
{
    if (!endpoint->turn_at)
        return;
    *endpoint->turn_at = endpoint->turn;
    if (endpoint->turn)
        endpoint->turn->turn_at = endpoint->turn_at;
    else
        endpoints->turns_end = endpoint->turn_at;
    endpoint->turn_at = NULL;
}

static int64_t limit_of(const struct endpoints *endpoints, const struct endpoint *endpoint)
{
    int64_t limit = endpoint->health.failures ? 1 : endpoint->proven ? INT64_MAX : ENDPOINT_UNPROVEN;

    return limit < endpoints->options.each_max ? limit : endpoints->options.each_max;
}

// One that may send nothing now is in no queue: whoever frees a place of it puts it back.
static void turn_settle(struct endpoints *endpoints, struct endpoint *endpoint)
{
    if (endpoint->ready && endpoint->under_way < limit_of(endpoints, endpoint))
        turn_join(endpoints, endpoint);
    else
        turn_leave(endpoints, endpoint);
}

void endpoint_ready(struct endpoints *endpoints, struct endpoint *endpoint, struct delivery *delivery)
{
    delivery->ready_next = NULL;
    *endpoint->ready_end = delivery;
    endpoint->ready_end = &delivery->ready_next;
    turn_settle(endpoints, endpoint);
}

struct delivery *endpoints_next(struct endpoints *endpoints)
{
    struct endpoint *endpoint = endpoints->turns;

    if (!endpoint || endpoints->under_way >= endpoints->options.requests_max)
        return NULL;
    struct delivery *delivery = endpoint->ready;
    endpoint->ready = delivery->ready_next;
    if (!endpoint->ready)
        endpoint->ready_end = &endpoint->ready;
    delivery->ready_next = NULL;
    endpoint->under_way++;
    endpoints->under_way++;
    turn_leave(endpoints, endpoint); // to the end of the queue
    turn_settle(endpoints, endpoint);
    return delivery;
}

struct delivery *endpoint_flush(struct endpoints *endpoints, struct endpoint *endpoint)
{
    struct delivery *ready = endpoint->ready;

    endpoint->ready = NULL;
    endpoint->ready_end = &endpoint->ready;
    turn_leave(endpoints, endpoint);
    return ready;
}

// ---- the circuit

// Those that were under way when it opened say nothing new.
static bool failed(struct endpoints *endpoints, struct endpoint *endpoint, uint64_t now_ms, uint32_t random)
{
    struct endpoint_health *health = &endpoint->health;
    uint64_t rest_ms = ENDPOINT_REST_MS;

    endpoint->proven = false;
    health->failures++;
    if (!health->failing_since_ms)
        health->failing_since_ms = now_ms;
    if (!is_failing(endpoint) || health->open_until_ms > now_ms)
        return false;
    for (unsigned i = 0; i < endpoint->opened && rest_ms < ENDPOINT_REST_MAX_MS; i++)
        rest_ms *= 2;
    endpoints->resting += endpoint->opened == 0;
    endpoint->opened++;
    health->open_until_ms =
        now_ms + spread(rest_ms < ENDPOINT_REST_MAX_MS ? rest_ms : ENDPOINT_REST_MAX_MS, random);
    return true;
}

bool endpoints_done(struct endpoints *endpoints, struct endpoint *endpoint, bool well, uint64_t now_ms,
                    uint32_t random, struct endpoint_health *ret_health, bool *ret_opened)
{
    bool changed = !well || endpoint->health.failures > 0;

    assert(endpoint->under_way > 0);
    endpoint->under_way--;
    endpoints->under_way--;
    *ret_opened = false;
    if (well) {
        begin_anew(endpoints, endpoint, endpoint->version);
        endpoint->proven = true;
    } else {
        *ret_opened = failed(endpoints, endpoint, now_ms, random);
    }
    turn_settle(endpoints, endpoint);
    *ret_health = endpoint->health;
    return changed;
}

bool endpoint_rests(const struct endpoint *endpoint, uint64_t now_ms)
{
    return endpoint->health.open_until_ms > now_ms;
}

size_t endpoints_resting(const struct endpoints *endpoints)
{
    return endpoints->resting;
}
