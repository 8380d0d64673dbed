// A ring of bytes: each entry is its length (4 bytes) and itself, wherever the ring's end falls. Positions
// only grow; modulo the size they are places.
#include "tenant_outbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_BYTES_MEAN 512u
#define LENGTH_BYTES     sizeof(uint32_t)
#define BINDINGS_PERCENT 75u
#define FIELD_BYTES_MAX  10u // tag and length in front of an entry

struct last { // a binding's newest entry, if it is a refresh
    uint64_t key;
    uint64_t position; // 0: there is none
};

struct tenant_outbox {
    _Alignas(64) pthread_mutex_t lock; // the rest down to the ring is under it
    uint64_t head, tail;               // positions: of the oldest entry, behind the newest
    uint64_t sent, mark; // positions before which nothing changes: behind what was sent, behind the last mark
    uint64_t put_seq, taken_seq;
    uint64_t dropped;
    uint64_t room; // bytes of the ring
    uint32_t entries_max;
    _Atomic bool lost_bindings;
    _Atomic bool asleep; // the reader wants to be woken
    int wake_fd;
    size_t lasts;      // a power of two
    struct last *last; // by key modulo that: who was pushed out is told once more, no harm
    _Alignas(64) char ring[];
};

static struct tenant_outbox *used;

// This process' own: between hold and let_go it wakes nobody.
static struct {
    bool on;
    struct tenant_outbox *owed[TENANT_OUTBOX_HELD_MAX]; // whose reader is to be woken
} held;

static uint64_t room_of(uint32_t entries_max)
{
    return (uint64_t)entries_max * ENTRY_BYTES_MEAN;
}

static size_t lasts_of(uint32_t entries_max)
{
    size_t count = 1;

    while (count < entries_max)
        count *= 2;
    return count;
}

size_t tenant_outbox_bytes(uint32_t entries_max)
{
    return sizeof(struct tenant_outbox) + room_of(entries_max) + lasts_of(entries_max) * sizeof(struct last);
}

struct tenant_outbox *tenant_outbox_init(void *memory, uint32_t entries_max)
{
    struct tenant_outbox *outbox = memory;
    pthread_mutexattr_t shared;

    memset(outbox, 0, sizeof(*outbox));
    outbox->room = room_of(entries_max);
    outbox->entries_max = entries_max;
    outbox->wake_fd = -1;
    outbox->head = outbox->tail = 1; // 0 is no position
    outbox->lasts = lasts_of(entries_max);
    outbox->last = (struct last *)(outbox->ring + outbox->room);
    memset(outbox->last, 0, outbox->lasts * sizeof(struct last));
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&outbox->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    return outbox;
}

// ---- bytes in the ring

static void ring_write(struct tenant_outbox *outbox, uint64_t position, const void *bytes, size_t len)
{
    uint64_t at = position % outbox->room;
    size_t first = len < outbox->room - at ? len : (size_t)(outbox->room - at);

    memcpy(outbox->ring + at, bytes, first);
    memcpy(outbox->ring, (const char *)bytes + first, len - first);
}

static void ring_read(const struct tenant_outbox *outbox, uint64_t position, void *bytes, size_t len)
{
    uint64_t at = position % outbox->room;
    size_t first = len < outbox->room - at ? len : (size_t)(outbox->room - at);

    memcpy(bytes, outbox->ring + at, first);
    memcpy((char *)bytes + first, outbox->ring, len - first);
}

static uint32_t entry_len(const struct tenant_outbox *outbox, uint64_t position)
{
    uint32_t len;

    ring_read(outbox, position, &len, LENGTH_BYTES);
    return len;
}

// ---- writers

static bool has_room(const struct tenant_outbox *outbox, uint64_t percent, size_t len)
{
    uint64_t entries = outbox->put_seq - outbox->taken_seq + 1;
    uint64_t bytes = outbox->tail - outbox->head + LENGTH_BYTES + len;

    return len <= TENANT_OUTBOX_ENTRY_BYTES_MAX && entries * 100 <= outbox->entries_max * percent &&
           bytes * 100 <= outbox->room * percent;
}

static void write_entry(struct tenant_outbox *outbox, const void *entry, uint32_t len)
{
    ring_write(outbox, outbox->tail, &len, LENGTH_BYTES);
    ring_write(outbox, outbox->tail + LENGTH_BYTES, entry, len);
    outbox->tail += LENGTH_BYTES + len;
    outbox->put_seq++;
}

static void wake(const struct tenant_outbox *outbox)
{
    uint64_t one = 1;
    ssize_t written = write(outbox->wake_fd, &one, sizeof(one)); // fails only when it is readable anyway

    (void)written;
}

static bool owe(struct tenant_outbox *outbox)
{
    for (size_t i = 0; held.on && i < TENANT_OUTBOX_HELD_MAX; i++) {
        if (!held.owed[i] || held.owed[i] == outbox) {
            held.owed[i] = outbox;
            return true;
        }
    }
    return false;
}

static void tell_reader(struct tenant_outbox *outbox)
{
    if (!owe(outbox) && atomic_exchange(&outbox->asleep, false))
        wake(outbox);
}

void tenant_outbox_hold(void)
{
    held.on = true;
}

void tenant_outbox_let_go(void)
{
    held.on = false;
    for (size_t i = 0; i < TENANT_OUTBOX_HELD_MAX && held.owed[i]; i++) {
        tell_reader(held.owed[i]);
        held.owed[i] = NULL;
    }
}

static bool put(struct tenant_outbox *outbox, uint64_t percent, const void *entry, size_t len)
{
    bool fits = has_room(outbox, percent, len);

    if (fits)
        write_entry(outbox, entry, (uint32_t)len);
    else
        outbox->dropped++;
    return fits;
}

