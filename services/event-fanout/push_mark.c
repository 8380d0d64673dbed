// Whether a tenant has push devices, in Redis.
#include "push_mark.h"

#include <stdio.h>

#include "bf_redis.h"

#define KEY_SIZE (BF_ID_TEXT_SIZE + 8)
#define NONE_MS  200 // nobody waits longer for what only spares a question

static const char *key_of(struct bf_id tenant, char key[KEY_SIZE])
{
    char text[BF_ID_TEXT_SIZE];

    snprintf(key, KEY_SIZE, "pd:{%s}", bf_id_text(tenant, text));
    return key;
}

enum bf_err push_mark_some(struct fanout *fanout, struct bf_id tenant)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(fanout->redis);
    char key[KEY_SIZE];

    bf_redis_cmd(batch, "SET", BF_R_TEXT(key_of(tenant, key)), BF_R_TEXT("1"), BF_R_TEXT("EX"),
                 BF_R_INT(PUSH_MARK_S));
    return bf_redis_run(batch);
}

void push_mark_none(struct fanout *fanout, struct bf_id tenant)
{
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch = bf_redis_batch_new(fanout->redis);
    char key[KEY_SIZE];

    bf_redis_cmd(batch, "SET", BF_R_TEXT(key_of(tenant, key)), BF_R_TEXT("0"), BF_R_TEXT("EX"),
                 BF_R_INT(PUSH_MARK_S), BF_R_TEXT("NX"));
    bf_redis_hurry(batch, NONE_MS);
    (void)!bf_redis_run(batch); // then the next call asks again
}
