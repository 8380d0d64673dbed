// Registrations of tenants in Redis.
#include "admit_store.h"

#include <stdio.h>

// KEYS: places, then the edges' bindings. ARGV: max, how long a place lasts in ms, the devices' places.
// Answers {1 when refused, registrations}.
struct bf_redis_script admit_script = {
    .text = "local time = redis.call('TIME')\n"
            "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
            "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)\n"
            "local count, wanted = redis.call('ZCARD', KEYS[1]), #ARGV - 2\n"
            "for i = 2, #KEYS do count = count + redis.call('ZCOUNT', KEYS[i], now, '+inf') end\n"
            "for i = 3, #ARGV do\n"
            "  if redis.call('ZSCORE', KEYS[1], ARGV[i]) then count = count - 1 end\n"
            "end\n"
            "if count + wanted > tonumber(ARGV[1]) then return {1, count} end\n"
            "for i = 3, #ARGV do redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[i]) end\n"
            "redis.call('PEXPIRE', KEYS[1], ARGV[2])\n"
            "return {0, count}\n",
};

const char *admit_bindings_key(struct bf_id tenant, const char *edge, char key[ADMIT_KEY_SIZE])
{
    char id[BF_ID_TEXT_SIZE];

    snprintf(key, ADMIT_KEY_SIZE, "r:{%s}:%s", bf_id_text(tenant, id), edge);
    return key;
}

const char *admit_places_key(struct bf_id tenant, char key[ADMIT_KEY_SIZE])
{
    char id[BF_ID_TEXT_SIZE];

    snprintf(key, ADMIT_KEY_SIZE, "p:{%s}", bf_id_text(tenant, id));
    return key;
}

const char *admit_place(const char *edge, const char *number, const char *contact,
                        char place[ADMIT_PLACE_SIZE])
{
    snprintf(place, ADMIT_PLACE_SIZE, "%s/%s/%s", edge, number, contact);
    return place;
}

size_t admit_store_take(struct bf_redis_batch *batch, const struct admit_ask *ask)
{
    size_t keys = 1 + ask->edge_count, count = 0;
    bf_autofree struct bf_redis_arg *args = bf_xcalloc(keys + 2 + ask->contact_count, sizeof(*args));
    bf_autofree char(*names)[ADMIT_KEY_SIZE] = bf_xcalloc(keys, sizeof(*names));
    bf_autofree char(*places)[ADMIT_PLACE_SIZE] = bf_xcalloc(ask->contact_count + 1, sizeof(*places));

    args[count++] = BF_R_TEXT(admit_places_key(ask->tenant, names[0]));
    for (size_t i = 0; i < ask->edge_count; i++)
        args[count++] = BF_R_TEXT(admit_bindings_key(ask->tenant, ask->edges[i], names[1 + i]));
    args[count++] = BF_R_INT(ask->max);
    args[count++] = BF_R_INT(ADMIT_PLACE_MS);
    for (size_t i = 0; i < ask->contact_count; i++)
        args[count++] = BF_R_TEXT(admit_place(ask->edge, ask->number, ask->contacts[i], places[i]));
    return bf_redis_script(batch, &admit_script, keys, args, count);
}

struct admit_verdict admit_store_verdict(const struct bf_redis_reply *reply)
{
    return (struct admit_verdict){bf_redis_int(bf_redis_item(reply, 0)) == 1,
                                  (uint32_t)bf_redis_int(bf_redis_item(reply, 1))};
}
