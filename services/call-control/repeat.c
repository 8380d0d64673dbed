// Answers kept for repeated requests.
#include "repeat.h"

#include <stdio.h>
#include <string.h>

#define BUSY "busy"

static void repeat_init(struct repeat *repeat, const struct api_work *work, const char *key)
{
    uint8_t digest[BF_SHA256_BYTES];
    char id[BF_ID_TEXT_SIZE], hash[2 * BF_SHA256_BYTES + 1];

    bf_repeat_digest(work->call, digest);
    bf_hex(digest, sizeof(digest), repeat->request);
    bf_sha256(key, strlen(key), digest);
    bf_hex(digest, 16, hash);
    snprintf(repeat->key, sizeof(repeat->key), "i:{%s}:%s", bf_id_text(work->caller->who.key_id, id), hash);
}

// Kept is "<hash of the request> busy" or "<hash of the request> <status> <body>".
static enum bf_err replay(struct api_work *work, const struct repeat *repeat, struct bf_str kept)
{
    size_t hash = sizeof(repeat->request) - 1;
    int64_t status;

    if (kept.len < hash + 4 || memcmp(kept.at, repeat->request, hash) != 0)
        return bf_repeat_other(work->call);
    struct bf_str rest = {kept.at + hash + 1, kept.len - hash - 1};
    if (bf_str_eq(rest, BF_STR(BUSY)))
        return bf_repeat_busy(work->call);
    if (!bf_parse_int((struct bf_str){rest.at, 3}, 200, 299, &status))
        return BF_INTERNAL;
    bf_http_answer_header(work->call, "Idempotency-Replayed", "true");
    if (rest.len <= 4)
        return bf_http_empty(work->call, (int)status);
    return bf_http_text(work->call, (int)status, "application/json",
                        (struct bf_str){rest.at + 4, rest.len - 4});
}

enum bf_err repeat_begin(struct api_work *work, struct repeat *repeat, bool *ret_done)
{
    const char *key;
    enum bf_err err = bf_repeat_key(work->call, &key);

    if (err)
        return err;
    *repeat = (struct repeat){.asked = key != NULL};
    if (!key)
        return BF_OK;
    repeat_init(repeat, work, key);
    bf_autofree char *busy = bf_xasprintf("%s " BUSY, repeat->request);
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(work->control->redis);
    bf_redis_cmd(batch, "SET", BF_R_TEXT(repeat->key), BF_R_TEXT(busy), BF_R_TEXT("NX"), BF_R_TEXT("GET"),
                 BF_R_TEXT("EX"), BF_R_INT(REPEAT_BUSY_S));
    err = bf_redis_run(batch);
    if (err || bf_redis_nil(bf_redis_reply(batch, 0)))
        return err;
    *ret_done = true;
    return replay(work, repeat, bf_redis_str(bf_redis_reply(batch, 0)));
}

// What happened has happened: when the answer cannot be kept, "busy" runs out by itself.
void repeat_end(struct api_work *work, const struct repeat *repeat, enum bf_err err)
{
    if (!repeat->asked)
        return;
    bf_cleanup(bf_redis_batch_free_at) struct bf_redis_batch *batch =
        bf_redis_batch_new(work->control->redis);
    bf_autofree char *body = work->answer ? json_dumps(work->answer, JSON_COMPACT) : NULL;
    bf_autofree char *kept = bf_xasprintf("%s %03d %s", repeat->request, work->status, body ? body : "");

    if (err)
        bf_redis_cmd(batch, "DEL", BF_R_TEXT(repeat->key));
    else
        bf_redis_cmd(batch, "SET", BF_R_TEXT(repeat->key), BF_R_TEXT(kept), BF_R_TEXT("EX"),
                     BF_R_INT(REPEAT_KEEP_S));
    if (bf_redis_run(batch))
        bf_warn("api.answer_not_kept", BF_S("request_id", bf_http_request_id(work->call)));
}