bool tenant_outbox_add(struct tenant_outbox *outbox, const void *packed_entry, size_t len)
{
    bool fits;

    pthread_mutex_lock(&outbox->lock);
    fits = put(outbox, 100, packed_entry, len);
    outbox->mark = outbox->tail;
    pthread_mutex_unlock(&outbox->lock);
    tell_reader(outbox);
    return fits;
}

static uint64_t floor_of(const struct tenant_outbox *outbox)
{
    return outbox->sent > outbox->mark ? outbox->sent : outbox->mark;
}

static bool replace(struct tenant_outbox *outbox, const struct last *last, uint64_t key, const void *entry,
                    size_t len)
{
    if (last->key != key || last->position < floor_of(outbox) || entry_len(outbox, last->position) != len)
        return false;
    ring_write(outbox, last->position + LENGTH_BYTES, entry, len);
    return true;
}

bool tenant_outbox_add_binding(struct tenant_outbox *outbox, uint64_t key, bool refresh,
                               const void *packed_entry, size_t len)
{
    struct last *last = &outbox->last[key % outbox->lasts];
    bool fits;

    pthread_mutex_lock(&outbox->lock);
    fits = refresh && replace(outbox, last, key, packed_entry, len);
    if (!fits) {
        uint64_t position = outbox->tail;
        fits = put(outbox, BINDINGS_PERCENT, packed_entry, len);
        *last = (struct last){key, fits && refresh ? position : 0};
    }
    pthread_mutex_unlock(&outbox->lock);
    if (!fits)
        atomic_store(&outbox->lost_bindings, true);
    tell_reader(outbox);
    return fits;
}

void tenant_outbox_use(struct tenant_outbox *outbox)
{
    used = outbox;
}

void tenant_outbox_put(const void *packed_entry, size_t len)
{
    if (used)
        tenant_outbox_add(used, packed_entry, len);
}

struct tenant_outbox_figures tenant_outbox_figures(struct tenant_outbox *outbox)
{
    struct tenant_outbox_figures figures = {.entries_max = outbox->entries_max};

    pthread_mutex_lock(&outbox->lock);
    figures.put_seq = outbox->put_seq;
    figures.taken_seq = outbox->taken_seq;
    figures.dropped = outbox->dropped;
    pthread_mutex_unlock(&outbox->lock);
    figures.waiting = (uint32_t)(figures.put_seq - figures.taken_seq);
    return figures;
}

bool tenant_outbox_lost_bindings(struct tenant_outbox *outbox)
{
    return atomic_exchange(&outbox->lost_bindings, false);
}

// ---- the reader

void tenant_outbox_wake_by(struct tenant_outbox *outbox, int fd)
{
    outbox->wake_fd = fd;
}

void tenant_outbox_sleep(struct tenant_outbox *outbox)
{
    atomic_store(&outbox->asleep, true);
}

static size_t varint(uint64_t value, uint8_t into[10])
{
    size_t len = 0;

    for (; value >= 0x80; value >>= 7)
        into[len++] = (uint8_t)(value | 0x80);
    into[len++] = (uint8_t)value;
    return len;
}

static void append_field(const struct tenant_outbox *outbox, uint64_t position, uint32_t len, uint32_t field,
                         struct bf_buf *into)
{
    char entry[TENANT_OUTBOX_ENTRY_BYTES_MAX];
    uint8_t head[2 * FIELD_BYTES_MAX];
    size_t head_len = varint((uint64_t)field << 3 | 2, head); // wire type 2: length-delimited

    head_len += varint(len, head + head_len);
    ring_read(outbox, position, entry, len);
    bf_buf_add(into, head, head_len);
    bf_buf_add(into, entry, len);
}

// Nothing that is there changes until it is known how much of it is sent, nor what is sent ever after: it may
// have been taken though nobody said so. Writers touch nothing else, and only the reader moves head: the
// copying needs no lock.
uint32_t tenant_outbox_peek(struct tenant_outbox *outbox, uint32_t max, size_t bytes_max, uint32_t field,
                            struct bf_buf *into, uint64_t *ret_first_seq)
{
    uint64_t position, tail, sent;
    uint32_t count = 0;

    pthread_mutex_lock(&outbox->lock);
    position = outbox->head;
    sent = outbox->sent;
    tail = outbox->sent = outbox->tail;
    *ret_first_seq = outbox->taken_seq + 1;
    pthread_mutex_unlock(&outbox->lock);
    while (position < tail && count < max) {
        uint32_t len = entry_len(outbox, position);
        if (into->len + len + FIELD_BYTES_MAX > bytes_max)
            break;
        append_field(outbox, position + LENGTH_BYTES, len, field, into);
        position += LENGTH_BYTES + len;
        count++;
    }
    pthread_mutex_lock(&outbox->lock);
    outbox->sent = position > sent ? position : sent;
    pthread_mutex_unlock(&outbox->lock);
    return count;
}

void tenant_outbox_taken(struct tenant_outbox *outbox, uint64_t seq)
{
    uint64_t head, count = 0;

    pthread_mutex_lock(&outbox->lock);
    if (seq <= outbox->put_seq && seq > outbox->taken_seq)
        count = seq - outbox->taken_seq;
    head = outbox->head;
    pthread_mutex_unlock(&outbox->lock);
    for (uint64_t i = 0; i < count; i++)
        head += LENGTH_BYTES + entry_len(outbox, head);
    pthread_mutex_lock(&outbox->lock);
    outbox->head = head;
    outbox->taken_seq += count;
    pthread_mutex_unlock(&outbox->lock);
}
