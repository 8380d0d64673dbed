// UUIDv7: 48 bits of Unix ms, 12 bits of the millisecond's fraction, 62 random bits.
#include "bf_id.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "bf_crypto.h"

// Of this process's newest id: ms << 12 | fraction. Ids made in one tick count on, so that they still sort by
// age.
static _Atomic uint64_t newest_tick;

static uint64_t clock_tick(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
    return ms << 12 | ((uint64_t)now.tv_nsec % 1000000) * 4096 / 1000000;
}

static uint64_t next_tick(void)
{
    uint64_t now = clock_tick();
    uint64_t newest = atomic_load_explicit(&newest_tick, memory_order_relaxed);
    uint64_t tick;
    do {
        tick = now > newest ? now : newest + 1;
    } while (!atomic_compare_exchange_weak_explicit(&newest_tick, &newest, tick, memory_order_relaxed,
                                                    memory_order_relaxed));
    return tick;
}

struct bf_id bf_id_new(void)
{
    uint64_t tick = next_tick();
    struct bf_id id = bf_id_at(tick >> 12);
    bf_random(id.bytes + 8, sizeof(id.bytes) - 8);
    id.bytes[6] = (uint8_t)(0x70 | (tick >> 8 & 0x0f));
    id.bytes[7] = (uint8_t)tick;
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

bool bf_id_eq(struct bf_id a, struct bf_id b)
{
    return memcmp(a.bytes, b.bytes, sizeof(a.bytes)) == 0;
}

bool bf_id_is_nil(struct bf_id id)
{
    return bf_id_eq(id, (struct bf_id){{0}});
}

uint64_t bf_id_ms(struct bf_id id)
{
    uint64_t ms = 0;

    for (size_t i = 0; i < 6; i++)
        ms = ms << 8 | id.bytes[i];
    return ms;
}

struct bf_id bf_id_at(uint64_t unix_ms)
{
    struct bf_id id = {{0}};

    for (size_t i = 0; i < 6; i++)
        id.bytes[i] = (uint8_t)(unix_ms >> (40 - 8 * i));
    return id;
}

static const uint8_t group_bytes[] = {4, 2, 2, 2, 6};

const char *bf_id_text(struct bf_id id, char text[BF_ID_TEXT_SIZE])
{
    const uint8_t *byte = id.bytes;
    char *at = text;
    for (size_t g = 0; g < BF_LEN(group_bytes); g++) {
        if (g)
            *at++ = '-';
        bf_hex(byte, group_bytes[g], at);
        at += 2 * (size_t)group_bytes[g];
        byte += group_bytes[g];
    }
    return text;
}

bool bf_id_parse(struct bf_str text, struct bf_id *ret_id)
{
    if (text.len != BF_ID_TEXT_SIZE - 1)
        return false;
    struct bf_id id;
    const char *at = text.at;
    uint8_t *byte = id.bytes;
    for (size_t g = 0; g < BF_LEN(group_bytes); g++) {
        if (g && *at++ != '-')
            return false;
        size_t digits = 2 * (size_t)group_bytes[g];
        if (!bf_unhex((struct bf_str){at, digits}, byte, group_bytes[g]))
            return false;
        at += digits;
        byte += group_bytes[g];
    }
    *ret_id = id;
    return true;
}
