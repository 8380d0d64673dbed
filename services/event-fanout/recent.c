// A ring of ids, and an index over it with open addressing.
#include "recent.h"

#include <string.h>

#include "bf_crypto.h"

struct recent {
    struct bf_id *ring;
    uint32_t *index; // place in the ring + 1; 0: free
    size_t max, mask, next, count;
    uint64_t seed;
};

struct recent *recent_new(size_t ids_max)
{
    struct recent *recent = bf_xcalloc(1, sizeof(*recent));

    recent->max = ids_max;
    recent->mask = 63;
    while (recent->mask < 2 * ids_max)
        recent->mask = recent->mask * 2 + 1;
    recent->ring = bf_xcalloc(ids_max, sizeof(recent->ring[0]));
    recent->index = bf_xcalloc(recent->mask + 1, sizeof(recent->index[0]));
    bf_random(&recent->seed, sizeof(recent->seed));
    return recent;
}

void recent_free(struct recent *recent)
{
    if (!recent)
        return;
    free(recent->ring);
    free(recent->index);
    free(recent);
}

static size_t home(const struct recent *recent, struct bf_id id)
{
    uint64_t high, low;

    memcpy(&high, id.bytes, sizeof(high));
    memcpy(&low, id.bytes + 8, sizeof(low));
    uint64_t mixed = (high ^ recent->seed) * 0x9e3779b97f4a7c15 ^ low;
    mixed = (mixed ^ mixed >> 32) * 0x9e3779b97f4a7c15;
    return (size_t)(mixed ^ mixed >> 29) & recent->mask;
}

// Where it is, or the free place where it would be.
static size_t find(const struct recent *recent, struct bf_id id)
{
    size_t at = home(recent, id);

    while (recent->index[at] && !bf_id_eq(recent->ring[recent->index[at] - 1], id))
        at = (at + 1) & recent->mask;
    return at;
}

// Those behind the hole that belong before it move up, or they would no longer be found.
static void forget(struct recent *recent, struct bf_id id)
{
    size_t hole = find(recent, id);

    for (size_t at = (hole + 1) & recent->mask; recent->index[at]; at = (at + 1) & recent->mask) {
        size_t wants = home(recent, recent->ring[recent->index[at] - 1]);
        if (((at - wants) & recent->mask) >= ((at - hole) & recent->mask)) {
            recent->index[hole] = recent->index[at];
            hole = at;
        }
    }
    recent->index[hole] = 0;
}

bool recent_has(const struct recent *recent, struct bf_id id)
{
    return recent->index[find(recent, id)] != 0;
}

bool recent_add(struct recent *recent, struct bf_id id)
{
    if (recent->index[find(recent, id)])
        return false;
    if (recent->count == recent->max)
        forget(recent, recent->ring[recent->next]);
    else
        recent->count++;
    recent->ring[recent->next] = id;
    recent->index[find(recent, id)] = (uint32_t)recent->next + 1;
    recent->next = (recent->next + 1) % recent->max;
    return true;
}
