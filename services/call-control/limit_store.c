// Leases in Redis.
#include "limit_store.h"

#include <stdio.h>
#include <string.h>

#include "bf_clock.h"
#include "call_store.h"
#include "control.h"

#define KEY_SIZE    LIMIT_KEY_SIZE
#define MEMBER_SIZE LIMIT_MEMBER_SIZE

// KEYS: leases, calls of the last second, the call. ARGV: member, call, max_calls, calls_per_second, lease in
// ms. Answers 0: taken, 1: over max_calls, 2: over calls_per_second. A call that has its lease already keeps
// it; one that is over takes none: nobody would free it.
struct bf_redis_script limit_take_script = {
    .text = "local time = redis.call('TIME')\n"
            "local now = time[1] * 1000 + math.floor(time[2] / 1000)\n"
            "if redis.call('GETRANGE', KEYS[3], 0, 11) == '" CALL_OVER_LUA "' then return 0 end\n"
            "redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)\n"
            "if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then\n"
            "  local calls, rate = tonumber(ARGV[3]), tonumber(ARGV[4])\n"
            "  if calls > 0 and redis.call('ZCARD', KEYS[1]) >= calls then return 1 end\n"
            "  if rate > 0 then\n"
            "    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 1000)\n"
            "    if redis.call('ZCARD', KEYS[2]) >= rate then return 2 end\n"
            "    redis.call('ZADD', KEYS[2], now, ARGV[2])\n"
            "    redis.call('PEXPIRE', KEYS[2], 2000)\n"
            "  end\n"
            "end\n"
            "redis.call('ZADD', KEYS[1], now + ARGV[5], ARGV[1])\n"
            "redis.call('PEXPIRE', KEYS[1], 2 * 13 * 3600 * 1000)\n"
            "return 0\n",
};

const char *limit_lease_key(struct bf_id tenant, char key[KEY_SIZE])
{
    char text[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "l:{%s}", bf_id_text(tenant, text));
    return key;
}

static const char *second_key(struct bf_id tenant, char key[KEY_SIZE])
{
    char text[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "s:{%s}", bf_id_text(tenant, text));
    return key;
}

const char *limit_lease_member(const struct limit_lease *lease, char member[MEMBER_SIZE])
{
    char text[BF_ID_TEXT_SIZE];

    snprintf(member, MEMBER_SIZE, "%s/%s", lease->edge, bf_id_text(lease->call, text));
    return member;
}

size_t limit_store_take(struct bf_redis_batch *batch, const struct limit_lease *lease, struct limit_caps caps)
{
    char leases[KEY_SIZE], second[KEY_SIZE], member[MEMBER_SIZE], call[CALL_KEY_SIZE];

    return bf_redis_eval(batch, &limit_take_script, 3, BF_R_TEXT(limit_lease_key(lease->tenant, leases)),
                         BF_R_TEXT(second_key(lease->tenant, second)),
                         BF_R_TEXT(call_key(lease->tenant, lease->call, call)),
                         BF_R_TEXT(limit_lease_member(lease, member)),
                         BF_R_BYTES(lease->call.bytes, sizeof(lease->call.bytes)), BF_R_INT(caps.max_calls),
                         BF_R_INT(caps.calls_per_second), BF_R_INT(LIMIT_PLAN_MS));
}

enum limit_verdict limit_store_verdict(const struct bf_redis_reply *reply)
{
    int64_t verdict = bf_redis_int(reply);

    return verdict == 1 ? LIMIT_MAX_CALLS : verdict == 2 ? LIMIT_RATE : LIMIT_FREE;
}

void limit_store_free(struct bf_redis_batch *batch, const struct limit_lease *lease)
{
    char leases[KEY_SIZE], member[MEMBER_SIZE];

    bf_redis_cmd(batch, "ZREM", BF_R_TEXT(limit_lease_key(lease->tenant, leases)),
                 BF_R_TEXT(limit_lease_member(lease, member)));
}

enum bf_err limit_store_count(struct control *control, struct bf_id tenant, int64_t *ret_calls)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(control->redis);
    char leases[KEY_SIZE];

    bf_redis_cmd(batch, "ZCOUNT", BF_R_TEXT(limit_lease_key(tenant, leases)), BF_R_INT(bf_unix_ms()),
                 BF_R_TEXT("+inf"));
    enum bf_err err = bf_redis_run(batch);
    if (!err)
        *ret_calls = bf_redis_int(bf_redis_reply(batch, 0));
    return err;
}
