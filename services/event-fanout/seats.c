// Places and tenants.
#include "seats.h"

#include <string.h>

#include "bf_crypto.h"

struct seats_tenant {
    struct bf_id id;
    size_t count;
    struct seat *first;
    struct seats_tenant *chain;
};

struct place {
    struct seat *seat;
    uint32_t generation;
    uint32_t next_free;
};

struct seats {
    struct place *places;
    size_t max, count;
    uint32_t first_free; // `max`: none
    struct seats_tenant **buckets;
    size_t mask;
    uint64_t seed;
};

struct seats *seats_new(size_t seats_max)
{
    struct seats *seats = bf_xcalloc(1, sizeof(*seats));

    seats->max = seats_max;
    seats->places = bf_xcalloc(seats_max, sizeof(seats->places[0]));
    for (size_t i = 0; i < seats_max; i++)
        seats->places[i].next_free = (uint32_t)i + 1;
    seats->mask = 63;
    while (seats->mask < seats_max)
        seats->mask = seats->mask * 2 + 1;
    seats->buckets = bf_xcalloc(seats->mask + 1, sizeof(struct seats_tenant *));
    bf_random(&seats->seed, sizeof(seats->seed));
    return seats;
}

void seats_free(struct seats *seats)
{
    if (!seats)
        return;
    free(seats->places);
    free(seats->buckets);
    free(seats);
}

size_t seats_count(const struct seats *seats)
{
    return seats->count;
}

size_t seats_places(const struct seats *seats)
{
    return seats->max;
}

struct seat *seats_at(const struct seats *seats, size_t place)
{
    return seats->places[place].seat;
}

bool seats_add(struct seats *seats, struct seat *seat)
{
    if (seats->first_free == seats->max)
        return false;
    struct place *place = &seats->places[seats->first_free];
    seat->ref = (struct seat_ref){seats->first_free, ++place->generation};
    seats->first_free = place->next_free;
    place->seat = seat;
    seats->count++;
    return true;
}

struct seat *seats_find(const struct seats *seats, struct seat_ref ref)
{
    const struct place *place = &seats->places[ref.place];

    return place->generation == ref.generation ? place->seat : NULL;
}

// ---- tenants

static struct seats_tenant **tenant_at(const struct seats *seats, struct bf_id tenant)
{
    uint64_t low;

    memcpy(&low, tenant.bytes + 8, sizeof(low)); // the random half
    low = (low ^ seats->seed) * 0x9e3779b97f4a7c15;
    struct seats_tenant **at = &seats->buckets[(low ^ low >> 32) & seats->mask];
    while (*at && !bf_id_eq((*at)->id, tenant))
        at = &(*at)->chain;
    return at;
}

bool seats_join(struct seats *seats, struct seat *seat, size_t max)
{
    struct seats_tenant **at = tenant_at(seats, seat->socket.who.tenant);

    if (*at && (*at)->count >= max)
        return false;
    if (!*at) {
        *at = bf_xcalloc(1, sizeof(**at));
        (*at)->id = seat->socket.who.tenant;
    }
    seat->of = *at;
    seat->next = seat->of->first;
    seat->at = &seat->of->first;
    if (seat->next)
        seat->next->at = &seat->next;
    seat->of->first = seat;
    seat->of->count++;
    return true;
}

struct seat *seats_of(const struct seats *seats, struct bf_id tenant)
{
    struct seats_tenant *of = *tenant_at(seats, tenant);

    return of ? of->first : NULL;
}

static void leave_tenant(struct seats *seats, struct seat *seat)
{
    *seat->at = seat->next;
    if (seat->next)
        seat->next->at = seat->at;
    if (--seat->of->count == 0) {
        struct seats_tenant **at = tenant_at(seats, seat->of->id);
        *at = seat->of->chain;
        free(seat->of);
    }
    seat->of = NULL;
}

void seats_leave(struct seats *seats, struct seat *seat)
{
    struct place *place = &seats->places[seat->ref.place];

    if (seat->of)
        leave_tenant(seats, seat);
    place->seat = NULL;
    place->next_free = seats->first_free;
    seats->first_free = seat->ref.place;
    seats->count--;
}

static void wipe(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

void seat_free(struct seat *seat)
{
    if (!seat)
        return;
    socket_release(&seat->socket);
    socket_forget(&seat->socket);
    wipe(seat->key);
    wipe(seat->token);
    free(seat);
}
