// Lanes: a hash table of queues.
#include "lanes.h"

#include <assert.h>
#include <string.h>

#define BUCKETS 65536 // a power of two, about as many as there are deliveries in memory

struct lane {
    struct delivery *first, *last;
    struct lane *next; // of the bucket
};

struct lanes {
    struct lane *buckets[BUCKETS];
    size_t count, max;
};

struct lanes *lanes_new(size_t deliveries_max)
{
    struct lanes *lanes = bf_xcalloc(1, sizeof(*lanes));

    lanes->max = deliveries_max;
    return lanes;
}

void lanes_free(struct lanes *lanes)
{
    if (!lanes)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (lanes->buckets[i]) {
            struct lane *lane = lanes->buckets[i];
            lanes->buckets[i] = lane->next;
            while (lane->first) {
                struct delivery *delivery = lane->first;
                lane->first = delivery->next;
                delivery_free(delivery);
            }
            free(lane);
        }
    free(lanes);
}

size_t lanes_count(const struct lanes *lanes)
{
    return lanes->count;
}

// Both ids are UUIDs with random ends.
static struct lane **bucket(struct lanes *lanes, const struct delivery *delivery)
{
    uint32_t webhook, lane;

    memcpy(&webhook, delivery->webhook.bytes + 12, sizeof(webhook));
    memcpy(&lane, delivery->lane.bytes + 12, sizeof(lane));
    return &lanes->buckets[(webhook ^ lane) % BUCKETS];
}

static struct lane **find(struct lanes *lanes, const struct delivery *delivery)
{
    struct lane **at = bucket(lanes, delivery);

    while (*at && !(bf_id_eq((*at)->first->webhook, delivery->webhook) &&
                    bf_id_eq((*at)->first->lane, delivery->lane)))
        at = &(*at)->next;
    return at;
}

static bool has(const struct lane *lane, struct bf_id id)
{
    for (const struct delivery *each = lane->first; each; each = each->next)
        if (bf_id_eq(each->id, id))
            return true;
    return false;
}

enum lanes_added lanes_add(struct lanes *lanes, struct delivery *delivery, int64_t behind)
{
    struct lane **at = find(lanes, delivery), *lane = *at;

    if (lane && has(lane, delivery->id))
        return LANES_KNOWN;
    if (behind && (!lane || lane->last->position < behind))
        return LANES_LATER;
    if (lanes->count >= lanes->max)
        return LANES_FULL;
    lanes->count++;
    delivery->next = NULL;
    if (lane) {
        lane->last->next = delivery;
        lane->last = delivery;
        return LANES_WAITS;
    }
    *at = lane = bf_xcalloc(1, sizeof(*lane));
    lane->first = lane->last = delivery;
    return LANES_GO;
}

struct delivery *lanes_next(struct lanes *lanes, struct delivery *delivery)
{
    struct lane **at = find(lanes, delivery), *lane = *at;

    assert(lane && lane->first == delivery);
    lanes->count--;
    lane->first = delivery->next;
    delivery->next = NULL;
    if (lane->first)
        return lane->first;
    *at = lane->next;
    free(lane);
    return NULL;
}

struct delivery *lanes_drop(struct lanes *lanes, struct delivery *delivery)
{
    struct lane **at = find(lanes, delivery), *lane = *at;

    assert(lane && lane->first == delivery);
    for (const struct delivery *each = delivery; each; each = each->next)
        lanes->count--;
    *at = lane->next;
    free(lane);
    return delivery;
}
